package jpeg2000

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// tileHeader gathers the tile-parts of one tile.
type tileHeader struct {
	own       []ownSegment // what it says otherwise than the main header
	body      [][]byte     // of each tile-part
	packed    []byte       // packet headers from PPM or PPT
	hasPacked bool
	short     bool // a tile-part goes past the end of the data
}

// ownSegment is a marker segment of a tile-part header that changes params.
type ownSegment struct {
	code int
	body []byte
}

// params gives what governs the coding of a tile. They are made when they are
// needed: there may be many tiles.
func (s *stream) params(t *tileHeader) (*params, error) {
	if len(t.own) == 0 {
		return &s.main, nil
	}
	p := s.main.clone()
	poc := false
	for _, o := range t.own {
		if o.code == mPOC && !poc { // replaces that of the main header
			p.volumes, poc = nil, true
		}
		if err := p.read(o.code, o.body); err != nil {
			return nil, err
		}
	}
	if err := p.checkMulti(); err != nil {
		return nil, err
	}
	return p, nil
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
	if err := s.main.checkMulti(); err != nil {
		return 0, err
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
	case mCBD:
		return p.multi.readCBD(body, len(p.components))
	case mMCT:
		return p.multi.readMCT(body)
	case mMCC:
		return p.multi.readMCC(body)
	case mMCO:
		return p.multi.readMCO(body)
	}
	return extension(code) // CRG, COM, PLM, PLT, CPF and what is not known say nothing that decoding needs
}

// extension refuses the segments of part 2, without which other samples would
// come out.
func extension(code int) error {
	if code >= mDCO && code <= mATK {
		return fmt.Errorf("extension %#04x of part 2: %w", code, ErrUnsupported)
	}
	return nil
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
		t = &tileHeader{}
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
		case mCOD, mCOC, mQCD, mQCC, mRGN, mPOC, mMCT, mMCC, mMCO:
			t.own = append(t.own, ownSegment{code, body})
		default:
			if err := extension(code); err != nil {
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
