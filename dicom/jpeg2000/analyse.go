package jpeg2000

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
