package jpeg

import (
	"encoding/binary"
	"fmt"
)

// blockReader decodes the blocks of one restart interval.
type blockReader struct {
	reader
	scan   *scan
	last   [4]int32 // DC of the block before, by component of the scan (F.1.1.5.1)
	eobRun int      // blocks without further coefficients (G.1.2.2)
	block  [64]int32
}

// dctScan decodes the data of one scan of a DCT process.
func (d *decoder) dctScan(s *scan) error {
	for _, k := range s.components {
		c := &d.comps[k]
		if c.quant == nil { // the table as it stands at the first scan (B.2.4.1)
			if c.quant = d.quant[c.tq]; c.quant == nil {
				return fmt.Errorf("quantization table %d missing: %w", c.tq, ErrCorrupt)
			}
		}
		if c.done && d.process != Progressive {
			return fmt.Errorf("second scan of component %d: %w", c.id, ErrCorrupt)
		}
	}
	across, down, err := d.units(s)
	if err != nil {
		return err
	}
	interval := across * down
	if d.restart > 0 {
		interval = d.restart
	}
	r := blockReader{scan: s}
	left, part := 0, 0
	for y := range down {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		for x := range across {
			if left == 0 {
				if r.over() {
					return fmt.Errorf("restart interval %d: %w", part, ErrTruncated)
				}
				if r.reader, err = d.entropy(part); err != nil {
					return err
				}
				r.last, r.eobRun = [4]int32{}, 0
				left = interval
				part++
			}
			left--
			if err := d.unit(&r, x, y); err != nil {
				return fmt.Errorf("unit %d, %d: %w", x, y, err)
			}
		}
		if r.over() {
			return fmt.Errorf("units of line %d: %w", y, ErrTruncated)
		}
	}
	d.skipLines()
	return nil
}

// units is how many MCUs lie across and down (T.81 A.2.2, A.2.3).
func (d *decoder) units(s *scan) (across, down int, err error) {
	if len(s.components) == 1 {
		c := &d.comps[s.components[0]]
		return ceil(c.width, 8), ceil(c.height, 8), nil
	}
	blocks := 0
	for _, k := range s.components {
		blocks += d.comps[k].h * d.comps[k].v
	}
	if blocks > 10 { // B.2.3
		return 0, 0, fmt.Errorf("%d blocks in a unit: %w", blocks, ErrCorrupt)
	}
	return ceil(d.width, 8*d.maxH), ceil(d.height, 8*d.maxV), nil
}

// unit decodes the blocks of the MCU at x, y.
func (d *decoder) unit(r *blockReader, x, y int) error {
	s := r.scan
	if len(s.components) == 1 {
		return d.oneBlock(r, 0, x, y)
	}
	for i, k := range s.components {
		c := &d.comps[k]
		for v := range c.v {
			for h := range c.h {
				if err := d.oneBlock(r, i, x*c.h+h, y*c.v+v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// oneBlock decodes the block at x, y of component i of the scan.
func (d *decoder) oneBlock(r *blockReader, i, x, y int) error {
	c := &d.comps[r.scan.components[i]]
	at := y*c.cols + x
	if d.process == Progressive {
		return r.progressive(c.coefficients[64*at:][:64], i)
	}
	flat, err := r.sequential(i, c.quant)
	if err != nil {
		return err
	}
	out := c.plane[64*y*c.cols+8*x:]
	if flat {
		level(r.block[0], out, 8*c.cols, d.bits)
	} else {
		transform(&r.block, out, 8*c.cols, d.bits)
	}
	return nil
}

// difference reads a DC difference (T.81 F.2.2.1).
func (r *blockReader) difference(i int) (int32, error) {
	h := r.scan.dc[i]
	if r.n < 32 {
		r.fill()
	}
	size := r.symbol(h)
	if size < 0 || size > 15 {
		return 0, r.cause()
	}
	return int32(r.value(size)), nil
}

// sequential reads a block into r.block, dequantized (T.81 F.2.2); flat tells
// that it has but its mean.
func (r *blockReader) sequential(i int, q *[64]uint16) (flat bool, err error) {
	diff, err := r.difference(i)
	if err != nil {
		return false, err
	}
	r.last[i] += diff
	r.block = [64]int32{r.last[i] * int32(q[0])}
	h, block, data := r.scan.ac[i], &r.block, r.data
	acc, n, pos := r.acc, r.n, r.pos
	k := 1
	for k < 64 {
		if n < 32 {
			if pos+8 <= len(data) {
				acc |= binary.BigEndian.Uint64(data[pos:]) >> uint(n&63)
			}
			taken := (63 - n) >> 3
			pos += taken
			n += 8 * taken
		}
		var run, value int
		if e := h.whole[acc>>(64-lookBits)]; e != 0 {
			acc <<= uint(e) & 63
			n -= int(uint8(e))
			run, value = int(uint8(e>>8)), int(e>>16)
		} else {
			r.acc, r.n, r.pos = acc, n, pos
			symbol := r.symbol(h)
			if symbol < 0 {
				return false, r.cause()
			}
			run, value = symbol>>4, r.value(symbol&15)
			acc, n, pos = r.acc, r.n, r.pos
		}
		if value == 0 {
			if run < 15 {
				break
			}
			k += 16
			continue
		}
		k += run
		at := zigzag[k] & 63
		block[at] = int32(value) * int32(q[at])
		k++
	}
	r.acc, r.n, r.pos = acc, n, pos
	if k > 64 {
		return false, r.cause()
	}
	return k == 1, nil
}
