package identifier

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"sira/dicom"
)

const maxDepth = 32 // of what is encoded

// Encode writes the set in one of the three transfer syntaxes. Text beyond
// ASCII is written in UTF-8 and declared as such (ISO_IR 192). It fails for a
// value that its VR cannot hold.
func (s *Set) Encode(transferSyntax string) ([]byte, error) {
	w := writer{order: binary.LittleEndian}
	switch transferSyntax {
	case ImplicitLE:
		w.implicit = true
	case ExplicitLE:
	case ExplicitBE:
		w.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("%w: %s", ErrSyntax, transferSyntax)
	}
	if s.foreign(0) {
		s = s.declared()
	} else if s.Has(SpecificCharacterSet) {
		s = s.Clone()
		s.Delete(SpecificCharacterSet)
	}
	b, err := w.set(nil, s, 0)
	if err != nil {
		return nil, fmt.Errorf("encoding an identifier: %w", err)
	}
	return b, nil
}

// declared gives a shallow copy with the character set.
func (s *Set) declared() *Set {
	out := &Set{elements: append([]Element(nil), s.elements...)}
	out.Put(SpecificCharacterSet, "ISO_IR 192")
	return out
}

// foreign tells whether any text needs more than ASCII.
func (s *Set) foreign(depth int) bool {
	for e := range s.All() {
		for _, v := range e.Values {
			if kinds[e.VR].utf8 && strings.ContainsFunc(v, func(r rune) bool { return r >= utf8.RuneSelf }) {
				return true
			}
		}
		for _, item := range e.Items {
			if depth < maxDepth && item.foreign(depth+1) {
				return true
			}
		}
	}
	return false
}

// byteOrder is both halves of encoding/binary's orders.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

type writer struct {
	implicit bool
	order    byteOrder
}

func (w writer) set(b []byte, s *Set, depth int) ([]byte, error) {
	if depth > maxDepth {
		return b, fmt.Errorf("sequences nested more than %d deep", maxDepth)
	}
	for e := range s.All() {
		value, err := w.value(e, depth)
		if err != nil {
			return b, fmt.Errorf("%v: %w", e.Tag, err)
		}
		if b, err = w.head(b, e, len(value)); err != nil {
			return b, err
		}
		b = append(b, value...)
	}
	return b, nil
}

func (w writer) tag(b []byte, t dicom.Tag) []byte {
	return w.order.AppendUint16(w.order.AppendUint16(b, uint16(t>>16)), uint16(t))
}

func (w writer) head(b []byte, e Element, size int) ([]byte, error) {
	b = w.tag(b, e.Tag)
	k, known := kinds[e.VR]
	switch {
	case !known:
		return b, fmt.Errorf("%v: unknown VR %q", e.Tag, e.VR)
	case w.implicit:
		return w.order.AppendUint32(b, uint32(size)), nil
	}
	b = append(b, e.VR...)
	if k.long {
		return w.order.AppendUint32(append(b, 0, 0), uint32(size)), nil
	}
	if size > math.MaxUint16 {
		return b, fmt.Errorf("%v: %d bytes in VR %s", e.Tag, size, e.VR)
	}
	return w.order.AppendUint16(b, uint16(size)), nil
}

func (w writer) value(e Element, depth int) ([]byte, error) {
	k := kinds[e.VR]
	switch k.form {
	case items:
		return w.items(e.Items, depth)
	case number:
		return w.numbers(e, k.width)
	case bytes:
		if len(e.Bytes)%2 == 1 {
			return append(append([]byte(nil), e.Bytes...), 0), nil
		}
		return e.Bytes, nil
	}
	if len(e.Values) == 0 {
		return nil, nil
	}
	v := []byte(strings.Join(e.Values, `\`))
	v = clean(v, k)
	if len(v)%2 == 1 {
		v = append(v, k.pad)
	}
	return v, nil
}

// clean drops control characters, which only running text may hold, and makes
// invalid UTF-8 or characters in a VR without any visible as question marks.
func clean(v []byte, k kind) []byte {
	plain := true
	for _, c := range v {
		plain = plain && c >= ' ' && c < 0x7F
	}
	if plain {
		return v
	}
	return []byte(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\f':
			if k.form == passage {
				return r
			}
			return ' '
		case r < ' ' || r == 0x7F:
			return -1
		case r == utf8.RuneError, r > 0x7F && !k.utf8:
			return '?'
		}
		return r
	}, string(v)))
}

func (w writer) items(list []*Set, depth int) ([]byte, error) {
	var b []byte
	for _, item := range list {
		value, err := w.set(nil, item, depth+1)
		if err != nil {
			return nil, err
		}
		b = w.order.AppendUint32(w.tag(b, 0xFFFEE000), uint32(len(value)))
		b = append(b, value...)
	}
	return b, nil
}

func (w writer) numbers(e Element, width int) ([]byte, error) {
	var b []byte
	for _, v := range e.Values {
		if v == "" {
			continue
		}
		n, err := bits(v, e.VR, width)
		if err != nil {
			return nil, fmt.Errorf("a value is no %s", e.VR) // the value may be a person's
		}
		switch {
		case e.VR == "AT":
			b = w.tag(b, dicom.Tag(n))
		case width == 2:
			b = w.order.AppendUint16(b, uint16(n))
		case width == 4:
			b = w.order.AppendUint32(b, uint32(n))
		default:
			b = w.order.AppendUint64(b, n)
		}
	}
	return b, nil
}

// bits parses one number of a VR.
func bits(v, vr string, width int) (uint64, error) {
	switch vr {
	case "AT":
		return strconv.ParseUint(v, 16, 32)
	case "FL":
		f, err := strconv.ParseFloat(v, 32)
		return uint64(math.Float32bits(float32(f))), err
	case "FD":
		f, err := strconv.ParseFloat(v, 64)
		return math.Float64bits(f), err
	case "SS", "SL", "SV":
		n, err := strconv.ParseInt(v, 10, 8*width)
		return uint64(n), err
	}
	return strconv.ParseUint(v, 10, 8*width)
}
