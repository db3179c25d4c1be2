package jpeg2000

// A region is decoded through windows: at each resolution the part that the
// one above needs and what the wavelet's filters reach beyond it. Inside a
// window's border of reach samples the inverse transform gives what it gives
// on the whole; where the border is the image's own, all of it.

const reach = 4 // of the irreversible filters; the reversible ones reach 2

// windows says what of the resolutions up to keep, and of their sub-bands, is
// decoded to have need at resolution keep.
func (c *tileComponent) windows(keep int, need rect) {
	for r := keep; r >= 0; r-- {
		res := &c.res[r]
		res.window = need.grow(reach).within(res.rect)
		for i := range res.bands {
			b := &res.bands[i]
			if b.window = res.window; r > 0 {
				b.window = res.window.half(b.kind)
			}
		}
		need = res.window.half(0)
	}
}

// transform runs the inverse wavelet over the windows of all levels of a
// component.
func transform[T int32 | float32](res []resolution, data func(*band) []T, level func(out, ll, hl, lh, hh *plane[T])) plane[T] {
	ll := plane[T]{res[0].window, data(&res[0].bands[0])}
	for r := 1; r < len(res); r++ {
		b := res[r].bands
		ll = ll.crop(res[r].window.half(0))
		out := newPlane[T](res[r].window)
		level(&out, &ll, &plane[T]{b[0].window, data(&b[0])}, &plane[T]{b[1].window, data(&b[1])}, &plane[T]{b[2].window, data(&b[2])})
		ll = out
		for i := range b { // let go of what is no longer needed
			b[i].ints, b[i].floats = nil, nil
		}
	}
	return ll
}

// crop gives the part r of p.
func (p plane[T]) crop(r rect) plane[T] {
	if r == p.rect {
		return p
	}
	out := newPlane[T](r)
	for y := range r.height() {
		copy(out.row(y), p.row(y + r.y0 - p.y0)[r.x0-p.x0:])
	}
	return out
}
