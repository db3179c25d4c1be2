package dimse

import (
	"fmt"
	"io"
)

// dataSet reads the data set of one message from its association. It ends with
// io.EOF only when the last fragment has come; any other end is an error, so a
// consumer never takes a part for the whole.
type dataSet struct {
	a       *association
	context byte
	last    bool
	n       int64
	err     error
}

// data starts reading the data set that follows a command set in context.
func (a *association) data(context byte) *dataSet {
	a.wire.pace()
	return &dataSet{a: a, context: context}
}

// more makes sure that bytes of the current value are left, or gives the end.
func (d *dataSet) more() error {
	for d.err == nil && d.a.valueLeft == 0 {
		if d.last {
			d.err = io.EOF
			break
		}
		d.err = d.nextFragment()
	}
	return d.err
}

func (d *dataSet) nextFragment() error {
	err := d.a.nextValue()
	v := d.a.value
	switch {
	case err == errReleaseAsked:
		return d.a.violation("release within a data set")
	case err != nil:
		return err
	case v.Command || v.Context != d.context:
		return d.a.violation("data set of context %d interrupted by context %d", d.context, v.Context)
	case d.n+int64(v.Length) > d.a.limits.Object:
		return d.a.abortTooLarge()
	}
	d.last = v.Last
	d.n += int64(v.Length)
	return nil
}

func (d *dataSet) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := d.more(); err != nil {
		return 0, err
	}
	if len(p) > int(d.a.valueLeft) {
		p = p[:d.a.valueLeft]
	}
	n, err := d.a.in.Read(p)
	d.a.valueLeft -= uint32(n)
	if err != nil {
		d.err = d.a.failed(err)
	}
	return n, d.err
}

// WriteTo gives io.Copy the receive buffer itself.
func (d *dataSet) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := d.more(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		b, err := d.peek()
		if err != nil {
			return total, err
		}
		n, err := w.Write(b)
		total += int64(n)
		_, _ = d.a.in.Discard(n) // they are buffered
		d.a.valueLeft -= uint32(n)
		if err != nil {
			return total, fmt.Errorf("writing the data set: %w", err)
		}
	}
}

// peek gives what is buffered of the current value, at least one byte.
func (d *dataSet) peek() ([]byte, error) {
	if d.a.in.Buffered() == 0 {
		if _, err := d.a.in.Peek(1); err != nil {
			d.err = d.a.failed(err)
			return nil, d.err
		}
	}
	b, _ := d.a.in.Peek(min(d.a.in.Buffered(), int(d.a.valueLeft)))
	return b, nil
}

// all reads the data set into memory; one of more than limit bytes ends the
// association.
func (d *dataSet) all(limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(d, limit+1))
	if err == nil && int64(len(b)) > limit {
		d.err = d.a.abortTooLarge()
		err = d.err
	}
	return b, err
}

// drain reads what a consumer left, so that the next message can be read.
func (d *dataSet) drain() error {
	for {
		if err := d.more(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		n, err := d.a.in.Discard(int(d.a.valueLeft))
		d.a.valueLeft -= uint32(n)
		if err != nil {
			d.err = d.a.failed(err)
		}
	}
}

// lookAhead reads a source in blocks and knows which one is the last.
type lookAhead struct {
	r     io.Reader
	next  byte
	holds bool
}

// fill reads a block of len(b)-1 bytes, or the shorter last one. The byte in
// excess is how the end is known; it opens the next block. An empty source
// gives one empty last block.
func (l *lookAhead) fill(b []byte) (n int, last bool, err error) {
	if l.holds {
		b[0], n, l.holds = l.next, 1, false
	}
	m, err := io.ReadFull(l.r, b[n:])
	n += m
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return n, true, nil
	} else if err != nil {
		return n, false, err
	}
	l.next, l.holds = b[n-1], true
	return n - 1, false, nil
}
