package jpeg2000

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// bitsOf writes bits as the streams of the refinement passes hold them: the
// lowest first; after a byte that may not be followed by seven ones, seven.
func bitsOf(bits []uint8, backward bool) []byte {
	var out []byte
	var hold, n uint
	high := backward
	emit := func() {
		out = append(out, byte(hold))
		high = hold == 0xFF
		if backward {
			high = hold > 0x8F
		}
		hold, n = 0, 0
	}
	for _, b := range bits {
		hold |= uint(b) << n
		n++
		if n == 8 || n == 7 && high && (!backward || hold == 0x7F) {
			emit()
		}
	}
	if n > 0 || high && !backward {
		emit()
	}
	return out
}

// refinedStream codes m, of one code-block and no wavelet, as a cleanup pass
// in plane 1 and the two refinement passes in plane 0.
func refinedStream(t *testing.T, m *Image, style byte) []byte {
	t.Helper()
	e := &encoder{}
	if err := e.prepare(m, 15); err != nil {
		t.Fatal(err)
	}
	p, err := unlevel(&m.Components[0])
	if err != nil {
		t.Fatal(err)
	}
	coarse := make([]int32, len(p.data))
	magnitude := func(v int32) int32 { return max(v, -v) }
	for i, v := range p.data {
		if coarse[i] = magnitude(v) >> 1; v < 0 {
			coarse[i] = -coarse[i]
		}
	}
	w, h := m.Width, m.Height
	e.blocks.encode(coarse, w, w, h)
	cleanup := e.blocks.out

	d := &blockDecoder{columns: columns{w: w, h: h, stride: w + 2, causal: style&styleCausal != 0}}
	for y := range h {
		for x := range w {
			if coarse[y*w+x] != 0 {
				d.significant((y/4+1)*d.stride+1+x, 3*uint(y&3), 0)
			}
		}
	}
	var propagated, refined []uint8
	for top := 0; top < h; top += 4 {
		for from := 0; from < w; from += 4 {
			var signs []uint8
			for x := from; x < min(from+4, w); x++ {
				for y := top; y < min(top+4, h); y++ {
					at := (top/4+1)*d.stride + 1 + x
					n := d.flags[at] >> (3 * (y & 3))
					if n&centre != 0 || n&around == 0 {
						continue
					}
					v := p.data[y*w+x]
					propagated = append(propagated, uint8(magnitude(v)&1))
					if v != 0 {
						d.significant(at, 3*uint(y&3), 0)
						signs = append(signs, uint8(uint32(v)>>31))
					}
				}
			}
			propagated = append(propagated, signs...)
		}
		for x := range w {
			for y := top; y < min(top+4, h); y++ {
				if coarse[y*w+x] != 0 {
					refined = append(refined, uint8(magnitude(p.data[y*w+x])&1))
				}
			}
		}
	}
	second := bitsOf(propagated, false)
	back := bitsOf(refined, true)
	for i := len(back) - 1; i >= 0; i-- {
		second = append(second, back[i])
	}

	planes := e.tile.comps[0].res[0].bands[0].planes
	var hw headerWriter
	hw.bits(1, 1) // a packet
	hw.bits(1, 1) // with the code-block
	hw.bits(0, planes-2)
	hw.bits(1, 1)
	hw.bits(0b1100, 4)   // three passes
	hw.bits(1<<14-2, 14) // lengths of 16 bits
	hw.bits(uint(len(cleanup)), 16)
	hw.bits(uint(len(second)), 17)
	hw.flush()
	packet := append(append(hw.b, cleanup...), second...)

	head := tilePartHead([]int{len(packet)})
	binary.BigEndian.PutUint32(head[6:], uint32(len(head)+len(packet)))
	head[10], head[11] = 0, 1
	out := e.mainHeader(m)
	for i := 0; i+1 < len(out); i++ {
		if out[i] == 0xFF && out[i+1] == mCOD&0xFF {
			out[i+12] = style
		}
	}
	out = append(append(out, head...), packet...)
	return binary.BigEndian.AppendUint16(out, mEOC)
}

// TestRefinementPasses codes blocks with all three passes of T.814.
func TestRefinementPasses(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range []struct {
		w, h  int
		style byte
		dense float64
	}{
		{64, 64, styleHT, 0.3}, {64, 64, styleHT | styleCausal, 0.3}, {61, 37, styleHT, 0.1},
		{5, 3, styleHT, 0.5}, {64, 64, styleHT, 0.9}, {31, 64, styleHT | styleCausal, 0.05},
	} {
		m := &Image{Width: s.w, Height: s.h, Components: []Component{{Width: s.w, Height: s.h, Bits: 10, Signed: true}}}
		samples := make([]int32, s.w*s.h)
		for i := range samples {
			switch {
			case r.Float64() < s.dense:
				samples[i] = int32(r.IntN(1000)) - 500
			case r.Float64() < 0.5:
				samples[i] = int32(r.IntN(3)) - 1
			}
		}
		m.Components[0].Samples = samples
		data := refinedStream(t, m, s.style)
		got, err := Decode(t.Context(), data, Options{})
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		lost := 0
		for i, v := range got.Components[0].Samples {
			if v != samples[i] {
				if lost++; v != 0 || samples[i] > 1 || samples[i] < -1 {
					t.Fatalf("%+v: sample %d is %d, want %d", s, i, v, samples[i])
				}
			}
		}
		t.Logf("%+v: %d samples of 1 have no neighbour that would have brought them", s, lost)
		t.Run("OpenJPEG", func(t *testing.T) {
			same(t, "as OpenJPEG decodes it", got, openjpegDecode(t, data, got))
		})
	}
}
