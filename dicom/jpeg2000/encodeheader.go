package jpeg2000

import (
	"encoding/binary"
	"slices"
)

func sortPlaces(places []precinctPlace, order byte) {
	slices.SortStableFunc(places, comparison(order))
}

// mainHeader writes the main header up to TLM (T.800 A.5, A.6; T.814 A.2 to
// A.4).
func (e *encoder) mainHeader(m *Image) []byte {
	be := binary.BigEndian
	b := be.AppendUint16(nil, mSOC)
	b = be.AppendUint16(b, mSIZ)
	b = be.AppendUint16(b, uint16(38+3*len(m.Components)))
	capabilities := uint16(0)
	if e.style == styleHT {
		capabilities = 1 << 14 // see CAP
	}
	b = be.AppendUint16(b, capabilities)
	for _, v := range []int{m.Width, m.Height, 0, 0, m.Width, m.Height, 0, 0} {
		b = be.AppendUint32(b, uint32(v))
	}
	b = be.AppendUint16(b, uint16(len(m.Components)))
	most := 0
	for i := range m.Components {
		c := &m.Components[i]
		depth := byte(c.Bits - 1)
		if c.Signed {
			depth |= 0x80
		}
		b = append(b, depth, 1, 1)
		for r := range e.tile.comps[i].res {
			for _, band := range e.tile.comps[i].res[r].bands {
				most = max(most, band.planes)
			}
		}
	}
	if e.style == styleHT {
		b = be.AppendUint16(b, mCAP)
		b = be.AppendUint16(b, 8)
		b = be.AppendUint32(b, 1<<17)
		b = be.AppendUint16(b, magnitudes(most)) // HT only, one set, reversible
	}
	b = be.AppendUint16(b, mCOD)
	side := e.tile.comps[0].precincts[0]
	scod, length := byte(0), 12
	if side != 0xFF {
		scod, length = 1, 13+e.levels
	}
	transform := byte(0)
	if e.colour {
		transform = 1
	}
	b = be.AppendUint16(b, uint16(length))
	b = append(b, scod, orderRPCL, 0, 1, transform, byte(e.levels), blockExponent-2, blockExponent-2, e.style, 1)
	if scod != 0 {
		for range e.levels + 1 {
			b = append(b, side)
		}
	}
	b = e.appendQuantisation(b, 0, -1)
	for i := range e.tile.comps {
		if e.tile.comps[i].exponents != e.tile.comps[0].exponents {
			b = e.appendQuantisation(b, i, len(e.tile.comps))
		}
	}
	return b
}

// magnitudes is how Ccap15 tells the bits of magnitudes (T.814 A.3).
func magnitudes(planes int) uint16 {
	switch {
	case planes <= 8:
		return 0
	case planes < 28:
		return uint16(planes - 8)
	}
	return uint16(min(13+planes>>2, 31))
}

// appendQuantisation writes QCD, or QCC when there are components to tell
// apart.
func (e *encoder) appendQuantisation(b []byte, i, components int) []byte {
	c := &e.tile.comps[i]
	code, index := uint16(mQCD), []byte(nil)
	switch {
	case components > 256:
		code, index = mQCC, []byte{byte(i >> 8), byte(i)}
	case components > 0:
		code, index = mQCC, []byte{byte(i)}
	}
	b = binary.BigEndian.AppendUint16(b, code)
	b = binary.BigEndian.AppendUint16(b, uint16(3+len(index)+c.count))
	b = append(b, index...)
	b = append(b, guardBits<<5)
	for k := range c.count {
		b = append(b, c.exponents[k]<<3)
	}
	return b
}

// appendTLM writes the lengths of all tile-parts (T.800 A.7.1).
func appendTLM(b []byte, sizes []int) []byte {
	b = binary.BigEndian.AppendUint16(b, mTLM)
	b = binary.BigEndian.AppendUint16(b, uint16(4+6*len(sizes)))
	b = append(b, 0, 0x60) // tile numbers of 16 bits, lengths of 32
	for _, n := range sizes {
		b = binary.BigEndian.AppendUint16(b, 0)
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// tilePartHead writes SOT, whose length and numbers are still to be filled in,
// PLT (T.800 A.7.3) and SOD.
func tilePartHead(packets []int) []byte {
	b := make([]byte, 12, 32+3*len(packets))
	binary.BigEndian.PutUint16(b, mSOT)
	binary.BigEndian.PutUint16(b[2:], 10)
	for index := 0; len(packets) > 0 && index < 256; index++ {
		start := len(b)
		b = binary.BigEndian.AppendUint16(b, mPLT)
		b = append(b, 0, 0, byte(index))
		for len(packets) > 0 && len(b)-start < 65500 {
			n := packets[0]
			packets = packets[1:]
			for shift := 28; shift > 0; shift -= 7 {
				if n>>shift != 0 {
					b = append(b, byte(n>>shift)|0x80)
				}
			}
			b = append(b, byte(n&0x7F))
		}
		binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start-2))
	}
	return binary.BigEndian.AppendUint16(b, mSOD)
}

// headerWriter writes the bits of packet headers (T.800 B.10.1).
type headerWriter struct {
	b    []byte
	hold uint
	left int // free bits of hold
	on   bool
}

func (w *headerWriter) bits(v uint, n int) {
	if !w.on {
		w.on, w.left = true, 8
	}
	for n--; n >= 0; n-- {
		w.left--
		w.hold |= v >> n & 1 << w.left
		if w.left == 0 {
			w.b = append(w.b, byte(w.hold))
			w.left = 8
			if w.hold == 0xFF {
				w.left = 7
			}
			w.hold = 0
		}
	}
}

// passes writes a number of new coding passes (T.800 table B.4).
func (w *headerWriter) passes(n int) {
	switch {
	case n == 1:
		w.bits(0, 1)
	case n == 2:
		w.bits(2, 2)
	case n < 6:
		w.bits(3<<2|uint(n-3), 4)
	case n < 37:
		w.bits(15<<5|uint(n-6), 9)
	default:
		w.bits(511<<7|uint(n-37), 16)
	}
}

func (w *headerWriter) flush() {
	// A byte of all ones is followed by one that begins with the stuffed zero.
	if w.left < 8 {
		w.b = append(w.b, byte(w.hold))
	}
}

// tagWriter is the writing side of tagTree.
type tagWriter struct {
	leaves []int32
	levels []tagWriterLevel
}

type tagWriterLevel struct {
	width, height int
	values        []int32
	low           []int32
	known         []bool
}

func newTagWriter(w, h int) *tagWriter {
	t := &tagWriter{}
	for {
		t.levels = append(t.levels, tagWriterLevel{w, h, make([]int32, w*h), make([]int32, w*h), make([]bool, w*h)})
		if w*h <= 1 {
			break
		}
		w, h = (w+1)/2, (h+1)/2
	}
	t.leaves = t.levels[0].values
	return t
}

// spread gives each node the minimum of its children.
func (t *tagWriter) spread() {
	for k := 1; k < len(t.levels); k++ {
		below, l := &t.levels[k-1], &t.levels[k]
		for i := range l.values {
			l.values[i] = 1 << 30
		}
		for y := range below.height {
			for x := range below.width {
				i := y/2*l.width + x/2
				l.values[i] = min(l.values[i], below.values[y*below.width+x])
			}
		}
	}
}

// write tells whether the value of leaf x, y is less than threshold, and which
// it is if so.
func (t *tagWriter) write(w *headerWriter, x, y int, threshold int32) {
	low := int32(0)
	for k := len(t.levels) - 1; k >= 0; k-- {
		l := &t.levels[k]
		i := y>>k*l.width + x>>k
		low = max(low, l.low[i])
		for low < threshold {
			if low >= l.values[i] {
				if !l.known[i] {
					w.bits(1, 1)
					l.known[i] = true
				}
				break
			}
			w.bits(0, 1)
			low++
		}
		l.low[i] = low
	}
}
