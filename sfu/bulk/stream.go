package bulk

import (
	"context"
	"io"
	"time"
)

// Transfer is one request of a person, whose bodies pass at what is granted.
type Transfer struct {
	Book  *Book
	User  string
	Class Class
	Ctx   context.Context // ends the waiting
}

// wait takes up to n bytes, waiting until there are some.
func (t *Transfer) wait(w Way, n int) (int, error) {
	for {
		may, again := t.Book.Take(t.User, w, t.Class, n, time.Now())
		if may > 0 || n == 0 {
			return may, nil
		}
		timer := time.NewTimer(again)
		select {
		case <-timer.C:
		case <-t.Ctx.Done():
			timer.Stop()
			return 0, t.Ctx.Err()
		}
	}
}

// Reader reads what the person sends, no faster than granted.
func (t *Transfer) Reader(r io.Reader) io.Reader { return pacedReader{t, r} }

type pacedReader struct {
	t *Transfer
	r io.Reader
}

func (p pacedReader) Read(b []byte) (int, error) {
	n, err := p.t.wait(Up, len(b))
	if err != nil {
		return 0, err
	}
	m, err := p.r.Read(b[:n])
	p.t.Book.giveBack(p.t.User, Up, p.t.Class, n-m)
	return m, err
}

// Write passes b to w in pieces, no faster than granted.
func (t *Transfer) Write(w io.Writer, b []byte) (done int, err error) {
	for done < len(b) {
		n, err := t.wait(Down, len(b)-done)
		if err != nil {
			return done, err
		}
		m, err := w.Write(b[done : done+n])
		done += m
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
