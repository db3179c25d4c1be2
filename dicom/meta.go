package dicom

import (
	"encoding/binary"
	"errors"
	"strings"
)

// fileMeta reads preamble and file meta information (PS3.10 section 7.1), as
// far as they are there, and returns where the data set starts.
func (s *scanner) fileMeta(f *File) (int64, error) {
	head, err := s.head(0, 144)
	if err != nil {
		return 0, err
	}
	if len(head) == 0 {
		return 0, &Error{NotDICOM, "the file is empty", 0}
	}
	pos := int64(0)
	switch {
	case len(head) >= 132 && string(head[128:132]) == "DICM":
		pos = 132
	case len(head) >= 4 && string(head[:4]) == "DICM":
		pos = 4
		s.warn("no preamble")
	case !Sniff(head):
		return 0, &Error{NotDICOM, "neither a Part 10 header nor a data set", 0}
	default:
		s.warn("no Part 10 header")
	}
	if pos == s.cur.size {
		return 0, &Error{Truncated, "the file ends after its preamble", pos}
	}
	start := pos
	if pos, err = s.metaElements(f.Meta, pos); err != nil {
		return 0, err
	}
	f.TransferSyntax = strings.TrimSpace(f.Meta.String(tagTransferSyntax))
	if pos == s.cur.size && pos > start {
		return 0, &Error{Truncated, "the file ends after its meta information", pos}
	}
	if pos == start && start > 0 {
		s.warn("no file meta information")
	}
	return pos, nil
}

// metaElements reads group 0002, always explicit little endian. The group
// length is often wrong and never needed: the group ends where it ends.
func (s *scanner) metaElements(meta *DataSet, pos int64) (int64, error) {
	form := encodingForm{order: binary.LittleEndian}
	for s.cur.size-pos >= 8 {
		b, err := s.cur.at(pos, 8)
		if err != nil {
			return pos, err
		}
		if binary.LittleEndian.Uint16(b) != 0x0002 {
			break
		}
		h, err := s.header(pos, s.cur.size, form)
		if err != nil {
			return pos, err
		}
		if h.length == undefinedLength {
			return pos, &Error{BadLength, "undefined length in the file meta information", pos}
		}
		if pos, err = s.element(meta, h, s.cur.size, form, 0); err != nil {
			var refused *Error
			if errors.As(err, &refused) && refused.Reason == Malformed {
				refused.Detail = "file meta information: " + refused.Detail
			}
			return pos, err
		}
	}
	meta.finish()
	s.strange = false // the model gets a meta group of our own
	return pos, nil
}
