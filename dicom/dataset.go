package dicom

import (
	"encoding/binary"
	"sort"
)

// Element is one data element of a data set.
type Element struct {
	Tag     Tag
	VR      string     // as stored, or from the dictionary where the file has none (or UN)
	Section Section    // of the value; of the whole encapsulation when there are Fragments
	Items   []*DataSet // of a sequence

	Fragments []Section // of an encapsulated value; the first is the offset table

	head int64  // offset of the element itself
	raw  []byte // the value when held in memory
	big  bool   // byte order of raw
}

// Bytes returns the raw value in the byte order of the file when it is held
// in memory (see Limits.InlineBytes), else nil. It must not be changed.
func (e *Element) Bytes() []byte { return e.raw }

func (e *Element) order() binary.ByteOrder {
	if e.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// DataSet is a set of data elements: a file's, or one sequence item.
type DataSet struct {
	elements []*Element
	unsorted bool
	text     *charset // in force here, inherited by items
}

func (d *DataSet) add(e *Element) {
	if n := len(d.elements); n > 0 && d.elements[n-1].Tag >= e.Tag {
		d.unsorted = true
	}
	d.elements = append(d.elements, e)
}

// finish puts the elements into order; of two with one tag the first stays first.
func (d *DataSet) finish() {
	if d.unsorted {
		sort.SliceStable(d.elements, func(i, j int) bool { return d.elements[i].Tag < d.elements[j].Tag })
		d.unsorted = false
	}
}

// Elements returns all elements in ascending order of tag.
func (d *DataSet) Elements() []*Element { return d.elements }

// Element returns the element, or nil.
func (d *DataSet) Element(t Tag) *Element {
	if d == nil {
		return nil
	}
	i := sort.Search(len(d.elements), func(i int) bool { return d.elements[i].Tag >= t })
	if i < len(d.elements) && d.elements[i].Tag == t {
		return d.elements[i]
	}
	return nil
}

// Has reports whether the element is present, even if empty.
func (d *DataSet) Has(t Tag) bool { return d.Element(t) != nil }

// Bytes is Element.Bytes, nil when absent.
func (d *DataSet) Bytes(t Tag) []byte {
	if e := d.Element(t); e != nil {
		return e.raw
	}
	return nil
}

// Sequence returns the items of a sequence.
func (d *DataSet) Sequence(t Tag) []*DataSet {
	if e := d.Element(t); e != nil {
		return e.Items
	}
	return nil
}
