package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"sira/dicom"
	"sira/storage"
)

const defaultMaxBytes = 4 << 30

// Stream takes in one object that arrives once, in order, and at most MaxBytes
// of it. It goes to the store's own disk as it comes, or to a temporary file,
// never to memory. Errors are those of File, dicom.TooLarge, storage.ErrNoSpace
// and those of r.
func (g *Ingest) Stream(ctx context.Context, r io.Reader) (Result, error) {
	store, ok := g.blobs.(storage.Receiver)
	if !ok {
		return g.spooled(ctx, r)
	}
	in, err := store.Receive(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("receiving DICOM object: %w", err)
	}
	defer in.Discard()
	size, err := g.receive(ctx, in, r)
	if err != nil {
		return Result{}, err
	}
	return g.file(ctx, object{in, size, in.Keep})
}

func (g *Ingest) spooled(ctx context.Context, r io.Reader) (_ Result, err error) {
	spool, err := os.CreateTemp(g.TempDir, "sira-ingest-*")
	if err != nil {
		return Result{}, fmt.Errorf("spooling DICOM object: %w", err)
	}
	defer func() {
		if e := errors.Join(spool.Close(), os.Remove(spool.Name())); e != nil && err == nil {
			err = fmt.Errorf("removing spooled DICOM object: %w", e)
		}
	}()
	size, err := g.receive(ctx, spool, r)
	if err != nil {
		return Result{}, err
	}
	return g.File(ctx, spool, size)
}

// receive copies one object, within the limit.
func (g *Ingest) receive(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	limit := g.MaxBytes
	if limit <= 0 {
		limit = defaultMaxBytes
	}
	size, err := storage.Fill(ctx, w, io.LimitReader(r, limit+1))
	if err != nil {
		return 0, fmt.Errorf("receiving DICOM object: %w", err)
	}
	if size > limit {
		return 0, &dicom.Error{Reason: dicom.TooLarge, Detail: fmt.Sprintf("more than %d bytes", limit), Offset: -1}
	}
	return size, nil
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
