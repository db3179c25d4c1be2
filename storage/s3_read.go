package storage

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/minio/minio-go/v7"
)

func (b *bucket) Open(ctx context.Context, h Hash) (Reader, error) {
	info, err := b.Stat(ctx, h)
	if err != nil {
		return nil, err
	}
	key, err := b.key(h)
	if err != nil {
		return nil, err
	}
	return &objectReader{ctx: ctx, b: b, key: key, info: info}, nil
}

// objectReader reads an object by ranges: one request for each ReadAt, and one
// for each run of Reads without a Seek to elsewhere between them.
type objectReader struct {
	ctx  context.Context
	b    *bucket
	key  string
	info Info

	pos    int64
	stream io.ReadCloser // what is left of the object from streamPos on
	at     int64         // where stream is
	closed bool
}

func (r *objectReader) Size() int64 { return r.info.Size }

// get asks for length bytes from off.
func (r *objectReader) get(off, length int64) (io.ReadCloser, error) {
	var opts minio.GetObjectOptions
	if err := opts.SetRange(off, off+length-1); err != nil {
		return nil, err
	}
	body, _, _, err := r.b.core.GetObject(r.ctx, r.b.name, r.key, opts)
	if err != nil {
		return nil, r.wrap(err)
	}
	return body, nil
}

func (r *objectReader) wrap(err error) error {
	return r.b.wrap("reading blob "+string(r.info.Hash), err)
}

func (r *objectReader) Read(p []byte) (int, error) {
	switch {
	case r.closed:
		return 0, fmt.Errorf("reading blob %s: already closed", r.info.Hash)
	case len(p) == 0:
		return 0, nil
	case r.pos >= r.info.Size:
		return 0, io.EOF
	}
	if r.stream == nil || r.at != r.pos {
		r.drop()
		body, err := r.get(r.pos, r.info.Size-r.pos)
		if err != nil {
			return 0, err
		}
		r.stream, r.at = body, r.pos
	}
	n, err := r.stream.Read(p)
	r.pos += int64(n)
	r.at = r.pos
	if err == io.EOF && r.pos < r.info.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		r.drop() // the next Read asks again, from here
		err = r.wrap(err)
	}
	return n, err
}

func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case off < 0:
		return 0, fmt.Errorf("reading blob %s: negative offset", r.info.Hash)
	case off >= r.info.Size:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	want := min(int64(len(p)), r.info.Size-off)
	body, err := r.get(off, want)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	n, err := io.ReadFull(body, p[:want])
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return n, r.wrap(err)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (r *objectReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekEnd:
		offset += r.info.Size
	case io.SeekStart:
	default:
		return 0, errors.New("seeking in blob: unknown whence")
	}
	if offset < 0 {
		return 0, errors.New("seeking in blob: negative position")
	}
	r.pos = offset
	return offset, nil
}

func (r *objectReader) drop() {
	if r.stream != nil {
		r.stream.Close()
		r.stream = nil
	}
}

func (r *objectReader) Close() error {
	r.closed = true
	r.drop()
	return nil
}

// contextReader ends a read when its context does, and hides every other method
// of the reader, which minio-go would use to read it in parallel.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// checkedReader fails instead of ending when what it read is not what was
// promised. It holds the last bytes back then: readers of a fixed length
// overlook an error that comes with the bytes they wanted.
type checkedReader struct {
	r    io.Reader
	want Info
	sum  hash.Hash
	size int64
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum.Write(p[:n])
	c.size += int64(n)
	switch {
	case c.size > c.want.Size,
		c.size == c.want.Size && sumOf(c.sum) != c.want.Hash,
		c.size < c.want.Size && err == io.EOF:
		return 0, errChanged
	}
	return n, err
}
