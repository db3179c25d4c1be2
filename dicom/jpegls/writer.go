package jpegls

import "encoding/binary"

// writer puts bits into a stream and a zero bit behind each byte FF (T.87
// C.2.1).
type writer struct {
	out []byte
	acc uint64 // the last n bits put, not yet in out
	n   int
	ff  bool // the last byte of out is FF
}

// put appends the k low bits of v, which has no others; k is at most 32.
func (w *writer) put(v uint64, k int) {
	w.acc = w.acc<<uint(k&63) | v
	w.n += k
	if w.n >= 32 {
		w.drain()
	}
}

// drain writes whole bytes until less than 32 bits are left: four at once when
// none of them is FF.
func (w *writer) drain() {
	if !w.ff {
		word := uint32(w.acc >> uint(w.n-32))
		if inverse := ^word; (inverse-0x01010101)&word&0x80808080 == 0 {
			w.out = binary.BigEndian.AppendUint32(w.out, word)
			w.n -= 32
			return
		}
	}
	for w.n >= 32 {
		w.byte()
	}
}

// byte writes the next byte; there are 8 bits at least.
func (w *writer) byte() {
	k := 8
	if w.ff {
		k = 7
	}
	w.n -= k
	b := byte(w.acc>>uint(w.n)) & (1<<k - 1)
	w.out = append(w.out, b)
	w.ff = b == 0xFF
}

// value puts a Golomb-coded value (T.87 A.5.3).
func (w *writer) value(mapped, k, limit, qbpp int) {
	zeros, escape := mapped>>uint(k), limit-qbpp-1
	if zeros < escape {
		w.zeros(zeros)
		w.put(1<<uint(k)|uint64(mapped)&(1<<uint(k)-1), k+1)
		return
	}
	w.zeros(escape)
	w.put(1<<uint(qbpp)|uint64(mapped-1)&(1<<uint(qbpp)-1), qbpp+1)
}

func (w *writer) zeros(n int) {
	for ; n > 24; n -= 24 {
		w.put(0, 24)
	}
	w.put(0, n)
}

// finish pads the last byte with zeros; no byte FF is the last.
func (w *writer) finish() {
	for w.n > 0 {
		need := 8
		if w.ff {
			need = 7
		}
		if w.n < need {
			w.acc <<= uint(need - w.n)
			w.n = need
		}
		w.byte()
	}
	if w.ff {
		w.out = append(w.out, 0)
		w.ff = false
	}
}
