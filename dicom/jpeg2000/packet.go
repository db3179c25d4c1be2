package jpeg2000

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
)

// packetReader reads the packets of one tile.
type packetReader struct {
	t       *tile
	keep    []int // of each component, the highest resolution wanted
	body    []byte
	packed  []byte // packet headers, when they are apart
	apart   bool
	done    bool
	missing bool // a wanted packet is not there
	budget  int
	count   int
}

// place is a precinct in the order of a progression.
type precinctPlace struct{ c, r, k, x, y int }

// readPackets reads all packets of t (T.800 B.9, B.10, B.12), stopping early
// when nothing wanted can follow. missing tells that the data ended before.
func (t *tile) readPackets(ctx context.Context, h *tileHeader, keep []int) (missing bool, err error) {
	p := &packetReader{t: t, keep: keep, packed: h.packed, apart: h.hasPacked}
	for _, b := range h.body {
		if p.body == nil {
			p.body = b[:len(b):len(b)]
		} else {
			p.body = append(p.body, b...) // copies: the capacity is used up
		}
	}
	p.budget = 1<<16 + 256*len(p.body)
	for i := range t.comps {
		for r := range t.comps[i].res {
			res := &t.comps[i].res[r]
			res.precincts = make([]precinct, res.nw*res.nh)
		}
	}
	volumes := t.params.volumes
	if len(volumes) == 0 {
		volumes = []volume{{resTo: maxLevels + 1, compTo: len(t.comps), layers: t.params.layers, order: t.params.order}}
	}
	for _, v := range volumes {
		if err := p.volume(ctx, v); err != nil {
			return false, err
		}
		if p.done {
			break
		}
	}
	return p.missing || len(t.params.volumes) == 0 && p.lacks(), nil
}

// lacks reports whether a wanted precinct has not got all its layers.
func (p *packetReader) lacks() bool {
	for i := range p.t.comps {
		for r := range p.t.comps[i].res {
			if r > p.keep[i] {
				break
			}
			for k := range p.t.comps[i].res[r].precincts {
				if p.t.comps[i].res[r].precincts[k].layers < p.t.params.layers {
					return true
				}
			}
		}
	}
	return false
}

// volume reads the packets of one progression volume.
func (p *packetReader) volume(ctx context.Context, v volume) error {
	v.layers = min(v.layers, p.t.params.layers)
	places := p.places(v)
	slices.SortStableFunc(places, comparison(v.order))
	switch v.order {
	case orderLRCP:
		for l := range v.layers {
			for i := range places {
				if err := p.packet(ctx, &places[i], l); err != nil || p.done {
					return err
				}
			}
		}
		return nil
	case orderRLCP:
		for from := 0; from < len(places); {
			to := from
			for to < len(places) && places[to].r == places[from].r {
				to++
			}
			if len(p.t.params.volumes) == 0 && p.unwanted(places[from].r) {
				p.done = true
				return nil
			}
			for l := range v.layers {
				for i := from; i < to; i++ {
					if err := p.packet(ctx, &places[i], l); err != nil || p.done {
						return err
					}
				}
			}
			from = to
		}
		return nil
	}
	for i := range places {
		if v.order == orderRPCL && len(p.t.params.volumes) == 0 && p.unwanted(places[i].r) {
			p.done = true
			return nil
		}
		for l := range v.layers {
			if err := p.packet(ctx, &places[i], l); err != nil || p.done {
				return err
			}
		}
	}
	return nil
}

// unwanted reports whether no component needs resolution r or a higher one.
func (p *packetReader) unwanted(r int) bool {
	for _, k := range p.keep {
		if k >= r {
			return false
		}
	}
	return true
}

// places lists the precincts of a volume, by resolution, component and number.
func (p *packetReader) places(v volume) []precinctPlace {
	var out []precinctPlace
	for r := v.resFrom; r < v.resTo; r++ {
		any := false
		for c := v.compFrom; c < v.compTo; c++ {
			tc := &p.t.comps[c]
			if r >= len(tc.res) {
				continue
			}
			any = true
			for k := range tc.res[r].precincts {
				x, y := tc.position(p.t, r, k)
				out = append(out, precinctPlace{c, r, k, x, y})
			}
		}
		if !any {
			break
		}
	}
	return out
}

// comparison gives the order of precincts in a progression (T.800 B.12.1).
func comparison(order byte) func(a, b precinctPlace) int {
	first := func(d ...int) int {
		for _, v := range d {
			if v != 0 {
				return v
			}
		}
		return 0
	}
	switch order {
	case orderRPCL:
		return func(a, b precinctPlace) int { return first(a.r-b.r, a.y-b.y, a.x-b.x, a.c-b.c, a.k-b.k) }
	case orderPCRL:
		return func(a, b precinctPlace) int { return first(a.y-b.y, a.x-b.x, a.c-b.c, a.r-b.r, a.k-b.k) }
	case orderCPRL:
		return func(a, b precinctPlace) int { return first(a.c-b.c, a.y-b.y, a.x-b.x, a.r-b.r, a.k-b.k) }
	}
	return func(a, b precinctPlace) int { return first(a.r-b.r, a.c-b.c, a.k-b.k) }
}

// packet reads the packet of one layer of one precinct, unless an earlier
// volume did.
func (p *packetReader) packet(ctx context.Context, at *precinctPlace, layer int) error {
	tc := &p.t.comps[at.c]
	res := &tc.res[at.r]
	prec := &res.precincts[at.k]
	if layer != prec.layers {
		return nil
	}
	if p.count++; p.count&255 == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	wanted := at.r <= p.keep[at.c]
	if len(p.body) == 0 && (!p.apart || len(p.packed) == 0) {
		p.done = true
		return nil
	}
	if p.t.params.sop && len(p.body) >= 6 && p.body[0] == 0xFF && p.body[1] == mSOP&0xFF {
		p.body = p.body[6:]
	}
	header := &p.body
	if p.apart {
		header = &p.packed
	}
	r := &headerBits{b: *header}
	var lengths []piece
	if r.bit() == 1 {
		if prec.bands == nil {
			if err := res.build(at.k, p.budget); err != nil {
				return err
			}
		}
		var err error
		if lengths, err = p.blocks(r, tc, prec, layer); err != nil {
			return err
		}
	}
	if r.over {
		p.cut(wanted, lengths)
		return nil
	}
	*header = (*header)[r.end():]
	if p.t.params.eph && len(*header) >= 2 && (*header)[0] == 0xFF && (*header)[1] == mEPH&0xFF {
		*header = (*header)[2:]
	}
	for i := range lengths {
		l := &lengths[i]
		n := l.length
		if n > len(p.body) {
			p.cut(wanted, lengths[i:])
			return nil
		}
		if wanted && n > 0 {
			seg := &l.block.segments[l.segment]
			if seg.data == nil {
				seg.data = p.body[:n:n]
			} else {
				seg.data = append(seg.data, p.body[:n]...)
			}
		}
		p.body = p.body[n:]
	}
	prec.layers++
	return nil
}

// cut ends reading inside a packet: passes announced but not there are undone.
func (p *packetReader) cut(wanted bool, lengths []piece) {
	p.done = true
	p.missing = p.missing || wanted
	for i := len(lengths) - 1; i >= 0; i-- {
		l := &lengths[i]
		l.block.passes -= l.passes
		l.block.segments[l.segment].passes -= l.passes
	}
}

// piece is what a packet brings of one segment of a code-block.
type piece struct {
	block   *block
	segment int
	passes  int
	length  int
}

// blocks reads the part of a packet header that tells of code-blocks (T.800
// B.10.3 to B.10.7).
func (p *packetReader) blocks(r *headerBits, tc *tileComponent, prec *precinct, layer int) ([]piece, error) {
	var out []piece
	for i := range prec.bands {
		pb := &prec.bands[i]
		for j := range pb.blocks {
			b := &pb.blocks[j]
			x, y := j%pb.width(), j/pb.width()
			if b.included {
				if r.bit() == 0 {
					continue
				}
			} else {
				if !pb.include.below(r, x, y, int32(layer)+1) {
					if r.over {
						return out, nil
					}
					continue
				}
				z := int32(1)
				for !pb.zeros.below(r, x, y, z) {
					if z++; z > 128 || r.over {
						if r.over {
							return out, nil
						}
						return nil, corrupt("code-block without bit-planes")
					}
				}
				b.included, b.zero = true, int(pb.zeros.value(x, y))
			}
			n := passCount(r)
			for r.bit() == 1 {
				if b.lblock++; b.lblock > 40 {
					return nil, corrupt("length of more than 32 bits")
				}
			}
			if r.over {
				return out, nil
			}
			var err error
			if out, err = b.lengths(r, tc.style, n, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// passCount reads the number of new coding passes (T.800 table B.4).
func passCount(r *headerBits) int {
	if r.bit() == 0 {
		return 1
	}
	if r.bit() == 0 {
		return 2
	}
	if n := r.bits(2); n < 3 {
		return 3 + int(n)
	}
	if n := r.bits(5); n < 31 {
		return 6 + int(n)
	}
	return 37 + int(r.bits(7))
}

// lengths shares n new passes out to segments and reads their lengths (T.800
// B.10.7, T.814 B.3).
func (b *block) lengths(r *headerBits, style byte, n int, out []piece) ([]piece, error) {
	for n > 0 {
		last := len(b.segments) - 1
		if last < 0 || b.segments[last].passes == b.segments[last].max {
			b.segments = append(b.segments, codeSegment{max: b.segmentMax(style, n)})
			last++
		}
		s := &b.segments[last]
		k := min(n, s.max-s.passes)
		width := b.lblock + bits.Len(uint(k)) - 1
		if width > 32 {
			return nil, corrupt("length of %d bits", width)
		}
		length := int(r.bits(width))
		if r.over {
			return out, nil
		}
		if length < 0 || length > 1<<30 {
			return nil, fmt.Errorf("code-block of %d bytes: %w", length, ErrCorrupt)
		}
		s.passes += k
		b.passes += k
		n -= k
		out = append(out, piece{b, last, k, length})
	}
	return out, nil
}

// segmentMax is how many passes the next segment may hold.
func (b *block) segmentMax(style byte, n int) int {
	i := len(b.segments)
	switch {
	case style&styleHT != 0 && i == 0:
		return 1 + (n-1)/3*3 // placeholder passes and the first cleanup pass
	case style&styleHT != 0 && i%2 == 1:
		return 2
	case style&styleHT != 0, style&styleTermAll != 0:
		return 1
	case style&styleBypass != 0 && i == 0:
		return 10
	case style&styleBypass != 0 && i%2 == 1:
		return 2
	case style&styleBypass != 0:
		return 1
	}
	return 1 << 20
}
