package jpegls

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
func picture(kind string, width, height, components, bits int, seed uint64) *Image {
	m := &Image{Width: width, Height: height, Components: components, Bits: bits}
	random := rand.New(rand.NewPCG(seed, 1))
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
				case "flat":
					v = top / 3
					if random.IntN(40) == 0 {
						v = random.IntN(top + 1)
					}
				case "edges":
					v = (x / 5 % 2) * top
					if random.IntN(9) == 0 {
						v ^= 1
					}
				case "black":
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

var kinds = []string{"noise", "smooth", "flat", "edges", "black"}

func TestRoundTrip(t *testing.T) {
	for bits := 2; bits <= 16; bits++ {
		for _, kind := range kinds {
			for _, components := range []int{1, 2, 3, 4} {
				for mode := InterleaveNone; mode <= InterleaveSample; mode++ {
					for _, size := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {61, 23}} {
						m := picture(kind, size[0], size[1], components, bits, uint64(bits))
						name := fmt.Sprintf("%s %v×%d of %d bits, mode %d", kind, size, components, bits, mode)
						stream, err := Encode(t.Context(), m, EncodeOptions{mode})
						if err != nil {
							t.Fatalf("%s: %v", name, err)
						}
						checkStuffing(t, name, stream)
						before := slices.Clone(stream)
						got, err := Decode(t.Context(), stream, Limits{})
						if err != nil {
							t.Fatalf("%s: %v", name, err)
						}
						if !bytes.Equal(got.Data, m.Data) || got.Width != m.Width || got.Height != m.Height || got.Bits != bits || got.Components != components {
							t.Fatalf("%s: differs", name)
						}
						if !bytes.Equal(before, stream) {
							t.Fatalf("%s: the stream was written to", name)
						}
					}
				}
			}
		}
	}
}

// checkStuffing wants no marker but those of the headers and the end.
func checkStuffing(t *testing.T, name string, stream []byte) {
	t.Helper()
	for at := 2; at+1 < len(stream); {
		switch marker := stream[at+1]; {
		case stream[at] != 0xFF:
			t.Fatalf("%s: byte %d is no marker", name, at)
		case marker == markEOI && at+2 == len(stream):
			return
		case marker == markSOF, marker == markSOS:
			at += 2 + int(stream[at+2])<<8 + int(stream[at+3])
			if marker == markSOS {
				at += segmentEnd(stream[at:])
			}
		default:
			t.Fatalf("%s: marker %#x", name, marker)
		}
	}
	t.Fatalf("%s: no end", name)
}

// TestStandardExample is the worked example of T.87 H.3.
func TestStandardExample(t *testing.T) {
	want := &Image{Width: 4, Height: 4, Components: 1, Bits: 8, Data: []byte{
		0, 0, 90, 74,
		68, 50, 43, 205,
		64, 145, 145, 145,
		100, 145, 145, 145,
	}}
	stream := []byte{
		0xFF, 0xD8, 0xFF, 0xF7, 0, 11, 8, 0, 4, 0, 4, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0,
		0xC0, 0x00, 0x00, 0x6C, 0x80, 0x20, 0x8E, 0x01, 0xC0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6E,
		0xE6, 0x00, 0x00, 0x01, 0xBC, 0x18, 0x00, 0x00, 0x05, 0xD8, 0x00, 0x00, 0x91, 0x60, 0xFF, 0xD9,
	}
	got, err := Decode(t.Context(), stream, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Data, want.Data) {
		t.Errorf("decoded %d", got.Data)
	}
	encoded, err := Encode(t.Context(), want, EncodeOptions{})
	if err != nil || !bytes.Equal(encoded, stream) {
		t.Errorf("encoded % x, %v", encoded, err)
	}
}

// cut splits the lines of an image into restart intervals by encoding each on
// its own, which is what a restart means.
func cut(t testing.TB, m *Image, interval int, mode Interleave, wide bool) []byte {
	t.Helper()
	row := len(m.Data) / m.Height
	var out []byte
	for y, part := 0, 0; y < m.Height; y, part = y+interval, part+1 {
		some := *m
		some.Height = min(interval, m.Height-y)
		some.Data = m.Data[y*row : (y+some.Height)*row]
		b, err := Encode(t.Context(), &some, EncodeOptions{mode})
		if err != nil {
			t.Fatal(err)
		}
		start := bytes.Index(b, []byte{0xFF, markSOS})
		if part == 0 {
			out = slices.Clone(b[:start])
			out[7], out[8] = byte(m.Height>>8), byte(m.Height)
			dri := []byte{0xFF, markDRI, 0, 4, byte(interval >> 8), byte(interval)}
			if wide {
				dri = []byte{0xFF, markDRI, 0, 6, 0, 0, byte(interval >> 8), byte(interval)}
			}
			out = append(out, dri...)
			out = append(out, b[start:len(b)-2]...)
			continue
		}
		out = append(out, 0xFF, byte(markRST0+(part-1)%8))
		out = append(out, b[start+4+6+2*(m.Components-1):len(b)-2]...)
	}
	return append(out, 0xFF, markEOI)
}

func TestRestartIntervals(t *testing.T) {
	for _, mode := range []Interleave{InterleaveNone, InterleaveLine, InterleaveSample} {
		m := picture("smooth", 40, 50, 3, 12, 4)
		if mode == InterleaveNone {
			m = picture("smooth", 40, 50, 1, 12, 4)
		}
		for _, interval := range []int{1, 3, 49, 50} {
			stream := cut(t, m, interval, mode, interval == 3)
			got, err := Decode(t.Context(), stream, Limits{})
			if err != nil {
				t.Fatalf("mode %d, %d lines: %v", mode, interval, err)
			}
			if !bytes.Equal(got.Data, m.Data) {
				t.Errorf("mode %d, %d lines: differs", mode, interval)
			}
		}
	}
	stream := cut(t, picture("smooth", 40, 50, 1, 8, 4), 5, InterleaveNone, false)
	at := bytes.Index(stream, []byte{0xFF, markRST0 + 1})
	stream[at+1]++
	if _, err := Decode(t.Context(), stream, Limits{}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("wrong order of restarts: %v", err)
	}
}

// put inserts a segment behind the start of image.
func put(stream []byte, marker byte, body ...byte) []byte {
	n := len(body) + 2
	return slices.Concat(stream[:2], []byte{0xFF, marker, byte(n >> 8), byte(n)}, body, stream[2:])
}

func encode(t testing.TB, m *Image) []byte {
	t.Helper()
	b, err := Encode(context.Background(), m, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSegments(t *testing.T) {
	m := picture("smooth", 30, 20, 1, 8, 2)
	plain := encode(t, m)
	same := map[string][]byte{
		"defaults said":     put(plain, markLSE, 1, 0, 255, 0, 3, 0, 7, 0, 21, 0, 64),
		"zero is default":   put(plain, markLSE, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"comment":           put(plain, 0xFE, 'x'),
		"no transform":      put(plain, markAPP8, 'm', 'r', 'f', 'x', 0),
		"without end":       plain[:len(plain)-2],
		"bytes behind":      append(slices.Clone(plain), 0, 0, 1),
		"fill before frame": slices.Concat(plain[:2], []byte{0xFF, 0xFF}, plain[2:]),
	}
	oversize := put(plain, markLSE, 4, 2, 0, 20, 0, 30)
	at := bytes.Index(oversize, []byte{0xFF, markSOF})
	copy(oversize[at+5:], []byte{0, 0, 0, 0})
	same["size in LSE"] = oversize
	late := slices.Clone(plain[:len(plain)-2])
	copy(late[7:], []byte{0, 0})
	same["number of lines behind"] = append(late, 0xFF, markDNL, 0, 4, 0, 20, 0xFF, markEOI)
	for name, stream := range same {
		got, err := Decode(t.Context(), stream, Limits{})
		if err != nil || !bytes.Equal(got.Data, m.Data) {
			t.Errorf("%s: %v", name, err)
		}
	}
	table := make([]byte, 2, 1024)
	table[0], table[1] = 7, 2
	for v := range 256 {
		table = append(table, byte(v>>4), byte(v<<4))
	}
	mapped := put(plain, markLSE, append([]byte{2}, table[:200]...)...)
	at = bytes.Index(mapped, []byte{0xFF, markSOF})
	rest := append([]byte{3, 7, 2}, table[200:]...)
	mapped = slices.Concat(mapped[:at], []byte{0xFF, markLSE, byte((len(rest) + 2) >> 8), byte(len(rest) + 2)}, rest, mapped[at:])
	mapped[bytes.Index(mapped, []byte{0xFF, markSOS})+6] = 7
	got, err := Decode(t.Context(), mapped, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	wide, err := got.Mapped()
	if err != nil || wide.Bits != 16 {
		t.Fatal(wide.Bits, err)
	}
	for k, v := range m.Data {
		if got := int(wide.Data[2*k]) | int(wide.Data[2*k+1])<<8; got != int(v>>4)<<8|int(v<<4) {
			t.Fatalf("sample %d is %d", k, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	plain := encode(t, picture("noise", 30, 20, 1, 8, 2))
	change := func(at int, v ...byte) []byte {
		b := slices.Clone(plain)
		copy(b[at:], v)
		return b
	}
	sos := bytes.Index(plain, []byte{0xFF, markSOS})
	for name, c := range map[string]struct {
		stream []byte
		want   error
	}{
		"empty":            {nil, ErrCorrupt},
		"start alone":      {plain[:2], ErrTruncated},
		"no scan":          {plain[:sos], ErrTruncated},
		"half":             {plain[:len(plain)/2], ErrTruncated},
		"other process":    {change(3, 0xC0), ErrUnsupported},
		"1 bit":            {change(6, 1), ErrCorrupt},
		"17 bits":          {change(6, 17), ErrCorrupt},
		"no columns":       {change(9, 0, 0), ErrCorrupt},
		"no lines":         {change(7, 0, 0), ErrCorrupt},
		"too many lines":   {change(7, 255, 255), ErrCorrupt},
		"NEAR of 200":      {change(sos+7, 200), ErrCorrupt},
		"mode 3":           {change(sos+8, 3), nil}, // of one component
		"component 9":      {change(sos+5, 9), ErrCorrupt},
		"missing table":    {change(sos+6, 9), ErrCorrupt},
		"colour transform": {put(plain, markAPP8, 'm', 'r', 'f', 'x', 1), ErrUnsupported},
		"MAXVAL 300":       {put(plain, markLSE, 1, 1, 44, 0, 0, 0, 0, 0, 0, 0, 0), ErrCorrupt},
		"T1 above T2":      {put(plain, markLSE, 1, 0, 255, 0, 8, 0, 7, 0, 21, 0, 64), ErrCorrupt},
		"LSE 9":            {put(plain, markLSE, 9), ErrUnsupported},
	} {
		if _, err := Decode(t.Context(), c.stream, Limits{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(t.Context(), plain, Limits{Bytes: 599}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("limit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, plain, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, m := range map[string]*Image{
		"17 bits":          {Width: 1, Height: 1, Components: 1, Bits: 17, Data: []byte{0, 0}},
		"no columns":       {Width: 0, Height: 1, Components: 1, Bits: 8},
		"too few bytes":    {Width: 2, Height: 2, Components: 1, Bits: 9, Data: make([]byte, 7)},
		"sample too large": {Width: 1, Height: 1, Components: 1, Bits: 12, Data: []byte{0, 16}},
	} {
		if _, err := Encode(t.Context(), m, EncodeOptions{}); !errors.Is(err, ErrBadImage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
