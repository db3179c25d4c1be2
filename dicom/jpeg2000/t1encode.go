package jpeg2000

import "math/bits"

const decisionMask = 1<<14 - 1

// passEncoder codes code-blocks of up to 64×64 with the passes of T.800 Annex D,
// one after the other, in buffers of its own. It keeps flags as blockDecoder
// does.
type passEncoder struct {
	columns
	mq        mqWriter
	values    [4096]uint32           // by column within stripe: sign in bit 31, magnitude
	decisions [decisionMask + 1]byte // of one pass: at most two a sample and two a column
	n         int
}

// encode appends a code-block of w×h coefficients, in a sub-band of that kind,
// to out: all passes of all its bit-planes, of which it returns the number;
// nothing and none when all coefficients are zero.
func (e *passEncoder) encode(out []byte, in []int32, stride, w, h, kind int) ([]byte, int) {
	any := uint32(0)
	for top := 0; top < h; top += 4 {
		values := e.values[top*w:][:4*w]
		if top+4 > h {
			clear(values)
		}
		for y := range min(4, h-top) {
			for x, v := range in[(top+y)*stride:][:w] {
				s := v >> 31
				m := uint32((v ^ s) - s)
				any |= m
				values[4*x+y] = m | uint32(s)<<31
			}
		}
	}
	if any == 0 {
		return out, 0
	}
	e.begin(w, h, kind, false)
	e.mq.start()
	planes := bits.Len32(any)
	for plane := planes - 1; plane >= 0; plane-- {
		if plane < planes-1 {
			e.significance(uint(plane))
			e.code()
			e.refinement(uint(plane))
			e.code()
		}
		e.cleanup(uint(plane))
		e.code()
	}
	return append(out, e.mq.finish()...), planes
}

// code codes the decisions of a pass.
func (e *passEncoder) code() {
	e.mq.code(e.decisions[:e.n])
	e.n = 0
}

// found makes a sample significant and decides its sign, as
// blockDecoder.found.
func (e *passEncoder) found(i int, by uint, value uint32, n int) int {
	sc := signContext[e.signIndex(i, by)&255]
	sign := value >> 31
	e.decisions[n&decisionMask] = sc&31<<1 | byte(sign) ^ sc>>7
	e.significant(i, by, sign)
	return n + 1
}

// significance is the significance propagation pass (T.800 D.3.1).
func (e *passEncoder) significance(plane uint) {
	n, zc, decisions := e.n, e.zc, &e.decisions
	for top := 0; top < e.h; top += 4 {
		row := (top/4+1)*e.stride + 1
		mask := rowMask(min(4, e.h-top))
		flags := e.flags[row : row+e.w]
		values := e.values[top*e.w:][:4*len(flags)]
		for x := range flags {
			f := flags[x]
			rows := candidates(f) & mask
			if rows == 0 {
				continue
			}
			for rows != 0 {
				by := uint(bits.TrailingZeros32(rows)) & 15
				rows &= rows - 1
				value := values[4*x+int(by*11>>5)]
				v := value >> (plane & 31) & 1
				decisions[n&decisionMask] = zc[f>>by&511]<<1 | byte(v)
				n++
				f |= flagVisited << by
				if v != 0 {
					flags[x] = f
					n = e.found(row+x, by, value, n)
					f = flags[x]
					rows = candidates(f) & mask &^ (2<<by - 1)
				}
			}
			flags[x] = f
		}
	}
	e.n = n
}

// refinement is the magnitude refinement pass (T.800 D.3.3).
func (e *passEncoder) refinement(plane uint) {
	n, decisions := e.n, &e.decisions
	for top := 0; top < e.h; top += 4 {
		row := (top/4+1)*e.stride + 1
		flags := e.flags[row : row+e.w]
		values := e.values[top*e.w:][:4*len(flags)]
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
				k := byte(ctxMag)
				if g := f >> by; g&flagRefined != 0 {
					k = ctxMag + 2
				} else if g&around != 0 {
					k = ctxMag + 1
				}
				decisions[n&decisionMask] = k<<1 | byte(values[4*x+int(by*11>>5)]>>(plane&31)&1)
				n++
			}
		}
	}
	e.n = n
}

// cleanup is the cleanup pass (T.800 D.3.4).
func (e *passEncoder) cleanup(plane uint) {
	n, zc, decisions := e.n, e.zc, &e.decisions
	for top := 0; top < e.h; top += 4 {
		row := (top/4+1)*e.stride + 1
		mask := rowMask(min(4, e.h-top))
		flags := e.flags[row : row+e.w]
		values := e.values[top*e.w:][:4*len(flags)]
		for x := range flags {
			f := flags[x]
			rows := mask &^ (f>>4 | f>>21)
			if f&flagSigma == 0 && mask == everyRow {
				column := values[4*x:][:4]
				first := 0
				for first < 4 && column[first]>>(plane&31)&1 == 0 {
					first++
				}
				if first == 4 {
					decisions[n&decisionMask] = ctxRun << 1
					n++
					continue
				}
				decisions[n&decisionMask] = ctxRun<<1 | 1
				decisions[(n+1)&decisionMask] = ctxUni<<1 | byte(first>>1)
				decisions[(n+2)&decisionMask] = ctxUni<<1 | byte(first&1)
				by := uint(3*first) & 15
				n = e.found(row+x, by, column[first], n+3)
				f = flags[x]
				rows &^= 2<<by - 1
			}
			for rows != 0 {
				by := uint(bits.TrailingZeros32(rows)) & 15
				rows &= rows - 1
				value := values[4*x+int(by*11>>5)]
				v := value >> (plane & 31) & 1
				decisions[n&decisionMask] = zc[f>>by&511]<<1 | byte(v)
				n++
				if v != 0 {
					flags[x] = f
					n = e.found(row+x, by, value, n)
					f = flags[x]
				}
			}
			flags[x] = f &^ flagAll
		}
	}
	e.n = n
}
