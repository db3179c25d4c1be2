package jpegls

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
)

func (d *decoder) decode(ctx context.Context, lim Limits) (*Image, error) {
	for left := true; left; {
		s, err := d.toScan()
		if err != nil {
			return nil, err
		}
		if d.img == nil {
			if err := d.makeImage(lim); err != nil {
				return nil, err
			}
		}
		if err := d.scan(ctx, s); err != nil {
			return nil, err
		}
		left = false
		for _, done := range d.done {
			left = left || !done
		}
	}
	for _, t := range d.tableOf {
		if t != nil {
			d.img.Tables = d.tableOf
		}
	}
	return d.img, nil
}

// makeImage takes the memory of the image once it is known to be plausible: a
// line takes a bit at least.
func (d *decoder) makeImage(lim Limits) error {
	if d.height == 0 {
		d.height = d.linesBehind()
	}
	if d.width < 1 || d.height < 1 { // below where int has 32 bits
		return fmt.Errorf("image of %d×%d: %w", d.width, d.height, ErrCorrupt)
	}
	n := int64(len(d.ids))
	row := int64(d.width) * n * int64(sampleBytes(d.bits))
	if row > lim.bytes() || int64(d.height) > lim.bytes()/row {
		return fmt.Errorf("image of %d×%d×%d: %w", d.height, d.width, n, ErrTooLarge)
	}
	if int64(d.height) > 8*int64(len(d.data)) {
		return fmt.Errorf("%d lines in %d bytes: %w", d.height, len(d.data), ErrCorrupt)
	}
	d.img = &Image{
		Width: d.width, Height: d.height, Components: len(d.ids), Bits: d.bits,
		Data: make([]byte, row*int64(d.height)),
	}
	return nil
}

// linesBehind looks for the number of lines behind the first scan (DNL, T.81
// B.2.5), 0 when it is not there.
func (d *decoder) linesBehind() int {
	end := d.at + segmentEnd(d.data[d.at:])
	for end+2 <= len(d.data) && d.data[end+1] >= markRST0 && d.data[end+1] < markRST0+8 {
		end += 2 + segmentEnd(d.data[end+2:])
	}
	if end+6 <= len(d.data) && d.data[end+1] == markDNL {
		return int(binary.BigEndian.Uint16(d.data[end+4:]))
	}
	return 0
}

// segmentEnd is the length of the entropy-coded segment that b begins with: up
// to a byte FF that no stuffed bit follows.
func segmentEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], 0xFF)
		if i < 0 || at+i+1 == len(b) {
			return len(b)
		}
		if at += i; b[at+1] >= 0x80 {
			return at
		}
		at++
	}
}

// lines holds the samples of the previous and the current line of a
// component, with one more at either end.
type lines struct{ prev, cur []uint16 }

// scan decodes the data of one scan.
func (d *decoder) scan(ctx context.Context, s *scan) error {
	p, err := newParams(d.preset, d.bits, s.near)
	if err != nil {
		return err
	}
	buffers := make([]lines, len(s.components))
	for i := range buffers {
		buffers[i] = lines{make([]uint16, d.width+2), make([]uint16, d.width+2)}
	}
	interval := d.restart
	if interval == 0 {
		interval = d.height
	}
	for y, part := 0, 0; y < d.height; part++ {
		r, err := d.entropy(part)
		if err != nil {
			return err
		}
		last := min(d.height, y+interval)
		c := coder{params: p, reader: r, buffers: buffers, runIndex: make([]int, len(buffers))}
		for ; y < last; y++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.line(s.interleave); err != nil {
				return fmt.Errorf("line %d: %w", y+1, err)
			}
			for i, b := range buffers {
				d.put(b.prev[1:], y, s.components[i], s.shift)
			}
		}
		p.start()
		for _, b := range buffers {
			clear(b.prev)
			clear(b.cur)
		}
	}
	for _, c := range s.components {
		d.done[c] = true
	}
	return nil
}

// entropy gives a reader of the next entropy-coded segment, the part-th of the
// scan, and steps over it.
func (d *decoder) entropy(part int) (reader, error) {
	if part > 0 {
		if d.at+2 > len(d.data) {
			return reader{}, fmt.Errorf("restart interval %d: %w", part, ErrTruncated)
		}
		if d.data[d.at] != 0xFF || d.data[d.at+1] != byte(markRST0+(part-1)%8) {
			return reader{}, fmt.Errorf("no restart marker %d at byte %d: %w", (part-1)%8, d.at, ErrCorrupt)
		}
		d.at += 2
	}
	n := segmentEnd(d.data[d.at:])
	r := newReader(d.data[d.at : d.at+n])
	d.at += n
	// A number of lines was looked at before it was needed.
	if d.at+6 <= len(d.data) && d.data[d.at] == 0xFF && d.data[d.at+1] == markDNL {
		d.at += 6
	}
	return r, nil
}

// put writes a decoded line into the image.
func (d *decoder) put(line []uint16, y, component, shift int) {
	m := d.img
	line = line[:m.Width]
	top := uint16(1<<m.Bits - 1) // undoing the point transform may not leave the precision
	if m.Bits <= 8 {
		out := m.Data[y*m.Width*m.Components:][:m.Width*m.Components]
		for k, at := 0, component; k < len(line) && at < len(out); k, at = k+1, at+m.Components {
			out[at] = byte(line[k] << shift & top)
		}
		return
	}
	out := m.Data[2*y*m.Width*m.Components:][:2*m.Width*m.Components]
	step := 2 * m.Components
	if step == 2 {
		for k, v := range line {
			binary.LittleEndian.PutUint16(out[2*k:], v<<shift&top)
		}
		return
	}
	for k, at := 0, 2*component; k < len(line) && at+1 < len(out); k, at = k+1, at+step {
		v := line[k] << shift & top
		out[at], out[at+1] = byte(v), byte(v>>8)
	}
}
