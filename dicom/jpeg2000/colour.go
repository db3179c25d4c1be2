package jpeg2000

import "math"

// uncolour undoes the component transform of the first three components
// (T.800 Annex G).
func (t *tile) uncolour(ints []plane[int32], floats []plane[float32]) error {
	if len(t.comps) < 3 {
		return corrupt("component transform of %d components", len(t.comps))
	}
	a, b, c := &t.comps[0], &t.comps[1], &t.comps[2]
	if a.reversible != b.reversible || a.reversible != c.reversible {
		return corrupt("component transform over different wavelets")
	}
	if a.reversible {
		n := len(ints[0].data)
		if len(ints[1].data) != n || len(ints[2].data) != n {
			return corrupt("component transform over different sizes")
		}
		unRCT(ints[0].data, ints[1].data, ints[2].data)
		return nil
	}
	n := len(floats[0].data)
	if len(floats[1].data) != n || len(floats[2].data) != n {
		return corrupt("component transform over different sizes")
	}
	unICT(floats[0].data, floats[1].data, floats[2].data)
	return nil
}

// unRCT undoes the reversible transform (T.800 G.2.2).
func unRCT(a, b, c []int32) {
	b, c = b[:len(a)], c[:len(a)]
	for i, y := range a {
		u, v := b[i], c[i]
		g := y - (u+v)>>2
		a[i], b[i], c[i] = v+g, g, u+g
	}
}

// unICT undoes the irreversible transform (T.800 G.3.2).
func unICT(a, b, c []float32) {
	b, c = b[:len(a)], c[:len(a)]
	for i, y := range a {
		u, v := b[i], c[i]
		a[i], b[i], c[i] = y+1.402*v, y-0.344136*u-0.714136*v, y+1.772*u
	}
}

// round gives integers, halves to even.
func round(p plane[float32]) plane[int32] {
	out := newPlane[int32](p.rect)
	for i, v := range p.data {
		// Far out of the range of any sample, where conversion would be undefined.
		v = max(min(v, 1<<30), -1<<30)
		out.data[i] = int32(math.RoundToEven(float64(v)))
	}
	return out
}

// level undoes the level shift and clamps (T.800 G.1).
func level(samples []int32, z componentSize) {
	low, high, shift := int32(0), int32(1)<<z.bits-1, int32(1)<<(z.bits-1)
	if z.signed {
		low, high, shift = -shift, shift-1, 0
	}
	for i, v := range samples {
		samples[i] = max(min(v+shift, high), low)
	}
}
