package jpeg2000

import (
	"context"
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

// precinctPlace is a precinct in the order of a progression.
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
