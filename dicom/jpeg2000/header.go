package jpeg2000

import "fmt"

// segment reads the fields of a marker segment. Reading past its end gives
// zeros and sets short.
type segment struct {
	b     []byte
	short bool
}

func (s *segment) u8() int {
	if len(s.b) < 1 {
		s.short = true
		return 0
	}
	v := s.b[0]
	s.b = s.b[1:]
	return int(v)
}

func (s *segment) u16() int {
	hi := s.u8()
	return hi<<8 | s.u8()
}

func (s *segment) u32() int {
	hi := s.u16()
	return hi<<16 | s.u16()
}

// index reads a component index, whose width depends on how many there are.
func (s *segment) index(components int) int {
	if components < 257 {
		return s.u8()
	}
	return s.u16()
}

func corrupt(format string, a ...any) error {
	return fmt.Errorf(format+": %w", append(a, ErrCorrupt)...)
}

// readSIZ reads image and tile size (T.800 A.5.1).
func readSIZ(b []byte, lim Limits) (*sizes, error) {
	s := segment{b: b}
	s.u16()
	z := &sizes{}
	z.x1, z.y1, z.x0, z.y0 = s.u32(), s.u32(), s.u32(), s.u32()
	z.tw, z.th, z.tx0, z.ty0 = s.u32(), s.u32(), s.u32(), s.u32()
	n := s.u16()
	if s.short || len(s.b) < 3*n {
		return nil, corrupt("SIZ of %d bytes", len(b))
	}
	switch {
	case z.x1 <= z.x0 || z.y1 <= z.y0 || z.x0 < 0 || z.y0 < 0 || z.x1 > 1<<29 || z.y1 > 1<<29:
		return nil, corrupt("image area from %d,%d to %d,%d", z.x0, z.y0, z.x1, z.y1)
	case z.tw < 1 || z.th < 1 || z.tx0 < 0 || z.ty0 < 0 || z.tx0 > z.x0 || z.ty0 > z.y0 || z.x0-z.tx0 >= z.tw || z.y0-z.ty0 >= z.th:
		return nil, corrupt("tiles of %d×%d from %d,%d", z.tw, z.th, z.tx0, z.ty0)
	case n < 1 || n > 16384:
		return nil, corrupt("%d components", n)
	case n > lim.Components:
		return nil, fmt.Errorf("%d components: %w", n, ErrTooLarge)
	}
	z.tw, z.th = min(z.tw, z.x1-z.tx0), min(z.th, z.y1-z.ty0)
	z.tilesX, z.tilesY = ceilDiv(z.x1-z.tx0, z.tw), ceilDiv(z.y1-z.ty0, z.th)
	if z.tilesX > 65535 || z.tilesY > 65535 || z.tilesX*z.tilesY > 65535 {
		return nil, corrupt("%d×%d tiles", z.tilesX, z.tilesY)
	}
	for range n {
		depth := s.u8()
		c := componentSize{bits: depth&0x7F + 1, signed: depth&0x80 != 0, dx: s.u8(), dy: s.u8()}
		if c.dx < 1 || c.dy < 1 || c.bits > 38 {
			return nil, corrupt("component of %d bits, %d,%d apart", c.bits, c.dx, c.dy)
		}
		w, h := ceilDiv(z.x1, c.dx)-ceilDiv(z.x0, c.dx), ceilDiv(z.y1, c.dy)-ceilDiv(z.y0, c.dy)
		if w < 1 || h < 1 {
			return nil, corrupt("component without samples")
		}
		z.components = append(z.components, c)
	}
	return z, nil
}

// readCOD reads the coding style of all components (T.800 A.6.1).
func (p *params) readCOD(b []byte) error {
	s := segment{b: b}
	style := s.u8()
	p.order, p.layers = byte(s.u8()), s.u16()
	p.sop, p.eph = style&2 != 0, style&4 != 0
	switch s.u8() {
	case 0:
		p.transform, p.across = false, false
	case 1:
		p.transform, p.across = true, false
	case 2:
		p.transform, p.across = false, true
	default:
		return fmt.Errorf("component transform of part 2: %w", ErrUnsupported)
	}
	c, err := readCoding(&s, style&1 != 0)
	if err != nil {
		return err
	}
	if p.order > orderCPRL || p.layers < 1 {
		return corrupt("progression %d, %d layers", p.order, p.layers)
	}
	for i := range p.components {
		if !p.components[i].coding.own {
			p.components[i].coding = c
		}
	}
	p.haveCOD = true
	return nil
}

// readCOC reads the coding style of one component (T.800 A.6.2).
func (p *params) readCOC(b []byte) error {
	s := segment{b: b}
	i := s.index(len(p.components))
	if i >= len(p.components) {
		return corrupt("COC of component %d", i)
	}
	style := s.u8()
	c, err := readCoding(&s, style&1 != 0)
	if err != nil {
		return err
	}
	c.own = true
	p.components[i].coding = c
	return nil
}

// readCoding reads what COD and COC share (T.800 table A.15).
func readCoding(s *segment, precincts bool) (coding, error) {
	c := coding{levels: s.u8(), cbw: s.u8() + 2, cbh: s.u8() + 2, style: byte(s.u8())}
	kernel := s.u8()
	if s.short || c.levels > maxLevels || c.cbw > 10 || c.cbh > 10 || c.cbw+c.cbh > 12 {
		return c, corrupt("%d levels, code-blocks of 2^%d×2^%d", c.levels, c.cbw, c.cbh)
	}
	if kernel > 1 {
		return c, fmt.Errorf("wavelet %d: %w", kernel, ErrUnsupported)
	}
	if c.style&styleMixed != 0 {
		return c, fmt.Errorf("code-block style %#x: %w", c.style, ErrUnsupported)
	}
	c.reversible = kernel == 1
	for r := range c.levels + 1 {
		c.precincts[r] = 0xFF
		if precincts {
			c.precincts[r] = byte(s.u8())
			if r > 0 && (c.precincts[r]&15 == 0 || c.precincts[r]>>4 == 0) {
				return c, corrupt("precincts of one sample")
			}
		}
	}
	if s.short {
		return c, corrupt("precinct sizes missing")
	}
	return c, nil
}

func (p *params) readQCD(b []byte) error {
	s := segment{b: b}
	q, err := readQuantisation(&s)
	if err != nil {
		return err
	}
	for i := range p.components {
		if !p.components[i].quantisation.own {
			p.components[i].quantisation = q
		}
	}
	p.haveQCD = true
	return nil
}

func (p *params) readQCC(b []byte) error {
	s := segment{b: b}
	i := s.index(len(p.components))
	if i >= len(p.components) {
		return corrupt("QCC of component %d", i)
	}
	q, err := readQuantisation(&s)
	if err != nil {
		return err
	}
	q.own = true
	p.components[i].quantisation = q
	return nil
}

// readQuantisation reads what QCD and QCC share (T.800 tables A.27 to A.30).
func readQuantisation(s *segment) (quantisation, error) {
	style := s.u8()
	q := quantisation{kind: byte(style & 31), guard: style >> 5}
	width := 2
	if q.kind == 0 {
		width = 1
	}
	q.count = len(s.b) / width
	if s.short || q.kind > 2 || q.count < 1 {
		return q, corrupt("quantisation style %d of %d bytes", q.kind, len(s.b))
	}
	if q.kind == 1 {
		q.count = 1
	}
	q.count = min(q.count, len(q.exponents))
	for i := range q.count {
		if q.kind == 0 {
			q.exponents[i] = byte(s.u8() >> 3)
			continue
		}
		v := s.u16()
		q.exponents[i], q.mantissas[i] = byte(v>>11), uint16(v&0x7FF)
	}
	return q, nil
}

// step gives exponent and mantissa of a kind of band (0 LL, 1 HL, 2 LH, 3 HH)
// at resolution r (T.800 equation E-5).
func (q *quantisation) step(r, kind int) (exponent int, mantissa int, ok bool) {
	if q.kind == 1 {
		e := int(q.exponents[0])
		if r > 1 {
			e -= r - 1
		}
		return e, int(q.mantissas[0]), e >= 0
	}
	i := 0
	if r > 0 {
		i = 3*(r-1) + kind
	}
	if i >= q.count {
		return 0, 0, false
	}
	return int(q.exponents[i]), int(q.mantissas[i]), true
}

func (p *params) readRGN(b []byte) error {
	s := segment{b: b}
	i := s.index(len(p.components))
	style, shift := s.u8(), s.u8()
	if s.short || i >= len(p.components) || shift > 63 {
		return corrupt("RGN of component %d, shift %d", i, shift)
	}
	if style != 0 {
		return fmt.Errorf("region of interest style %d: %w", style, ErrUnsupported)
	}
	p.components[i].roi = shift
	return nil
}

// readPOC reads progression order changes (T.800 A.6.6).
func (p *params) readPOC(b []byte) error {
	width := 7
	if len(p.components) > 256 {
		width = 9
	}
	if len(b) < width {
		return corrupt("POC of %d bytes", len(b))
	}
	for ; len(b) >= width; b = b[width:] {
		s := segment{b: b}
		var v volume
		v.resFrom, v.compFrom = s.u8(), s.index(len(p.components))
		v.layers, v.resTo, v.compTo = s.u16(), s.u8(), s.index(len(p.components))
		v.order = byte(s.u8())
		if v.compTo == 0 { // 256 does not fit a byte
			v.compTo = len(p.components)
		}
		v.compTo = min(v.compTo, len(p.components))
		if v.order > orderCPRL || len(p.volumes) >= 1024 {
			return corrupt("POC of progression %d", v.order)
		}
		p.volumes = append(p.volumes, v)
	}
	return nil
}
