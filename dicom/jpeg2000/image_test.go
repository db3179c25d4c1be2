package jpeg2000

import (
	"math"
	"math/rand/v2"
	"testing"
)

// picture draws an image with smooth parts, edges and noise, in all its range.
func picture(w, h, components, bits int, signed bool, seed uint64) *Image {
	r := rand.New(rand.NewPCG(seed, 7))
	m := &Image{Width: w, Height: h}
	half := float64(int(1) << (bits - 1))
	for c := range components {
		p := Component{Width: w, Height: h, DX: 1, DY: 1, Bits: bits, Signed: signed, Samples: make([]int32, w*h)}
		for y := range h {
			for x := range w {
				v := half * 0.7 * math.Sin(float64(x)/23+float64(c)) * math.Cos(float64(y)/17)
				if (x/40+y/28+c)%5 == 0 {
					v = half * (float64((x/40*7+y/28*3)%9)/4 - 1)
				}
				if x > w/2 {
					v += r.NormFloat64() * half / 64
				}
				if x > w-12 && y > h-12 {
					v = half * (2*r.Float64() - 1)
				}
				if x < w/5 && y < h/3 {
					v = 0
				}
				v = max(min(math.Round(v), half-1), -half)
				if !signed {
					v += half
				}
				p.Samples[y*w+x] = int32(v)
			}
		}
		m.Components = append(m.Components, p)
	}
	return m
}

// same fails unless both images have the same samples.
func same(t testing.TB, what string, got, want *Image) {
	t.Helper()
	if d := difference(t, what, got, want); d != 0 {
		t.Errorf("%s: differs by %d", what, d)
	}
}

// difference is the greatest of any sample.
func difference(t testing.TB, what string, got, want *Image) int {
	t.Helper()
	if len(got.Components) != len(want.Components) {
		t.Fatalf("%s: %d components, want %d", what, len(got.Components), len(want.Components))
	}
	worst := 0
	for i := range got.Components {
		a, b := &got.Components[i], &want.Components[i]
		if a.Width != b.Width || a.Height != b.Height || len(a.Samples) != len(b.Samples) {
			t.Fatalf("%s: component %d is %d×%d, want %d×%d", what, i, a.Width, a.Height, b.Width, b.Height)
		}
		for k, v := range a.Samples {
			d := int(v) - int(b.Samples[k])
			worst = max(worst, d, -d)
		}
	}
	return worst
}
