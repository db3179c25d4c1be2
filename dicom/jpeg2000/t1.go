package jpeg2000

import "math/bits"

// Code-blocks are coded in stripes of four rows (T.800 D.1). One word of flags
// stands for a column of a stripe:
//
//	bits 0..17  significance of the samples from one row above the stripe to
//	            one below, three a row: left neighbour, own, right neighbour
//	bit  18     sign of the sample above
//	bits 19..30 for each row its sign, whether it has been refined, and whether
//	            it has been coded in this bit-plane
//	bit  31     sign of the sample below
//
// Shifted right by three times its row, the word has a sample's neighbourhood
// in its lowest nine bits, the sample itself being bit 4.
const (
	flagSigma   = 1<<18 - 1
	flagSign    = 19
	flagRefined = 1 << 20
	flagVisited = 1 << 21
	flagBelow   = 31
	flagAll     = flagVisited | flagVisited<<3 | flagVisited<<6 | flagVisited<<9
	around      = 0x1EF // the neighbourhood without the sample
	centre      = 0x10
)

// columns are the flags of a code-block, which coding and decoding share.
type columns struct {
	w, h   int
	stride int
	causal bool
	zc     *[512]uint8
	flags  [4096]uint32 // of stripes, with a border
}

// begin makes a code-block of w×h in a sub-band of that kind, all of it
// without significance.
func (d *columns) begin(w, h, kind int, causal bool) {
	d.w, d.h, d.stride, d.causal = w, h, w+2, causal
	clear(d.flags[:d.stride*((h+3)/4+2)])
	d.zc = &zeroContext[kind]
}

// blockDecoder decodes code-blocks, one after the other, in buffers of its own.
type blockDecoder struct {
	mq
	columns
	raw   rawBits
	slack int64
	// Samples, by column within stripe: sign in bit 31, below it the magnitude
	// with one more bit, for the middle of what is not known.
	values [4096 + 3*1024]uint32
	ht     htDecoder
}

const maxPlanes = 30 // that values hold

// decodeMQ decodes a code-block of Annex D into d.values.
func (d *blockDecoder) decodeMQ(b *block, kind, planes int, style byte) error {
	d.begin(b.width(), b.height(), kind, style&styleCausal != 0)
	clear(d.values[:4*d.w*((d.h+3)/4)])
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

// significant marks the sample whose row is by/3 in the column at flags[i], and
// tells its neighbours.
func (d *columns) significant(i int, by uint, sign uint32) {
	f := d.flags[:]
	by &= 15
	f[i] |= (centre | sign<<flagSign) << by
	f[i-1] |= 1 << 5 << by
	f[i+1] |= 1 << 3 << by
	if by == 0 && !d.causal {
		up := i - d.stride
		f[up-1] |= 1 << 17
		f[up] |= 1<<16 | sign<<flagBelow
		f[up+1] |= 1 << 15
	}
	if by == 9 {
		down := i + d.stride
		f[down-1] |= 1 << 2
		f[down] |= 1<<1 | sign<<18
		f[down+1] |= 1 << 0
	}
}

// signIndex gathers the neighbours that the sign in row by/3 depends on.
func (d *columns) signIndex(i int, by uint) uint32 {
	by &= 15
	f := d.flags[i]
	n := f >> by
	up, down := f>>18&1, f>>flagBelow&1
	if by > 0 {
		up = n >> (flagSign - 3) & 1
	}
	if by < 9 {
		down = n >> (flagSign + 3) & 1
	}
	l := d.flags[i-1] >> by >> flagSign & 1
	r := d.flags[i+1] >> by >> flagSign & 1
	return n>>1&1 | n>>2&2 | n>>3&4 | n>>4&8 | up<<4 | l<<5 | r<<6 | down<<7
}

// found decodes the sign of a sample that has become significant: that of row
// by/3 in the column at flags[i], whose values begin at at.
func (d *blockDecoder) found(at, i int, by uint, value uint32, slack int64) int64 {
	sc := signContext[d.signIndex(i, by)&255]
	s := d.cx[sc&31]
	sign := uint32(s) & 1
	if slack -= int64(s & mqQe); slack < 0 {
		sign, slack = d.slow(sc&31, slack)
	}
	sign ^= uint32(sc >> 7)
	d.values[at+int(by*11>>5)] = value | sign<<31
	d.significant(i, by, sign)
	return slack
}

// The passes pick the samples of a column with masks of one bit a row, three
// apart: which they are cannot be foreseen, so a branch each would be slow.
const everyRow = 1 | 1<<3 | 1<<6 | 1<<9

// rowMask is everyRow as far as a stripe goes.
func rowMask(rows int) uint32 { return everyRow & (1<<(3*uint(rows)) - 1) }

// candidates are the samples without significance that have a neighbour with.
func candidates(f uint32) uint32 {
	g := f & flagSigma
	sides := g | g>>2
	any := sides | g>>1
	return (any | sides>>3 | any>>6) &^ (f >> 4)
}

// significance is the significance propagation pass (T.800 D.3.1).
func (d *blockDecoder) significance(plane uint) {
	value := uint32(3) << plane
	slack := d.slack
	zc, cx := d.zc, &d.cx
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		mask := rowMask(min(4, d.h-top))
		flags := d.flags[row : row+d.w]
		for x := range flags {
			f := flags[x]
			rows := candidates(f) & mask
			for rows != 0 {
				by := uint(bits.TrailingZeros32(rows)) & 15
				rows &= rows - 1
				k := zc[f>>by&511]
				s := cx[k&31]
				v := uint32(s) & 1
				if slack -= int64(s & mqQe); slack < 0 {
					v, slack = d.slow(k, slack)
				}
				f |= flagVisited << by
				if v != 0 {
					flags[x] = f
					slack = d.found(top*d.w+4*x, row+x, by, value, slack)
					f = flags[x]
					rows = candidates(f) & mask &^ (2<<by - 1)
				}
			}
			flags[x] = f
		}
	}
	d.slack = slack
}

// refinement is the magnitude refinement pass (T.800 D.3.3).
func (d *blockDecoder) refinement(plane uint) {
	half := uint32(1) << plane
	slack := d.slack
	cx := &d.cx
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		flags := d.flags[row : row+d.w]
		values := d.values[top*d.w:][:4*len(flags)]
		for x := range flags {
			f := flags[x]
			rows := f >> 4 &^ (f >> 21) & everyRow
			if rows == 0 {
				continue
			}
			flags[x] = f | rows<<20
			for rows != 0 {
				by := uint(bits.TrailingZeros32(rows)) & 15
				rows &= rows - 1
				n := f >> by
				k := uint8(ctxMag)
				if n&flagRefined != 0 {
					k = ctxMag + 2
				} else if n&around != 0 {
					k = ctxMag + 1
				}
				s := cx[k]
				v := uint32(s) & 1
				if slack -= int64(s & mqQe); slack < 0 {
					v, slack = d.slow(k, slack)
				}
				// Up or down from the middle by half of what remains.
				values[4*x+int(by*11>>5)] += (v*2 - 1) * half
			}
		}
	}
	d.slack = slack
}

// cleanup is the cleanup pass (T.800 D.3.4).
func (d *blockDecoder) cleanup(plane uint) {
	value := uint32(3) << plane
	slack := d.slack
	zc, cx := d.zc, &d.cx
	for top := 0; top < d.h; top += 4 {
		row := (top/4+1)*d.stride + 1
		mask := rowMask(min(4, d.h-top))
		flags := d.flags[row : row+d.w]
		for x := range flags {
			f := flags[x]
			rows := mask &^ (f>>4 | f>>21)
			if f&flagSigma == 0 && mask == everyRow {
				s := cx[ctxRun]
				v := uint32(s) & 1
				if slack -= int64(s & mqQe); slack < 0 {
					v, slack = d.slow(ctxRun, slack)
				}
				if v == 0 {
					continue
				}
				var hi, lo uint32
				hi, slack = d.decode(ctxUni, slack)
				lo, slack = d.decode(ctxUni, slack)
				by := uint(3 * (hi<<1 | lo) & 15)
				slack = d.found(top*d.w+4*x, row+x, by, value, slack)
				f = flags[x]
				rows &^= 2<<by - 1
			}
			for rows != 0 {
				by := uint(bits.TrailingZeros32(rows)) & 15
				rows &= rows - 1
				k := zc[f>>by&511]
				s := cx[k&31]
				v := uint32(s) & 1
				if slack -= int64(s & mqQe); slack < 0 {
					v, slack = d.slow(k, slack)
				}
				if v != 0 {
					slack = d.found(top*d.w+4*x, row+x, by, value, slack)
					f = flags[x]
				}
			}
			flags[x] = f &^ flagAll
		}
	}
	d.slack = slack
}
