package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Object is one stored instance, as retrieval needs it.
type Object struct {
	Study, Series, SOP, Class, Syntax, Hash string
	Size                                    int64
	Frames                                  int
}

// Objects lists the instances of a study, or of one series, or one instance
// (empty UIDs: all) that may be seen, by series and instance number.
// ErrNotFound when there is none.
func (x *Index) Objects(ctx context.Context, v *Visible, study, series, sop string) ([]Object, error) {
	if !v.Study(study) || series != "" && !v.Series(study, series) || sop != "" && !v.Instance(study, series, sop) {
		return nil, orNotFound(nil, "object")
	}
	query := `SELECT i.series, i.sop, i.class, i.hash, i.size, COALESCE(j.syntax, ''), COALESCE(j.frames, 0)
		FROM dicom_series e JOIN dicom_instance i ON i.study = e.study AND i.series = e.uid
		LEFT JOIN dicom_instance_json j ON j.sop = i.sop WHERE e.study = ?`
	args := []any{study}
	if series != "" {
		query, args = query+` AND e.uid = ?`, append(args, series)
	}
	if sop != "" {
		query, args = query+` AND i.sop = ?`, append(args, sop)
	}
	rows, err := x.db.Query(ctx, query+` ORDER BY e.number, e.uid, i.number, i.place_um, i.sop`, args...)
	if err != nil {
		return nil, orNotFound(err, "objects")
	}
	defer rows.Close()
	var out []Object
	for rows.Next() {
		o := Object{Study: study}
		if err := rows.Scan(&o.Series, &o.SOP, &o.Class, &o.Hash, &o.Size, &o.Syntax, &o.Frames); err != nil {
			return nil, orNotFound(err, "objects")
		}
		if v.Instance(study, o.Series, o.SOP) {
			out = append(out, o)
		}
	}
	if err := rows.Err(); err != nil || len(out) == 0 {
		return nil, orNotFound(err, "objects")
	}
	return out, nil
}

// Metadata is the instance's data set without bulk, a template of jsonmodel
// whose base is the address of the instance; "" when it is not kept here and
// must be made from the object.
func (x *Index) Metadata(ctx context.Context, sop string) (string, error) {
	return x.meta(ctx, sop)
}

func (x *Index) meta(ctx context.Context, sop string) (string, error) {
	var packed string
	err := x.db.QueryRow(ctx, `SELECT meta FROM dicom_instance_json WHERE sop = ?`, sop).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) || err == nil && packed == "" {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading metadata: %w", err)
	}
	return unpack(packed)
}

// Hashes lists the stored objects by instance UID, limit at a time, after the
// UID last of the answer before ("" to begin).
func (x *Index) Hashes(ctx context.Context, after string, limit int) (hashes []string, last string, err error) {
	rows, err := x.db.Query(ctx, `SELECT sop, hash FROM dicom_instance WHERE sop > ? ORDER BY sop LIMIT ?`, after, limit)
	if err != nil {
		return nil, "", fmt.Errorf("listing stored objects: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash string
		if err := rows.Scan(&last, &hash); err != nil {
			return nil, "", fmt.Errorf("listing stored objects: %w", err)
		}
		hashes = append(hashes, hash)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("listing stored objects: %w", err)
	}
	return hashes, last, nil
}
