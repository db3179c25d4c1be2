package dicom

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// scanner walks the structure of one object within its limits.
type scanner struct {
	cur       *cursor
	lim       Limits
	elements  int
	fragments int
	held      int64 // bytes of values in memory
	signed    bool  // Pixel Representation, resolves "US or SS"
	strange   bool  // something that other readers take otherwise
	warnings  []string
	warned    map[string]bool
}

func (s *scanner) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.warned == nil {
		s.warned = map[string]bool{}
	}
	if len(s.warnings) < 20 && !s.warned[text] {
		s.warned[text] = true
		s.warnings = append(s.warnings, text)
	}
}

// dataSet reads elements from pos. A nested one of undefined length ends at
// its item delimiter (closed true), any other at end.
func (s *scanner) dataSet(ds *DataSet, pos, end int64, form encodingForm, depth int, open bool) (int64, error) {
	defer ds.finish()
	for pos < end {
		if depth == 0 && end-pos < 8 {
			s.warn("%d stray bytes at the end", end-pos)
			return end, nil
		}
		if end-pos < 8 && end < s.cur.size {
			return pos, &Error{BadLength, "an item ends inside an element", pos}
		}
		if depth == 0 && pos > 0 && s.zeros(pos) {
			s.warn("%d bytes of padding at the end", end-pos)
			return end, nil
		}
		h, err := s.header(pos, end, form)
		if err != nil {
			return pos, err
		}
		switch {
		case open && h.tag == tagItemEnd:
			return h.value, nil
		case open && h.tag == tagSequenceEnd:
			s.warn("an item ends without its delimiter")
			s.strange = true
			return pos, nil // the sequence takes it from here
		case h.tag.group() == 0xFFFE && h.tag != tagItem && h.length == 0:
			s.warn("stray delimiter %v", h.tag)
			s.strange = true
			pos = h.value
			continue
		}
		if h.tag == tagItem && depth == 0 && h.length <= end-h.value {
			s.warn("an item outside a sequence")
			s.strange = true
			if pos, err = s.dataSet(&DataSet{text: ds.text}, h.value, h.value+h.length, form, 1, false); err != nil {
				return pos, err
			}
			continue
		}
		if pos, err = s.element(ds, h, end, form, depth); err != nil {
			return pos, err
		}
	}
	if open {
		if end < s.cur.size {
			return pos, &Error{Malformed, "an item does not end inside its sequence", pos}
		}
		return pos, &Error{Truncated, "the file ends inside a sequence item", pos}
	}
	return pos, nil
}

// zeros reports whether padding instead of an element stands at pos.
func (s *scanner) zeros(pos int64) bool {
	b, err := s.cur.at(pos, 8)
	return err == nil && binary.LittleEndian.Uint64(b) == 0
}

func (s *scanner) count(pos int64) error {
	if s.elements++; s.elements > s.lim.Elements {
		return &Error{TooManyElements, fmt.Sprintf("more than %d elements", s.lim.Elements), pos}
	}
	return s.cur.step()
}

// element reads the value that belongs to h and returns what follows it.
func (s *scanner) element(ds *DataSet, h header, end int64, form encodingForm, depth int) (int64, error) {
	if err := s.count(h.value); err != nil {
		return h.value, err
	}
	if h.tag.group() == 0xFFFE {
		return h.value, &Error{Malformed, fmt.Sprintf("%v outside a sequence", h.tag), h.at}
	}
	e := &Element{Tag: h.tag, VR: h.vr, Section: Section{h.value, h.length}, head: h.at, big: form.big() && !h.un}
	ds.add(e)
	if h.length == undefinedLength {
		return s.undefined(ds, e, h, end, form, depth)
	}
	if h.length > end-h.value {
		return h.value, s.overrun(h, end)
	}
	next := h.value + h.length
	if h.vr == "SQ" || h.un && h.vr == "UN" && s.itemAt(h.value, next) {
		return next, s.definedSequence(ds, e, h, next, form, depth)
	}
	if pixelTag(h.tag) {
		return next, nil
	}
	return next, s.hold(ds, e)
}

// undefined reads an element of undefined length: a sequence, or fragments.
func (s *scanner) undefined(ds *DataSet, e *Element, h header, end int64, form encodingForm, depth int) (pos int64, err error) {
	switch {
	case pixelTag(h.tag) || !h.un && bulkVR(h.vr) && h.vr != "UN":
		return s.encapsulated(e, h.value, end, form)
	case h.un:
		form = implicitForm // PS3.5 section 6.2.2, note 2
		s.strange = true
	case h.vr != "SQ" && !(h.implicit && s.itemAt(h.value, end)):
		return h.value, &Error{BadLength, fmt.Sprintf("%v has an undefined length but is no sequence", h.tag), h.value}
	}
	e.VR = "SQ"
	pos, err = s.items(ds, e, h.value, end, form, depth+1, true)
	e.Section.Length = pos - h.value
	return pos, err
}

// definedSequence reads a sequence of known length. One that hides in UN is
// tried as such and otherwise left alone.
func (s *scanner) definedSequence(ds *DataSet, e *Element, h header, next int64, form encodingForm, depth int) error {
	if !h.un {
		_, err := s.items(ds, e, h.value, next, form, depth+1, false)
		return err
	}
	was := h.vr
	e.VR = "SQ"
	_, err := s.items(ds, e, h.value, next, implicitForm, depth+1, false)
	var refused *Error
	if errors.As(err, &refused) && (refused.Reason == Malformed || refused.Reason == BadLength || refused.Reason == Truncated) {
		e.VR, e.Items = "UN", nil
		if was == "SQ" {
			s.warn("%v is no readable sequence", h.tag)
		}
		return s.hold(ds, e)
	}
	return err
}

// itemAt reports whether an item starts at pos, in either byte order.
func (s *scanner) itemAt(pos, end int64) bool {
	if end-pos < 8 {
		return false
	}
	b, err := s.cur.at(pos, 4)
	return err == nil && (binary.LittleEndian.Uint32(b) == 0xE000FFFE || binary.BigEndian.Uint32(b) == 0xFFFEE000)
}

// items reads the items of a sequence (PS3.5 section 7.5).
func (s *scanner) items(ds *DataSet, e *Element, pos, end int64, form encodingForm, depth int, open bool) (int64, error) {
	if depth > s.lim.Depth {
		return pos, &Error{TooDeep, fmt.Sprintf("sequences are nested more than %d deep", s.lim.Depth), pos}
	}
	for pos < end {
		if end-pos < 8 && end < s.cur.size {
			return pos, &Error{BadLength, fmt.Sprintf("sequence %v ends inside an item", e.Tag), pos}
		}
		h, err := s.header(pos, end, form)
		if err != nil {
			return pos, err
		}
		if h.tag == tagSequenceEnd {
			if open {
				return h.value, nil
			}
			s.strange = true
			pos = h.value
			continue
		}
		if h.tag != tagItem {
			return pos, &Error{Malformed, fmt.Sprintf("%v where an item of %v should start", h.tag, e.Tag), pos}
		}
		if err := s.count(pos); err != nil {
			return pos, err
		}
		item := &DataSet{text: ds.text}
		stop, undefined := end, h.length == undefinedLength
		if !undefined {
			if h.length > end-h.value {
				return pos, s.overrun(h, end)
			}
			stop = h.value + h.length
		}
		e.Items = append(e.Items, item)
		if pos, err = s.dataSet(item, h.value, stop, form, depth, undefined); err != nil {
			return pos, err
		}
	}
	if open {
		if end < s.cur.size {
			return pos, &Error{Malformed, fmt.Sprintf("sequence %v does not end inside its item", e.Tag), pos}
		}
		return pos, &Error{Truncated, fmt.Sprintf("the file ends inside sequence %v", e.Tag), pos}
	}
	return pos, nil
}

// overrun explains a length that leads beyond end: the file was cut, or the
// length never was true.
func (s *scanner) overrun(h header, end int64) error {
	detail := fmt.Sprintf("%v announces %d bytes where %d are left", h.tag, h.length, max(0, end-h.value))
	if end < s.cur.size {
		return &Error{BadLength, detail, h.value}
	}
	could := s.cur.size // a header of text and numbers was not longer than the rest
	if bulkVR(h.vr) || h.vr == "SQ" || h.tag == tagItem || h.vr == "UT" || h.vr == "UC" {
		could = 16*s.cur.size + 1<<20
	}
	if h.length > could && !pixelTag(h.tag) {
		return &Error{BadLength, detail, h.value}
	}
	return &Error{Truncated, detail, h.value}
}

// hold takes a value into memory, or leaves bulk where it is.
func (s *scanner) hold(ds *DataSet, e *Element) error {
	n := e.Section.Length
	tables := e.Tag == tagExtendedOffsets || e.Tag == tagExtendedLengths
	if bulkVR(e.VR) && n > s.lim.InlineBytes && !tables {
		return nil
	}
	if n > s.lim.ElementBytes {
		return &Error{ElementTooLarge, fmt.Sprintf("%v holds %d bytes", e.Tag, n), e.Section.Offset}
	}
	if s.held += n; s.held > s.lim.HeaderBytes {
		return &Error{HeaderTooLarge, fmt.Sprintf("the header holds more than %d bytes", s.lim.HeaderBytes), e.Section.Offset}
	}
	var err error
	if e.raw, err = s.cur.load(e.Section.Offset, n); err != nil {
		return err
	}
	switch e.Tag {
	case tagCharacterSet:
		ds.text = parseCharset(e.raw)
	case tagPixelSign:
		s.signed = len(e.raw) >= 2 && e.order().Uint16(e.raw) == 1
	}
	return nil
}
