package jpeg2000

// Code-blocks are coded in stripes of four rows (T.800 D.1). One word of flags
// stands for a column of a stripe:
//
//	bits 0..17  significance of the samples from one row above the stripe to
//	            one below, three a row: left neighbour, own, right neighbour
//	bits 18..23 signs of the own column, from above to below
//	bits 24..27 sample has been refined
//	bits 28..31 sample has been coded in this bit-plane
//
// Shifted right by three times its row, the lowest nine bits are a sample's
// neighbourhood, itself at bit 4.
const (
	flagSigma   = 1<<18 - 1
	flagSign    = 18
	flagRefined = 24
	flagVisited = 28
	flagAll     = 15 << flagVisited
	around      = 0x1EF // the neighbourhood without the sample
	centre      = 0x10
)

// zeroContext gives the context of significance by neighbourhood, for each
// kind of sub-band (T.800 table D.1).
var zeroContext [4][512]uint8

// signContext gives context and, in bit 7, the inversion of a sign (T.800
// tables D.2, D.3) by significance and signs of the neighbours above, left,
// right and below: four bits each.
var signContext [256]uint8

func init() {
	for n := range 512 {
		bit := func(i int) int { return n >> i & 1 }
		v, h := bit(1)+bit(7), bit(3)+bit(5)
		d := bit(0) + bit(2) + bit(6) + bit(8)
		zeroContext[0][n] = contextLL(h, v, d)
		zeroContext[1][n] = contextLL(v, h, d)
		zeroContext[2][n] = contextLL(h, v, d)
		zeroContext[3][n] = contextHH(h+v, d)
	}
	for n := range 256 {
		one := func(i int) int { return n >> i & 1 * (1 - 2*(n>>(i+4)&1)) }
		v, h := one(0)+one(3), one(1)+one(2)
		signContext[n] = contextSign(max(min(h, 1), -1), max(min(v, 1), -1))
	}
}

func contextLL(h, v, d int) uint8 {
	switch {
	case h == 2:
		return 8
	case h == 1 && v >= 1:
		return 7
	case h == 1 && d >= 1:
		return 6
	case h == 1:
		return 5
	case v == 2:
		return 4
	case v == 1:
		return 3
	}
	return uint8(min(d, 2))
}

func contextHH(hv, d int) uint8 {
	switch {
	case d >= 3:
		return 8
	case d == 2:
		return uint8(6 + min(hv, 1))
	case d == 1:
		return uint8(3 + min(hv, 2))
	}
	return uint8(min(hv, 2))
}

func contextSign(h, v int) uint8 {
	flip := uint8(0)
	if h < 0 || h == 0 && v < 0 {
		h, v, flip = -h, -v, 0x80
	}
	if h == 1 {
		return uint8(ctxSign+3+v) | flip
	}
	return uint8(ctxSign+v) | flip
}

// blockDecoder decodes code-blocks, one after the other, in buffers of its own.
type blockDecoder struct {
	mq
	raw    rawBits
	slack  int64
	w, h   int
	stride int
	causal bool
	zc     *[512]uint8
	flags  [4096]uint32 // of stripes, with a border
	// Samples, by column within stripe: sign in bit 31, below it the magnitude
	// with one more bit, for the middle of what is not known.
	values [4096 + 3*1024]uint32
	ht     htDecoder
}

const maxPlanes = 30 // that values hold

// decodeMQ decodes a code-block of Annex D into d.values.
func (d *blockDecoder) decodeMQ(b *block, kind, planes int, style byte) error {
	d.w, d.h = b.width(), b.height()
	d.stride = d.w + 2
	stripes := (d.h + 3) / 4
	clear(d.flags[:d.stride*(stripes+2)])
	clear(d.values[:4*d.w*stripes])
	d.causal = style&styleCausal != 0
	d.zc = &zeroContext[kind]
	plane := planes - b.zero - 1
	if plane >= maxPlanes {
		return unsupportedPlanes(plane + 1)
	}
	d.mq.reset()
	pass, kindOfPass := 0, 2
	for i := range b.segments {
		s := &b.segments[i]
		for n := range s.passes {
			if plane < 0 {
				return corrupt("code-block of more passes than bit-planes")
			}
			bypass := style&styleBypass != 0 && pass >= 10 && kindOfPass < 2
			if n == 0 {
				if bypass {
					d.raw = rawBits{data: s.data}
				} else {
					d.slack = d.mq.start(s.data)
				}
			}
			switch {
			case kindOfPass == 0 && bypass:
				d.significanceRaw(uint(plane))
			case kindOfPass == 0:
				d.significance(uint(plane))
			case kindOfPass == 1 && bypass:
				d.refinementRaw(uint(plane))
			case kindOfPass == 1:
				d.refinement(uint(plane))
			default:
				d.cleanup(uint(plane))
				if style&styleSegSym != 0 {
					for range 4 {
						_, d.slack = d.mq.decode(ctxUni, d.slack)
					}
				}
			}
			if style&styleReset != 0 {
				d.mq.reset()
			}
			pass++
			if kindOfPass++; kindOfPass == 3 {
				kindOfPass = 0
				plane--
			}
		}
	}
	return nil
}

// significant marks the sample in row ci of the column at flags[i], and tells
// its neighbours.
func (d *blockDecoder) significant(i int, ci uint, sign uint32) {
	f := d.flags[:]
	f[i] |= centre<<(3*ci) | sign<<(flagSign+1+ci)
	f[i-1] |= 1 << (3*ci + 5)
	f[i+1] |= 1 << (3*ci + 3)
	if ci == 0 && !d.causal {
		up := i - d.stride
		f[up-1] |= 1 << 17
		f[up] |= 1<<16 | sign<<(flagSign+5)
		f[up+1] |= 1 << 15
	}
	if ci == 3 {
		down := i + d.stride
		f[down-1] |= 1 << 2
		f[down] |= 1<<1 | sign<<flagSign
		f[down+1] |= 1 << 0
	}
}

// signIndex gathers the neighbours that the sign of row ci depends on.
func (d *blockDecoder) signIndex(i int, ci uint) uint32 {
	f := d.flags[i]
	n := f >> (3 * ci)
	c := f >> (flagSign + ci)
	l := d.flags[i-1] >> (flagSign + 1 + ci) & 1
	r := d.flags[i+1] >> (flagSign + 1 + ci) & 1
	return n>>1&1 | n>>2&2 | n>>3&4 | n>>4&8 | c<<4&0x10 | l<<5 | r<<6 | c<<5&0x80
}

// significance is the significance propagation pass (T.800 D.3.1).
func (d *blockDecoder) significance(plane uint) {
	value := uint32(3) << plane
	slack := d.slack
	zc := d.zc
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		rows := uint(min(4, d.h-top))
		flags := d.flags[row : row+d.w]
		for x := range flags {
			f := flags[x]
			if f&flagSigma == 0 {
				continue
			}
			for ci := uint(0); ci < rows; ci++ {
				n := f >> (3 * ci)
				if n&around == 0 || n&centre != 0 {
					continue
				}
				k := zc[n&511]
				s := d.cx[k&31]
				v := s & 1
				if slack -= int64(s & 0xFFFF0000); slack < 0 {
					v, slack = d.slow(k, slack)
				}
				if v != 0 {
					sc := signContext[d.signIndex(row+x, ci)&255]
					k := sc & 31
					s := d.cx[k]
					sign := s & 1
					if slack -= int64(s & 0xFFFF0000); slack < 0 {
						sign, slack = d.slow(k, slack)
					}
					sign ^= uint32(sc >> 7)
					d.values[top*d.w+4*x+int(ci)] = value | sign<<31
					d.significant(row+x, ci, sign)
					f = flags[x]
				}
				f |= 1 << (flagVisited + ci)
				flags[x] = f
			}
		}
	}
	d.slack = slack
}

// refinement is the magnitude refinement pass (T.800 D.3.3).
func (d *blockDecoder) refinement(plane uint) {
	half := uint32(1) << plane
	slack := d.slack
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		rows := uint(min(4, d.h-top))
		flags := d.flags[row : row+d.w]
		values := d.values[top*d.w:]
		for x := range flags {
			f := flags[x]
			if f&(centre|centre<<3|centre<<6|centre<<9) == 0 {
				continue
			}
			for ci := uint(0); ci < rows; ci++ {
				n := f >> (3 * ci)
				if n&centre == 0 || f>>(flagVisited+ci)&1 != 0 {
					continue
				}
				k := uint8(ctxMag)
				if f>>(flagRefined+ci)&1 != 0 {
					k = ctxMag + 2
				} else if n&around != 0 {
					k = ctxMag + 1
				}
				s := d.cx[k&31]
				v := s & 1
				if slack -= int64(s & 0xFFFF0000); slack < 0 {
					v, slack = d.slow(k, slack)
				}
				// Up or down from the middle by half of what remains.
				values[4*x+int(ci)] += (v*2 - 1) * half
				f |= 1 << (flagRefined + ci)
			}
			flags[x] = f
		}
	}
	d.slack = slack
}

// cleanup is the cleanup pass (T.800 D.3.4).
func (d *blockDecoder) cleanup(plane uint) {
	value := uint32(3) << plane
	slack := d.slack
	zc := d.zc
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		rows := uint(min(4, d.h-top))
		flags := d.flags[row : row+d.w]
		for x := range flags {
			f := flags[x]
			ci := uint(0)
			run := false
			if f&flagSigma == 0 && rows == 4 {
				s := d.cx[ctxRun]
				v := s & 1
				if slack -= int64(s & 0xFFFF0000); slack < 0 {
					v, slack = d.slow(ctxRun, slack)
				}
				if v == 0 {
					continue
				}
				var hi, lo uint32
				hi, slack = d.decode(ctxUni, slack)
				lo, slack = d.decode(ctxUni, slack)
				ci, run = uint(hi<<1|lo), true
			}
			for ; ci < rows; ci++ {
				n := f >> (3 * ci)
				if !run {
					if n&centre != 0 || f>>(flagVisited+ci)&1 != 0 {
						continue
					}
					k := zc[n&511]
					s := d.cx[k&31]
					v := s & 1
					if slack -= int64(s & 0xFFFF0000); slack < 0 {
						v, slack = d.slow(k, slack)
					}
					if v == 0 {
						continue
					}
				}
				run = false
				sc := signContext[d.signIndex(row+x, ci)&255]
				k := sc & 31
				s := d.cx[k]
				sign := s & 1
				if slack -= int64(s & 0xFFFF0000); slack < 0 {
					sign, slack = d.slow(k, slack)
				}
				sign ^= uint32(sc >> 7)
				d.values[top*d.w+4*x+int(ci)] = value | sign<<31
				d.significant(row+x, ci, sign)
				f = flags[x]
			}
			flags[x] = f &^ flagAll
		}
	}
	d.slack = slack
}

// significanceRaw is significance propagation with bypassed arithmetic coder
// (T.800 D.6).
func (d *blockDecoder) significanceRaw(plane uint) {
	value := uint32(3) << plane
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		rows := uint(min(4, d.h-top))
		for x := range d.w {
			for ci := uint(0); ci < rows; ci++ {
				n := d.flags[row+x] >> (3 * ci)
				if n&around == 0 || n&centre != 0 {
					continue
				}
				if d.raw.bit() != 0 {
					sign := d.raw.bit()
					d.values[top*d.w+4*x+int(ci)] = value | sign<<31
					d.significant(row+x, ci, sign)
				}
				d.flags[row+x] |= 1 << (flagVisited + ci)
			}
		}
	}
}

// refinementRaw is magnitude refinement with bypassed arithmetic coder.
func (d *blockDecoder) refinementRaw(plane uint) {
	half := uint32(1) << plane
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		rows := uint(min(4, d.h-top))
		for x := range d.w {
			f := d.flags[row+x]
			for ci := uint(0); ci < rows; ci++ {
				if f>>(3*ci)&centre == 0 || f>>(flagVisited+ci)&1 != 0 {
					continue
				}
				d.values[top*d.w+4*x+int(ci)] += (d.raw.bit()*2 - 1) * half
				f |= 1 << (flagRefined + ci)
			}
			d.flags[row+x] = f
		}
	}
}
