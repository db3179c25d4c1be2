package jpeg2000

import (
	"fmt"
	"image"
)

// crop reduces what is decoded to the region asked for.
func (d *decoder) crop() error {
	for i, r := range d.origins {
		if d.components[i].dx != 1 || d.components[i].dy != 1 {
			return fmt.Errorf("region of subsampled components: %w", ErrUnsupported)
		}
		// Far away corners must not overflow.
		m := d.region.Intersect(image.Rect(0, 0, r.width(), r.height()))
		if m.Empty() {
			return fmt.Errorf("region %v of %d×%d: %w", d.region, r.width(), r.height(), ErrInput)
		}
		d.origins[i] = rect{r.x0 + m.Min.X, r.y0 + m.Min.Y, r.x0 + m.Max.X, r.y0 + m.Max.Y}
		d.image.Width, d.image.Height = m.Dx(), m.Dy()
	}
	return nil
}

// pieces reports whether the image is put together from parts of tiles.
func (d *decoder) pieces() bool { return d.tilesX*d.tilesY > 1 || !d.region.Empty() }

// outside reports whether no part of a tile is wanted.
func (d *decoder) outside(index int) bool {
	if d.region.Empty() {
		return false
	}
	k, tx, ty := d.discard, index%d.tilesX, index/d.tilesX
	r := rect{
		ceilShift(max(d.tx0+tx*d.tw, d.x0), k), ceilShift(max(d.ty0+ty*d.th, d.y0), k),
		ceilShift(min(d.tx0+(tx+1)*d.tw, d.x1), k), ceilShift(min(d.ty0+(ty+1)*d.th, d.y1), k),
	}
	return r.intersect(d.origins[0]).empty()
}

// put copies what is wanted of a tile-component into the image.
func (d *decoder) put(i int, p plane[int32]) {
	c, o := &d.image.Components[i], d.origins[i]
	if !d.pieces() {
		c.Samples = p.data
		return
	}
	part := p.intersect(o)
	if part.empty() {
		return
	}
	for y := part.y0; y < part.y1; y++ {
		at := (y-o.y0)*c.Width + part.x0 - o.x0
		copy(c.Samples[at:at+part.width()], p.row(y - p.y0)[part.x0-p.x0:])
	}
}
