package dicom

import (
	"context"
	"errors"
	"fmt"
	"io"
)

const (
	firstWindow = 1 << 10
	fullWindow  = 32 << 10
)

// cursor reads small pieces of a large object through one window. The window
// starts small after a jump, so that walking over a million fragments does
// not read what lies between, and grows while reading on.
type cursor struct {
	ctx  context.Context
	r    io.ReaderAt
	size int64

	window []byte
	base   int64 // offset of window[0]
	chunk  int
	steps  int
}

func newCursor(ctx context.Context, r io.ReaderAt, size int64) *cursor {
	return &cursor{ctx: ctx, r: r, size: size, chunk: fullWindow}
}

// at returns n ≤ firstWindow bytes at off, valid until the next call.
func (c *cursor) at(off int64, n int) ([]byte, error) {
	if off < 0 || off+int64(n) > c.size {
		return nil, &Error{Truncated, "the file ends inside an element", off}
	}
	if i := off - c.base; i >= 0 && i+int64(n) <= int64(len(c.window)) {
		return c.window[i : i+int64(n)], nil
	}
	if end := c.base + int64(len(c.window)); off >= c.base && off <= end && c.window != nil {
		c.chunk = min(c.chunk*4, fullWindow)
	} else if c.window != nil {
		c.chunk = firstWindow
	}
	want := int(min(int64(max(c.chunk, n)), c.size-off))
	if cap(c.window) < fullWindow {
		c.window = make([]byte, fullWindow)
	}
	c.window = c.window[:want]
	if err := c.read(c.window, off); err != nil {
		c.window = c.window[:0]
		return nil, err
	}
	c.base = off
	return c.window[:n], nil
}

// load returns a copy of n bytes at off.
func (c *cursor) load(off, n int64) ([]byte, error) {
	if n <= firstWindow {
		b, err := c.at(off, int(n))
		if err != nil {
			return nil, err
		}
		return append(make([]byte, 0, n), b...), nil
	}
	if off < 0 || n > c.size-off {
		return nil, &Error{Truncated, "the file ends inside a value", off}
	}
	b := make([]byte, n)
	return b, c.read(b, off)
}

func (c *cursor) read(p []byte, off int64) error {
	if err := c.check(); err != nil {
		return err
	}
	n, err := c.r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	var refused *Error
	switch {
	case errors.As(err, &refused):
		return refused
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Truncated, "the file is shorter than announced", off + int64(n)}
	}
	return fmt.Errorf("reading DICOM object: %w", err)
}

// check reports a passed deadline.
func (c *cursor) check() error { return contextError(c.ctx) }

// step is check, cheap enough for every element.
func (c *cursor) step() error {
	if c.steps++; c.steps%512 == 0 {
		return c.check()
	}
	return nil
}

var errDeadline = errors.New("reading takes too long")

func contextError(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, errDeadline) {
		return fmt.Errorf("reading DICOM object: %w", cause)
	}
	return &Error{Timeout, errDeadline.Error(), -1}
}
