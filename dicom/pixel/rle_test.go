package pixel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// packRLE encodes one segment as PS3.5 G.3.1 says.
func packRLE(in []byte) []byte {
	var out []byte
	for len(in) > 0 {
		run := 1
		for run < len(in) && run < 128 && in[run] == in[0] {
			run++
		}
		if run > 1 {
			out = append(out, byte(257-run), in[0])
			in = in[run:]
			continue
		}
		n := 1
		for n < len(in) && n < 128 && (n+1 >= len(in) || in[n] != in[n+1]) {
			n++
		}
		out = append(append(out, byte(n-1)), in[:n]...)
		in = in[n:]
	}
	if len(out)%2 == 1 {
		out = append(out, 0x80)
	}
	return out
}

// rleFrame writes header and segments; order is how they lie in the file.
func rleFrame(segments [][]byte, order []int) []byte {
	header := make([]byte, 64)
	binary.LittleEndian.PutUint32(header, uint32(len(segments)))
	out := header
	for _, k := range order {
		binary.LittleEndian.PutUint32(out[4+4*k:], uint32(len(out)))
		out = append(out, segments[k]...)
	}
	return out
}

func TestRLERoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []struct{ samples, allocated int }{{1, 8}, {1, 16}, {1, 32}, {3, 8}, {3, 16}, {3, 32}} {
		img := Image{Rows: 37, Cols: 23, Samples: shape.samples, BitsAllocated: shape.allocated, BitsStored: shape.allocated, HighBit: shape.allocated - 1}
		width := shape.allocated / 8
		want := make([]byte, img.pixels()*img.Samples*width)
		for k := range want {
			if r.IntN(3) > 0 && k > 12 {
				want[k] = want[k-12]
			} else {
				want[k] = byte(r.Uint32())
			}
		}
		segments, order := make([][]byte, img.Samples*width), []int{}
		for k := range segments {
			var plane []byte
			for p := range img.pixels() {
				plane = append(plane, want[(p*img.Samples+k/width)*width+width-1-k%width])
			}
			segments[k], order = packRLE(plane), append(order, k)
		}
		for range 2 {
			p, err := (rle{}).Decode(t.Context(), rleFrame(segments, order), img)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p.Data, want) {
				t.Errorf("%v in order %v: pixels differ", shape, order)
			}
			slices.Reverse(order)
		}
	}
}

func TestRLEHostile(t *testing.T) {
	img := Image{Rows: 8, Cols: 8, Samples: 1, BitsAllocated: 8, BitsStored: 8, HighBit: 7}
	huge := img
	huge.Rows, huge.Cols = 16000, 16000
	good := rleFrame([][]byte{packRLE(make([]byte, 64))}, []int{0})
	far := slices.Clone(good)
	binary.LittleEndian.PutUint32(far[4:], 1<<31)
	many := slices.Clone(good)
	binary.LittleEndian.PutUint32(many, 1<<30)
	for name, c := range map[string]struct {
		b   []byte
		img Image
	}{
		"empty": {nil, img}, "header only": {good[:64], img}, "short": {rleFrame([][]byte{{0xC2, 7}}, []int{0}), img},
		"far": {far, img}, "many": {many, img}, "promises more than it holds": {good, huge},
		"two segments for one": {rleFrame([][]byte{{1}, {2}}, []int{0, 1}), img},
	} {
		if _, err := (rle{}).Decode(t.Context(), c.b, c.img); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRLE(f *testing.F) {
	f.Add(rleFrame([][]byte{packRLE(make([]byte, 64))}, []int{0}), uint8(8), uint8(8), uint8(0))
	f.Add(rleFrame([][]byte{{0xC2, 7}, {0xC2, 7}}, []int{1, 0}), uint8(8), uint8(8), uint8(1))
	f.Add([]byte{}, uint8(1), uint8(1), uint8(4))
	f.Fuzz(func(t *testing.T, b []byte, rows, cols, kind uint8) {
		layout := [...]struct{ samples, allocated int }{{1, 8}, {1, 16}, {3, 8}, {3, 16}, {1, 1}, {1, 32}}[kind%6]
		img := Image{Rows: int(rows) + 1, Cols: int(cols) + 1, Samples: layout.samples, BitsAllocated: layout.allocated}
		keep := slices.Clone(b)
		p, err := (rle{}).Decode(t.Context(), b, img)
		if err == nil && len(p.Data) != img.pixels()*img.Samples*img.sampleBytes() {
			t.Errorf("%d bytes", len(p.Data))
		}
		if !bytes.Equal(b, keep) {
			t.Error("the input was changed")
		}
	})
}
