// Package identifier is the small data set of DICOM's query services (PS3.4
// annexes C, J and K): the keys of a request and the attributes of an answer,
// as UTF-8 text by tag, with sequences. It encodes and decodes them in the
// uncompressed transfer syntaxes within limits, and holds the rules of
// attribute matching (PS3.4 section C.2.2.2). It must not know associations,
// databases or files; pixel data never comes here.
package identifier

import (
	"iter"
	"slices"
	"sort"

	"sira/dicom"
)

// Set is a data set: elements in ascending order of tag. The zero value is
// empty and ready. A nil Set reads as empty.
type Set struct{ elements []Element }

// Element is one attribute. Values are UTF-8 without padding, numbers in
// decimal, attribute tags as eight hex digits; none is a zero-length element:
// in a request, universal matching. Items is used by VR SQ only, and Bytes by
// OB, OW, UN and their like, little endian.
type Element struct {
	Tag    dicom.Tag
	VR     string
	Values []string
	Items  []*Set
	Bytes  []byte
}

// Empty reports a zero-length element.
func (e Element) Empty() bool {
	return len(e.Items) == 0 && len(e.Bytes) == 0 &&
		!slices.ContainsFunc(e.Values, func(v string) bool { return v != "" })
}

// Of gives a set with text under a few tags, in the VR of the dictionary.
func Of(values map[dicom.Tag]string) *Set {
	s := &Set{}
	for t, v := range values {
		s.Put(t, v)
	}
	return s
}

// Put sets an attribute to values in the VR of the dictionary (UN when it has
// none), replacing what was there. Without a value, or with one empty value,
// the element is empty. Put of a sequence tag makes it empty.
func (s *Set) Put(t dicom.Tag, values ...string) { s.PutElement(Element{Tag: t, Values: values}) }

// PutItems sets a sequence.
func (s *Set) PutItems(t dicom.Tag, items ...*Set) {
	s.PutElement(Element{Tag: t, VR: "SQ", Items: items})
}

// PutElement sets an attribute; an empty VR is taken from the dictionary.
func (s *Set) PutElement(e Element) {
	if e.VR == "" {
		e.VR = VR(e.Tag)
	}
	if len(e.Values) == 1 && e.Values[0] == "" {
		e.Values = nil
	}
	i := s.at(e.Tag)
	if i < len(s.elements) && s.elements[i].Tag == e.Tag {
		s.elements[i] = e
		return
	}
	s.elements = slices.Insert(s.elements, i, e)
}

// Delete removes an attribute.
func (s *Set) Delete(t dicom.Tag) {
	if i := s.at(t); i < len(s.elements) && s.elements[i].Tag == t {
		s.elements = slices.Delete(s.elements, i, i+1)
	}
}

func (s *Set) at(t dicom.Tag) int {
	return sort.Search(len(s.elements), func(i int) bool { return s.elements[i].Tag >= t })
}

// Get gives an element, and whether it is there, even if empty.
func (s *Set) Get(t dicom.Tag) (Element, bool) {
	if s == nil {
		return Element{}, false
	}
	if i := s.at(t); i < len(s.elements) && s.elements[i].Tag == t {
		return s.elements[i], true
	}
	return Element{}, false
}

// Has reports whether the element is there, even if empty.
func (s *Set) Has(t dicom.Tag) bool { _, ok := s.Get(t); return ok }

// String gives the first value, "" when there is none.
func (s *Set) String(t dicom.Tag) string {
	if e, _ := s.Get(t); len(e.Values) > 0 {
		return e.Values[0]
	}
	return ""
}

// Strings gives all values that are not empty.
func (s *Set) Strings(t dicom.Tag) []string {
	e, _ := s.Get(t)
	var out []string
	for _, v := range e.Values {
		if v != "" {
			out = append(out, v)
		}
	}
	return out
}

// Items gives the items of a sequence.
func (s *Set) Items(t dicom.Tag) []*Set { e, _ := s.Get(t); return e.Items }

// Item gives the first item of a sequence, nil (an empty set) when none.
func (s *Set) Item(t dicom.Tag) *Set {
	if items := s.Items(t); len(items) > 0 {
		return items[0]
	}
	return nil
}

// Len is the number of elements.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.elements)
}

// All goes through the elements in ascending order of tag.
func (s *Set) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		if s == nil {
			return
		}
		for _, e := range s.elements {
			if !yield(e) {
				return
			}
		}
	}
}

// Clone gives a copy whose elements and items may be changed apart.
func (s *Set) Clone() *Set {
	out := &Set{}
	for e := range s.All() {
		e.Values, e.Bytes = slices.Clone(e.Values), slices.Clone(e.Bytes)
		e.Items = slices.Clone(e.Items)
		for i, item := range e.Items {
			e.Items[i] = item.Clone()
		}
		out.elements = append(out.elements, e)
	}
	return out
}
