package jpeg

import "encoding/binary"

// join brings the components to full size and interleaves them.
func (d *decoder) join() error {
	m := d.img
	wide := make([]uint16, d.width+8)
	size := m.SampleBytes()
	for y := range d.height {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		row := m.Data[y*m.Width*m.Components*size:][:m.Width*m.Components*size]
		for i := range d.comps {
			line := d.fullLine(&d.comps[i], y, wide)[:d.width]
			if size == 1 {
				for k, at := 0, i; k < len(line) && at < len(row); k, at = k+1, at+m.Components {
					row[at] = byte(line[k])
				}
				continue
			}
			if m.Components == 1 {
				for k, v := range line {
					binary.LittleEndian.PutUint16(row[2*k:], v)
				}
				continue
			}
			for k, at := 0, 2*i; k < len(line) && at+1 < len(row); k, at = k+1, at+2*m.Components {
				row[at], row[at+1] = byte(line[k]), byte(line[k]>>8)
			}
		}
	}
	return nil
}

// fullLine gives line y of a component at the width of the image, in wide when
// it must be stretched. Components of half the width are interpolated, along
// with half the height; others are repeated. T.81 leaves the way open: this is
// the usual one, with samples centred between those they stand for.
func (d *decoder) fullLine(c *component, y int, wide []uint16) []uint16 {
	stride := 8 * c.cols
	from := min(y*c.v/d.maxV, c.height-1)
	line := c.plane[from*stride:][:c.width]
	switch {
	case c.h == d.maxH:
		return c.plane[from*stride:][:stride]
	case 2*c.h == d.maxH && c.v == d.maxV && c.width > 2:
		double(wide, line, line, 4, 4, 8)
	case 2*c.h == d.maxH && 2*c.v == d.maxV && c.width > 2:
		near := min(max(from-1+y%2*2, 0), c.height-1)
		double(wide, line, c.plane[near*stride:][:c.width], 16, 8, 7)
	default:
		for x := range d.width {
			wide[x] = line[min(x*c.h/d.maxH, len(line)-1)]
		}
	}
	return wide
}

// double stretches a line to twice its width: each sample is three parts of
// the one it lies in and one of the nearer neighbour, and likewise between the
// two lines when sum is 16.
func double(wide, line, other []uint16, sum, left, right int32) {
	value := func(x int) int32 {
		if sum == 16 {
			return 3*int32(line[x]) + int32(other[x])
		}
		return int32(line[x])
	}
	shift := uint(2)
	if sum == 16 {
		shift = 4
	} else {
		left, right = 1, 2
	}
	before, here := value(0), value(0)
	for x := range line {
		after := here
		if x+1 < len(line) {
			after = value(x + 1)
		}
		if 2*x+1 < len(wide) {
			wide[2*x] = uint16((3*here + before + left) >> shift)
			wide[2*x+1] = uint16((3*here + after + right) >> shift)
		}
		before, here = here, after
	}
}
