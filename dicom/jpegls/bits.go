package jpegls

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// reader takes bits out of one entropy-coded segment. After a byte FF only
// seven bits of the next belong to the data (T.87 A.1, C.2.1).
type reader struct {
	data   []byte // the segment: each FF in it is followed by less than 80
	pos    int
	safe   int    // no FF in data[pos:safe]
	acc    uint64 // next bits, from the most significant
	n      int    // how many of acc are valid; those below may be set to what follows
	padded int    // bits of acc beyond the end of the segment
}

func newReader(segment []byte) reader {
	r := reader{data: segment}
	r.findFF()
	return r
}

func (r *reader) findFF() {
	r.safe = len(r.data)
	if i := bytes.IndexByte(r.data[r.pos:], 0xFF); i >= 0 {
		r.safe = r.pos + i
	}
}

// fill brings at least 50 bits into acc, zeros when the segment is over.
func (r *reader) fill() {
	if r.pos+8 <= r.safe {
		r.acc |= binary.BigEndian.Uint64(r.data[r.pos:]) >> uint(r.n)
		k := (63 - r.n) >> 3
		r.pos += k
		r.n += 8 * k
		return
	}
	for r.n <= 49 {
		if r.pos >= len(r.data) {
			// What the fast way left below the valid bits is part of them by now.
			r.padded += 64 - r.n
			r.n = 64
			return
		}
		b := r.data[r.pos]
		r.acc |= uint64(b) << uint(56-r.n)
		r.n += 8
		r.pos++
		if b != 0xFF {
			continue
		}
		if r.pos < len(r.data) {
			r.acc |= uint64(r.data[r.pos]&0x7F) << uint(57-r.n)
			r.n += 7
			r.pos++
		}
		r.findFF()
	}
}

// over reports whether more bits were taken than there are.
func (r *reader) over() bool { return r.padded > r.n }

// cause is the error behind bits that make no sense.
func (r *reader) cause() error {
	if r.over() {
		return ErrTruncated
	}
	return ErrCorrupt
}

func (r *reader) bit() bool {
	if r.n < 1 {
		r.fill()
	}
	b := r.acc>>63 != 0
	r.acc <<= 1
	r.n--
	return b
}

// bits takes k bits, at most 32.
func (r *reader) bits(k int) int {
	if r.n < k {
		r.fill()
	}
	v := int(r.acc >> uint(64-k))
	r.acc <<= uint(k)
	r.n -= k
	return v
}

// value takes one Golomb-coded value (T.87 A.5.3); ok is false when there is
// none.
func (r *reader) value(k, limit, qbpp int) (v int, ok bool) {
	escape := limit - qbpp - 1
	zeros := 0
	for {
		z := bits.LeadingZeros64(r.acc)
		if z < r.n {
			zeros += z
			r.acc <<= uint(z + 1)
			r.n -= z + 1
			break
		}
		zeros += r.n
		r.acc <<= uint(r.n)
		r.n = 0
		if zeros > escape {
			return 0, false
		}
		r.fill()
	}
	switch {
	case zeros > escape:
		return 0, false
	case zeros == escape:
		return r.bits(qbpp) + 1, true
	}
	return zeros<<uint(k) | r.bits(k), true
}
