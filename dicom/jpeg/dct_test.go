package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// samples is what a component's blocks say, computed slowly (T.81 A.3.3),
// without rounding.
func (p *coefficients) samples(c int) (out []float64, stride int) {
	stride = 8 * p.cols[c]
	out = make([]float64, 64*len(p.blocks[c]))
	scale := func(u int) float64 {
		if u == 0 {
			return math.Sqrt2 / 4
		}
		return 0.5
	}
	for i := range p.blocks[c] {
		x0, y0 := i%p.cols[c]*8, i/p.cols[c]*8
		for k, v := range p.blocks[c][i] {
			if v == 0 {
				continue
			}
			u, w := int(zigzag[k]%8), int(zigzag[k]/8)
			f := float64(v*p.quant[k]) * scale(u) * scale(w)
			for y := range 8 {
				for x := range 8 {
					out[(y0+y)*stride+x0+x] += f * math.Cos(float64((2*x+1)*u)*math.Pi/16) * math.Cos(float64((2*y+1)*w)*math.Pi/16)
				}
			}
		}
	}
	return out, stride
}

func sample(m *Image, k int) int {
	if m.SampleBytes() == 1 {
		return int(m.Data[k])
	}
	return int(binary.LittleEndian.Uint16(m.Data[2*k:]))
}

func TestDCTAgainstDefinition(t *testing.T) {
	for _, depth := range []int{8, 12} {
		p := newCoefficients(61, 43, depth, 5, [2]int{1, 1}, [2]int{1, 1})
		m, err := Decode(t.Context(), p.sequential(Extended, true), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for c := range 2 {
			want, stride := p.samples(c)
			for y := range 43 {
				for x := range 61 {
					exact := min(max(want[y*stride+x]+float64(int(1)<<(depth-1)), 0), float64(int(1)<<depth-1))
					if got := float64(sample(m, 2*(61*y+x)+c)); math.Abs(got-exact) > 0.75 {
						t.Fatalf("%d bits, component %d, %d,%d: %g, want %g", depth, c, x, y, got, exact)
					}
				}
			}
		}
	}
}

// TestProcessesAgree decodes the same coefficients from every process.
func TestProcessesAgree(t *testing.T) {
	for name, factors := range map[string][][2]int{
		"grey":  {{1, 1}},
		"2×2":   {{2, 2}},
		"4:4:4": {{1, 1}, {1, 1}, {1, 1}},
		"4:2:2": {{2, 1}, {1, 1}, {1, 1}},
		"4:2:0": {{2, 2}, {1, 1}, {1, 1}},
		"4:4:0": {{1, 2}, {1, 1}, {1, 1}},
		"4:1:1": {{4, 1}, {1, 1}, {1, 1}, {1, 1}},
	} {
		for _, depth := range []int{8, 12} {
			for _, dims := range [][2]int{{1, 1}, {3, 70}, {75, 50}} {
				for _, restart := range []int{0, 1, 7} {
					p := newCoefficients(dims[0], dims[1], depth, 3, factors...)
					if name == "2×2" { // factors of the only component mean nothing
						p = newCoefficients(dims[0], dims[1], depth, 3, [2]int{1, 1})
					}
					p.restart = restart
					first, err := Decode(t.Context(), p.sequential(Extended, true), Limits{})
					if err != nil {
						t.Fatalf("%s %d %v: %v", name, depth, dims, err)
					}
					for other, stream := range map[string][]byte{"scan by scan": p.sequential(Extended, false), "progressive": p.progressive()} {
						m, err := Decode(t.Context(), stream, Limits{})
						if err != nil {
							t.Fatalf("%s %d %v, %s, restart %d: %v", name, depth, dims, other, restart, err)
						}
						if !bytes.Equal(m.Data, first.Data) {
							t.Errorf("%s %d %v: %s differs, restart %d", name, depth, dims, other, restart)
						}
					}
				}
			}
		}
	}
}

func TestStretching(t *testing.T) {
	wide := make([]uint16, 6)
	double(wide, []uint16{10, 20, 40}, []uint16{10, 20, 40}, 4, 4, 8)
	if want := [6]uint16{10, 13, 17, 25, 35, 40}; [6]uint16(wide) != want {
		t.Errorf("%d, want %d", wide, want)
	}
	double(wide, []uint16{10, 20, 40}, []uint16{50, 60, 80}, 16, 8, 7)
	if want := [6]uint16{20, 22, 28, 35, 45, 50}; [6]uint16(wide) != want {
		t.Errorf("%d, want %d", wide, want)
	}
}

func TestHostile(t *testing.T) {
	p := newCoefficients(75, 50, 8, 3, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
	good := p.sequential(Baseline, true)
	change := func(mark, offset int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[bytes.Index(b, []byte{0xFF, byte(mark)})+offset:], v)
		return b
	}
	for name, c := range map[string]struct {
		stream []byte
		want   error
	}{
		"empty":          {nil, ErrCorrupt},
		"no scan":        {good[:200], ErrTruncated},
		"half":           {good[:len(good)*2/3], ErrTruncated},
		"arithmetic":     {change(0xC0, 1, 0xC9), ErrUnsupported},
		"hierarchical":   {change(0xC0, 1, 0xC5), ErrUnsupported},
		"9 bits":         {change(0xC0, 4, 9), ErrUnsupported},
		"sampling 0":     {change(0xC0, 11, 0x01), ErrCorrupt},
		"sampling 5":     {change(0xC0, 11, 0x51), ErrCorrupt},
		"too much":       {change(0xC0, 11, 0x44), ErrCorrupt},
		"no table":       {change(0xC0, 12, 3), ErrCorrupt},
		"huge":           {change(0xC0, 5, 0x20, 0, 0x20, 0), ErrCorrupt},
		"over the limit": {change(0xC0, 5, 0xFF, 0xFF, 0xFF, 0xFF), ErrTooLarge},
		"no lines":       {change(0xC0, 5, 0, 0), ErrCorrupt},
		"no columns":     {change(0xC0, 7, 0, 0), ErrCorrupt},
		"same names":     {change(0xC0, 13, 1), ErrCorrupt},
		"overfull code":  {change(markDHT, 5, 3), ErrCorrupt},
	} {
		if _, err := Decode(t.Context(), c.stream, Limits{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(t.Context(), p.progressive(), Limits{Scans: 5}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("scans: %v", err)
	}
}
