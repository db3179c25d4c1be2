package jpegls

import (
	"fmt"
	"math/bits"
)

// params are the coding parameters of a scan (T.87 A.2.1, C.2.4.1.1).
type params struct {
	near, step    int // step is 2·NEAR+1
	maxval, rng   int
	qbpp, limit   int
	t1, t2, t3    int
	reset         int
	quant         *gradients
	contexts      [512]context365 // the first 365 are used; the size saves checks
	runs          [2]runContext
	initialA      int32
	runInterrupts int
}

// context365 is the state of one regular context (T.87 A.2.1): sum of error
// magnitudes, sum of errors, correction, count.
type context365 struct{ a, b, c, n int32 }

// runContext is the state of one run interruption context: sum of magnitudes,
// count, count of negative errors.
type runContext struct{ a, n, nn int }

// gradients maps a local gradient d, −65535…65535, at d+65536 to its region
// −4…4 (T.87 A.3.3).
type gradients [1 << 17]int8

// runOrder is the table J (T.87 A.2.1).
var runOrder = [32]uint8{
	0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
	4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
}

// newParams fills in defaults and checks presets.
func newParams(p preset, depth, near int) (*params, error) {
	top := 1<<depth - 1
	s := &params{near: near, step: 2*near + 1, maxval: p.maxval, t1: p.t1, t2: p.t2, t3: p.t3, reset: p.reset}
	if s.maxval == 0 {
		s.maxval = top
	}
	if s.maxval > top || near > min(255, s.maxval/2) {
		return nil, fmt.Errorf("MAXVAL %d, NEAR %d of %d bits: %w", s.maxval, near, depth, ErrCorrupt)
	}
	d1, d2, d3 := defaultThresholds(s.maxval, near)
	if s.t1 == 0 {
		s.t1 = d1
	}
	if s.t2 == 0 {
		s.t2 = d2
	}
	if s.t3 == 0 {
		s.t3 = d3
	}
	if s.reset == 0 {
		s.reset = 64
	}
	if s.t1 < near+1 || s.t2 < s.t1 || s.t3 < s.t2 || s.t3 > s.maxval || s.reset < 3 || s.reset > max(255, s.maxval) {
		return nil, fmt.Errorf("thresholds %d, %d, %d, RESET %d: %w", s.t1, s.t2, s.t3, s.reset, ErrCorrupt)
	}
	s.rng = (s.maxval+2*near)/s.step + 1
	s.qbpp = bits.Len(uint(s.rng - 1))
	bpp := max(2, bits.Len(uint(s.maxval)))
	s.limit = 2 * (bpp + max(8, bpp))
	s.initialA = int32(max(2, (s.rng+32)/64))
	s.quant = newGradients(s)
	s.start()
	return s, nil
}

// defaultThresholds is T.87 C.2.4.1.1.1.
func defaultThresholds(maxval, near int) (t1, t2, t3 int) {
	clamp := func(v, low int) int {
		if v > maxval || v < low {
			return low
		}
		return v
	}
	if maxval >= 128 {
		f := (min(maxval, 4095) + 128) / 256
		t1 = clamp(f*(3-2)+2+3*near, near+1)
		t2 = clamp(f*(7-3)+3+5*near, t1)
		t3 = clamp(f*(21-4)+4+7*near, t2)
		return t1, t2, t3
	}
	f := 256 / (maxval + 1)
	t1 = clamp(max(2, 3/f+3*near), near+1)
	t2 = clamp(max(3, 7/f+5*near), t1)
	t3 = clamp(max(4, 21/f+7*near), t2)
	return t1, t2, t3
}

func newGradients(s *params) *gradients {
	g := new(gradients)
	fill := func(from, to int, v int8) { // gradients from ≤ d < to
		for d := from; d < to; d++ {
			g[d+65536] = v
			g[65536-d] = -v
		}
	}
	fill(s.near+1, s.t1, 1)
	fill(s.t1, s.t2, 2)
	fill(s.t2, s.t3, 3)
	fill(s.t3, s.maxval+1, 4)
	return g
}

// start sets the state at the begin of a scan and of a restart interval
// (T.87 A.2.1).
func (s *params) start() {
	for i := range s.contexts {
		s.contexts[i] = context365{a: s.initialA, n: 1}
	}
	s.runs = [2]runContext{{a: int(s.initialA), n: 1}, {a: int(s.initialA), n: 1}}
}

// golomb is the smallest k with n·2^k ≥ a (T.87 A.5.1).
func golomb(a, n uint32) int {
	k := max(bits.Len32(a)-bits.Len32(n), 0)
	if n<<k < a {
		k++
	}
	return k
}

// order is k for a run interruption of type t (T.87 A.7.2).
func (c *runContext) order(t int) int {
	a := c.a
	if t == 1 {
		a += c.n >> 1
	}
	k := 0
	for c.n<<k < a && k < 32 {
		k++
	}
	return k
}

// negative reports whether an odd mapped value stands for a negative error.
func (c *runContext) negative(k int) bool { return k != 0 || 2*c.nn >= c.n }

// update takes in an error and its mapped value.
func (c *runContext) update(err, mapped, t, reset int) {
	if err < 0 {
		c.nn++
	}
	c.a += (mapped + 1 - t) >> 1
	if c.n == reset {
		c.a >>= 1
		c.n >>= 1
		c.nn >>= 1
	}
	c.n++
}
