package jpeg

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// FuzzDecode decodes any bytes, and what it decodes again through the encoder.
func FuzzDecode(f *testing.F) {
	for _, depth := range []int{8, 12} {
		for _, factors := range [][][2]int{{{1, 1}}, {{2, 1}, {1, 1}, {1, 1}}, {{2, 2}, {1, 1}, {1, 1}}} {
			p := newCoefficients(19, 17, depth, 3, factors...)
			f.Add(p.sequential(Extended, true))
			f.Add(p.progressive())
			p.restart = 2
			f.Add(p.sequential(Extended, false))
		}
	}
	for k, kind := range []string{"noise", "smooth", "edges", "steps"} {
		for predictor := 1; predictor <= 7; predictor += 2 {
			b, err := Encode(context.Background(), picture(kind, 17, 9, 1+k%2*2, 2+4*k), EncodeOptions{predictor, k})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		before := slices.Clone(b)
		m, err := Decode(ctx, b, Limits{Bytes: 1 << 20, Scans: 20})
		if !bytes.Equal(b, before) {
			t.Fatal("the stream was written to")
		}
		if err != nil {
			return
		}
		if len(m.Data) != m.Width*m.Height*m.Components*m.SampleBytes() {
			t.Fatalf("%d bytes", len(m.Data))
		}
		if m.Components > 4 {
			return
		}
		again, err := Encode(ctx, m, EncodeOptions{Predictor: 1 + len(b)%7})
		if errors.Is(err, ErrBadImage) {
			return // samples beyond Bits
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(ctx, again, Limits{Bytes: 1 << 20})
		if err != nil || !bytes.Equal(back.Data, m.Data) {
			t.Fatalf("not the same again: %v", err)
		}
	})
}
