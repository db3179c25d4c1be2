package dicom

import (
	"encoding/binary"
	"fmt"
)

// encapsulated reads the items of an encapsulated value (PS3.5 section A.4):
// an offset table, then fragments, then the sequence delimiter. Nothing but
// the item headers is read.
func (s *scanner) encapsulated(e *Element, pos, end int64, form encodingForm) (int64, error) {
	for {
		if err := s.cur.step(); err != nil {
			return pos, err
		}
		if pos == end && s.complete(e) {
			s.warn("the end of the encapsulated pixel data is not marked")
			s.strange = true
			break
		}
		h, err := s.header(pos, end, form)
		if err != nil {
			return pos, err
		}
		if h.tag == tagSequenceEnd {
			pos = h.value
			break
		}
		if h.tag != tagItem || h.length == undefinedLength {
			return pos, &Error{Malformed, fmt.Sprintf("%v where a fragment should start", h.tag), pos}
		}
		if h.length > end-h.value {
			return pos, &Error{Truncated, fmt.Sprintf("a fragment announces %d bytes where %d are left", h.length, max(0, end-h.value)), pos}
		}
		if s.fragments++; s.fragments > s.lim.Fragments {
			return pos, &Error{TooManyElements, fmt.Sprintf("more than %d fragments", s.lim.Fragments), pos}
		}
		e.Fragments = append(e.Fragments, Section{h.value, h.length})
		pos = h.value + h.length
	}
	e.Section.Length = pos - e.Section.Offset
	return pos, nil
}

// complete reports whether the last fragment ends as a JPEG family stream
// does (EOI, EOC: FFD9, perhaps padded), so that a missing delimiter behind it
// lost nothing.
func (s *scanner) complete(e *Element) bool {
	if len(e.Fragments) < 2 {
		return false
	}
	last := e.Fragments[len(e.Fragments)-1]
	if last.Length < 4 {
		return false
	}
	b, err := s.cur.at(last.Offset+last.Length-3, 3)
	return err == nil && (b[1] == 0xFF && b[2] == 0xD9 || b[0] == 0xFF && b[1] == 0xD9 && b[2] == 0)
}

// pixelData assembles the PixelData of a data set, nil when there is none.
func (s *scanner) pixelData(ds *DataSet) (*PixelData, error) {
	var e *Element
	for _, t := range []Tag{tagPixelData, tagFloatPixels, tagDoublePixels} {
		if e = ds.Element(t); e != nil {
			break
		}
	}
	if e == nil {
		return nil, nil
	}
	p := &PixelData{Tag: e.Tag, VR: e.VR}
	if e.Fragments == nil {
		section := e.Section
		p.Native = &section
		return p, nil
	}
	table := e.Fragments[0]
	p.Fragments = e.Fragments[1:]
	if table.Length > 4*int64(s.lim.Fragments) {
		return nil, &Error{ElementTooLarge, "the basic offset table is too long", table.Offset}
	}
	raw, err := s.cur.load(table.Offset, table.Length)
	if err != nil {
		return nil, err
	}
	for ; len(raw) >= 4; raw = raw[4:] {
		p.BasicOffsets = append(p.BasicOffsets, binary.LittleEndian.Uint32(raw))
	}
	p.ExtendedOffsets = longs(ds.Bytes(tagExtendedOffsets))
	p.ExtendedLengths = longs(ds.Bytes(tagExtendedLengths))
	return p, nil
}

func longs(raw []byte) []uint64 {
	var out []uint64
	for ; len(raw) >= 8; raw = raw[8:] {
		out = append(out, binary.LittleEndian.Uint64(raw))
	}
	return out
}
