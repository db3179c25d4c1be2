package fileset

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/big"

	"sira/dicom/write"
)

const classDirectory = "1.2.840.10008.1.3.10" // Media Storage Directory Storage

// directory writes the DICOMDIR. All its records have lengths known before, so
// that every offset is known before the first byte is written (PS3.3 F.3.2.2).
func (a *archive) directory(ctx context.Context) error {
	a.tree.root.prune()
	records := a.tree.root.records()
	if len(records) == 0 {
		return nil
	}
	o := write.New(write.ExplicitLE)
	o.Set.Text(0x00041130, "CS", "SIRA")
	o.Set.UL(0x00041200, 0)
	o.Set.UL(0x00041202, 0)
	o.Set.US(0x00041212, 0)
	o.Identify(classDirectory, directoryUID(records))
	at := o.Size() + 12 // the head of the sequence of records
	for _, n := range records {
		n.offset = at
		at += 8 + write.SetSize(n.set)
	}
	if at >= 1<<32 {
		return fmt.Errorf("directory of %d bytes: %w", at, ErrTooMany)
	}
	link(a.tree.root.below)
	top := a.tree.root.below
	o.Set.UL(0x00041200, uint32(top[0].offset))
	o.Set.UL(0x00041202, uint32(top[len(top)-1].offset))
	sets := make([]*write.Set, len(records))
	for i, n := range records {
		sets[i] = n.set
	}
	o.Set.Sequence(0x00041220, sets...)
	out, err := a.entry("DICOMDIR", true)
	if err != nil {
		return err
	}
	return o.Write(ctx, out)
}

// directoryUID names a directory after what it lists.
func directoryUID(records []*node) string {
	h := sha256.New()
	for _, n := range records {
		fmt.Fprintln(h, n.kind, n.set.String(0x00041511), n.set.String(0x00041500))
	}
	sum := h.Sum(nil)
	sum[6] = sum[6]&0x0F | 0x80
	sum[8] = sum[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(sum[:16]).String()
}

// link makes each record point to its next and its first lower one.
func link(records []*node) {
	for i, n := range records {
		if i+1 < len(records) {
			n.set.UL(0x00041400, uint32(records[i+1].offset))
		}
		if len(n.below) > 0 {
			n.set.UL(0x00041420, uint32(n.below[0].offset))
			link(n.below)
		}
	}
}
