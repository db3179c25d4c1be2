package jpeg2000

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// malformed is a stream of 250 bytes that announces an image of width×height
// and n components.
func malformed(width, height, n int, blocks byte, precinct byte) []byte {
	be := binary.BigEndian
	b := []byte{0xFF, 0x4F, 0xFF, 0x51}
	b = be.AppendUint16(b, uint16(38+3*n))
	b = be.AppendUint16(b, 0)
	for _, v := range []int{width, height, 0, 0, width, height, 0, 0} {
		b = be.AppendUint32(b, uint32(v))
	}
	b = be.AppendUint16(b, uint16(n))
	for range n {
		b = append(b, 15, 1, 1)
	}
	b = append(b, 0xFF, 0x52, 0, 14, 1, 0, 0, 1, 0, 1, blocks, blocks, 0, 1, precinct, precinct)
	b = append(b, 0xFF, 0x5C, 0, 7, 0x40, 0x80, 0x80, 0x80, 0x80)
	b = append(b, 0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0x93)
	for len(b) < 250 {
		b = append(b, 0xFF)
	}
	return b
}

// TestMemory wants a refusal, or at least modesty, for sizes that data do not
// justify.
func TestMemory(t *testing.T) {
	for name, data := range map[string][]byte{
		"huge":            malformed(1<<29, 1<<29, 1, 4, 0xFF),
		"wide":            malformed(1<<30, 1, 1, 4, 0xFF),
		"many components": malformed(4000, 4000, 60, 4, 0xFF),
		"small blocks":    malformed(4000, 4000, 1, 0, 0xFF),
		"small precincts": malformed(4000, 4000, 1, 4, 0x11),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(t.Context(), data, Options{})
		runtime.ReadMemStats(&after)
		taken := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%s: %d MiB, %v", name, taken, err)
		if err == nil || taken > 300 {
			t.Errorf("%s: takes %d MiB, error %v", name, taken, err)
		}
	}
	good, err := Encode(t.Context(), picture(100, 100, 1, 8, false, 1), EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(t.Context(), good.Data, Options{Limits: Limits{Samples: 9999}}); !errors.Is(err, ErrTooLarge) {
		t.Error("10000 samples pass a limit of 9999:", err)
	}
}

// TestDamage decodes streams with bytes changed, cut and left out: any answer
// will do, but it must be one, and the input must stay as it is.
func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	streams := seeds(t)
	for round := range 400 {
		data := slices.Clone(streams[round%len(streams)])
		for range r.IntN(6) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		if r.IntN(3) == 0 {
			data = data[:r.IntN(len(data))]
		}
		if len(data) > 200 && r.IntN(4) == 0 {
			at := r.IntN(len(data) - 100)
			data = slices.Delete(data, at, at+r.IntN(100))
		}
		before := slices.Clone(data)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		for _, o := range []Options{{}, {Partial: true}, {Discard: 2, Partial: true}} {
			o.Limits = Limits{Samples: 1 << 22}
			m, err := Decode(ctx, data, o)
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("round %d takes more than 20 s", round)
			}
			if (m == nil) == (err == nil) {
				t.Fatalf("round %d: image %v, error %v", round, m != nil, err)
			}
		}
		cancel()
		if !slices.Equal(before, data) {
			t.Fatal("the input was written to")
		}
	}
}

func TestCancelled(t *testing.T) {
	m := picture(300, 300, 1, 12, false, 1)
	e, err := Encode(t.Context(), m, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, e.Data, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Encode(ctx, m, EncodeOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTruncated wants ErrTruncated for every cut, and an image with Partial.
func TestTruncated(t *testing.T) {
	m := picture(150, 130, 3, 8, false, 1)
	e, err := Encode(t.Context(), m, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first := e.Levels[0].Bytes
	for n := first; n < len(e.Data)-2; n += 97 {
		if _, err := Decode(t.Context(), e.Data[:n], Options{}); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d of %d bytes: %v", n, len(e.Data), err)
		}
		got, err := Decode(t.Context(), e.Data[:n], Options{Partial: true})
		if err != nil || len(got.Components[2].Samples) != 150*130 {
			t.Errorf("%d of %d bytes, partial: %v", n, len(e.Data), err)
		}
	}
	if _, err := Decode(t.Context(), e.Data, Options{Discard: len(e.Levels)}); !errors.Is(err, ErrLevels) {
		t.Error(err)
	}
	if _, err := Decode(t.Context(), nil, Options{}); !errors.Is(err, ErrNotJPEG2000) {
		t.Error(err)
	}
}

// TestJP2 wraps a codestream in boxes.
func TestJP2(t *testing.T) {
	m := picture(40, 30, 3, 8, false, 1)
	e, err := Encode(t.Context(), m, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	box := func(kind string, content []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))
		return append(append(b, kind...), content...)
	}
	file := slices.Clone(jp2Signature)
	file = append(file, box("ftyp", []byte("jp2 \x00\x00\x00\x00jp2 "))...)
	file = append(file, box("jp2h", append(box("ihdr", make([]byte, 14)), box("colr", []byte{1, 0, 0, 0, 0, 0, 16})...))...)
	for name, last := range map[string][]byte{
		"known length":  box("jp2c", e.Data),
		"up to the end": append([]byte{0, 0, 0, 0, 'j', 'p', '2', 'c'}, e.Data...),
		"long length":   append(binary.BigEndian.AppendUint64([]byte{0, 0, 0, 1, 'j', 'p', '2', 'c'}, uint64(16+len(e.Data))), e.Data...),
	} {
		data := append(slices.Clone(file), last...)
		c, err := DecodeConfig(data)
		if err != nil || c.ColourSpace != 16 || c.CodestreamOffset != len(data)-len(e.Data) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		got, err := Decode(t.Context(), data, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, name, got, m)
	}
}

// TestExtensionsRefused wants streams refused that need part 2 of the standard
// (T.801), rather than other samples.
func TestExtensionsRefused(t *testing.T) {
	e, err := Encode(t.Context(), picture(40, 30, 3, 8, false, 1), EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cod := bytes.Index(e.Data, []byte{0xFF, 0x52, 0})
	sod := bytes.Index(e.Data, []byte{0xFF, 0x93})
	arrays := slices.Clone(e.Data)
	arrays[cod+8] = 4 // a wavelet of part 2 across components
	offset := slices.Insert(slices.Clone(e.Data), cod, 0xFF, 0x70, 0, 5, 0, 0, 9)
	inTile := slices.Insert(slices.Clone(e.Data), sod, 0xFF, 0x76, 0, 4, 0, 0)
	binary.BigEndian.PutUint32(inTile[bytes.Index(inTile, []byte{0xFF, 0x90, 0, 10})+6:], 0)
	for name, data := range map[string][]byte{"component transform": arrays, "offset in the main header": offset, "curve in a tile-part": inTile} {
		if _, err := Decode(t.Context(), data, Options{}); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
