package jpeg

import "encoding/binary"

// writer puts bits into a stream and a zero byte behind each byte FF (T.81
// F.1.2.3).
type writer struct {
	out []byte
	acc uint64 // the last n bits put, not yet in out
	n   int
}

// line writes the differences of a line, a table for each component.
func (w *writer) line(diffs []uint16, tables []code) {
	for i := 0; i+len(tables) <= len(diffs); i += len(tables) {
		for c := range tables {
			d := diffs[i+c]
			size := category(d)
			t := &tables[c]
			w.put(uint64(t.bits[size]), t.lengths[size])
			if size < 16 {
				v := int32(int16(d))
				w.put(uint64(uint32(v+v>>31)&(1<<size-1)), size)
			}
		}
	}
}

// put appends the k low bits of v, which has no others; k is at most 32.
func (w *writer) put(v uint64, k int) {
	w.acc = w.acc<<uint(k&63) | v
	w.n += k
	if w.n >= 32 {
		w.drain()
	}
}

// drain writes four bytes, at once when none of them is FF.
func (w *writer) drain() {
	w.n -= 32
	word := uint32(w.acc >> uint(w.n&63))
	if (^word-0x01010101)&word&0x80808080 == 0 {
		w.out = binary.BigEndian.AppendUint32(w.out, word)
		return
	}
	for shift := 24; shift >= 0; shift -= 8 {
		w.byte(byte(word >> shift))
	}
}

func (w *writer) byte(b byte) {
	w.out = append(w.out, b)
	if b == 0xFF {
		w.out = append(w.out, 0)
	}
}

// finish pads the last byte with ones.
func (w *writer) finish() {
	for ; w.n >= 8; w.n -= 8 {
		w.byte(byte(w.acc >> uint(w.n-8)))
	}
	if w.n > 0 {
		w.byte(byte(w.acc<<uint(8-w.n)) | byte(1<<uint(8-w.n)-1))
	}
	w.acc, w.n = 0, 0
}
