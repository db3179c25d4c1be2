package jpeg2000

import (
	"context"
	"fmt"
	"image"
)

func unsupportedPlanes(n int) error {
	return fmt.Errorf("%d bit-planes: %w", n, ErrUnsupported)
}

// DecodeConfig reads the headers of a codestream or JP2 file.
func DecodeConfig(data []byte) (Config, error) {
	at, colour, err := locate(data)
	if err != nil {
		return Config{}, err
	}
	s, err := readStream(data[at:], Limits{}.withDefaults())
	if err != nil {
		return Config{}, err
	}
	c := Config{
		Width: s.x1 - s.x0, Height: s.y1 - s.y0,
		Levels: maxLevels, Layers: s.main.layers, Reversible: true,
		ColourTransform: s.main.transform,
		Progression:     [...]string{"LRCP", "RLCP", "RPCL", "PCRL", "CPRL"}[s.main.order],
		TilesX:          s.tilesX, TilesY: s.tilesY, TileParts: s.parts,
		PacketLengths: s.plt, TilePartLengths: s.tlm, ColourSpace: colour, CodestreamOffset: at,
	}
	for i, z := range s.outputs() {
		c.Components = append(c.Components, Component{
			Width: ceilDiv(s.x1, z.dx) - ceilDiv(s.x0, z.dx), Height: ceilDiv(s.y1, z.dy) - ceilDiv(s.y0, z.dy),
			DX: z.dx, DY: z.dy, Bits: z.bits, Signed: z.signed,
		})
		m := &s.main.components[i]
		c.Levels = min(c.Levels, m.levels)
		c.Reversible = c.Reversible && m.reversible
		c.HighThroughput = c.HighThroughput || m.style&styleHT != 0
	}
	if c.MultiComponent = s.main.across; c.MultiComponent {
		if err := c.across(&s.main.multi); err != nil {
			return Config{}, err
		}
	}
	for _, t := range s.tiles {
		p, err := s.params(t)
		if err != nil {
			return Config{}, err
		}
		for i := range p.components {
			c.Levels = min(c.Levels, p.components[i].levels)
			c.Reversible = c.Reversible && p.components[i].reversible
		}
		for _, o := range t.own { // what they say is not looked at: it may be a matrix
			c.Reversible = c.Reversible && o.code != mMCT && o.code != mMCC && o.code != mMCO
		}
	}
	return c, nil
}

// Decode decodes a codestream or JP2 file. See Options for smaller images and
// for streams that end early. Palettes and channel definitions of JP2 are not
// applied. Errors: ErrNotJPEG2000, ErrCorrupt, ErrTruncated, ErrUnsupported,
// ErrTooLarge, ErrLevels, and those of ctx.
func Decode(ctx context.Context, data []byte, o Options) (*Image, error) {
	lim := o.Limits.withDefaults()
	at, _, err := locate(data)
	if err != nil {
		return nil, err
	}
	s, err := readStream(data[at:], lim)
	if err != nil {
		return nil, err
	}
	if o.Discard < 0 || o.Discard > maxLevels {
		return nil, fmt.Errorf("%d levels to discard: %w", o.Discard, ErrLevels)
	}
	d := &decoder{stream: s, discard: o.Discard, partial: o.Partial, region: o.Region}
	if err := d.prepare(int64(len(data)), lim); err != nil {
		return nil, err
	}
	for index := range s.tilesX * s.tilesY {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if d.outside(index) {
			continue
		}
		h := s.tiles[index]
		if h == nil {
			if !o.Partial {
				return nil, fmt.Errorf("tile %d is missing: %w", index, ErrTruncated)
			}
			d.fill(index)
			continue
		}
		if err := d.tile(ctx, index, h); err != nil {
			return nil, fmt.Errorf("tile %d: %w", index, err)
		}
		s.tiles[index] = nil
	}
	return d.image, nil
}

// decoder decodes one codestream.
type decoder struct {
	*stream
	discard int
	partial bool
	region  image.Rectangle
	image   *Image
	out     []componentSize // what comes out
	origins []rect          // what is decoded of the components, at the resolution decoded
	blocks  blockDecoder
}

// prepare checks sizes and makes the image.
func (d *decoder) prepare(size int64, lim Limits) error {
	k := d.discard
	d.image = &Image{Width: ceilShift(d.x1, k) - ceilShift(d.x0, k), Height: ceilShift(d.y1, k) - ceilShift(d.y0, k)}
	d.out = d.outputs()
	total := int64(0)
	for i := range d.components {
		z := &d.components[i]
		if z.bits > 28 || d.out[i].bits > 28 {
			return fmt.Errorf("%d bits a sample: %w", z.bits, ErrUnsupported)
		}
		r := rect{
			ceilShift(ceilDiv(d.x0, z.dx), k), ceilShift(ceilDiv(d.y0, z.dy), k),
			ceilShift(ceilDiv(d.x1, z.dx), k), ceilShift(ceilDiv(d.y1, z.dy), k),
		}
		d.origins = append(d.origins, r)
		if total += int64(r.width()) * int64(r.height()); total > lim.Samples {
			return fmt.Errorf("%d×%d samples and more: %w", r.width(), r.height(), ErrTooLarge)
		}
	}
	if size < 1<<40/lim.PerByte && total > size*lim.PerByte {
		return fmt.Errorf("%d samples in %d bytes: %w", total, size, ErrTooLarge)
	}
	if !d.region.Empty() {
		if err := d.crop(); err != nil {
			return err
		}
	}
	for i, r := range d.origins {
		z := &d.out[i]
		c := Component{Width: r.width(), Height: r.height(), DX: z.dx, DY: z.dy, Bits: z.bits, Signed: z.signed}
		if d.pieces() {
			c.Samples = make([]int32, c.Width*c.Height)
		}
		d.image.Components = append(d.image.Components, c)
	}
	return nil
}

// fill gives the samples of a tile that is not there: the middle of the range.
func (d *decoder) fill(index int) {
	t, err := d.newTile(index, &d.main, 0)
	if err != nil {
		return
	}
	for i := range t.comps {
		c := &t.comps[i]
		r := rect{ceilShift(c.x0, d.discard), ceilShift(c.y0, d.discard), ceilShift(c.x1, d.discard), ceilShift(c.y1, d.discard)}
		p := newPlane[int32](r)
		level(p.data, d.out[i])
		d.put(i, p)
	}
}

// tile decodes one tile into the image.
func (d *decoder) tile(ctx context.Context, index int, h *tileHeader) error {
	p, err := d.params(h)
	if err != nil {
		return err
	}
	n := len(h.packed)
	for _, b := range h.body {
		n += len(b)
	}
	t, err := d.newTile(index, p, n)
	if err != nil {
		return err
	}
	keep := make([]int, len(t.comps))
	for i := range t.comps {
		if keep[i] = t.comps[i].levels - d.discard; keep[i] < 0 {
			return fmt.Errorf("%d of %d levels to discard: %w", d.discard, t.comps[i].levels, ErrLevels)
		}
	}
	missing, err := t.readPackets(ctx, h, keep)
	if err != nil {
		return err
	}
	if missing && !d.partial {
		return ErrTruncated
	}
	ints := make([]plane[int32], len(t.comps))
	floats := make([]plane[float32], len(t.comps))
	for i := range t.comps {
		c := &t.comps[i]
		c.windows(keep[i], d.origins[i])
		for r := keep[i]; r >= 0; r-- {
			if err := d.coefficients(ctx, c, &c.res[r]); err != nil {
				return fmt.Errorf("component %d, resolution %d: %w", i, r, err)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.reversible {
			ints[i] = transform(c.res[:keep[i]+1], func(b *band) []int32 { return b.ints }, synthesise53)
		} else {
			floats[i] = transform(c.res[:keep[i]+1], func(b *band) []float32 { return b.floats }, synthesise97)
		}
	}
	if t.params.across != d.main.across {
		return fmt.Errorf("component transform of part 2 in some tiles: %w", ErrUnsupported)
	}
	if t.params.across {
		if ints, err = t.across(ctx, ints, floats); err != nil {
			return err
		}
		for i := range ints {
			clip(ints[i].data, d.out[i])
			d.put(i, ints[i])
		}
		return nil
	}
	if t.params.transform {
		if err := t.uncolour(ints, floats); err != nil {
			return err
		}
	}
	for i := range t.comps {
		if !t.comps[i].reversible {
			ints[i] = round(floats[i])
		}
		level(ints[i].data, t.comps[i].size)
		d.put(i, ints[i])
	}
	return nil
}

// coefficients decodes the code-blocks of a resolution that bear on its window.
func (d *decoder) coefficients(ctx context.Context, c *tileComponent, res *resolution) error {
	for i := range res.bands {
		b := &res.bands[i]
		n := b.window.width() * b.window.height()
		if c.reversible {
			b.ints = make([]int32, n)
		} else {
			b.floats = make([]float32, n)
		}
	}
	for k := range res.precincts {
		p := &res.precincts[k]
		for i := range p.bands {
			b := &res.bands[i]
			for j := range p.bands[i].blocks {
				blk := &p.bands[i].blocks[j]
				if blk.passes <= 0 || blk.intersect(b.window).empty() {
					continue
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := d.block(c, b, blk); err != nil {
					return fmt.Errorf("code-block at %d,%d: %w", blk.x0, blk.y0, err)
				}
			}
		}
	}
	return nil
}

// block decodes one code-block into its sub-band.
func (d *decoder) block(c *tileComponent, b *band, blk *block) error {
	planes := b.planes + c.roi
	if c.style&styleHT != 0 {
		if err := d.blocks.decodeHT(blk, planes, c.style&styleCausal != 0); err != nil {
			return err
		}
	} else if err := d.blocks.decodeMQ(blk, b.kind, planes, c.style); err != nil {
		return err
	}
	if c.roi > 0 {
		d.blocks.unshift(c.roi)
	}
	part := blk.intersect(b.window)
	w := b.window.width()
	at := (part.y0-b.window.y0)*w + part.x0 - b.window.x0
	part = rect{part.x0 - blk.x0, part.y0 - blk.y0, part.x1 - blk.x0, part.y1 - blk.y0}
	if c.reversible {
		d.blocks.storeInts(b.ints[at:], w, part)
	} else {
		d.blocks.storeFloats(b.floats[at:], w, part, b.step/2)
	}
	return nil
}
