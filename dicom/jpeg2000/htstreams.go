package jpeg2000

import "encoding/binary"

// melReader reads the adaptive run lengths of T.814 7.1.3 and 7.3.3.
type melReader struct {
	data []byte // from its first byte to the end of the cleanup segment
	at   int
	hold uint
	left uint
	k    int
	run  int // twice the zeros to come, and one more when a one follows them
}

func (m *melReader) start(data []byte) {
	*m = melReader{data: data}
	m.run = m.next()
}

// event decodes one symbol.
func (m *melReader) event() bool {
	m.run -= 2
	one := m.run == -1
	if m.run < 0 {
		m.run = m.next()
	}
	return one
}

func (m *melReader) bit() uint {
	if m.left == 0 {
		m.left = 8
		if m.hold == 0xFF {
			m.left = 7
		}
		m.hold = 0xFF
		if n := len(m.data); m.at < n-1 { // the last byte belongs to the length
			m.hold = uint(m.data[m.at])
			if m.at == n-2 {
				m.hold |= 0x0F
			}
		}
		m.at++
	}
	m.left--
	return m.hold >> m.left & 1
}

func (m *melReader) next() int {
	e := melExponents[m.k]
	if m.bit() == 1 {
		m.k = min(m.k+1, 12)
		return (1<<e - 1) << 1
	}
	run := 0
	for range e {
		run = run<<1 | int(m.bit())
	}
	m.k = max(m.k-1, 0)
	return run<<1 | 1
}

// backward reads bits from the end of its bytes towards their beginning, the
// lowest first (T.814 7.1.4, 7.1.6): the VLC stream and that of magnitude
// refinement.
type backward struct {
	data []byte
	at   int // of the next byte
	high bool
}

// fill adds bits to those that are held, until there are more than 32. Past
// the end there are zeros.
func (r *backward) fill(hold uint64, n uint) (uint64, uint) {
	for n <= 32 {
		if r.at >= 3 {
			v := binary.BigEndian.Uint32(r.data[r.at-3:])
			if (^v&0x7F7F7F7F-0x01010101)&0x80808080 == 0 {
				hold |= uint64(v) << n
				n += 32
				r.at -= 4
				r.high = v>>24 > 0x8F
				continue
			}
		}
		b := byte(0)
		if r.at >= 0 {
			b = r.data[r.at]
			r.at--
		}
		hold |= uint64(b) << n
		if n += 8; r.high && b&0x7F == 0x7F {
			n--
			hold &= 1<<n - 1
		}
		r.high = b > 0x8F
	}
	return hold, n
}

// startVLC begins with the upper half of the last byte but one.
func (r *backward) startVLC(data []byte) (hold uint64, n uint) {
	last := data[len(data)-2]
	r.data, r.at, r.high = data, len(data)-3, last|0x0F > 0x8F
	hold, n = uint64(last>>4), 4
	if hold&7 == 7 {
		hold, n = 7, 3
	}
	return hold, n
}

// forward reads bits from the beginning on, the lowest first (T.814 7.1.2,
// 7.1.5): the MagSgn stream and that of significance propagation.
type forward struct {
	data []byte
	at   int
	full bool // the byte before was all ones
	tail byte // what follows the end
}

// fill adds bits to those that are held, until there are more than 32.
func (r *forward) fill(hold uint64, n uint) (uint64, uint) {
	for n <= 32 {
		if r.at+4 <= len(r.data) && !r.full {
			v := binary.LittleEndian.Uint32(r.data[r.at:])
			if (^v-0x01010101)&v&0x80808080 == 0 {
				hold |= uint64(v) << n
				n += 32
				r.at += 4
				continue
			}
		}
		b := r.tail
		if r.at < len(r.data) {
			b = r.data[r.at]
			r.at++
		}
		if r.full {
			hold |= uint64(b&0x7F) << n
			n += 7
		} else {
			hold |= uint64(b) << n
			n += 8
		}
		r.full = b == 0xFF
	}
	return hold, n
}
