package pixel

import (
	"encoding/binary"
	"testing"

	"sira/dicom/phantom"
)

// BenchmarkStored decodes a drawn CT slice of 512×512×16 from an object, as it
// is and as RLE.
func BenchmarkStored(b *testing.B) {
	native := phantom.CT(1, phantom.Study{Seed: 1})[0]
	s, err := openBytes(native)
	if err != nil {
		b.Fatal(err)
	}
	p, err := s.Stored(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	planes := [2][]byte{make([]byte, p.Rows*p.Cols), make([]byte, p.Rows*p.Cols)}
	for k := range planes[0] {
		v := binary.LittleEndian.Uint16(p.Data[2*k:])
		planes[0][k], planes[1][k] = byte(v>>8), byte(v)
	}
	packed := rleFrame([][]byte{packRLE(planes[0]), packRLE(planes[1])}, []int{0, 1})
	for name, object := range map[string][]byte{
		"native": native,
		"RLE":    newObject(rleLossless).shape(p.Rows, p.Cols, 1, 16, 16, 15, 1, "MONOCHROME2", 1).encapsulated(nil, packed).bytes(),
	} {
		b.Run(name, func(b *testing.B) {
			s, err := openBytes(object)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(p.Data)))
			for b.Loop() {
				if _, err := s.Stored(b.Context(), 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
