package jpeg2000

import (
	"encoding/binary"
	"testing"
)

// TestLengths follows TLM from tile-part to tile-part, and adds up PLT.
func TestLengths(t *testing.T) {
	be := binary.BigEndian
	for _, o := range []EncodeOptions{{}, {Precinct: 8}} {
		e, err := Encode(t.Context(), picture(900, 700, 3, 8, false, 1), o)
		if err != nil {
			t.Fatal(err)
		}
		var lengths []int
		at := 2
		for code := 0; code != mSOT; {
			var body []byte
			var next int
			if code, body, next, err = marker(e.Data, at); err != nil {
				t.Fatal(err)
			}
			if code == mTLM {
				for b := body[2:]; len(b) >= 6; b = b[6:] {
					lengths = append(lengths, int(be.Uint32(b[2:])))
				}
			}
			if code != mSOT {
				at = next
			}
		}
		if len(lengths) != len(e.Levels) {
			t.Fatalf("%d lengths of %d tile-parts", len(lengths), len(e.Levels))
		}
		for r, n := range lengths {
			part := e.Data[at : at+n]
			packets, code, next := 0, 0, 12
			for code != mSOD {
				var body []byte
				if code, body, next, err = marker(part, next); err != nil {
					t.Fatal(err)
				}
				if code == mPLT {
					v := 0
					for _, b := range body[1:] {
						if v = v<<7 | int(b&0x7F); b < 0x80 {
							packets, v = packets+v, 0
						}
					}
				}
			}
			if packets != len(part)-next {
				t.Errorf("tile-part %d: PLT tells of %d bytes, there are %d", r, packets, len(part)-next)
			}
			at += n
			if end := e.Levels[r].Bytes; at != end && at != end-2 {
				t.Errorf("tile-part %d ends at %d, its level at %d", r, at, end)
			}
		}
	}
}
