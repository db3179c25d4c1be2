package storage

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// Receiver is what a store can do beside Blobs when bytes can be looked at
// where they will stay. A folder can; S3 takes what is known already.
type Receiver interface {
	// Receive begins a blob. The caller must end it with Discard, also after
	// Keep. Errors: ErrNoSpace.
	Receive(ctx context.Context) (Incoming, error)
}

// Incoming is a blob on its way: written once and in order, readable as far as
// it has come. It belongs to one goroutine.
type Incoming interface {
	io.Writer
	io.ReaderAt
	// Keep makes it a blob, with the promise of Blobs.Put. It is called once at
	// most, and nothing is written after it.
	Keep(ctx context.Context) (Info, error)
	// Discard forgets what was not kept.
	Discard()
}

const copyBytes = 256 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

// Fill copies r to its end into w, in large pieces, while ctx lasts.
func Fill(ctx context.Context, w io.Writer, r io.Reader) (n int64, err error) {
	buf := copyBuffers.Get().(*[copyBytes]byte)
	defer copyBuffers.Put(buf)
	for held, end := 0, false; !end; {
		if err := ctx.Err(); err != nil {
			return n, context.Cause(ctx)
		}
		m, rerr := r.Read(buf[held:])
		held += m
		if rerr != nil && rerr != io.EOF {
			return n, fmt.Errorf("reading what to store: %w", rerr)
		}
		end = rerr == io.EOF
		if held < copyBytes && !end {
			continue
		}
		m, err = w.Write(buf[:held])
		n += int64(m)
		if err != nil {
			return n, err
		}
		held = 0
	}
	return n, nil
}
