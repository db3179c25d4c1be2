package jpeg2000

import (
	"context"
	"fmt"
)

// analyse transforms the samples into coefficients.
func (e *encoder) analyse(ctx context.Context, m *Image) error {
	planes := make([]plane[int32], len(m.Components))
	for i := range m.Components {
		p, err := unlevel(&m.Components[i])
		if err != nil {
			return fmt.Errorf("component %d: %w", i, err)
		}
		planes[i] = p
	}
	if e.colour {
		rct(planes[0].data, planes[1].data, planes[2].data)
	}
	for i := range planes {
		c := &e.tile.comps[i]
		ll := planes[i]
		for r := e.levels; r > 0; r-- {
			if err := ctx.Err(); err != nil {
				return err
			}
			b := c.res[r].bands
			low := newPlane[int32](c.res[r-1].rect)
			hl, lh, hh := newPlane[int32](b[0].rect), newPlane[int32](b[1].rect), newPlane[int32](b[2].rect)
			analyse53(&ll, &low, &hl, &lh, &hh)
			b[0].ints, b[1].ints, b[2].ints = hl.data, lh.data, hh.data
			ll = low
		}
		c.res[0].bands[0].ints = ll.data
	}
	return nil
}

// unlevel shifts samples to be around zero (T.800 G.1).
func unlevel(c *Component) (plane[int32], error) {
	p := newPlane[int32](rect{0, 0, c.Width, c.Height})
	half := int32(1) << (c.Bits - 1)
	shift := half
	if c.Signed {
		shift = 0
	}
	wrong := int32(0)
	for i, v := range c.Samples {
		v -= shift
		p.data[i] = v
		wrong |= (v + half) | (half - 1 - v) // negative when out of range
	}
	if wrong < 0 {
		return p, fmt.Errorf("sample of more than %d bits: %w", c.Bits, ErrInput)
	}
	return p, nil
}

// rct is the reversible component transform (T.800 G.2.1).
func rct(a, b, c []int32) {
	b, c = b[:len(a)], c[:len(a)]
	for i, red := range a {
		green, blue := b[i], c[i]
		a[i], b[i], c[i] = (red+2*green+blue)>>2, blue-green, red-green
	}
}

// analyse53 takes one level of the reversible forward transform (T.800
// F.4.8.2) of in, whose origin is even, and spoils it.
func analyse53(in, ll, hl, lh, hh *plane[int32]) {
	h := in.height()
	if in.width() == 0 || h == 0 {
		return
	}
	for y := 0; y < h; y += 2 {
		// Odd row y+1, then even row y, whose neighbours both are done.
		if y+1 < h {
			above := in.row(y)
			below := above
			if y+2 < h {
				below = in.row(y + 2)
			}
			row := in.row(y + 1)
			above, below = above[:len(row)], below[:len(row)]
			for x := range row {
				row[x] -= (above[x] + below[x]) >> 1
			}
			deinterleave53(row, lh.row(y/2), hh.row(y/2))
		}
		row := in.row(y)
		if h > 1 {
			before, after := y-1, y+1
			if before < 0 {
				before = 1
			}
			if after >= h {
				after = h - 2
			}
			a, b := in.row(before)[:len(row)], in.row(after)[:len(row)]
			for x := range row {
				row[x] += (a[x] + b[x] + 2) >> 2
			}
		}
		deinterleave53(row, ll.row(y/2), hl.row(y/2))
	}
}

// deinterleave53 lifts one row, which it leaves as it is, into both halves.
func deinterleave53(in, low, high []int32) {
	n := len(in)
	if n == 1 {
		low[0] = in[0]
		return
	}
	before := int32(0)
	for k := range high {
		a := in[2*k]
		b := a
		if 2*k+2 < n {
			b = in[2*k+2]
		}
		d := in[2*k+1] - (a+b)>>1
		high[k] = d
		if k == 0 {
			before = d
		}
		low[k] = a + (before+d+2)>>2
		before = d
	}
	if len(low) > len(high) {
		low[len(low)-1] = in[n-1] + (before+before+2)>>2
	}
}
