package jpeg2000

import "math/bits"

// mqWriter is the arithmetic encoder (T.800 C.2), with the contexts and tables
// of the decoder.
type mqWriter struct {
	b     []byte // the first is none of the code, but what comes before it
	a, c  uint32
	ct    uint // shifts until a byte is due
	state mq   // its contexts
}

// start begins a segment (T.800 figure C.10) with all contexts as they are at
// first.
func (q *mqWriter) start() {
	q.b = append(q.b[:0], 0)
	q.a, q.c, q.ct = 0x8000, 0, 12
	q.state.reset()
}

// code codes decisions, each a context times two plus the symbol (T.800
// figures C.4 to C.8). A pass makes all of its decisions first, so that the
// registers stay registers here.
func (q *mqWriter) code(decisions []byte) {
	a, c, ct := q.a, q.c, q.ct
	cx := &q.state.cx
	for _, v := range decisions {
		k := v >> 1 & 31
		s := cx[k]
		qe := uint32(s >> mqScale)
		a -= qe
		less := (uint32(s) ^ uint32(v)) & 1
		if a&^(less<<15)&0x8000 != 0 { // the more probable one, and no shift
			c += qe
			continue
		}
		// Which part of the interval it is cannot be foreseen, so a mask does what
		// branches would: the upper one is the more probable symbol's, unless it has
		// become the smaller one.
		upper := ((a-qe)>>31 ^ less) - 1
		c += qe & upper
		a = a&upper | qe&^upper
		cx[k] = mqNext[less][s&127]
		n := uint(bits.LeadingZeros32(a) - 16)
		a <<= n & 31
		for n >= ct {
			c <<= ct & 31
			n -= ct
			c, ct = q.byte(c)
		}
		c <<= n & 31
		ct -= n
	}
	q.a, q.c, q.ct = a, c, ct
}

// byte puts out the highest bits of c (T.800 figure C.9): seven after a byte of
// all ones, so that a carry stops there. It returns the rest and how many
// shifts it is to the next byte.
func (q *mqWriter) byte(c uint32) (uint32, uint) {
	last := &q.b[len(q.b)-1]
	if *last != 0xFF && c >= 1<<27 {
		*last++ // the carry
		c &= 1<<27 - 1
	}
	if *last == 0xFF {
		q.b = append(q.b, byte(c>>20))
		return c & (1<<20 - 1), 7
	}
	q.b = append(q.b, byte(c>>19))
	return c & (1<<19 - 1), 8
}

// finish ends the segment (T.800 figure C.11) and returns it.
func (q *mqWriter) finish() []byte {
	end := q.c + q.a
	q.c |= 0xFFFF
	if q.c >= end {
		q.c -= 0x8000
	}
	for range 2 {
		q.c, q.ct = q.byte(q.c << q.ct)
	}
	if q.b[len(q.b)-1] == 0xFF { // decoders take what is missing for ones
		q.b = q.b[:len(q.b)-1]
	}
	return q.b[1:]
}
