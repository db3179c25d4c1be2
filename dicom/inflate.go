package dicom

import (
	"bufio"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// inflater offers a deflated data set (PS3.5 section A.5) as an io.ReaderAt
// without holding it: it inflates forward and starts over to go back. It
// keeps the last bytes so that small steps back cost nothing.
type inflater struct {
	ctx   context.Context // nil: no deadline
	src   io.ReaderAt
	start int64
	end   int64
	limit int64

	mu   sync.Mutex
	z    io.ReadCloser
	pos  int64
	tail []byte // the last bytes before pos
}

const inflaterTail = 64 << 10

func (f *inflater) restart() {
	f.z = flate.NewReader(bufio.NewReaderSize(io.NewSectionReader(f.src, f.start, f.end-f.start), 32<<10))
	f.pos, f.tail = 0, f.tail[:0]
}

// ReadAt implements io.ReaderAt on the inflated bytes.
func (f *inflater) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if off < 0 {
		return 0, errors.New("inflating data set: negative offset")
	}
	if f.z == nil || off < f.pos-int64(len(f.tail)) {
		f.restart()
	}
	n := 0
	if off < f.pos {
		n = copy(p, f.tail[int64(len(f.tail))-(f.pos-off):])
	}
	if err := f.skipTo(off); err != nil {
		return 0, err
	}
	for n < len(p) {
		m, err := f.step(p[n:])
		n += m
		if err != nil && n < len(p) {
			return n, err
		}
	}
	return n, nil
}

func (f *inflater) skipTo(off int64) error {
	var waste [16 << 10]byte
	for f.pos < off {
		if _, err := f.step(waste[:min(int64(len(waste)), off-f.pos)]); err != nil {
			return err
		}
	}
	return nil
}

// step inflates a little and remembers it.
func (f *inflater) step(p []byte) (int, error) {
	if f.ctx != nil {
		if err := contextError(f.ctx); err != nil {
			return 0, err
		}
	}
	n, err := f.z.Read(p)
	f.pos += int64(n)
	f.remember(p[:n])
	if f.pos > f.limit {
		return n, &Error{InflatedTooLarge, fmt.Sprintf("the deflated data set holds more than %d bytes", f.limit), f.pos}
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) {
		return n, &Error{Malformed, "the deflated data set is corrupt", f.start + int64(corrupt)}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, &Error{Truncated, "the deflated data set ends early", f.end}
	}
	return n, fmt.Errorf("inflating data set: %w", err)
}

func (f *inflater) remember(p []byte) {
	if len(p) >= inflaterTail {
		f.tail = append(f.tail[:0], p[len(p)-inflaterTail:]...)
		return
	}
	if cut := len(f.tail) + len(p) - 2*inflaterTail; cut > 0 {
		f.tail = append(f.tail[:0], f.tail[len(f.tail)-inflaterTail:]...)
	}
	f.tail = append(f.tail, p...)
}

// inflatedSize inflates once to learn the size, at most limit.
func (f *inflater) inflatedSize() (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restart()
	buf := make([]byte, 64<<10)
	for {
		if _, err := f.step(buf); err == io.EOF {
			return f.pos, nil
		} else if err != nil {
			return 0, err
		}
	}
}
