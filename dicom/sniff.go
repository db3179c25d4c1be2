package dicom

import (
	"encoding/binary"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Sniff reports whether head, the first bytes of a file (132 suffice), look
// like DICOM: a Part 10 file, or a plausible bare data set.
func Sniff(head []byte) bool {
	if len(head) >= 132 && string(head[128:132]) == "DICM" || len(head) >= 4 && string(head[:4]) == "DICM" {
		return true
	}
	_, ok := inferForm(head)
	return ok
}

// inferForm tells how a data set that starts with head is written. A data set
// starts in one of the low even groups with an element of the dictionary.
func inferForm(head []byte) (encodingForm, bool) {
	if len(head) < 8 {
		return encodingForm{}, false
	}
	vr := string(head[4:6])
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		t := tag.Tag{Group: order.Uint16(head), Element: order.Uint16(head[2:])}
		if !firstTag(t) {
			continue
		}
		if knownVR(vr) {
			return encodingForm{order: order}, true
		}
		if n := order.Uint32(head[4:]); order == binary.LittleEndian && n <= 1<<16 {
			return implicitForm, true
		}
	}
	return encodingForm{}, false
}

// firstTag: an element that a data set may plausibly start with. Private
// groups (0001 to 0007 are illegal, yet met) pass with any element.
func firstTag(t tag.Tag) bool {
	if t.Group == 0 || t.Group > 0x0030 {
		return false
	}
	if t.Element == 0 {
		return t.Group%2 == 0
	}
	_, err := tag.Find(t)
	return err == nil
}
