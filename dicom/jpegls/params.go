package jpegls

import (
	"fmt"
	"math/bits"
)

// params are the coding parameters of a scan (T.87 A.2.1, C.2.4.1.1).
type params struct {
	near, step  int // step is 2·NEAR+1
	maxval, rng int
	qbpp, limit int
	t1, t2, t3  int
	reset       int
	quant       *gradients
	contexts    [512]regularContext // the first 365 are used; the size saves checks
	runs        [2]runContext
	initialA    int32
}

// regularContext is the state of one regular context (T.87 A.2.1): sum of
// error magnitudes A, sum of errors B, count N, correction C; and what follows
// from them: Golomb order, and −1 where errors are mapped the other way round.
type regularContext struct {
	a, b, n int32
	c       int16
	k       uint8
	flip    int8
}

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
	fresh := regularContext{a: s.initialA, n: 1}
	fresh.derive(s.near)
	for i := range s.contexts {
		s.contexts[i] = fresh
	}
	s.runs = [2]runContext{{a: int(s.initialA), n: 1}, {a: int(s.initialA), n: 1}}
}

// derive sets the order, the smallest k with N·2^k ≥ A (T.87 A.5.1), and the
// way of mapping (A.5.2). That is done ahead of need, which hides its delay.
func (ctx *regularContext) derive(near int) {
	a, n := uint32(ctx.a), uint32(ctx.n)
	k := max(bits.Len32(a)-bits.Len32(n), 0)
	k += int((uint64(n)<<uint(k&63) - uint64(a)) >> 63)
	ctx.k, ctx.flip = uint8(k), 0
	if k|near == 0 {
		ctx.flip = int8((2*ctx.b + ctx.n - 1) >> 31)
	}
}

// update takes an error, and the same in samples, into the context (T.87
// A.6.1), correct then follows. They are two so that both are inlined.
func (ctx *regularContext) update(e, samples, reset int32) {
	m := e >> 31
	ctx.a += (e ^ m) - m
	ctx.b += samples
	if ctx.n == reset {
		ctx.a >>= 1
		ctx.b >>= 1
		ctx.n >>= 1
	}
	ctx.n++
}

// correct keeps B within a count of zero and moves C by it (T.87 A.6.2).
func (ctx *regularContext) correct() {
	b, n := ctx.b, ctx.n
	// All ones or none: b ≤ −n, b > 0. Branches would be guessed wrong often.
	low, high := (b+n-1)>>31, -b>>31
	ctx.b = min(max(b+n&low-n&high, 1-n), 0)
	ctx.c = int16(min(max(int32(ctx.c)+low-high, -128), 127))
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
