package index

import (
	"context"
	"errors"
	"fmt"

	"sira/dicom"
	"sira/storage"
)

// Backfill completes instances that were indexed without their DICOM JSON:
// read gives the header of a stored object by its hash. It returns how many
// were completed and stops at the first error of the database; objects that
// cannot be read are left out and counted in the error. It may be stopped and
// run again at any time, and beside everything else.
func (x *Index) Backfill(ctx context.Context, read func(ctx context.Context, hash string) (*dicom.File, error)) (done int, err error) {
	after, failed := "", 0
	for {
		list, err := x.instances(ctx, `SELECT i.data FROM dicom_instance i LEFT JOIN dicom_instance_json j ON j.sop = i.sop
			WHERE i.sop > ? AND j.sop IS NULL ORDER BY i.sop LIMIT 100`, after)
		if err != nil {
			return done, fmt.Errorf("completing DICOM index: %w", err)
		}
		if len(list) == 0 {
			break
		}
		for _, in := range list {
			after = in.SOPUID
			f, err := read(ctx, in.Hash)
			if ctx.Err() != nil {
				return done, fmt.Errorf("completing DICOM index: %w", ctx.Err())
			}
			if err != nil {
				failed++
				continue
			}
			if err := x.completeOne(ctx, in, f); err != nil {
				return done, fmt.Errorf("completing DICOM index: %w", err)
			}
			done++
		}
	}
	if failed > 0 {
		return done, fmt.Errorf("completing DICOM index: %d objects: %w", failed, errUnread)
	}
	return done, nil
}

var errUnread = errors.New("could not be read")

func (x *Index) completeOne(ctx context.Context, in dicom.Instance, f *dicom.File) error {
	in.SOPClass, in.TransferSyntax = plainUID(in.SOPClass), plainUID(in.TransferSyntax)
	r, err := describe(in, f)
	if err != nil {
		return err
	}
	return x.db.Tx(ctx, func(tx storage.Querier) error { return r.write(ctx, tx) })
}
