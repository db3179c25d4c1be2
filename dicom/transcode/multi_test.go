package transcode

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"sira/dicom/phantom"
)

// TestMultiComponentSource makes of an HTJ2K object one whose stream has the
// markers of JPEG 2000 part 2, in the syntax for them, and brings it back.
func TestMultiComponentSource(t *testing.T) {
	native := phantom.CT(1, phantom.Study{Seed: 1})[0]
	coded, err := transcoded(t, native, HTJ2KRPCL)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(coded, []byte{0xFF, 0x4F, 0xFF, 0x51}) // the only frame
	size := binary.LittleEndian.Uint32(coded[at-4:])
	stream := slices.Clone(coded[at : at+int(size)])
	depth := stream[42] // of SIZ
	offset := int16(0)  // in place of the level shift
	if depth&0x80 == 0 {
		offset = 1 << depth
	}
	segments := []byte{0xFF, 0x78, 0, 5, 0, 1, depth} // CBD
	segments = append(segments, 0xFF, 0x74, 0, 10, 0, 0, 2, 1, 0, 0)
	segments = binary.BigEndian.AppendUint16(segments, uint16(offset))
	segments = append(segments, 0xFF, 0x75, 0, 19, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0) // MCC
	segments = append(segments, 0xFF, 0x77, 0, 4, 1, 1)                                               // MCO
	stream[bytes.Index(stream, []byte{0xFF, 0x52, 0})+8] = 2
	stream = slices.Insert(stream, bytes.Index(stream, []byte{0xFF, 0x90, 0, 10}), segments...)
	if len(stream)%2 != 0 {
		stream = append(stream, 0)
	}
	object := binary.LittleEndian.AppendUint32(slices.Clone(coded[:at-4]), uint32(len(stream)))
	object = append(append(object, stream...), coded[at+int(size):]...)
	object = bytes.Replace(object, []byte("1.2.840.10008.1.2.4.202\x00"), []byte("1.2.840.10008.1.2.4.92\x00\x00"), 1)
	if got := read(t, object).TransferSyntax; got != "1.2.840.10008.1.2.4.92" {
		t.Fatal("syntax", got)
	}
	for _, to := range []string{"1.2.840.10008.1.2.1", HTJ2KRPCL} {
		back, err := transcoded(t, object, to)
		if err != nil || sum(t, back) != sum(t, native) {
			t.Errorf("to %s: other samples, %v", to, err)
		}
	}
}
