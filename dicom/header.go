package dicom

import (
	"encoding/binary"
	"fmt"
)

// encodingForm is how the elements of a data set are written.
type encodingForm struct {
	implicit bool
	order    binary.ByteOrder
}

func (e encodingForm) big() bool { return e.order == binary.ByteOrder(binary.BigEndian) }

var implicitForm = encodingForm{implicit: true, order: binary.LittleEndian}

// header is the tag, VR and length in front of a value.
type header struct {
	at       int64 // offset of the element itself
	tag      Tag
	vr       string
	length   int64 // undefinedLength kept as such
	value    int64 // offset of the value
	implicit bool  // had no VR of its own
	un       bool  // VR UN: the value is implicit little endian inside
}

// header reads the element header at pos.
func (s *scanner) header(pos, end int64, form encodingForm) (header, error) {
	b, err := s.cur.at(pos, 8)
	if err != nil {
		return header{}, err
	}
	h := header{at: pos, tag: Tag(uint32(form.order.Uint16(b))<<16 | uint32(form.order.Uint16(b[2:])))}
	asImplicit := func() (header, error) {
		h.length, h.value, h.implicit = int64(form.order.Uint32(b[4:])), pos+8, true
		h.vr = dictionaryVR(h.tag, s.signed)
		return h, nil
	}
	if form.implicit || h.tag.group() == 0xFFFE {
		return asImplicit()
	}
	vr := string(b[4:6])
	if !knownVR(vr) {
		return s.strangeVR(h, pos, end, form, asImplicit)
	}
	if shortVR[vr] {
		h.vr, h.length, h.value = vr, int64(form.order.Uint16(b[6:])), pos+8
		return h, nil
	}
	if b, err = s.cur.at(pos, 12); err != nil {
		return header{}, err
	}
	h.vr, h.length, h.value = vr, int64(form.order.Uint32(b[8:])), pos+12
	if vr == "UN" {
		h.un, h.vr = true, dictionaryVR(h.tag, s.signed)
		if pixelTag(h.tag) {
			h.vr = "OW"
		}
	}
	s.strange = s.strange || vr == "OV" || vr == "SV" || vr == "UV" || vr == "OL"
	return h, nil
}

// strangeVR handles what stands where an explicit VR should: VRs of the
// future have the long form (PS3.5 section 6.2), some writers invented ones
// with the short form, and some wrote single elements without any VR.
func (s *scanner) strangeVR(h header, pos, end int64, form encodingForm, asImplicit func() (header, error)) (header, error) {
	s.strange = true
	b, err := s.cur.at(pos, 8)
	if err != nil {
		return h, err
	}
	vr := [2]byte{b[4], b[5]}
	short := int64(form.order.Uint16(b[6:]))
	plain := int64(form.order.Uint32(b[4:]))
	if upperPair(vr[0], vr[1]) {
		if short == 0 && pos+12 <= end {
			if b, err = s.cur.at(pos, 12); err != nil {
				return h, err
			}
			if long := int64(form.order.Uint32(b[8:])); long <= end-pos-12 {
				s.warn("%v has the unknown VR %c%c", h.tag, vr[0], vr[1])
				h.vr, h.length, h.value, h.un = "UN", long, pos+12, true
				return h, nil
			}
		}
		s.warn("%v has the unknown VR %c%c", h.tag, vr[0], vr[1])
		h.vr, h.length, h.value = "UN", short, pos+8
		return h, nil
	}
	if plain == undefinedLength || plain <= end-pos-8 {
		s.warn("%v has no VR in an explicit data set", h.tag)
		return asImplicit()
	}
	if short <= end-pos-8 {
		s.warn("%v has no readable VR", h.tag)
		h.vr, h.length, h.value = dictionaryVR(h.tag, s.signed), short, pos+8
		return h, nil
	}
	return h, &Error{Malformed, fmt.Sprintf("%v has neither a VR nor a possible length", h.tag), pos}
}
