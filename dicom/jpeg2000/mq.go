package jpeg2000

import (
	"encoding/binary"
	"math/bits"
)

// mqRow is a row of the probability table (T.800 table C.2).
type mqRow struct {
	qe       uint32
	mps, lps uint8
	exchange bool
}

var mqRows = [47]mqRow{
	{0x5601, 1, 1, true}, {0x3401, 2, 6, false}, {0x1801, 3, 9, false}, {0x0AC1, 4, 12, false},
	{0x0521, 5, 29, false}, {0x0221, 38, 33, false}, {0x5601, 7, 6, true}, {0x5401, 8, 14, false},
	{0x4801, 9, 14, false}, {0x3801, 10, 14, false}, {0x3001, 11, 17, false}, {0x2401, 12, 18, false},
	{0x1C01, 13, 20, false}, {0x1601, 29, 21, false}, {0x5601, 15, 14, true}, {0x5401, 16, 14, false},
	{0x5101, 17, 15, false}, {0x4801, 18, 16, false}, {0x3801, 19, 17, false}, {0x3401, 20, 18, false},
	{0x3001, 21, 19, false}, {0x2801, 22, 19, false}, {0x2401, 23, 20, false}, {0x2201, 24, 21, false},
	{0x1C01, 25, 22, false}, {0x1801, 26, 23, false}, {0x1601, 27, 24, false}, {0x1401, 28, 25, false},
	{0x1201, 29, 26, false}, {0x1101, 30, 27, false}, {0x0AC1, 31, 28, false}, {0x09C1, 32, 29, false},
	{0x08A1, 33, 30, false}, {0x0521, 34, 31, false}, {0x0441, 35, 32, false}, {0x02A1, 36, 33, false},
	{0x0221, 37, 34, false}, {0x0141, 38, 35, false}, {0x0111, 39, 36, false}, {0x0085, 40, 37, false},
	{0x0049, 41, 38, false}, {0x0025, 42, 39, false}, {0x0015, 43, 40, false}, {0x0009, 44, 41, false},
	{0x0005, 45, 42, false}, {0x0001, 45, 43, false}, {0x5601, 46, 46, false},
}

// The registers are scaled up so far that the interval has its highest bit in
// bit 62, and the code register 47 bits of those to come below it.
const (
	mqScale = 47
	mqHalf  = 0x8000 << mqScale // interval of 0.75
	mqQe    = 0xFFFF << mqScale // probability in the word of a context
)

// A context holds its state as one word: the probability, scaled as the
// registers are, and lowest the number of the row and the more probable
// symbol. mqNext gives the word after a renormalising more probable or less
// probable symbol, by the lowest bits of the word.
var mqNext [2][128]uint64

// mqState is the word of a row and symbol.
func mqState(row int, symbol uint64) uint64 {
	return uint64(mqRows[row].qe)<<mqScale | uint64(row)<<1 | symbol
}

func init() {
	for row, r := range mqRows {
		for s := uint64(0); s < 2; s++ {
			mqNext[0][uint64(row)<<1|s] = mqState(int(r.mps), s)
			other := s
			if r.exchange {
				other = 1 - s
			}
			mqNext[1][uint64(row)<<1|s] = mqState(int(r.lps), other)
		}
	}
}

// Contexts (T.800 table D.1 to D.5).
const (
	ctxSign = 9
	ctxMag  = 14
	ctxRun  = 17
	ctxUni  = 18
)

// mq is the arithmetic decoder (T.800 C.3). Interval and code registers are
// kept less a common slack, which the callers hold in a variable of their own:
// as long as slack minus the probability is not negative, the decision is the
// more probable symbol and nothing else changes.
type mq struct {
	a, c int64
	ct   uint // bits to come that c holds: at least 15, the longest shift
	data []byte
	at   int  // of the next byte
	full bool // the byte before it was all ones
	cx   [32]uint64
}

// reset puts all contexts into their initial states (T.800 table D.7).
func (m *mq) reset() {
	for i := range m.cx {
		m.cx[i] = mqState(0, 0)
	}
	m.cx[0] = mqState(4, 0)
	m.cx[ctxRun] = mqState(3, 0)
	m.cx[ctxUni] = mqState(46, 0)
}

// start begins a segment (T.800 figure C.20) and returns the slack.
func (m *mq) start(data []byte) int64 {
	m.data, m.at, m.full, m.ct = data, 0, false, 0
	// The first byte is 8 bits above those to come, less the 7 of the first shift.
	first := int64(0xFF)
	if len(data) > 0 {
		first, m.at, m.full = int64(data[0]), 1, data[0] == 0xFF
	}
	c := m.fill(first << mqScale)
	c <<= 7
	m.ct -= 7
	d := min(c, 0)
	m.a, m.c = mqHalf-d, c-d
	return d
}

// fill takes bytes into the code register c as long as they fit (T.800 figure
// C.19). After a byte of ones come seven bits, or a marker; from there on, and
// past the end, there are ones.
func (m *mq) fill(c int64) int64 {
	if !m.full && m.at+4 <= len(m.data) && m.ct <= mqScale-32 {
		v := binary.BigEndian.Uint32(m.data[m.at:])
		if (^v-0x01010101)&v&0x80808080 == 0 { // none of them is all ones
			m.at += 4
			m.ct += 32
			return c + int64(v)<<(mqScale-m.ct)
		}
	}
	for m.ct <= mqScale-8 {
		b := byte(0xFF)
		if m.at < len(m.data) {
			b = m.data[m.at]
		}
		switch {
		case m.full && b > 0x8F:
			m.ct += 8
			c += 0xFF << (mqScale - m.ct)
			continue
		case m.full:
			m.ct += 7
		default:
			m.ct += 8
		}
		c += int64(b) << (mqScale - m.ct)
		m.at++
		m.full = b == 0xFF
	}
	return c
}

// slow finishes a decision in context k that the slack d did not settle
// (T.800 figures C.15 to C.18) and returns symbol and new slack.
func (m *mq) slow(k uint8, d int64) (uint32, int64) {
	state := &m.cx[k&31]
	s := *state
	a, c := m.a+d, m.c+d
	qe := int64(s & mqQe)
	// Which half it is cannot be foreseen, so masks do what branches would: in
	// the lower half, where c is negative, the interval becomes qe.
	lower := c >> 63
	less := uint32((a-qe)>>63^lower) & 1
	c += qe & lower
	a ^= (a ^ qe) & lower
	*state = mqNext[less][s&127]
	n := uint(bits.LeadingZeros64(uint64(a)) - 1)
	a <<= n & 63
	c <<= n & 63
	if m.ct -= n; m.ct < 15 {
		c = m.fill(c)
	}
	d = min(c, a-mqHalf)
	m.a, m.c = a-d, c-d
	return uint32(s)&1 ^ less, d
}

// decode makes one decision; the passes do this in line.
func (m *mq) decode(k uint8, d int64) (uint32, int64) {
	s := m.cx[k&31]
	if d -= int64(s & mqQe); d >= 0 {
		return uint32(s) & 1, d
	}
	return m.slow(k, d)
}

// rawBits reads the bits of bypassed passes (T.800 D.6).
type rawBits struct {
	data []byte
	at   int
	hold byte
	left uint
}

func (r *rawBits) bit() uint32 {
	if r.left == 0 {
		r.left = 8
		if r.hold == 0xFF {
			r.left = 7
		}
		r.hold = 0xFF
		if r.at < len(r.data) {
			r.hold = r.data[r.at]
		}
		r.at++
	}
	r.left--
	return uint32(r.hold>>r.left) & 1
}
