package jpeg2000

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// seeds are small streams that use much of both standards.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for i, s := range shapes {
		if s.w*s.h > 30000 {
			continue
		}
		e, err := Encode(t.Context(), picture(s.w, s.h, s.components, s.bits, s.signed, uint64(i)), s.options)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Data)
	}
	out = append(out, malformed(60, 60, 1, 4, 0x44), malformed(60, 60, 3, 0, 0xFF))
	e, err := Encode(t.Context(), picture(40, 30, 4, 8, false, 1), EncodeOptions{NoColourTransform: true})
	if err != nil {
		t.Fatal(err)
	}
	multi := joined(t, e.Data)
	for _, name := range slices.Sorted(maps.Keys(multi)) {
		out = append(out, multi[name])
	}
	if _, err := exec.LookPath("opj_compress"); err != nil {
		t.Log("NOT RUN with streams of OpenJPEG: opj_compress (Debian package libopenjp2-tools) is not installed")
		return out
	}
	grey, colour := picture(71, 53, 1, 12, true, 1), picture(50, 41, 3, 8, false, 2)
	return append(out,
		openjpeg(t, grey, "-M 63 -b 16,16"), openjpeg(t, grey, "-ROI c=0,U=9 -M 1"),
		openjpeg(t, colour, "-SOP -EPH -r 8,2,1 -t 30,20 -n 3"),
		openjpeg(t, colour, "-I -p CPRL -c [32,32],[16,16]"),
		openjpeg(t, colour, "-POC T1=0,0,1,3,3,CPRL/T1=3,0,1,6,3,RPCL -n 6"))
}

// FuzzDecode decodes any bytes, whole and smaller.
func FuzzDecode(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, 0, false)
		f.Add(s, 1, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, discard int, partial bool) {
		before := bytes.Clone(data)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		m, err := Decode(ctx, data, Options{Discard: discard, Partial: partial, Limits: Limits{Samples: 1 << 20, Components: 16}})
		if !bytes.Equal(before, data) {
			t.Fatal("the input was written to")
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("takes more than ten seconds")
		}
		if err != nil {
			return
		}
		for _, c := range m.Components {
			if len(c.Samples) != c.Width*c.Height {
				t.Fatalf("%d samples of %d×%d", len(c.Samples), c.Width, c.Height)
			}
			low, high := int32(0), int32(1)<<c.Bits-1
			if c.Signed {
				low, high = -1<<(c.Bits-1), 1<<(c.Bits-1)-1
			}
			for _, v := range c.Samples {
				if v < low || v > high {
					t.Fatalf("sample %d of %d bits", v, c.Bits)
				}
			}
		}
	})
}

// FuzzRoundTrip encodes any samples and decodes them again.
func FuzzRoundTrip(f *testing.F) {
	for _, part1 := range []bool{false, true} {
		f.Add([]byte{1, 2, 3, 4, 5, 6}, 2, 3, 8, part1)
		f.Add(bytes.Repeat([]byte{0, 255, 7}, 99), 17, 1, 16, part1)
	}
	f.Fuzz(func(t *testing.T, b []byte, width, components, bits int, part1 bool) {
		if width < 1 || width > 300 || components < 1 || components > 4 || bits < 1 || bits > maxEncodeBits {
			return
		}
		height := len(b) / (width * components * 2)
		if height < 1 {
			return
		}
		m := &Image{Width: width, Height: height}
		for range components {
			c := Component{Width: width, Height: height, Bits: bits, Samples: make([]int32, width*height)}
			for k := range c.Samples {
				c.Samples[k] = (int32(b[0])<<16 | int32(b[1])<<8 | int32(b[0]^b[1])) & (1<<bits - 1)
				b = b[2:]
			}
			m.Components = append(m.Components, c)
		}
		e, err := Encode(t.Context(), m, EncodeOptions{Part1: part1})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(t.Context(), e.Data, Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "round trip", got, m)
	})
}
