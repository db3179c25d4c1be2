package jpeg2000

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"testing"
)

// shapes are images that bring out borders, odd sizes and ranges.
var shapes = []struct {
	w, h, components, bits int
	signed                 bool
	options                EncodeOptions
}{
	{1, 1, 1, 8, false, EncodeOptions{}},
	{2, 1, 1, 8, false, EncodeOptions{}},
	{1, 7, 1, 16, true, EncodeOptions{}},
	{3, 5, 3, 8, false, EncodeOptions{}},
	{64, 64, 1, 12, false, EncodeOptions{Levels: -1}},
	{65, 63, 1, 16, false, EncodeOptions{Levels: 1}},
	{127, 130, 1, 16, true, EncodeOptions{}},
	{200, 131, 3, 8, false, EncodeOptions{}},
	{200, 131, 3, 16, false, EncodeOptions{}},
	{90, 140, 3, 8, false, EncodeOptions{NoColourTransform: true}},
	{90, 140, 4, 10, false, EncodeOptions{}},
	{300, 257, 1, 1, false, EncodeOptions{}},
	{600, 413, 1, 12, false, EncodeOptions{Precinct: 8}},
	{533, 700, 3, 8, false, EncodeOptions{Precinct: 8, Levels: 3}},
	{70, 80, 1, 24, true, EncodeOptions{}},
	{1, 1, 1, 8, false, EncodeOptions{Part1: true}},
	{3, 5, 3, 8, false, EncodeOptions{Part1: true}},
	{1, 300, 1, 16, true, EncodeOptions{Part1: true}},
	{300, 1, 1, 12, false, EncodeOptions{Part1: true}},
	{64, 64, 1, 12, false, EncodeOptions{Part1: true, Levels: -1}},
	{129, 131, 1, 16, true, EncodeOptions{Part1: true}},
	{200, 131, 3, 16, false, EncodeOptions{Part1: true}},
	{90, 140, 3, 12, true, EncodeOptions{Part1: true, NoColourTransform: true}},
	{300, 257, 1, 1, false, EncodeOptions{Part1: true}},
	{533, 400, 3, 8, false, EncodeOptions{Part1: true, Precinct: 8, Levels: 3}},
	{70, 80, 1, 24, true, EncodeOptions{Part1: true}},
}

func (o EncodeOptions) String() string {
	return fmt.Sprintf("levels %d, precincts %d, plain %v, part 1 %v", o.Levels, o.Precinct, o.NoColourTransform, o.Part1)
}

// TestRoundTrip encodes, decodes, and decodes each prefix to its level.
func TestRoundTrip(t *testing.T) {
	for i, s := range shapes {
		what := fmt.Sprintf("%d×%d×%d of %d bits, signed %v, %v", s.w, s.h, s.components, s.bits, s.signed, s.options)
		m := picture(s.w, s.h, s.components, s.bits, s.signed, uint64(i))
		before := slices.Clone(m.Components[0].Samples)
		e, err := Encode(t.Context(), m, s.options)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if !slices.Equal(before, m.Components[0].Samples) {
			t.Errorf("%s: Encode changed its input", what)
		}
		got, err := Decode(t.Context(), e.Data, Options{})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		same(t, what, got, m)
		c, err := DecodeConfig(e.Data)
		if err != nil || !c.Reversible || c.HighThroughput == s.options.Part1 || c.Progression != "RPCL" || !c.TilePartLengths || !c.PacketLengths || c.TileParts != len(e.Levels) {
			t.Errorf("%s: config %+v, %v", what, c, err)
		}
		for _, l := range e.Levels {
			whole, err := Decode(t.Context(), e.Data, Options{Discard: l.Discard})
			if err != nil {
				t.Errorf("%s, %d levels less: %v", what, l.Discard, err)
				continue
			}
			if whole.Width != l.Width || whole.Height != l.Height {
				t.Errorf("%s, %d levels less: %d×%d, said to be %d×%d", what, l.Discard, whole.Width, whole.Height, l.Width, l.Height)
			}
			prefix, err := Decode(t.Context(), e.Data[:l.Bytes:l.Bytes], Options{Discard: l.Discard})
			if err != nil {
				t.Errorf("%s, prefix for %d levels less: %v", what, l.Discard, err)
				continue
			}
			same(t, what+", prefix", prefix, whole)
			if l.Discard > 0 {
				if _, err := Decode(t.Context(), e.Data[:l.Bytes], Options{Discard: l.Discard - 1}); !errors.Is(err, ErrTruncated) {
					t.Errorf("%s: prefix for %d levels less gives one level more: %v", what, l.Discard, err)
				}
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	good := func() *Image { return picture(8, 8, 1, 8, false, 1) }
	for name, spoil := range map[string]func(*Image, *EncodeOptions){
		"sample too large":   func(m *Image, _ *EncodeOptions) { m.Components[0].Samples[3] = 256 },
		"sample too small":   func(m *Image, _ *EncodeOptions) { m.Components[0].Samples[3] = -1 },
		"far out of range":   func(m *Image, _ *EncodeOptions) { m.Components[0].Samples[3] = 1<<31 - 1 },
		"as far below":       func(m *Image, _ *EncodeOptions) { m.Components[0].Samples[3] = -1 << 31 },
		"no components":      func(m *Image, _ *EncodeOptions) { m.Components = nil },
		"too few samples":    func(m *Image, _ *EncodeOptions) { m.Components[0].Samples = m.Components[0].Samples[:9] },
		"too many bits":      func(m *Image, _ *EncodeOptions) { m.Components[0].Bits = 25 },
		"too many levels":    func(_ *Image, o *EncodeOptions) { o.Levels = 33 },
		"precinct too small": func(_ *Image, o *EncodeOptions) { o.Precinct = 3 },
	} {
		m, o := good(), EncodeOptions{}
		spoil(m, &o)
		if _, err := Encode(t.Context(), m, o); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExtremes codes what makes the greatest coefficients, and the least.
func TestExtremes(t *testing.T) {
	for name, draw := range map[string]func(x, y, c int) bool{
		"noise":        func(x, y, c int) bool { return (x*7919+y*104729+c*31)*2654435761>>13&1 == 0 },
		"checkerboard": func(x, y, c int) bool { return (x+y+c)%2 == 0 },
		"columns":      func(x, _, c int) bool { return (x+c)%2 == 0 },
		"low":          func(_, _, _ int) bool { return false },
		"high":         func(_, _, _ int) bool { return true },
		"one pixel":    func(x, y, _ int) bool { return x == 77 && y == 66 },
	} {
		for _, n := range []int{1, 3} {
			m := picture(131, 67, n, 16, true, 1)
			for c := range m.Components {
				for k := range m.Components[c].Samples {
					m.Components[c].Samples[k] = -1 << 15
					if draw(k%m.Width, k/m.Width, c) {
						m.Components[c].Samples[k] = 1<<15 - 1
					}
				}
			}
			for _, part1 := range []bool{false, true} {
				e, err := Encode(t.Context(), m, EncodeOptions{Part1: part1})
				if err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%s, %d components, part 1 %v", name, n, part1)
				got, err := Decode(t.Context(), e.Data, Options{})
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				same(t, what, got, m)
				if _, err := exec.LookPath("opj_decompress"); err == nil && part1 {
					same(t, what+", by OpenJPEG", openjpegDecode(t, e.Data, m), m)
				}
			}
		}
	}
}
