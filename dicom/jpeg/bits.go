package jpeg

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// reader takes bits out of one entropy-coded segment freed of its stuffing.
type reader struct {
	data []byte // with at least 8 bytes of nothing behind size
	size int
	pos  int
	acc  uint64 // next bits, from the most significant
	n    int    // how many of acc are valid; those below are what follows
}

// padding is how many zeros unstuff puts behind a segment.
const padding = 16

// segmentEnd is the length of the entropy-coded segment that b begins with: up
// to a byte FF with other than zero behind it (T.81 B.1.1.5).
func segmentEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], 0xFF)
		if i < 0 {
			return len(b)
		}
		if at += i; at+1 == len(b) || b[at+1] != 0 {
			return at
		}
		at += 2
	}
}

// unstuff appends segment to into[:0] without the zeros behind each FF.
func unstuff(into, segment []byte) []byte {
	out := into[:0]
	for {
		i := bytes.IndexByte(segment, 0xFF)
		if i < 0 {
			break
		}
		out = append(out, segment[:i+1]...)
		segment = segment[min(i+2, len(segment)):]
	}
	out = append(out, segment...)
	return append(out, make([]byte, padding)...)
}

// entropy gives a reader of the next entropy-coded segment, the part-th of the
// scan, and steps over it.
func (d *decoder) entropy(part int) (reader, error) {
	if part > 0 {
		for d.at+1 < len(d.data) && d.data[d.at] == 0xFF && d.data[d.at+1] == 0xFF {
			d.at++
		}
		if d.at+2 > len(d.data) {
			return reader{}, fmt.Errorf("restart interval %d: %w", part, ErrTruncated)
		}
		if d.data[d.at] != 0xFF || d.data[d.at+1] != byte(markRST0+(part-1)%8) {
			return reader{}, fmt.Errorf("no restart marker %d at byte %d: %w", (part-1)%8, d.at, ErrCorrupt)
		}
		d.at += 2
	}
	n := segmentEnd(d.data[d.at:])
	d.clean = unstuff(d.clean, d.data[d.at:d.at+n])
	d.at += n
	return reader{data: d.clean, size: len(d.clean) - padding}, nil
}

// fill brings at least 56 bits into acc, zeros when the segment is over.
func (r *reader) fill() {
	if r.pos+8 <= len(r.data) {
		r.acc |= binary.BigEndian.Uint64(r.data[r.pos:]) >> uint(r.n&63)
		k := (63 - r.n) >> 3
		r.pos += k
		r.n += 8 * k
		return
	}
	k := (63 - r.n) >> 3
	r.pos += k
	r.n += 8 * k
}

// over reports whether more bits were taken than there are.
func (r *reader) over() bool { return 8*r.pos-r.n > 8*r.size }

// cause is the error behind bits that make no sense.
func (r *reader) cause() error {
	if r.over() {
		return ErrTruncated
	}
	return ErrCorrupt
}

// skip drops k valid bits.
func (r *reader) skip(k int) {
	r.acc <<= uint(k)
	r.n -= k
}

// bits takes k bits, at most 16.
func (r *reader) bits(k int) int {
	if r.n < k {
		r.fill()
	}
	v := int(r.acc >> 1 >> uint(63-k))
	r.skip(k)
	return v
}

// symbol takes a code; -1 when the bits are none.
func (r *reader) symbol(h *huffman) int {
	if r.n < 16 {
		r.fill()
	}
	if e := h.look[r.acc>>(64-lookBits)]; e != 0 {
		r.skip(int(e & 255))
		return int(e >> 8)
	}
	return r.longSymbol(h)
}

// longSymbol takes a code of more than lookBits bits.
func (r *reader) longSymbol(h *huffman) int {
	code := int32(r.acc >> 48)
	length := lookBits + 1
	for code >= h.limit[length] {
		length++
	}
	if length > 16 {
		return -1
	}
	r.skip(length)
	return int(h.symbols[(code>>(16-length)+h.base[length])&255])
}

// value takes the size bits behind a code.
func (r *reader) value(size int) int {
	if size == 0 {
		return 0
	}
	return extend(r.bits(size), size)
}
