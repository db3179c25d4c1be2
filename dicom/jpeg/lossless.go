package jpeg

import (
	"encoding/binary"
	"fmt"
)

// diffBits is how many bits the fast table of differences looks at.
const diffBits = 13

// differences maps the next diffBits bits to the difference they begin with:
// bits taken in bits 0–7, difference in bits 16–31; 0 when it needs more bits.
type differences [1 << diffBits]int32

// newDifferences joins codes and the values behind them (T.81 H.1.2.2).
func newDifferences(h *huffman) *differences {
	t := new(differences)
	for at := range t {
		r := reader{acc: uint64(at) << (64 - diffBits), n: 64}
		size := r.symbol(h)
		taken := 64 - r.n
		switch {
		case size < 0 || size > 16 || taken > diffBits:
		case size == 16:
			t[at] = -32768<<16 | int32(taken)
		case taken+size <= diffBits:
			t[at] = int32(r.value(size))<<16 | int32(taken+size)
		}
	}
	return t
}

// losslessScan decodes the data of one scan (T.81 Annex H) into the image.
func (d *decoder) losslessScan(s *scan) error {
	n := len(s.components)
	for i, k := range s.components {
		c := &d.comps[k]
		if c.h != d.maxH || c.v != d.maxV || n > 1 && (c.h != 1 || c.v != 1) {
			return fmt.Errorf("lossless with sampling factors %d×%d: %w", c.h, c.v, ErrUnsupported)
		}
		if s.dc[i] == nil {
			return fmt.Errorf("no table of Huffman codes: %w", ErrCorrupt)
		}
	}
	interval := d.height
	if d.restart > 0 {
		if d.restart%d.width != 0 { // H.1.1
			return fmt.Errorf("restart interval of %d samples in lines of %d: %w", d.restart, d.width, ErrUnsupported)
		}
		interval = d.restart / d.width
	}
	w := lineDecoder{tables: make([]*differences, n), codes: s.dc}
	for i := range w.tables {
		for j := range i {
			if s.dc[j] == s.dc[i] {
				w.tables[i] = w.tables[j]
			}
		}
		if w.tables[i] == nil {
			w.tables[i] = newDifferences(s.dc[i])
		}
	}
	prev, cur := make([]uint16, n*d.width), make([]uint16, n*d.width)
	first := uint16(1) << (d.bits - s.low - 1)
	for y, part := 0, 0; y < d.height; part++ {
		r, err := d.entropy(part)
		if err != nil {
			return err
		}
		w.reader = r
		begin := y
		for last := min(d.height, y+interval); y < last; y++ {
			if err := d.ctx.Err(); err != nil {
				return err
			}
			if n == 1 {
				err = w.line(cur)
			} else {
				err = w.interleaved(cur)
			}
			if err != nil {
				return fmt.Errorf("line %d: %w", y+1, err)
			}
			switch {
			case y == begin:
				predictFirst(cur, n, first)
			case n == 1:
				predict(cur, prev, s.start)
			default:
				predictMany(cur, prev, n, s.start)
			}
			d.put(cur, y, s)
			prev, cur = cur, prev
		}
	}
	d.skipLines()
	return nil
}

// skipLines steps over DNL, which was read ahead.
func (d *decoder) skipLines() {
	if d.at+6 <= len(d.data) && d.data[d.at] == 0xFF && d.data[d.at+1] == markDNL {
		d.at += 6
	}
}

// lineDecoder reads differences.
type lineDecoder struct {
	reader
	tables []*differences
	codes  []*huffman
}

// line reads the differences of a line of one component.
func (w *lineDecoder) line(out []uint16) error {
	t, data := w.tables[0], w.data
	acc, n, pos := w.acc, w.n, w.pos
	for i := range out {
		if n < 32 {
			if pos+8 <= len(data) {
				acc |= binary.BigEndian.Uint64(data[pos:]) >> uint(n&63)
			}
			k := (63 - n) >> 3
			pos += k
			n += 8 * k
		}
		if e := t[acc>>(64-diffBits)]; e != 0 {
			acc <<= uint(e) & 63 // the length is less than 64, bits 6 and 7 are 0
			n -= int(uint8(e))
			out[i] = uint16(e >> 16)
			continue
		}
		w.acc, w.n, w.pos = acc, n, pos
		if err := w.difference(&out[i], 0); err != nil {
			return err
		}
		acc, n, pos = w.acc, w.n, w.pos
	}
	w.acc, w.n, w.pos = acc, n, pos
	if w.over() {
		return ErrTruncated
	}
	return nil
}

// interleaved reads the differences of a line of several components.
func (w *lineDecoder) interleaved(out []uint16) error {
	n := len(w.tables)
	for i := 0; i+n <= len(out); i += n {
		for c, t := range w.tables {
			if w.n < 32 {
				w.fill()
			}
			if e := t[w.acc>>(64-diffBits)]; e != 0 {
				w.skip(int(uint8(e)))
				out[i+c] = uint16(e >> 16)
			} else if err := w.difference(&out[i+c], c); err != nil {
				return err
			}
		}
	}
	if w.over() {
		return ErrTruncated
	}
	return nil
}

// difference reads one that the fast table does not have.
func (w *lineDecoder) difference(out *uint16, c int) error {
	switch size := w.symbol(w.codes[c]); {
	case size < 0 || size > 16:
		return w.cause()
	case size == 16:
		*out = 32768
	default:
		*out = uint16(w.value(size))
	}
	return nil
}

// predictFirst undoes the prediction of the first line of an interval: from
// the sample to the left, the first from half the range (T.81 H.1.1).
func predictFirst(line []uint16, n int, first uint16) {
	for i := range line {
		if i < n {
			line[i] += first
		} else {
			line[i] += line[i-n]
		}
	}
}

// predict undoes predictor 1 to 7 of a line, modulo 2^16 (T.81 H.1.2.1, Table
// H.1). The first sample is predicted from the one above.
func predict(line, prev []uint16, predictor int) {
	prev = prev[:len(line)]
	line[0] += prev[0]
	a := int32(line[0]) // to the left
	c := int32(prev[0]) // above that
	switch predictor {
	case 1:
		v := line[0]
		for i := 1; i < len(line); i++ {
			v += line[i]
			line[i] = v
		}
	case 2:
		for i := 1; i < len(line); i++ {
			line[i] += prev[i]
		}
	case 3:
		for i := 1; i < len(line); i++ {
			line[i] += prev[i-1]
		}
	case 4:
		for i := 1; i < len(line); i++ {
			b := int32(prev[i])
			line[i] += uint16(a + b - c)
			a, c = int32(line[i]), b
		}
	case 5:
		for i := 1; i < len(line); i++ {
			b := int32(prev[i])
			line[i] += uint16(a + (b-c)>>1)
			a, c = int32(line[i]), b
		}
	case 6:
		for i := 1; i < len(line); i++ {
			b := int32(prev[i])
			line[i] += uint16(b + (a-c)>>1)
			a, c = int32(line[i]), b
		}
	case 7:
		for i := 1; i < len(line); i++ {
			line[i] += uint16((a + int32(prev[i])) >> 1)
			a = int32(line[i])
		}
	}
}

// predictMany is predict for n interleaved components.
func predictMany(line, prev []uint16, n, predictor int) {
	prev = prev[:len(line)]
	for i := range line {
		if i < n {
			line[i] += prev[i]
			continue
		}
		line[i] += prediction(predictor, int32(line[i-n]), int32(prev[i]), int32(prev[i-n]))
	}
}

// prediction is Table H.1 of T.81.
func prediction(predictor int, a, b, c int32) uint16 {
	switch predictor {
	case 1:
		return uint16(a)
	case 2:
		return uint16(b)
	case 3:
		return uint16(c)
	case 4:
		return uint16(a + b - c)
	case 5:
		return uint16(a + (b-c)>>1)
	case 6:
		return uint16(b + (a-c)>>1)
	}
	return uint16((a + b) >> 1)
}

// put writes a line of the scan's components into the image.
func (d *decoder) put(line []uint16, y int, s *scan) {
	m, shift := d.img, s.low
	n := len(s.components)
	row := m.Data[y*m.Width*m.Components*m.SampleBytes():][:m.Width*m.Components*m.SampleBytes()]
	for i, c := range s.components {
		in := line[i:]
		if m.Bits <= 8 {
			for k, at := 0, c; k < len(in) && at < len(row); k, at = k+n, at+m.Components {
				row[at] = byte(in[k] << shift)
			}
			continue
		}
		if m.Components == 1 {
			for k, v := range in {
				binary.LittleEndian.PutUint16(row[2*k:], v<<shift)
			}
			continue
		}
		for k, at := 0, 2*c; k < len(in) && at+1 < len(row); k, at = k+n, at+2*m.Components {
			v := in[k] << shift
			row[at], row[at+1] = byte(v), byte(v>>8)
		}
	}
}
