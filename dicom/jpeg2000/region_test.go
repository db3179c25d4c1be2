package jpeg2000

import (
	"errors"
	"image"
	"runtime"
	"slices"
	"testing"
)

// cut takes a part of m, as far as there is one.
func cut(m *Image, r image.Rectangle) *Image {
	r = r.Intersect(image.Rect(0, 0, m.Width, m.Height))
	out := &Image{Width: r.Dx(), Height: r.Dy()}
	for _, c := range m.Components {
		p := Component{Width: r.Dx(), Height: r.Dy(), DX: c.DX, DY: c.DY, Bits: c.Bits, Signed: c.Signed}
		for y := r.Min.Y; y < r.Max.Y; y++ {
			p.Samples = append(p.Samples, c.Samples[y*c.Width+r.Min.X:y*c.Width+r.Max.X]...)
		}
		out.Components = append(out.Components, p)
	}
	return out
}

// TestRegion wants parts to be what the whole has there.
func TestRegion(t *testing.T) {
	grey, colour := picture(700, 500, 1, 12, false, 1), picture(300, 260, 3, 8, false, 2)
	e, err := Encode(t.Context(), grey, EncodeOptions{Precinct: 8})
	if err != nil {
		t.Fatal(err)
	}
	streams := [][]byte{e.Data}
	t.Run("OpenJPEG", func(t *testing.T) {
		streams = append(streams,
			openjpeg(t, colour, "-I -r 5 -b 16,16"),
			openjpeg(t, colour, "-d 13,7 -t 60,41 -T 5,3 -n 3"),
			openjpeg(t, colour, "-I -d 13,7 -t 99,88 -T 5,3 -n 3 -b 8,8"))
	})
	for i, data := range streams {
		for discard := range 3 {
			whole, err := Decode(t.Context(), data, Options{Discard: discard})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []image.Rectangle{
				image.Rect(0, 0, 1, 1), image.Rect(10, 20, 50, 41), image.Rect(40, 40, 41, 200),
				image.Rect(-5, -5, 3000, 12), image.Rect(whole.Width-3, whole.Height-9, 1<<30, 1<<30),
			} {
				got, err := Decode(t.Context(), data, Options{Discard: discard, Region: r})
				if err != nil {
					t.Fatalf("stream %d, %v: %v", i, r, err)
				}
				want := cut(whole, r)
				for k := range want.Components {
					if !slices.Equal(got.Components[k].Samples, want.Components[k].Samples) || got.Width != want.Width {
						t.Errorf("stream %d, %v, %d levels less: differs", i, r, discard)
						break
					}
				}
			}
		}
		if _, err := Decode(t.Context(), data, Options{Region: image.Rect(9000, 0, 9001, 9)}); !errors.Is(err, ErrInput) {
			t.Errorf("stream %d: region outside: %v", i, err)
		}
	}
}

// TestRegionIsModest wants a small part of a large image to take a small part
// of the memory: what does not bear on it is not decoded.
func TestRegionIsModest(t *testing.T) {
	e, err := Encode(t.Context(), picture(1024, 1024, 1, 12, false, 1), EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	taken := func(o Options) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Decode(t.Context(), e.Data, o); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	whole, part := taken(Options{}), taken(Options{Region: image.Rect(500, 500, 564, 564)})
	t.Logf("%d bytes for 1024×1024, %d for 64×64", whole, part)
	if part > whole/4 {
		t.Errorf("64×64 take %d bytes, all 1024×1024 %d", part, whole)
	}
}
