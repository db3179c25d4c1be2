package jpeg2000

// Inverse wavelet transforms (T.800 Annex F). A level takes the sub-bands
// LL, HL, LH, HH and gives the next resolution: each row is interleaved and
// lifted into place, then rows are lifted against their neighbours, as soon as
// those are there. Parity is that of the coordinates of the resolution.

// plane is a rectangle of coefficients.
type plane[T int32 | float32] struct {
	rect
	data []T
}

func newPlane[T int32 | float32](r rect) plane[T] {
	return plane[T]{r, make([]T, r.width()*r.height())}
}

func (p *plane[T]) row(y int) []T {
	w := p.width()
	return p.data[y*w : y*w+w : y*w+w]
}

// synthesise53 undoes one level of the reversible transform (T.800 F.3.8.2).
func synthesise53(out *plane[int32], ll, hl, lh, hh *plane[int32]) {
	w, h := out.width(), out.height()
	if w == 0 || h == 0 {
		return
	}
	oddX, oddY := out.x0&1, out.y0&1
	low, high := 0, 0
	for y := range h {
		if (y+oddY)&1 == 0 {
			row53(out.row(y), ll.row(low), hl.row(low), oddX)
			low++
		} else {
			row53(out.row(y), lh.row(high), hh.row(high), oddX)
			high++
		}
		// Row y is there: even row y-1 has both its neighbours, then odd row y-2.
		if (y+oddY)&1 == 1 {
			lift53(out, y-1, oddY)
			lift53(out, y-2, oddY)
		}
	}
	if h == 1 {
		if oddY == 1 {
			for i := range out.data {
				out.data[i] >>= 1
			}
		}
		return
	}
	if (h-1+oddY)&1 == 0 {
		lift53(out, h-1, oddY)
		lift53(out, h-2, oddY)
	} else {
		lift53(out, h-1, oddY)
	}
}

// lift53 lifts row y against the rows beside it, mirrored at the ends.
func lift53(out *plane[int32], y, odd int) {
	h := out.height()
	if y < 0 || h == 1 {
		return
	}
	before, after := y-1, y+1
	if before < 0 {
		before = 1
	}
	if after >= h {
		after = h - 2
	}
	row := out.row(y)
	a, b := out.row(before)[:len(row)], out.row(after)[:len(row)]
	if (y+odd)&1 == 0 {
		for x := range row {
			row[x] -= (a[x] + b[x] + 2) >> 2
		}
	} else {
		for x := range row {
			row[x] += (a[x] + b[x]) >> 1
		}
	}
}

// row53 interleaves and lifts one row.
func row53(out, low, high []int32, odd int) {
	n := len(out)
	if n == 1 {
		if odd == 0 {
			out[0] = low[0]
		} else {
			out[0] = high[0] >> 1
		}
		return
	}
	if odd == 0 {
		// even n-th sample needs high n-1 and n; the odd one after it the next even.
		before := high[0]
		e := low[0] - (before+high[0]+2)>>2
		out[0] = e
		k := 1
		for ; k < len(low) && k < len(high); k++ {
			after := high[k]
			next := low[k] - (before+after+2)>>2
			out[2*k-1] = before + (e+next)>>1
			out[2*k] = next
			before, e = after, next
		}
		if k < len(low) { // ends even
			next := low[k] - (before+before+2)>>2
			out[2*k-1] = before + (e+next)>>1
			out[2*k] = next
		} else {
			out[2*k-1] = before + e
		}
		return
	}
	before := high[0]
	after := before
	if len(high) > 1 {
		after = high[1]
	}
	e := low[0] - (before+after+2)>>2
	out[0] = before + e
	out[1] = e
	for k := 1; k < len(high); k++ {
		here := high[k]
		if k == len(low) { // ends odd
			out[2*k] = here + e
			return
		}
		after := here
		if k+1 < len(high) {
			after = high[k+1]
		}
		next := low[k] - (here+after+2)>>2
		out[2*k] = here + (e+next)>>1
		out[2*k+1] = next
		e = next
	}
}

// Lifting parameters of the irreversible transform (T.800 table F.4).
const (
	lift97A = -1.586134342059924
	lift97B = -0.052980118572961
	lift97C = 0.882911075530934
	lift97D = 0.443506852043971
	lift97K = 1.230174104914001
)

// synthesise97 undoes one level of the irreversible transform (T.800
// F.3.8.1).
func synthesise97(out *plane[float32], ll, hl, lh, hh *plane[float32]) {
	w, h := out.width(), out.height()
	if w == 0 || h == 0 {
		return
	}
	oddX, oddY := out.x0&1, out.y0&1
	vLow, vHigh := float32(lift97K), float32(1/lift97K)
	if h == 1 {
		vLow, vHigh = 1, 0.5
	}
	low, high := 0, 0
	for y := range h {
		if (y+oddY)&1 == 0 {
			row97(out.row(y), ll.row(low), hl.row(low), oddX, vLow)
			low++
		} else {
			row97(out.row(y), lh.row(high), hh.row(high), oddX, vHigh)
			high++
		}
		// Once row y is there, row y-1 can take its first step, row y-2 the second …
		for k := range 4 {
			if (y-1-k+oddY)&1 == k&1 {
				lift97(out, y-1-k, k)
			}
		}
	}
	for y := h; y < h+4; y++ {
		for k := range 4 {
			if (y-1-k+oddY)&1 == k&1 {
				lift97(out, y-1-k, k)
			}
		}
	}
}

var steps97 = [4]float32{lift97D, lift97C, lift97B, lift97A}

// lift97 takes step k of row y.
func lift97(out *plane[float32], y, k int) {
	h := out.height()
	if y < 0 || y >= h || h == 1 {
		return
	}
	before, after := y-1, y+1
	if before < 0 {
		before = 1
	}
	if after >= h {
		after = h - 2
	}
	row := out.row(y)
	a, b := out.row(before)[:len(row)], out.row(after)[:len(row)]
	f := steps97[k]
	for x := range row {
		row[x] -= f * (a[x] + b[x])
	}
}

// row97 interleaves and lifts one row, all multiplied by scale.
func row97(out, low, high []float32, odd int, scale float32) {
	n := len(out)
	if n == 1 {
		if odd == 0 {
			out[0] = low[0] * scale
		} else {
			out[0] = high[0] * scale / 2
		}
		return
	}
	kl, kh := scale*lift97K, scale/lift97K
	for i, v := range low {
		out[2*i+odd] = v * kl
	}
	for i, v := range high {
		out[2*i+1-odd] = v * kh
	}
	for k, f := range steps97 {
		first := (k + odd) & 1
		i := first
		if i == 0 {
			out[0] -= f * 2 * out[1]
			i = 2
		}
		for ; i+1 < n; i += 2 {
			out[i] -= f * (out[i-1] + out[i+1])
		}
		if i < n {
			out[i] -= f * 2 * out[i-1]
		}
	}
}
