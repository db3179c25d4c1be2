package jpeg2000

// rect is a half-open rectangle.
type rect struct{ x0, y0, x1, y1 int }

func (r rect) width() int  { return r.x1 - r.x0 }
func (r rect) height() int { return r.y1 - r.y0 }
func (r rect) empty() bool { return r.x1 <= r.x0 || r.y1 <= r.y0 }

func (r rect) intersect(o rect) rect {
	return rect{max(r.x0, o.x0), max(r.y0, o.y0), min(r.x1, o.x1), min(r.y1, o.y1)}
}

// grow adds n on all sides.
func (r rect) grow(n int) rect { return rect{r.x0 - n, r.y0 - n, r.x1 + n, r.y1 + n} }

// within is the part of r that lies in o, in the corner of o when there is none.
func (r rect) within(o rect) rect {
	if r = r.intersect(o); r.empty() {
		return rect{o.x0, o.y0, o.x0, o.y0}
	}
	return r
}

// half is where the samples of r stand in the sub-band that takes the even
// ones of each direction, or with an odd kind the odd columns, with a kind from
// 2 on the odd rows.
func (r rect) half(kind int) rect {
	x, y := 1-kind&1, 1-kind>>1
	return rect{(r.x0 + x) >> 1, (r.y0 + y) >> 1, (r.x1 + x) >> 1, (r.y1 + y) >> 1}
}

// tile is the geometry of one tile (T.800 Annex B) and what its packets hold.
type tile struct {
	rect
	params *params
	comps  []tileComponent
}

type tileComponent struct {
	rect
	*component
	size componentSize
	res  []resolution
}

// resolution is one resolution level of a tile-component (T.800 B.5, B.6).
type resolution struct {
	rect
	window    rect // the part that is decoded
	ppx, ppy  int  // precinct size, exponents
	cbw, cbh  int  // code-block size, exponents
	nw, nh    int  // precincts
	precincts []precinct
	bands     []band
}

// band is a sub-band, with its coefficients once decoded.
type band struct {
	rect
	window rect // the part that is decoded
	kind   int  // 0 LL, 1 HL, 2 LH, 3 HH
	planes int  // Mb of equation E-2, without the shift of a region of interest
	step   float32
	ints   []int32
	floats []float32
}

// precinct holds what packets have brought so far. Its code-blocks are made
// when the first packet with content arrives.
type precinct struct {
	layers int // layers read
	bands  []precinctBand
}

type precinctBand struct {
	rect           // of code-blocks, in units of code-blocks
	include, zeros *tagTree
	blocks         []block
}

// block is a code-block: what packets said of it.
type block struct {
	rect     // in the coordinates of the sub-band
	included bool
	zero     int // planes without a one
	passes   int
	lblock   int
	segments []codeSegment
}

// codeSegment is a terminated run of coding passes.
type codeSegment struct {
	passes, max int
	data        []byte
}

// newTile lays tile number index out. packetBytes bounds how many precincts
// there can be: a packet takes at least one byte.
func (s *stream) newTile(index int, p *params, packetBytes int) (*tile, error) {
	tx, ty := index%s.tilesX, index/s.tilesX
	t := &tile{params: p, rect: rect{
		max(s.tx0+tx*s.tw, s.x0), max(s.ty0+ty*s.th, s.y0),
		min(s.tx0+(tx+1)*s.tw, s.x1), min(s.ty0+(ty+1)*s.th, s.y1),
	}}
	t.comps = make([]tileComponent, len(s.components))
	budget := 1<<20 + 8*int64(packetBytes)
	for i := range t.comps {
		c := &t.comps[i]
		c.component, c.size = &p.components[i], s.components[i]
		dx, dy := c.size.dx, c.size.dy
		c.rect = rect{ceilDiv(t.x0, dx), ceilDiv(t.y0, dy), ceilDiv(t.x1, dx), ceilDiv(t.y1, dy)}
		c.res = make([]resolution, c.levels+1)
		for r := range c.res {
			if err := c.layOut(r); err != nil {
				return nil, err
			}
			n := int64(c.res[r].nw) * int64(c.res[r].nh)
			if n > budget {
				return nil, corrupt("tile of %d bytes with %d precincts", packetBytes, n)
			}
			budget -= n
		}
	}
	return t, nil
}

// layOut computes resolution r (T.800 equations B-14 to B-17).
func (c *tileComponent) layOut(r int) error {
	up := c.levels - r
	res := &c.res[r]
	res.rect = rect{ceilShift(c.x0, up), ceilShift(c.y0, up), ceilShift(c.x1, up), ceilShift(c.y1, up)}
	res.ppx, res.ppy = int(c.precincts[r]&15), int(c.precincts[r]>>4)
	if !res.empty() {
		res.nw = ceilShift(res.x1, res.ppx) - res.x0>>res.ppx
		res.nh = ceilShift(res.y1, res.ppy) - res.y0>>res.ppy
	}
	kinds := []int{1, 2, 3}
	half := 1
	if r == 0 {
		kinds, half = []int{0}, 0
	}
	res.cbw, res.cbh = min(c.cbw, res.ppx-half), min(c.cbh, res.ppy-half)
	for _, kind := range kinds {
		b := band{kind: kind, rect: res.rect}
		gain := 0
		if r > 0 {
			n := up + 1
			b.rect = rect{bandEdge(c.x0, n, kind&1), bandEdge(c.y0, n, kind>>1), bandEdge(c.x1, n, kind&1), bandEdge(c.y1, n, kind>>1)}
			gain = kind&1 + kind>>1
		}
		exponent, mantissa, ok := c.step(r, kind)
		if !ok {
			return corrupt("no quantisation step for resolution %d", r)
		}
		b.planes = c.guard + exponent - 1
		b.step = 1
		if !c.reversible { // equation E-3
			b.step = ldexp32(1+float32(mantissa)/2048, c.size.bits+gain-exponent)
		}
		res.bands = append(res.bands, b)
	}
	return nil
}

// bandEdge is an edge of a sub-band that takes, at level n, the even (o is 0)
// or odd samples (T.800 equation B-15).
func bandEdge(x, n, o int) int {
	return int((int64(x) - int64(o)<<(n-1) + 1<<n - 1) >> n)
}

func ldexp32(f float32, n int) float32 {
	for ; n > 0; n-- {
		f *= 2
	}
	for ; n < 0; n++ {
		f /= 2
	}
	return f
}

// position is where on the reference grid precinct k of resolution r comes in
// the orders that go by position (T.800 B.12.1.3 to B.12.1.5).
func (c *tileComponent) position(t *tile, r, k int) (x, y int) {
	res := &c.res[r]
	up := c.levels - r
	px, py := k%res.nw, k/res.nw
	x, y = t.x0, t.y0
	if left := (res.x0>>res.ppx + px) << res.ppx; left >= res.x0 {
		x = left << up * c.size.dx
	}
	if top := (res.y0>>res.ppy + py) << res.ppy; top >= res.y0 {
		y = top << up * c.size.dy
	}
	return x, y
}

// build makes the code-blocks of precinct k (T.800 B.7). budget bounds how
// many.
func (res *resolution) build(k int, budget int) error {
	p := &res.precincts[k]
	half := 0
	if len(res.bands) > 1 {
		half = 1
	}
	px, py := res.x0>>res.ppx+k%res.nw, res.y0>>res.ppy+k/res.nw
	p.bands = make([]precinctBand, len(res.bands))
	for i := range p.bands {
		b := &res.bands[i]
		area := rect{
			max(px<<(res.ppx-half), b.x0), max(py<<(res.ppy-half), b.y0),
			min((px+1)<<(res.ppx-half), b.x1), min((py+1)<<(res.ppy-half), b.y1),
		}
		if area.empty() {
			continue
		}
		pb := &p.bands[i]
		pb.rect = rect{area.x0 >> res.cbw, area.y0 >> res.cbh, ceilShift(area.x1, res.cbw), ceilShift(area.y1, res.cbh)}
		n := pb.width() * pb.height()
		if n > budget {
			return corrupt("precinct of %d code-blocks", n)
		}
		pb.include, pb.zeros = newTagTree(pb.width(), pb.height()), newTagTree(pb.width(), pb.height())
		pb.blocks = make([]block, n)
		for j := range pb.blocks {
			x, y := pb.x0+j%pb.width(), pb.y0+j/pb.width()
			pb.blocks[j].rect = rect{
				max(x<<res.cbw, area.x0), max(y<<res.cbh, area.y0),
				min((x+1)<<res.cbw, area.x1), min((y+1)<<res.cbh, area.y1),
			}
			pb.blocks[j].lblock = 3
		}
	}
	return nil
}
