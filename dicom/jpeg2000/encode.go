package jpeg2000

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// EncodeOptions govern Encode. The zero value suits most images.
type EncodeOptions struct {
	// Levels of decomposition. 0 takes five, or as many as bring the smallest
	// resolution down to 64×64 (PS3.5 asks that of HTJ2K RPCL); negative takes
	// none.
	Levels int
	// Precinct is the side of a precinct as a power of two, from 8 to 15; 0
	// takes 15, one precinct for each resolution of all but huge images.
	Precinct int
	// NoColourTransform keeps three components as they are. Otherwise the first
	// three go through the reversible component transform when they are alike.
	NoColourTransform bool
	// Part1 codes blocks as JPEG 2000 part 1 does (T.800 Annexes C and D), for
	// who cannot read HT code-blocks: smaller, and several times slower.
	Part1 bool
}

// Encoded is a codestream and how much of it each resolution level needs.
type Encoded struct {
	Data   []byte
	Levels []Level // from the smallest resolution to the whole image
}

// Level says that Data[:Bytes] suffices to decode, with Options.Discard, an
// image of Width×Height.
type Level struct {
	Discard, Width, Height, Bytes int
}

const (
	maxEncodeBits = 24
	guardBits     = 2
	blockExponent = 6
)

// Encode codes m losslessly as HTJ2K (ITU-T T.814), or as part 1 of JPEG 2000
// (ITU-T T.800): reversible wavelet, one layer, RPCL progression, a tile-part
// for each resolution, TLM and PLT. Components must not be subsampled; samples out of the range that Bits
// and Signed tell are ErrInput. m is not changed.
func Encode(ctx context.Context, m *Image, o EncodeOptions) (*Encoded, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	e := &encoder{colour: !o.NoColourTransform && m.alike(), style: styleHT}
	if o.Part1 {
		e.style, e.passes = 0, &passEncoder{}
	}
	e.levels = o.Levels
	switch {
	case o.Levels == 0:
		e.levels = 5
		for e.levels < 15 && max(m.Width, m.Height) > 64<<e.levels {
			e.levels++
		}
	case o.Levels < 0:
		e.levels = 0
	case o.Levels > maxLevels:
		return nil, fmt.Errorf("%d levels: %w", o.Levels, ErrInput)
	}
	side := o.Precinct
	if side == 0 {
		side = 15
	}
	if side < 8 || side > 15 {
		return nil, fmt.Errorf("precincts of 2^%d: %w", side, ErrInput)
	}
	if err := e.prepare(m, side); err != nil {
		return nil, err
	}
	if err := e.analyse(ctx, m); err != nil {
		return nil, err
	}
	return e.write(ctx, m)
}

// check refuses what Encode cannot code.
func (m *Image) check() error {
	if m.Width < 1 || m.Height < 1 || m.Width > 1<<20 || m.Height > 1<<20 || len(m.Components) < 1 || len(m.Components) > 16384 {
		return fmt.Errorf("%d×%d of %d components: %w", m.Width, m.Height, len(m.Components), ErrInput)
	}
	for i := range m.Components {
		c := &m.Components[i]
		if c.Width != m.Width || c.Height != m.Height || len(c.Samples) != c.Width*c.Height || c.DX > 1 || c.DY > 1 {
			return fmt.Errorf("component %d of %d×%d, %d samples: %w", i, c.Width, c.Height, len(c.Samples), ErrInput)
		}
		if c.Bits < 1 || c.Bits > maxEncodeBits {
			return fmt.Errorf("component %d of %d bits: %w", i, c.Bits, ErrInput)
		}
	}
	return nil
}

// alike reports whether the first three components can share a transform.
func (m *Image) alike() bool {
	if len(m.Components) < 3 {
		return false
	}
	a, b, c := &m.Components[0], &m.Components[1], &m.Components[2]
	return a.Bits == b.Bits && a.Bits == c.Bits && a.Signed == b.Signed && a.Signed == c.Signed
}

// encoder encodes one image as one tile.
type encoder struct {
	levels int
	colour bool
	style  byte
	tile   *tile
	blocks blockEncoder
	passes *passEncoder // instead of blocks, for part 1
}

// prepare lays the tile out with the structures that decoding uses too.
func (e *encoder) prepare(m *Image, side int) error {
	s := &stream{sizes: sizes{x1: m.Width, y1: m.Height, tw: m.Width, th: m.Height, tilesX: 1, tilesY: 1}}
	p := &params{order: orderRPCL, layers: 1, transform: e.colour}
	for i := range m.Components {
		c := &m.Components[i]
		s.components = append(s.components, componentSize{bits: c.Bits, signed: c.Signed, dx: 1, dy: 1})
		k := component{
			coding:       coding{levels: e.levels, cbw: blockExponent, cbh: blockExponent, style: e.style, reversible: true},
			quantisation: quantisation{guard: guardBits, count: 3*e.levels + 1},
		}
		for r := range e.levels + 1 {
			k.precincts[r] = byte(side | side<<4)
		}
		for b := range k.count {
			k.exponents[b] = byte(c.Bits + bandGain(b) + e.growth(i))
		}
		p.components = append(p.components, k)
	}
	t, err := s.newTile(0, p, 1<<28)
	if err != nil {
		return err
	}
	for i := range t.comps {
		for r := range t.comps[i].res {
			res := &t.comps[i].res[r]
			res.precincts = make([]precinct, res.nw*res.nh)
			for k := range res.precincts {
				if err := res.build(k, 1<<28); err != nil {
					return err
				}
			}
		}
	}
	e.tile = t
	return nil
}

// growth is the bit that the component transform may add.
func (e *encoder) growth(component int) int {
	if e.colour && component < 3 {
		return 1
	}
	return 0
}

// bandGain is log2 of the gain of the band at index b of a quantisation
// marker (T.800 table E.1).
func bandGain(b int) int {
	if b == 0 {
		return 0
	}
	return [3]int{1, 1, 2}[(b-1)%3]
}

// write codes all packets and puts the codestream together.
func (e *encoder) write(ctx context.Context, m *Image) (*Encoded, error) {
	reader := &packetReader{t: e.tile}
	places := reader.places(volume{resTo: e.levels + 1, compTo: len(e.tile.comps)})
	sortPlaces(places, orderRPCL)
	parts := make([][]byte, e.levels+1)  // packets
	lengths := make([][]int, e.levels+1) // of the packets
	for _, at := range places {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		before := len(parts[at.r])
		b, err := e.packet(ctx, parts[at.r], &at)
		if err != nil {
			return nil, err
		}
		parts[at.r] = b
		lengths[at.r] = append(lengths[at.r], len(b)-before)
	}
	heads := make([][]byte, len(parts)) // from SOT to SOD
	sizes := make([]int, len(parts))
	total := 0
	for r := range parts {
		heads[r] = tilePartHead(lengths[r])
		sizes[r] = len(heads[r]) + len(parts[r])
		total += sizes[r]
		binary.BigEndian.PutUint32(heads[r][6:], uint32(sizes[r]))
		heads[r][10], heads[r][11] = byte(r), byte(len(parts))
	}
	if total > 1<<31-1 {
		return nil, fmt.Errorf("codestream of %d bytes: %w", total, ErrInput)
	}
	main := e.mainHeader(m)
	main = appendTLM(main, sizes)
	out := &Encoded{Data: make([]byte, 0, len(main)+total+2)}
	out.Data = append(out.Data, main...)
	for r := range parts {
		out.Data = append(append(out.Data, heads[r]...), parts[r]...)
		k := e.levels - r
		if r == e.levels {
			out.Data = binary.BigEndian.AppendUint16(out.Data, mEOC)
		}
		out.Levels = append(out.Levels, Level{k, ceilShift(m.Width, k), ceilShift(m.Height, k), len(out.Data)})
	}
	return out, nil
}

// packet codes one packet: the one layer of a precinct (T.800 B.9, B.10).
func (e *encoder) packet(ctx context.Context, out []byte, at *precinctPlace) ([]byte, error) {
	c := &e.tile.comps[at.c]
	res := &c.res[at.r]
	p := &res.precincts[at.k]
	w := headerWriter{b: out}
	var pieces []codedBlock
	e.blocks.out = e.blocks.out[:0]
	empty := true
	for i := range p.bands {
		pb, b := &p.bands[i], &res.bands[i]
		for j := range pb.blocks {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			blk := &pb.blocks[j]
			at := (blk.y0-b.y0)*b.width() + blk.x0 - b.x0
			coded := e.block(b, b.ints[at:], blk.width(), blk.height())
			pieces = append(pieces, coded)
			empty = empty && coded.length == 0
		}
	}
	if empty {
		return append(out, 0), nil
	}
	w.bits(1, 1)
	n := 0
	for i := range p.bands {
		pb, b := &p.bands[i], &res.bands[i]
		if len(pb.blocks) == 0 {
			continue
		}
		include, zeros := newTagWriter(pb.width(), pb.height()), newTagWriter(pb.width(), pb.height())
		for j := range pb.blocks {
			if pieces[n+j].length == 0 {
				include.leaves[j] = 1
			}
			zeros.leaves[j] = int32(pieces[n+j].zero)
		}
		include.spread()
		zeros.spread()
		for j := range pb.blocks {
			x, y := j%pb.width(), j/pb.width()
			include.write(&w, x, y, 1)
			k := pieces[n+j]
			if k.length == 0 {
				continue
			}
			zeros.write(&w, x, y, int32(b.planes))
			w.passes(k.passes)
			shared := bits.Len(uint(k.passes)) - 1
			size := max(bits.Len(uint(k.length)), 3+shared)
			for range size - 3 - shared {
				w.bits(1, 1)
			}
			w.bits(0, 1)
			w.bits(uint(k.length), size)
		}
		n += len(pb.blocks)
	}
	w.flush()
	return append(w.b, e.blocks.out...), nil
}

// codedBlock is what the packet header tells of a code-block; length is 0 for
// one without significance.
type codedBlock struct{ length, zero, passes int }

// block codes a code-block of b behind the others.
func (e *encoder) block(b *band, in []int32, w, h int) codedBlock {
	from := len(e.blocks.out)
	if e.passes == nil {
		e.blocks.encode(in, b.width(), w, h)
		return codedBlock{len(e.blocks.out) - from, b.planes - 1, 1}
	}
	var planes int
	e.blocks.out, planes = e.passes.encode(e.blocks.out, in, b.width(), w, h, b.kind)
	return codedBlock{len(e.blocks.out) - from, b.planes - planes, 3*planes - 2}
}
