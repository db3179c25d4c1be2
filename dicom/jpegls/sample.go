package jpegls

import "fmt"

// sampleLine decodes a line whose components are interleaved by sample (T.87
// B.2.3): runs are those of all components together.
func (c *coder) sampleLine() error {
	width := len(c.buffers[0].cur) - 2
	var q [4]int
	for x := 1; x <= width; {
		flat := true
		for i := range c.buffers {
			q[i] = c.region(&c.buffers[i], x)
			flat = flat && q[i] == 0
		}
		if flat {
			length, err := c.sampleRun(x)
			if err != nil {
				return err
			}
			x += length
			continue
		}
		for i := range c.buffers {
			if err := c.regular(&c.buffers[i], x, q[i]); err != nil {
				return err
			}
		}
		x++
	}
	return nil
}

// region is the signed number of the context at x (T.87 A.3.4).
func (s *params) region(b *lines, x int) int {
	ra, rb, rc, rd := int(b.cur[x-1]), int(b.prev[x]), int(b.prev[x-1]), int(b.prev[x+1])
	return 81*int(s.quant[uint(rd-rb+65536)%(1<<17)]) + 9*int(s.quant[uint(rb-rc+65536)%(1<<17)]) + int(s.quant[uint(rc-ra+65536)%(1<<17)])
}

// predict is the prediction of the sample at x before its correction (A.4.1).
func predict(b *lines, x int) int {
	ra, rb, rc := int(b.cur[x-1]), int(b.prev[x]), int(b.prev[x-1])
	return min(max(ra+rb-rc, min(ra, rb)), max(ra, rb))
}

// regular decodes one sample in regular mode; the context may be number 0.
func (c *coder) regular(b *lines, x, q int) error {
	sign := q >> 63
	ctx := &c.contexts[uint((q^sign)-sign)%512]
	px := min(max(predict(b, x)+(int(ctx.c)^sign)-sign, 0), c.maxval)
	mapped, ok := c.value(int(ctx.k), c.limit, c.qbpp)
	if !ok || uint(mapped) > uint(2*c.rng) {
		return fmt.Errorf("sample %d: %w", x, c.cause())
	}
	e := mapped>>1 ^ -(mapped & 1) ^ int(ctx.flip)
	ctx.update(int32(e), int32(e*c.step), int32(c.reset))
	ctx.correct()
	ctx.derive(c.near)
	b.cur[x] = c.rebuild(px, e^sign-sign)
	return nil
}

// sampleRun decodes a run of all components and the pixel that interrupts it,
// each sample of which is coded as of type 0.
func (c *coder) sampleRun(x int) (int, error) {
	left := len(c.buffers[0].cur) - 1 - x
	length, err := c.runLength(left, 0)
	if err != nil {
		return 0, err
	}
	for i := range c.buffers {
		cur := c.buffers[i].cur
		ra := cur[x-1]
		for k := range cur[x : x+length] {
			cur[x+k] = ra
		}
	}
	if length == left {
		return length, nil
	}
	x += length
	for i := range c.buffers {
		b := &c.buffers[i]
		e, err := c.interruption(0, 0)
		if err != nil {
			return 0, err
		}
		if b.prev[x] < b.cur[x-1] {
			e = -e
		}
		b.cur[x] = c.rebuild(int(b.prev[x]), e)
	}
	c.runIndex[0] = max(c.runIndex[0]-1, 0)
	return length + 1, nil
}
