package jpeg

import (
	"encoding/binary"
	"fmt"
)

func (d *decoder) decode(lim Limits) (*Image, error) {
	for scans := 0; ; scans++ {
		s, err := d.toScan()
		if err != nil {
			return nil, err
		}
		if s == nil {
			break
		}
		if scans >= lim.scans() {
			return nil, fmt.Errorf("more than %d scans: %w", scans, ErrTooLarge)
		}
		if d.img == nil {
			if err := d.makeImage(lim); err != nil {
				return nil, err
			}
		}
		if d.process == Lossless {
			err = d.losslessScan(s)
		} else {
			err = d.dctScan(s)
		}
		if err != nil {
			return nil, err
		}
		for _, c := range s.components {
			d.comps[c].done = true
		}
		if d.process != Progressive && d.complete() {
			break
		}
	}
	if d.img == nil || !d.complete() {
		return nil, fmt.Errorf("image without all its scans: %w", ErrTruncated)
	}
	if d.process == Lossless {
		return d.img, nil
	}
	if d.process == Progressive {
		if err := d.transformAll(); err != nil {
			return nil, err
		}
	}
	return d.img, d.join()
}

// complete reports whether every component was in a scan.
func (d *decoder) complete() bool {
	for i := range d.comps {
		if !d.comps[i].done {
			return false
		}
	}
	return true
}

// makeImage takes the memory of the image once it is known to be plausible: a
// lossless sample takes a bit at least, a block two, or one when progressive.
func (d *decoder) makeImage(lim Limits) error {
	if d.height == 0 {
		if d.height = d.linesBehind(); d.height == 0 {
			return fmt.Errorf("image without lines: %w", ErrCorrupt)
		}
	}
	n := int64(len(d.comps))
	samples := int64(d.width) * int64(d.height) * n // below 2^40
	size := samples * int64(sampleBytes(d.bits))
	if size > lim.bytes() {
		return fmt.Errorf("image of %d×%d×%d: %w", d.height, d.width, n, ErrTooLarge)
	}
	densest, first := int64(8), int64(d.width)*int64(d.height)
	if d.process != Lossless {
		densest = 8 * 64
		first /= int64(d.maxH * d.maxV) // the coarsest component may be all of the first scan
	}
	if first > densest*int64(len(d.data)) {
		return fmt.Errorf("image of %d×%d×%d in %d bytes: %w", d.height, d.width, n, len(d.data), ErrCorrupt)
	}
	if d.process != Lossless {
		if d.layOut() > 4*lim.bytes()+1<<20 { // a narrow image of coarse units may take far more than it gives
			return fmt.Errorf("work on an image of %d×%d×%d: %w", d.height, d.width, n, ErrTooLarge)
		}
		d.takePlanes()
	}
	d.img = &Image{Width: d.width, Height: d.height, Components: len(d.comps), Bits: d.bits, Data: make([]byte, size)}
	return nil
}

// layOut sets the sizes of the components (T.81 A.1.1, A.2.4) and returns how
// many bytes working on them takes.
func (d *decoder) layOut() (size int64) {
	for i := range d.comps {
		c := &d.comps[i]
		c.width = ceil(d.width*c.h, d.maxH)
		c.height = ceil(d.height*c.v, d.maxV)
		c.cols = ceil(d.width, 8*d.maxH) * c.h
		c.rows = ceil(d.height, 8*d.maxV) * c.v
		size += 128 * int64(c.cols) * int64(c.rows)
	}
	if d.process == Progressive {
		size *= 2
	}
	return size
}

func (d *decoder) takePlanes() {
	for i := range d.comps {
		c := &d.comps[i]
		c.plane = make([]uint16, 64*c.cols*c.rows)
		if d.process == Progressive {
			c.coefficients = make([]int16, 64*c.cols*c.rows)
		}
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// linesBehind looks for the number of lines behind the first scan (DNL, B.2.5),
// 0 when it is not there.
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
