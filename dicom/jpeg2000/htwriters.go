package jpeg2000

// melWriter is the writing side of melReader.
type melWriter struct {
	b    []byte
	hold uint
	left uint // free bits of hold
	k    int
	run  int
}

func (m *melWriter) start() { *m = melWriter{b: m.b[:0], left: 8} }

func (m *melWriter) bit(v uint) {
	m.left--
	m.hold |= v << m.left
	if m.left == 0 {
		m.b = append(m.b, byte(m.hold))
		m.left = 8
		if m.hold == 0xFF {
			m.left = 7
		}
		m.hold = 0
	}
}

func (m *melWriter) event(one bool) {
	e := melExponents[m.k]
	if !one {
		if m.run++; m.run >= 1<<e {
			m.bit(1)
			m.run = 0
			m.k = min(m.k+1, 12)
		}
		return
	}
	m.bit(0)
	for ; e > 0; e-- {
		m.bit(uint(m.run) >> (e - 1) & 1)
	}
	m.run = 0
	m.k = max(m.k-1, 0)
}

func (m *melWriter) finish() {
	if m.run > 0 {
		m.bit(1)
	}
	if m.left < 8 {
		m.b = append(m.b, byte(m.hold))
	}
}

// vlcWriter writes bits from the end of its bytes towards their beginning.
type vlcWriter struct {
	at   int // of the byte last written
	hold uint64
	n    uint
	high bool
}

func (e *blockEncoder) drain(w vlcWriter) vlcWriter {
	for w.n >= 8 {
		if w.high && w.hold&0x7F == 0x7F {
			w.at--
			e.vlc[w.at&4095] = 0x7F
			w.hold >>= 7
			w.n -= 7
			w.high = false
			continue
		}
		b := byte(w.hold)
		w.at--
		e.vlc[w.at&4095] = b
		w.hold >>= 8
		w.n -= 8
		w.high = b > 0x8F
	}
	return w
}

// magnitudeWriter writes the MagSgn stream: after a byte of all ones the next
// has seven bits.
type magnitudeWriter struct {
	hold uint64
	n    uint
	full bool
}

func (e *blockEncoder) spill(w magnitudeWriter) magnitudeWriter {
	for w.n >= 8 {
		if !w.full && w.n >= 32 {
			v := uint32(w.hold)
			if (^v-0x01010101)&v&0x80808080 == 0 {
				e.out = append(e.out, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
				w.hold >>= 32
				w.n -= 32
				continue
			}
		}
		b, k := byte(w.hold), uint(8)
		if w.full {
			b, k = b&0x7F, 7
		}
		e.out = append(e.out, b)
		w.full = b == 0xFF
		w.hold >>= k
		w.n -= k
	}
	return w
}
