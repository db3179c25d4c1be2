package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"sira/dicom"
)

const defaultMaxBytes = 4 << 30

// Stream takes in one object that arrives once, in order; it is spooled to a
// temporary file, never to memory, and at most MaxBytes of it. Errors are
// those of File, dicom.TooLarge, and those of r.
func (g *Ingest) Stream(ctx context.Context, r io.Reader) (_ Result, err error) {
	spool, err := os.CreateTemp(g.TempDir, "sira-ingest-*")
	if err != nil {
		return Result{}, fmt.Errorf("spooling DICOM object: %w", err)
	}
	defer func() {
		if e := errors.Join(spool.Close(), os.Remove(spool.Name())); e != nil && err == nil {
			err = fmt.Errorf("removing spooled DICOM object: %w", e)
		}
	}()
	limit := g.MaxBytes
	if limit <= 0 {
		limit = defaultMaxBytes
	}
	size, err := io.Copy(spool, io.LimitReader(cancellable{ctx, r}, limit+1))
	if err != nil {
		return Result{}, fmt.Errorf("spooling DICOM object: %w", err)
	}
	if size > limit {
		return Result{}, &dicom.Error{Reason: dicom.TooLarge, Detail: fmt.Sprintf("more than %d bytes", limit), Offset: -1}
	}
	return g.File(ctx, spool, size)
}

// cancellable reads until its context ends.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (p cancellable) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, context.Cause(p.ctx)
	}
	return p.r.Read(b)
}
