package jpeg2000

import (
	"encoding/binary"
	"errors"
	"fmt"
)

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
	case z.x1 <= z.x0 || z.y1 <= z.y0 || z.x0 < 0 || z.y0 < 0 || z.x1 > 1<<30 || z.y1 > 1<<30:
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
		if z.samples += int64(w) * int64(h); z.samples > lim.Samples {
			return nil, fmt.Errorf("%d×%d samples and more: %w", w, h, ErrTooLarge)
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
		p.transform = false
	case 1:
		p.transform = true
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

// tileHeader gathers the tile-parts of one tile.
type tileHeader struct {
	params    *params
	own       bool     // params is the tile's own copy
	ownPOC    bool     // its POC has replaced that of the main header
	body      [][]byte // of each tile-part
	packed    []byte   // packet headers from PPM or PPT
	hasPacked bool
	short     bool // a tile-part goes past the end of the data
}

// stream is a codestream whose headers have been read.
type stream struct {
	sizes
	main     params
	high     bool // CAP says T.814
	tiles    map[int]*tileHeader
	parts    int
	ended    bool // EOC met
	ppm      [][]byte
	ppmSet   bool
	ppmBuf   []byte
	plt, tlm bool
}

var errEnd = errors.New("end of data")

// readStream reads main and tile-part headers and cuts out the tile-parts'
// bodies (T.800 Annex A). A stream that stops early is what remains readable.
func readStream(data []byte, lim Limits) (*stream, error) {
	s := &stream{tiles: map[int]*tileHeader{}}
	if len(data) < 4 || binary.BigEndian.Uint16(data) != mSOC {
		return nil, ErrNotJPEG2000
	}
	at, err := s.readMain(data, 2, lim)
	if err != nil {
		return nil, err
	}
	for {
		next, err := s.readTilePart(data, at)
		if err == errEnd {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		at = next
	}
}

// marker reads the marker at data[at] and the segment that follows it.
func marker(data []byte, at int) (code int, body []byte, next int, err error) {
	if at+2 > len(data) {
		return 0, nil, 0, errEnd
	}
	code = int(binary.BigEndian.Uint16(data[at:]))
	if code < 0xFF00 {
		return 0, nil, 0, corrupt("%#04x where a marker belongs", code)
	}
	if code == mSOD || code == mEOC || code >= 0xFF30 && code <= 0xFF3F {
		return code, nil, at + 2, nil
	}
	if at+4 > len(data) {
		return 0, nil, 0, errEnd
	}
	length := int(binary.BigEndian.Uint16(data[at+2:]))
	if length < 2 {
		return 0, nil, 0, corrupt("segment of %d bytes", length)
	}
	if at+2+length > len(data) {
		return 0, nil, 0, errEnd
	}
	return code, data[at+4 : at+2+length], at + 2 + length, nil
}

// readMain reads the main header, up to the first SOT.
func (s *stream) readMain(data []byte, at int, lim Limits) (int, error) {
	for {
		code, body, next, err := marker(data, at)
		if err == errEnd {
			return 0, fmt.Errorf("main header: %w", ErrTruncated)
		}
		if err != nil {
			return 0, fmt.Errorf("main header: %w", err)
		}
		if s.components == nil && code != mSIZ {
			return 0, corrupt("main header begins with %#04x", code)
		}
		if code == mSOT {
			break
		}
		switch code {
		case mSIZ:
			if s.components != nil {
				return 0, corrupt("second SIZ")
			}
			z, err := readSIZ(body, lim)
			if err != nil {
				return 0, err
			}
			s.sizes = *z
			s.main.components = make([]component, len(z.components))
		case mCAP:
			if c := (&segment{b: body}); c.u32()&(1<<17) != 0 {
				s.high = true
			}
		case mTLM:
			s.tlm = true
		case mPPM:
			if len(body) < 1 {
				return 0, corrupt("empty PPM")
			}
			s.ppm = place(s.ppm, int(body[0]), body[1:])
			s.ppmSet = true
		case mSOD, mEOC:
			return 0, corrupt("%#04x in the main header", code)
		default:
			if err := s.main.read(code, body); err != nil {
				return 0, err
			}
		}
		at = next
	}
	if !s.main.haveCOD || !s.main.haveQCD {
		return 0, corrupt("main header without coding or quantisation style")
	}
	for _, b := range s.ppm {
		s.ppmBuf = append(s.ppmBuf, b...)
	}
	return at, nil
}

// place puts a numbered part into its place.
func place(parts [][]byte, n int, b []byte) [][]byte {
	for len(parts) <= n {
		parts = append(parts, nil)
	}
	parts[n] = b
	return parts
}

// read takes a segment that main and tile-part headers share.
func (p *params) read(code int, body []byte) error {
	switch code {
	case mCOD:
		return p.readCOD(body)
	case mCOC:
		return p.readCOC(body)
	case mQCD:
		return p.readQCD(body)
	case mQCC:
		return p.readQCC(body)
	case mRGN:
		return p.readRGN(body)
	case mPOC:
		return p.readPOC(body)
	}
	return nil // CRG, COM, PLM, PLT, CPF and what is not known say nothing that decoding needs
}

// readTilePart reads the tile-part that begins at data[at] and returns where
// the next one does. errEnd says that there is none.
func (s *stream) readTilePart(data []byte, at int) (int, error) {
	code, body, next, err := marker(data, at)
	switch {
	case err == errEnd:
		return 0, errEnd
	case err != nil || code != mSOT && code != mEOC:
		if s.parts > 0 {
			return 0, errEnd // garbage after the last tile-part harms nobody
		}
		return 0, corrupt("%#04x where a tile-part belongs", code)
	case code == mEOC:
		s.ended = true
		return 0, errEnd
	case len(body) < 8:
		return 0, corrupt("SOT of %d bytes", len(body))
	}
	index := int(binary.BigEndian.Uint16(body))
	length := int(binary.BigEndian.Uint32(body[2:]))
	if index >= s.tilesX*s.tilesY {
		return 0, corrupt("tile %d of %d", index, s.tilesX*s.tilesY)
	}
	end := at + length
	if length == 0 { // up to the end of the codestream
		end = len(data)
		if end-next >= 2 && binary.BigEndian.Uint16(data[end-2:]) == mEOC {
			end -= 2
			s.ended = true
		}
	}
	t := s.tiles[index]
	if t == nil {
		t = &tileHeader{params: &s.main}
		s.tiles[index] = t
	}
	if end > len(data) {
		end, t.short = len(data), true
	}
	if end < next {
		return 0, corrupt("tile-part of %d bytes", length)
	}
	s.parts++
	if s.ppmSet {
		t.addPacked(s.nextPPM())
	}
	sod, err := s.readTileHeader(t, data[:end], next)
	if err == errEnd {
		t.short = true
		return 0, errEnd
	}
	if err != nil {
		return 0, err
	}
	t.body = append(t.body, data[sod:end])
	if t.short {
		return 0, errEnd
	}
	return end, nil
}

// readTileHeader reads the segments between SOT and SOD.
func (s *stream) readTileHeader(t *tileHeader, data []byte, at int) (int, error) {
	var ppt [][]byte
	for {
		code, body, next, err := marker(data, at)
		if err != nil {
			return 0, err
		}
		at = next
		switch code {
		case mSOD:
			for _, b := range ppt {
				t.addPacked(b)
			}
			return at, nil
		case mSOT, mSIZ, mEOC:
			return 0, corrupt("%#04x in a tile-part header", code)
		case mPPT:
			if len(body) < 1 {
				return 0, corrupt("empty PPT")
			}
			ppt = place(ppt, int(body[0]), body[1:])
			t.hasPacked = true
		case mPLT:
			s.plt = true
		case mCOD, mCOC, mQCD, mQCC, mRGN, mPOC:
			if !t.own {
				t.params, t.own = t.params.clone(), true
			}
			if code == mPOC && !t.ownPOC {
				t.params.volumes, t.ownPOC = nil, true
			}
			if err := t.params.read(code, body); err != nil {
				return 0, err
			}
		}
	}
}

func (t *tileHeader) addPacked(b []byte) {
	t.packed = append(t.packed, b...)
	t.hasPacked = true
}

// nextPPM takes the packet headers of the next tile-part (T.800 A.7.4).
func (s *stream) nextPPM() []byte {
	if len(s.ppmBuf) < 4 {
		return nil
	}
	n := min(int64(binary.BigEndian.Uint32(s.ppmBuf)), int64(len(s.ppmBuf)-4))
	b := s.ppmBuf[4 : 4+n]
	s.ppmBuf = s.ppmBuf[4+n:]
	return b
}
