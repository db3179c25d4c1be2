package jpeg2000

import "math/bits"

// htDecoder holds what decoding an HT code-block (T.814 clause 7) needs beside
// the samples.
type htDecoder struct {
	mel melReader
	vlc backward
	// Of each quad, with a border on all sides but below:
	// bits 0..3 rho, 4 u_off, 5..8 e_k, 9..12 e_1, 16.. u.
	quads [2560]uint32
	// Magnitude bits of the lower samples of a row of quads and of the one
	// above it, with a border.
	line [2][1024 + 8]uint32
}

// decodeHT decodes an HT code-block into d.values.
func (d *blockDecoder) decodeHT(b *block, planes int, causal bool) error {
	d.w, d.h = b.width(), b.height()
	if len(b.segments) == 0 {
		d.clearValues()
		return nil
	}
	// Of several HT sets the last that is there counts; each begins a plane
	// further down than the one before, as do placeholder passes.
	set := (len(b.segments) - 1) / 2 * 2
	for set > 0 && len(b.segments[set].data) == 0 {
		set -= 2
	}
	cup := b.segments[set].data
	if len(cup) == 0 {
		d.clearValues()
		return nil
	}
	p := planes - 1 - b.zero - (b.segments[0].max-1)/3 - set/2
	if p < 0 {
		return corrupt("HT code-block with %d of %d planes empty", planes-p-1, planes)
	}
	if p+2 > maxPlanes {
		return unsupportedPlanes(p + 2)
	}
	if len(cup) < 2 {
		return corrupt("HT cleanup segment of one byte")
	}
	suffix := int(cup[len(cup)-1])<<4 | int(cup[len(cup)-2]&15)
	if suffix < 2 || suffix > len(cup) || suffix > 4079 {
		return corrupt("HT cleanup segment of %d bytes, %d of them suffix", len(cup), suffix)
	}
	if err := d.cleanupVLC(cup[len(cup)-suffix:]); err != nil {
		return err
	}
	if err := d.cleanupMagnitudes(cup[:len(cup)-suffix], uint(p), min(planes+1, maxPlanes)-p); err != nil {
		return err
	}
	if set+1 < len(b.segments) {
		s := &b.segments[set+1]
		if p == 0 {
			return corrupt("HT refinement below the last plane")
		}
		d.causal = causal
		d.refineHT(s.data, uint(p-1), s.passes)
	}
	return nil
}

func (d *blockDecoder) clearValues() { clear(d.values[:4*d.w*((d.h+3)/4)]) }

// cleanupVLC decodes significance patterns and u of all quads (T.814 7.3.3 to
// 7.3.6).
func (d *blockDecoder) cleanupVLC(suffix []byte) error {
	h := &d.ht
	qw, qh := (d.w+1)/2, (d.h+1)/2
	stride := qw + 3
	clear(h.quads[:stride])
	h.mel.start(suffix)
	hold, n := h.vlc.startVLC(suffix)
	first := true
	words := &htWords[0]
	for y := range qh {
		above := h.quads[y*stride : (y+1)*stride]
		row := h.quads[(y+1)*stride : (y+2)*stride]
		above = above[:len(row)]
		row[0] = 0
		left := uint32(0)
		for q := 1; q <= qw; q += 2 {
			if n <= 32 {
				hold, n = h.vlc.fill(hold, n)
			}
			var c uint32
			if first {
				c = (left|left>>1)&1 | left>>1&6
			} else {
				c = (above[q-1]>>3|above[q]>>1)&1 | (left>>2|left>>3)&1<<1 | (above[q]>>3|above[q+1]>>1)&1<<2
			}
			var a, b uint32
			if c != 0 || h.mel.event() {
				a = uint32(words[c<<7|uint32(hold&127)])
				hold >>= a & 7
				n -= uint(a & 7)
				a >>= 3
			}
			left = a & 15
			if q+1 <= qw {
				if first {
					c = (left|left>>1)&1 | left>>1&6
				} else {
					c = (above[q]>>3|above[q+1]>>1)&1 | (left>>2|left>>3)&1<<1 | (above[q+1]>>3|above[q+2]>>1)&1<<2
				}
				if c != 0 || h.mel.event() {
					b = uint32(words[c<<7|uint32(hold&127)])
					hold >>= b & 7
					n -= uint(b & 7)
					b >>= 3
				}
				left = b & 15
			} else {
				left = 0
			}
			if (a|b)&16 != 0 {
				if n <= 32 {
					hold, n = h.vlc.fill(hold, n)
				}
				var used uint
				var ua, ub uint32
				ua, ub, used = h.pairU(hold, a>>4&1, b>>4&1, first)
				hold >>= used
				n -= used
				a |= ua << 16
				b |= ub << 16
			}
			row[q], row[q+1] = a, b
		}
		row[qw+1], row[qw+2] = 0, 0
		first = false
		words = &htWords[1]
	}
	return nil
}

// pairU decodes u of two quads (T.814 7.3.6) and tells how many bits it took.
func (h *htDecoder) pairU(hold uint64, offA, offB uint32, first bool) (a, b uint32, used uint) {
	add := uint32(0)
	total := uint(0)
	if offA&offB != 0 && first {
		if h.mel.event() {
			add = 2
		} else if p := uint32(htPrefix[hold&7]); p&3 > 2 {
			// The first is large, so the second is 1 or 2 in one bit.
			hold >>= 3
			b = uint32(hold&1) + 1
			a, total = suffixU(hold>>1, p)
			return a, b, total + 4
		}
	}
	var pa, pb uint32
	if offA != 0 {
		pa = uint32(htPrefix[hold&7])
		hold >>= pa & 3
		total += uint(pa & 3)
	}
	if offB != 0 {
		pb = uint32(htPrefix[hold&7])
		hold >>= pb & 3
		total += uint(pb & 3)
	}
	if (pa|pb)>>2&7 == 0 {
		a, b = pa>>5, pb>>5
	} else {
		sa, sb := pa>>2&7, pb>>2&7
		a = pa>>5 + uint32(hold)&(1<<sa-1)
		hold >>= sa
		b = pb>>5 + uint32(hold)&(1<<sb-1)
		hold >>= sb
		total += uint(sa + sb)
		if a >= 33 {
			a += uint32(hold&15) * 4
			hold >>= 4
			total += 4
		}
		if b >= 33 {
			b += uint32(hold&15) * 4
			total += 4
		}
	}
	if offA != 0 {
		a += add
	}
	if offB != 0 {
		b += add
	}
	return a, b, total
}

// suffixU decodes what follows a prefix.
func suffixU(hold uint64, prefix uint32) (u uint32, used uint) {
	n := prefix >> 2 & 7
	u = prefix>>5 + uint32(hold)&(1<<n-1)
	used = uint(n)
	if u >= 33 {
		u += uint32(hold>>n&15) * 4
		used += 4
	}
	return u, used
}

// cleanupMagnitudes decodes signs and magnitudes (T.814 7.3.2, 7.3.7, 7.3.8) and
// gives values in plane p. At most limit bits may a magnitude have.
func (d *blockDecoder) cleanupMagnitudes(data []byte, p uint, limit int) error {
	h := &d.ht
	qw, qh := (d.w+1)/2, (d.h+1)/2
	stride := qw + 3
	in := forward{data: data, tail: 0xFF}
	var hold uint64
	var n uint
	clear(h.line[0][:2*qw+4])
	clear(h.line[1][:2*qw+4])
	worst := uint32(0)
	for y := range qh {
		quads := h.quads[(y+1)*stride+1 : (y+1)*stride+1+qw]
		up, line := h.line[y&1][:2*qw+4], h.line[y&1^1][:2*qw+4]
		values := d.values[(y>>1)*4*d.w+y&1*2:]
		for q, quad := range quads {
			v := values[8*q : 8*q+6 : 8*q+6]
			if quad&15 == 0 {
				v[0], v[1], v[4], v[5] = 0, 0, 0, 0
				line[2*q+1], line[2*q+2] = 0, 0
				continue
			}
			u := quad>>16 + 1
			if quad&15&(quad&15-1) != 0 {
				if e := uint32(bits.Len32(up[2*q] | up[2*q+1] | up[2*q+2] | up[2*q+3])); e > 2 {
					u += e - 2
				}
			}
			worst = max(worst, u)
			u &= 31
			if n <= 32 {
				hold, n = in.fill(hold, n)
			}
			v[0] = 0
			if quad&1 != 0 {
				m := u - quad>>5&1
				s := uint32(hold)&(1<<(m&31)-1) | quad>>9&1<<(m&31)
				hold >>= m & 63
				n -= uint(m)
				v[0] = s<<31 | (s|1+2)<<p
			}
			var low uint32
			v[1] = 0
			if quad&2 != 0 {
				if n <= 32 {
					hold, n = in.fill(hold, n)
				}
				m := u - quad>>6&1
				low = uint32(hold)&(1<<(m&31)-1) | quad>>10&1<<(m&31)
				hold >>= m & 63
				n -= uint(m)
				v[1] = low<<31 | (low|1+2)<<p
				low |= 1
			}
			line[2*q+1] = low
			v[4] = 0
			if quad&4 != 0 {
				if n <= 32 {
					hold, n = in.fill(hold, n)
				}
				m := u - quad>>7&1
				s := uint32(hold)&(1<<(m&31)-1) | quad>>11&1<<(m&31)
				hold >>= m & 63
				n -= uint(m)
				v[4] = s<<31 | (s|1+2)<<p
			}
			low = 0
			v[5] = 0
			if quad&8 != 0 {
				if n <= 32 {
					hold, n = in.fill(hold, n)
				}
				m := u - quad>>8&1
				low = uint32(hold)&(1<<(m&31)-1) | quad>>12&1<<(m&31)
				hold >>= m & 63
				n -= uint(m)
				v[5] = low<<31 | (low|1+2)<<p
				low |= 1
			}
			line[2*q+2] = low
		}
	}
	if int(worst) > limit {
		return corrupt("HT magnitude of %d bits, %d expected", worst, limit)
	}
	return nil
}
