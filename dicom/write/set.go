package write

import (
	"encoding/binary"
	"math"
	"sort"
	"strconv"
	"strings"

	"sira/dicom"
)

// Element is one data element to be written. Exactly one of Value, Items and
// Body holds what it says; all empty means a value of length zero.
type Element struct {
	Tag   dicom.Tag
	VR    string
	Value []byte // little endian; of odd length when its padding is left to the writer
	Items []*Set // of VR SQ
	Body  Body   // a value that is not held in memory
}

// Text is the value as text without padding, "" for what is none.
func (e *Element) Text() string {
	if e == nil || padding(e.VR) != ' ' && e.VR != "UI" {
		return ""
	}
	return strings.TrimRight(string(e.Value), " \x00")
}

// Set is a data set, or one item of a sequence: elements of distinct tags. The
// zero value is empty and ready. A Set must not be in two places of one object.
type Set struct{ elements []*Element }

// Elements returns the elements in ascending order of tag. The slice must not
// be changed, the elements may.
func (s *Set) Elements() []*Element { return s.elements }

func (s *Set) find(t dicom.Tag) (int, bool) {
	i := sort.Search(len(s.elements), func(i int) bool { return s.elements[i].Tag >= t })
	return i, i < len(s.elements) && s.elements[i].Tag == t
}

// Get returns the element, or nil.
func (s *Set) Get(t dicom.Tag) *Element {
	if i, ok := s.find(t); ok {
		return s.elements[i]
	}
	return nil
}

// Has reports whether the element is there, even if empty.
func (s *Set) Has(t dicom.Tag) bool { return s.Get(t) != nil }

// String is the text of an element, "" when absent.
func (s *Set) String(t dicom.Tag) string { return s.Get(t).Text() }

// Put adds e, in place of what had its tag.
func (s *Set) Put(e Element) {
	i, ok := s.find(e.Tag)
	if ok {
		s.elements[i] = &e
		return
	}
	s.elements = append(s.elements, nil)
	copy(s.elements[i+1:], s.elements[i:])
	s.elements[i] = &e
}

// Remove takes elements out; those that are not there do no harm.
func (s *Set) Remove(tags ...dicom.Tag) {
	for _, t := range tags {
		if i, ok := s.find(t); ok {
			s.elements = append(s.elements[:i], s.elements[i+1:]...)
		}
	}
}

// Filter keeps the elements for which keep is true; keep may change them.
func (s *Set) Filter(keep func(*Element) bool) {
	kept := s.elements[:0]
	for _, e := range s.elements {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	clear(s.elements[len(kept):])
	s.elements = kept
}

// Walk calls fn for every element at every depth, a sequence before its items.
func (s *Set) Walk(fn func(*Element)) {
	for _, e := range s.elements {
		fn(e)
		for _, item := range e.Items {
			item.Walk(fn)
		}
	}
}

// Text puts a character string; several values are joined by backslashes.
func (s *Set) Text(t dicom.Tag, vr string, values ...string) {
	s.Put(Element{Tag: t, VR: vr, Value: []byte(strings.Join(values, `\`))})
}

// Integer puts an integer string (IS).
func (s *Set) Integer(t dicom.Tag, v int) { s.Text(t, "IS", strconv.Itoa(v)) }

// Decimal puts decimal strings (DS), each of at most 16 characters.
func (s *Set) Decimal(t dicom.Tag, values ...float64) {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = decimal(v)
	}
	s.Text(t, "DS", texts...)
}

// decimal is the most exact text of v in 16 characters (PS3.5 6.2, DS).
func decimal(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	text := strconv.FormatFloat(v, 'g', -1, 64)
	for digits := 15; len(text) > 16; digits-- {
		text = strconv.FormatFloat(v, 'g', digits, 64)
	}
	return text
}

// US puts unsigned 16-bit numbers.
func (s *Set) US(t dicom.Tag, values ...uint16) {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	s.Put(Element{Tag: t, VR: "US", Value: b})
}

// UL puts unsigned 32-bit numbers.
func (s *Set) UL(t dicom.Tag, values ...uint32) {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	s.Put(Element{Tag: t, VR: "UL", Value: b})
}

// Sequence puts a sequence of the items given.
func (s *Set) Sequence(t dicom.Tag, items ...*Set) {
	s.Put(Element{Tag: t, VR: "SQ", Items: items})
}

// Code is an item of a code sequence (PS3.3 section 8.8).
func Code(value, scheme, meaning string) *Set {
	s := &Set{}
	s.Text(0x00080100, "SH", value)
	s.Text(0x00080102, "SH", scheme)
	s.Text(0x00080104, "LO", meaning)
	return s
}
