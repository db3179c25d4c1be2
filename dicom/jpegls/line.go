package jpegls

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// coder decodes the lines of one restart interval.
type coder struct {
	*params
	reader
	buffers  []lines // of the components in the scan
	runIndex []int   // RUNindex of each (T.87 A.2.1)
}

// line decodes a line of every component and makes it the previous one.
func (c *coder) line(mode Interleave) error {
	for i := range c.buffers {
		b := &c.buffers[i]
		edges(b.prev, b.cur)
	}
	if mode == InterleaveSample {
		if err := c.sampleLine(); err != nil {
			return err
		}
	} else {
		for i := range c.buffers {
			if err := c.componentLine(&c.buffers[i], i); err != nil {
				return err
			}
		}
	}
	for i := range c.buffers {
		b := &c.buffers[i]
		b.prev, b.cur = b.cur, b.prev
	}
	if c.over() {
		return ErrTruncated
	}
	return nil
}

// edges sets the samples beyond the ends of a line (T.87 A.2.1): the one
// before the current line is the first of the previous one.
func edges(prev, cur []uint16) {
	cur[0] = prev[1]
	prev[len(prev)-1] = prev[len(prev)-2]
}

// componentLine decodes one line of one component (T.87 A.3 to A.7).
func (c *coder) componentLine(b *lines, component int) error {
	width := len(b.cur) - 2
	prev, cur := b.prev[:width+2], b.cur[:width+2]
	quant, contexts := c.quant, &c.contexts
	near, step, maxval, reset := c.near, c.step, c.maxval, int32(c.reset)
	acc, n, pos, safe, data := c.acc, c.n, c.pos, c.safe, c.data

	x := 1
	ra, rb, rc := int(cur[0]), int(prev[1]), int(prev[0])
	for x <= width {
		rd := int(prev[x+1])
		q := 81*int(quant[uint(rd-rb+65536)%(1<<17)]) + 9*int(quant[uint(rb-rc+65536)%(1<<17)]) + int(quant[uint(rc-ra+65536)%(1<<17)])
		if q == 0 {
			c.acc, c.n, c.pos = acc, n, pos
			length, err := c.run(prev, cur, x, component)
			if err != nil {
				return err
			}
			acc, n, pos, safe = c.acc, c.n, c.pos, c.safe
			x += length
			if x > width {
				break
			}
			ra, rb, rc = int(cur[x-1]), int(prev[x]), int(prev[x-1])
			continue
		}
		sign := q >> 63
		ctx := &contexts[uint((q^sign)-sign)%512]

		// Prediction and its correction (A.4).
		px := min(max(ra+rb-rc, min(ra, rb)), max(ra, rb)) + (int(ctx.c) ^ sign) - sign
		if uint(px) > uint(maxval) {
			px = min(max(px, 0), maxval)
		}

		// The mapped error (A.5.3).
		if pos+8 <= safe {
			acc |= binary.BigEndian.Uint64(data[pos:]) >> uint(n&63)
			taken := (63 - n) >> 3
			pos += taken
			n += 8 * taken
		} else if n < 32 {
			c.acc, c.n, c.pos = acc, n, pos
			c.fill()
			acc, n, pos, safe = c.acc, c.n, c.pos, c.safe
		}
		k := uint(ctx.k)
		var mapped int
		if zeros := uint(bits.LeadingZeros64(acc)); zeros < 15 && k <= 16 {
			rest := acc << ((zeros + 1) & 63)
			mapped = int(zeros<<(k&63) | uint(rest>>1>>((63-k)&63)))
			acc = rest << (k & 63)
			n -= int(zeros + 1 + k)
		} else {
			c.acc, c.n, c.pos = acc, n, pos
			var ok bool
			if mapped, ok = c.value(int(k), c.limit, c.qbpp); !ok || uint(mapped) > uint(2*c.rng) {
				return fmt.Errorf("sample %d: %w", x, c.cause())
			}
			acc, n, pos, safe = c.acc, c.n, c.pos, c.safe
		}
		e := mapped>>1 ^ -(mapped & 1) ^ int(ctx.flip)
		samples := e
		if near > 0 {
			samples *= step
		}
		rx := px + (samples ^ sign) - sign
		if uint(rx) > uint(maxval) {
			rx = c.wrap(rx)
		}
		cur[x] = uint16(rx)
		ra, rc, rb = rx, rb, rd
		x++
		ctx.update(int32(e), int32(samples), reset)
		ctx.correct()
		ctx.derive(near)
	}
	c.acc, c.n, c.pos = acc, n, pos
	return nil
}

// run decodes a run that begins at x and, when it ends within the line, the
// sample that interrupts it (T.87 A.7). It returns how many samples that are.
func (c *coder) run(prev, cur []uint16, x, component int) (int, error) {
	left := len(cur) - 1 - x
	length, err := c.runLength(left, component)
	if err != nil {
		return 0, err
	}
	ra := cur[x-1]
	for i := range cur[x : x+length] {
		cur[x+i] = ra
	}
	if length == left {
		return length, nil
	}
	x += length
	a, b := int(ra), int(prev[x])
	if d := a - b; d <= c.near && -d <= c.near {
		e, err := c.interruption(1, component)
		if err != nil {
			return 0, err
		}
		cur[x] = c.rebuild(a, e)
	} else {
		e, err := c.interruption(0, component)
		if err != nil {
			return 0, err
		}
		if b < a {
			e = -e
		}
		cur[x] = c.rebuild(b, e)
	}
	c.runIndex[component] = max(c.runIndex[component]-1, 0)
	return length + 1, nil
}

// runLength reads the length of a run (T.87 A.7.1); at most left.
func (c *coder) runLength(left, component int) (int, error) {
	length, index := 0, c.runIndex[component]
	for length < left {
		order := int(runOrder[index&31])
		if !c.bit() {
			length += c.bits(order)
			break
		}
		if length+1<<order > left {
			length = left
			break
		}
		length += 1 << order
		index = min(index+1, 31)
		if c.over() {
			return 0, ErrTruncated
		}
	}
	c.runIndex[component] = index
	if length > left {
		return 0, fmt.Errorf("run of %d, %d samples left: %w", length, left, c.cause())
	}
	return length, nil
}

// interruption reads the error of the sample that interrupts a run of type t
// (T.87 A.7.2).
func (c *coder) interruption(t, component int) (int, error) {
	ctx := &c.runs[t]
	k := ctx.order(t)
	mapped, ok := c.value(k, c.limit-int(runOrder[c.runIndex[component]&31])-1, c.qbpp)
	if !ok || uint(mapped) > uint(2*c.rng) {
		return 0, fmt.Errorf("end of run: %w", c.cause())
	}
	temp := mapped + t
	e := (temp + temp&1) >> 1
	if ctx.negative(k) == (temp&1 == 1) {
		e = -e
	}
	ctx.update(e, mapped, t, c.reset)
	return e, nil
}

// rebuild adds an error to a prediction (T.87 A.4.4, A.4.5).
func (s *params) rebuild(px, e int) uint16 {
	rx := px + e*s.step
	if uint(rx) > uint(s.maxval) {
		rx = s.wrap(rx)
	}
	return uint16(rx)
}

// wrap brings a sample into range (T.87 A.4.5).
func (s *params) wrap(rx int) int {
	if rx < -s.near {
		rx += s.rng * s.step
	} else if rx > s.maxval+s.near {
		rx -= s.rng * s.step
	}
	return min(max(rx, 0), s.maxval)
}
