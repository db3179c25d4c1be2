package jpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// picture makes an image of a kind that exercises a part of the coder.
func picture(kind string, width, height, components, bits int) *Image {
	m := &Image{Width: width, Height: height, Components: components, Bits: bits}
	random := rand.New(rand.NewPCG(uint64(bits), 2))
	top := 1<<bits - 1
	for y := range height {
		for x := range width {
			for c := range components {
				v := 0
				switch kind {
				case "noise":
					v = random.IntN(top + 1)
				case "smooth":
					v = min(max(top*(x+2*y+c)/(width+2*height+components)+random.IntN(3)-1, 0), top)
				case "edges":
					v = (x / 3 % 2) * top
				case "steps": // differences of 32768 among others
					v = (x % 2) << (bits - 1)
				}
				m.Data = append(m.Data, byte(v))
				if bits > 8 {
					m.Data = append(m.Data, byte(v>>8))
				}
			}
		}
	}
	return m
}

func TestLosslessRoundTrip(t *testing.T) {
	for _, bits := range []int{2, 7, 8, 9, 12, 15, 16} {
		for _, kind := range []string{"noise", "smooth", "edges", "steps", "black"} {
			for _, components := range []int{1, 3} {
				for predictor := range 8 {
					for _, lines := range []int{0, 1, 4} {
						m := picture(kind, 37, 11, components, bits)
						name := fmt.Sprintf("%s of %d×%d bits, predictor %d, restart %d", kind, components, bits, predictor, lines)
						stream, err := Encode(t.Context(), m, EncodeOptions{predictor, lines})
						if err != nil {
							t.Fatalf("%s: %v", name, err)
						}
						before := slices.Clone(stream)
						got, err := Decode(t.Context(), stream, Limits{})
						if err != nil {
							t.Fatalf("%s: %v", name, err)
						}
						if !bytes.Equal(got.Data, m.Data) || got.Bits != bits || got.Components != components {
							t.Fatalf("%s: differs", name)
						}
						if !bytes.Equal(stream, before) {
							t.Fatalf("%s: the stream was written to", name)
						}
					}
				}
			}
		}
	}
	for _, dims := range [][2]int{{1, 1}, {1, 9}, {9, 1}} {
		m := picture("noise", dims[0], dims[1], 3, 12)
		stream, err := Encode(t.Context(), m, EncodeOptions{Predictor: 4})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(t.Context(), stream, Limits{}); err != nil || !bytes.Equal(got.Data, m.Data) {
			t.Errorf("%v: %v", dims, err)
		}
	}
}

// TestSkewedCode wants codes of 16 bits at most from counts that ask for more.
func TestSkewedCode(t *testing.T) {
	var counts [17]int
	a, b := 1, 1
	for k := range counts {
		counts[k] = a
		a, b = b, a+b
	}
	c := optimal(counts)
	sum := 0
	for v, l := range c.lengths {
		if l < 1 || l > 16 || c.bits[v] == 1<<l-1 {
			t.Errorf("category %d: %d bits, %b", v, l, c.bits[v])
		}
		sum += 1 << (16 - l)
	}
	if sum >= 1<<16 {
		t.Errorf("the codes fill %d of %d", sum, 1<<16)
	}
	if _, err := newHuffman(c.counts, c.symbols); err != nil {
		t.Error(err)
	}
}

func TestForgiveness(t *testing.T) {
	m := picture("smooth", 30, 20, 1, 12)
	plain, err := Encode(t.Context(), m, EncodeOptions{RestartLines: 3})
	if err != nil {
		t.Fatal(err)
	}
	dnl := slices.Clone(plain[:len(plain)-2])
	copy(dnl[bytes.Index(dnl, []byte{0xFF, 0xC3})+5:], []byte{0, 0})
	for name, stream := range map[string][]byte{
		"without end":            plain[:len(plain)-2],
		"bytes behind":           append(slices.Clone(plain), 1, 2, 3),
		"fill bytes":             slices.Concat(plain[:2], []byte{0xFF, 0xFF}, plain[2:]),
		"fill before restart":    bytes.Replace(plain, []byte{0xFF, markRST0}, []byte{0xFF, 0xFF, markRST0}, 1),
		"a comment":              slices.Concat(plain[:2], []byte{0xFF, 0xFE, 0, 3, 'x'}, plain[2:]),
		"Adobe and JFIF":         slices.Concat(plain[:2], []byte{0xFF, 0xE0, 0, 4, 'J', 'F', 0xFF, 0xEE, 0, 3, 'A'}, plain[2:]),
		"number of lines behind": append(dnl, 0xFF, markDNL, 0, 4, 0, 20, 0xFF, markEOI),
	} {
		got, err := Decode(t.Context(), stream, Limits{})
		if err != nil || !bytes.Equal(got.Data, m.Data) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h, err := DecodeHeader(plain)
	if err != nil || h.Process != Lossless || h.Width != 30 || h.Height != 20 || h.Bits != 12 || h.Predictor != 1 || len(h.Components) != 1 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestPointTransform decodes the same bits as of a finer image.
func TestPointTransform(t *testing.T) {
	m := picture("smooth", 30, 20, 1, 10)
	stream, err := Encode(t.Context(), m, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stream[bytes.Index(stream, []byte{0xFF, 0xC3})+4] = 13
	stream[bytes.Index(stream, []byte{0xFF, markSOS})+9] = 3
	got, err := Decode(t.Context(), stream, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for k := range 600 {
		if sample(got, k) != sample(m, k)<<3 {
			t.Fatalf("sample %d: %d, want %d", k, sample(got, k), sample(m, k)<<3)
		}
	}
}

func TestLosslessRefusals(t *testing.T) {
	m := picture("noise", 30, 20, 1, 8)
	plain, err := Encode(t.Context(), m, EncodeOptions{RestartLines: 2})
	if err != nil {
		t.Fatal(err)
	}
	change := func(mark, offset int, v ...byte) []byte {
		b := slices.Clone(plain)
		copy(b[bytes.Index(b, []byte{0xFF, byte(mark)})+offset:], v)
		return b
	}
	for name, c := range map[string]struct {
		stream []byte
		want   error
	}{
		"predictor 0":       {change(markSOS, 7, 0), ErrCorrupt},
		"predictor 8":       {change(markSOS, 7, 8), ErrCorrupt},
		"shift of all bits": {change(markSOS, 9, 8), ErrCorrupt},
		"no such table":     {change(markSOS, 6, 0x30), ErrCorrupt},
		"restart in a line": {change(markDRI, 4, 0, 31), ErrUnsupported},
		"restart missing":   {change(markRST0+1, 1, markRST0+5), ErrCorrupt},
		"half":              {plain[:len(plain)/2], ErrTruncated},
		"1 bit":             {change(0xC3, 4, 1), ErrUnsupported},
		"too large":         {change(0xC3, 5, 255, 255), ErrCorrupt},
	} {
		if _, err := Decode(t.Context(), c.stream, Limits{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, plain, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, m := range map[string]*Image{
		"17 bits":          {Width: 1, Height: 1, Components: 1, Bits: 17, Data: []byte{0, 0}},
		"5 components":     {Width: 1, Height: 1, Components: 5, Bits: 8, Data: make([]byte, 5)},
		"too few bytes":    {Width: 2, Height: 2, Components: 1, Bits: 9, Data: make([]byte, 7)},
		"sample too large": {Width: 1, Height: 1, Components: 1, Bits: 12, Data: []byte{0, 16}},
	} {
		if _, err := Encode(t.Context(), m, EncodeOptions{}); !errors.Is(err, ErrBadImage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
