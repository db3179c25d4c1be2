package jpeg2000

import "math/bits"

// htCodes gives, for the first row of quads and for the others, by context
// (3 bits), rho and the pattern of greatest exponents (4 bits each), the code
// word to write:
//
//	bits 0..2 length, 3..9 word, 10..13 e_k
var htCodes [2][2048]uint16

func init() {
	for i, list := range [][]uint32{vlcFirst[:], vlcLater[:]} {
		best := [2048]int{}
		for _, v := range list {
			context, rho, off, ek, e1 := v>>23, v>>19&15, v>>18&1, v>>14&15, v>>10&15
			for pattern := range uint32(16) {
				if off != min(pattern, 1) || pattern&ek != e1 {
					continue
				}
				// Of several the one that says most saves most bits later.
				at := context<<8 | rho<<4 | pattern
				if score := 1 + bits.OnesCount32(ek); score > best[at] {
					best[at] = score
					htCodes[i][at] = uint16(v&7 | v>>3&127<<3 | ek<<10)
				}
			}
		}
	}
}

// blockEncoder codes code-blocks with one HT cleanup pass each (T.814 clause
// 7.3, run the other way).
type blockEncoder struct {
	out  []byte // coded blocks, one after the other
	mel  melWriter
	vlc  [4096]byte // written from the end
	line [2][1024 + 8]uint32
	rho  [2][512 + 8]uint8
	zero [1024 + 8]int32
}

// encode appends the coded block of w×h coefficients to e.out; nothing when
// all are zero.
func (e *blockEncoder) encode(in []int32, stride, w, h int) {
	any := int32(0)
	for y := range h {
		for _, v := range in[y*stride : y*stride+w] {
			any |= v
		}
	}
	if any == 0 {
		return
	}
	qw := (w + 1) / 2
	start := len(e.out)
	e.mel.start()
	v := vlcWriter{at: len(e.vlc) - 1, hold: 0xF, n: 4, high: true}
	var m magnitudeWriter
	clear(e.line[0][:2*qw+4])
	clear(e.rho[0][:qw+3])
	e.line[1][0], e.rho[1][0] = 0, 0
	codes := &htCodes[0]
	for y := 0; y < h; y += 2 {
		i := y >> 1 & 1
		up, line := e.line[i][:2*qw+4], e.line[i^1][:2*qw+4]
		above, rhos := e.rho[i][:qw+3], e.rho[i^1][:qw+3]
		top := in[y*stride : y*stride+w]
		bottom := e.zero[:w]
		if y+1 < h {
			bottom = in[(y+1)*stride : (y+1)*stride+w]
		}
		left := uint32(0)
		var pair [2]uint32
		for q := range qw {
			x := 2 * q
			var s [4]uint32 // 2(magnitude-1) + sign
			rho := uint32(0)
			if c := top[x]; c != 0 {
				s[0] = signed(c)
				rho |= 1
			}
			low0, low1 := uint32(0), uint32(0)
			if c := bottom[x]; c != 0 {
				s[1] = signed(c)
				low0 = s[1] | 1
				rho |= 2
			}
			if x+1 < w {
				if c := top[x+1]; c != 0 {
					s[2] = signed(c)
					rho |= 4
				}
				if c := bottom[x+1]; c != 0 {
					s[3] = signed(c)
					low1 = s[3] | 1
					rho |= 8
				}
			}
			line[x+1], line[x+2] = low0, low1
			rhos[q+1] = uint8(rho)
			var c uint32
			if y == 0 {
				c = (left|left>>1)&1 | left>>1&6
			} else {
				c = uint32(above[q]>>3|above[q+1]>>1)&1 | (left>>2|left>>3)&1<<1 | uint32(above[q+1]>>3|above[q+2]>>1)&1<<2
			}
			left = rho
			if c == 0 {
				e.mel.event(rho != 0)
			}
			u := uint32(0)
			if rho != 0 {
				greatest := uint32(bits.Len32(s[0] | s[1] | s[2] | s[3] | 1))
				kappa := uint32(1)
				if rho&(rho-1) != 0 {
					if k := uint32(bits.Len32(up[x] | up[x+1] | up[x+2] | up[x+3])); k > 2 {
						kappa = k - 1
					}
				}
				pattern := uint32(0)
				total := kappa
				if greatest > kappa {
					u, total = greatest-kappa, greatest
					half := uint32(1) << (greatest - 1)
					for n := range uint32(4) {
						if s[n]|1 >= half && rho>>n&1 != 0 {
							pattern |= 1 << n
						}
					}
				}
				code := uint32(codes[c<<8|rho<<4|pattern])
				v.hold |= uint64(code>>3&127) << v.n
				v.n += uint(code & 7)
				ek := code >> 10
				for n := range uint32(4) {
					if rho>>n&1 == 0 {
						continue
					}
					k := total - ek>>n&1
					m.hold |= uint64(s[n]&(1<<(k&31)-1)) << (m.n & 63)
					if m.n += uint(k); m.n >= 32 {
						m = e.spill(m)
					}
				}
			} else if c != 0 {
				code := uint32(codes[c<<8])
				v.hold |= uint64(code>>3&127) << v.n
				v.n += uint(code & 7)
			}
			pair[q&1] = u
			if q&1 == 1 {
				v = e.pairU(v, pair[0], pair[1], y == 0)
				pair = [2]uint32{}
			}
		}
		if qw&1 == 1 {
			v = e.pairU(v, pair[0], 0, y == 0)
		}
		line[2*qw+1], line[2*qw+2], line[2*qw+3] = 0, 0, 0
		rhos[qw+1], rhos[qw+2] = 0, 0
		codes = &htCodes[1]
	}
	e.finish(m, v, start)
}

// signed gives twice the magnitude less one, and the sign.
func signed(c int32) uint32 {
	s := c >> 31
	return uint32((c^s)-s-1)<<1 | uint32(s)&1
}

// pairU writes u of two quads (T.814 7.3.6).
func (e *blockEncoder) pairU(w vlcWriter, a, b uint32, first bool) vlcWriter {
	if a|b != 0 {
		switch {
		case first && a > 0 && b > 0 && min(a, b) > 2:
			e.mel.event(true)
			w.u(a-2, b-2)
		case first && a > 0 && b > 0:
			e.mel.event(false)
			if a <= 2 {
				w.u(a, b)
				break
			}
			pa, sa := codeU(a)
			w.put(pa>>3, pa&7)
			w.put(b-1, 1)
			w.put(sa>>3, sa&7)
		default:
			w.u(a, b)
		}
	}
	return e.drain(w)
}

func (w *vlcWriter) put(v, n uint32) {
	w.hold |= uint64(v) << w.n
	w.n += uint(n)
}

func (w *vlcWriter) u(a, b uint32) {
	pa, sa := codeU(a)
	pb, sb := codeU(b)
	w.put(pa>>3, pa&7)
	w.put(pb>>3, pb&7)
	w.put(sa>>3, sa&7)
	w.put(sb>>3, sb&7)
}

// codeU gives prefix and suffix of u (T.814 table 3), lengths in their lowest
// three bits. u does not exceed 32 here.
func codeU(u uint32) (prefix, suffix uint32) {
	switch {
	case u == 0:
		return 0, 0
	case u == 1:
		return 1<<3 | 1, 0
	case u == 2:
		return 2<<3 | 2, 0
	case u <= 4:
		return 4<<3 | 3, (u-3)<<3 | 1
	}
	return 3, (u-5)<<3 | 5
}

// finish ends the three streams and joins them (T.814 7.1).
func (e *blockEncoder) finish(m magnitudeWriter, v vlcWriter, start int) {
	m = e.spill(m)
	if m.n > 0 { // what is missing at the end is read as ones
		size := uint(8)
		if m.full {
			size = 7
		}
		if m.n < size {
			m.hold |= (1<<(size-m.n) - 1) << m.n
		}
		if b := byte(m.hold); b != 0xFF {
			e.out = append(e.out, b)
		}
		m.full = false
	}
	if m.full && len(e.out) > start {
		e.out = e.out[:len(e.out)-1]
	}
	e.mel.finish()
	v = e.drain(v)
	if v.n > 0 {
		v.at--
		e.vlc[v.at&4095] = byte(v.hold)
	}
	tail := e.vlc[v.at : len(e.vlc)-1]
	e.out = append(append(e.out, e.mel.b...), tail...)
	suffix := len(e.mel.b) + len(tail) + 1
	last := len(e.out) - 1
	e.out[last] = e.out[last]&0xF0 | byte(suffix&15)
	e.out = append(e.out, byte(suffix>>4))
}
