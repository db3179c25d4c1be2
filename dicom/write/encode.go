package write

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// encoder writes data sets in one form. Sequences and items have defined
// lengths where those can be known before, in implicit form only items: there
// an undefined length is all that tells a reader of a private sequence.
type encoder struct {
	implicit bool
	sizes    map[*Set]int64
}

func newEncoder(implicit bool) *encoder {
	return &encoder{implicit: implicit, sizes: map[*Set]int64{}}
}

// setSize is the encoded length of s, Unknown when it cannot be known.
func (c *encoder) setSize(s *Set) int64 {
	if n, ok := c.sizes[s]; ok {
		return n
	}
	total := int64(0)
	for _, e := range s.elements {
		n := c.elementSize(e)
		if n == Unknown {
			total = Unknown
			break
		}
		total += n
	}
	c.sizes[s] = total
	return total
}

func (c *encoder) elementSize(e *Element) int64 {
	if e.VR == "SQ" {
		n := c.itemsSize(e)
		if n == Unknown {
			return Unknown
		}
		if c.open(n, e) {
			n += 8
		}
		return n + int64(len(c.header(e, "SQ", 0)))
	}
	n := int64(len(e.Value) + len(e.Value)%2)
	if e.Body != nil {
		if n = e.Body.Length(); n == Unknown {
			return Unknown
		}
	}
	return n + int64(len(c.header(e, c.vr(e, n), 0)))
}

// itemsSize is the length of the items of a sequence, with what is around them.
func (c *encoder) itemsSize(e *Element) int64 {
	total := int64(0)
	for _, item := range e.Items {
		n := c.setSize(item)
		if n == Unknown {
			return Unknown
		}
		if total += 8 + n; n >= undefined {
			total += 8
		}
	}
	return total
}

// open reports whether a sequence gets an undefined length and a delimiter.
func (c *encoder) open(size int64, e *Element) bool {
	return size == Unknown || size >= undefined || c.implicit && len(e.Items) > 0
}

// vr is the VR to write for a value of n bytes: what does not fit the short
// form becomes UN (PS3.5 section 6.2.2).
func (c *encoder) vr(e *Element, n int64) string {
	switch {
	case len(e.VR) != 2, !longVR(e.VR) && n > 0xFFFE:
		return "UN"
	case e.Body != nil && e.Body.Encapsulated():
		return "OB"
	}
	return e.VR
}

func (c *encoder) header(e *Element, vr string, length uint32) []byte {
	return appendHeader(nil, e, vr, length, c.implicit)
}

// appendHeader is tag, VR and length (PS3.5 sections 7.1.2 and 7.1.3).
func appendHeader(b []byte, e *Element, vr string, length uint32, implicit bool) []byte {
	if implicit {
		return appendTag(b, e.Tag, length)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(e.Tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(e.Tag))
	b = append(b, vr...)
	if longVR(vr) {
		return binary.LittleEndian.AppendUint32(append(b, 0, 0), length)
	}
	return binary.LittleEndian.AppendUint16(b, uint16(length))
}

// appendValue encodes an element that is held in memory and is no sequence.
func appendValue(b []byte, e *Element, implicit bool) ([]byte, error) {
	n := int64(len(e.Value) + len(e.Value)%2)
	if n >= undefined {
		return b, fmt.Errorf("%v of %d bytes: %w", e.Tag, n, ErrTooLong)
	}
	c := encoder{implicit: implicit}
	b = appendHeader(b, e, c.vr(e, n), uint32(n), implicit)
	b = append(b, e.Value...)
	if len(e.Value)%2 == 1 {
		b = append(b, padding(e.VR))
	}
	return b, nil
}

func (c *encoder) set(ctx context.Context, w io.Writer, s *Set) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range s.elements {
		if err := c.element(ctx, w, e); err != nil {
			return err
		}
	}
	return nil
}

func (c *encoder) element(ctx context.Context, w io.Writer, e *Element) error {
	switch {
	case e.VR == "SQ":
		return c.sequence(ctx, w, e)
	case e.Body != nil:
		return c.body(ctx, w, e)
	}
	b, err := appendValue(nil, e, c.implicit)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

func (c *encoder) body(ctx context.Context, w io.Writer, e *Element) error {
	n := e.Body.Length()
	length := uint32(undefined)
	if !e.Body.Encapsulated() {
		if n < 0 || n >= undefined {
			return fmt.Errorf("%v of %d bytes: %w", e.Tag, n, ErrTooLong)
		}
		length = uint32(n)
	}
	if _, err := w.Write(c.header(e, c.vr(e, n), length)); err != nil {
		return err
	}
	count := &counter{w: w}
	if err := e.Body.WriteBody(ctx, count); err != nil {
		return fmt.Errorf("%v: %w", e.Tag, err)
	}
	if n != Unknown && count.n != n {
		return fmt.Errorf("%v: %d bytes instead of %d: %w", e.Tag, count.n, n, ErrBody)
	}
	return nil
}

func (c *encoder) sequence(ctx context.Context, w io.Writer, e *Element) error {
	n := c.itemsSize(e)
	open := c.open(n, e)
	length := uint32(undefined)
	if !open {
		length = uint32(n)
	}
	if _, err := w.Write(c.header(e, "SQ", length)); err != nil {
		return err
	}
	for _, item := range e.Items {
		if err := c.item(ctx, w, item); err != nil {
			return err
		}
	}
	if open {
		return writeTag(w, tagSequenceEnd, 0)
	}
	return nil
}

func (c *encoder) item(ctx context.Context, w io.Writer, s *Set) error {
	n := c.setSize(s)
	open := n == Unknown || n >= undefined
	length := uint32(undefined)
	if !open {
		length = uint32(n)
	}
	if err := writeTag(w, tagItem, length); err != nil {
		return err
	}
	if err := c.set(ctx, w, s); err != nil {
		return err
	}
	if open {
		return writeTag(w, tagItemEnd, 0)
	}
	return nil
}
