package jpegls

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"
)

// FuzzDecode decodes any bytes, and what it decodes again through the encoder.
func FuzzDecode(f *testing.F) {
	for k, kind := range kinds {
		for mode := InterleaveNone; mode <= InterleaveSample; mode++ {
			m := picture(kind, 17, 9, 3, 2+3*k, 1)
			b, err := Encode(context.Background(), m, EncodeOptions{mode})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			near := slices.Clone(b)
			near[bytes.Index(b, []byte{0xFF, markSOS})+11] = byte(k)
			f.Add(near)
		}
		f.Add(cut(f, picture(kind, 17, 9, 1, 16, 1), 2, InterleaveNone, true))
		f.Add(put(encode(f, picture(kind, 17, 9, 1, 12, 1)), markLSE, 1, 15, 255, 0, 20, 0, 30, 1, 21, 0, 255))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		before := slices.Clone(b)
		m, err := Decode(ctx, b, Limits{Bytes: 1 << 22})
		if !bytes.Equal(b, before) {
			t.Fatal("the stream was written to")
		}
		if err != nil {
			return
		}
		if len(m.Data) != m.Width*m.Height*m.Components*m.SampleBytes() {
			t.Fatalf("%d bytes", len(m.Data))
		}
		if _, err := m.Mapped(); err != nil {
			t.Log(err)
		}
		if m.Width > 65535 || m.Height > 65535 {
			return
		}
		again, err := Encode(ctx, m, EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(ctx, again, Limits{Bytes: 1 << 22})
		if err != nil || !bytes.Equal(back.Data, m.Data) {
			t.Fatalf("not the same again: %v", err)
		}
	})
}
