package pixel

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"testing"

	"sira/dicom/phantom"
)

// TestBaselineIsReadByPeers has dcmtk and GDCM decode baseline JPEG as Sira
// writes it: with Go's image/jpeg. What they make of it is what we make of it,
// to the one level that the DCT leaves open.
func TestBaselineIsReadByPeers(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 90, 61))
	for k := range m.Pix {
		m.Pix[k] = byte(k*7%31 + k/90*3)
	}
	var grey bytes.Buffer
	if err := stdjpeg.Encode(&grey, m, &stdjpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	for name, object := range map[string][]byte{
		"grey":   newObject(jpegBaseline).shape(61, 90, 1, 8, 8, 7, 0, "MONOCHROME2", 1).encapsulated(nil, grey.Bytes()).bytes(),
		"colour": phantom.USCine(2, phantom.Study{Seed: 5}),
	} {
		s, err := openBytes(object)
		if err != nil {
			t.Fatal(err)
		}
		ours := frame(t, s, s.Info().Frames)
		for _, peer := range [][]string{{"dcmdjpeg", "+cl"}, {"gdcmconv", "--raw"}} {
			t.Run(name+" by "+peer[0], func(t *testing.T) {
				theirs := frame(t, convert(t, object, tool(t, peer[0]), peer[1:]...), s.Info().Frames)
				if len(theirs.Data) != len(ours.Data) {
					t.Fatalf("%d bytes, ours %d", len(theirs.Data), len(ours.Data))
				}
				if d := worst(ours, theirs); d > 1 {
					t.Errorf("differs by %d", d)
				}
			})
		}
	}
}
