package jpeg

import (
	"encoding/binary"
	"fmt"
	"image"
	"math/bits"
	"sync"
)

// EncodeGrey encodes m by the baseline process (T.81 F.1) with the tables of
// annex K, scaled for quality 1 to 100 as everybody scales them. It is for
// pictures to look at, made of grey levels that were rendered before. Errors:
// ErrBadImage.
func EncodeGrey(m *image.Gray, quality int) ([]byte, error) {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	if width < 1 || width > 65535 || height < 1 || height > 65535 || quality < 1 || quality > 100 {
		return nil, fmt.Errorf("%d×%d at quality %d: %w", height, width, quality, ErrBadImage)
	}
	e := greyEncoders.Get().(*greyEncoder)
	defer greyEncoders.Put(e)
	e.w = writer{out: e.w.out[:0]}
	e.header(width, height, quality)
	e.before = 0
	for y := 0; y < height; y += 8 {
		for x := 0; x < width; x += 8 {
			if v, flat := oneLevel(m, x, y); flat {
				e.flat(v)
				continue
			}
			e.load(m, x, y)
			e.columns()
			e.block()
		}
	}
	e.w.finish()
	e.w.out = append(e.w.out, 0xFF, markEOI)
	return append([]byte(nil), e.w.out...), nil
}

var greyEncoders = sync.Pool{New: func() any { return new(greyEncoder) }}

// greyEncoder is the state of one picture. The buffers are kept between them.
type greyEncoder struct {
	w       writer
	samples [64]float32 // rows transformed, then coefficients, by row
	levels  [64]int32   // quantised, in zigzag order
	divide  [64]float32 // what a coefficient is multiplied with, in zigzag order
	before  int32       // DC level of the block before
}

// Tables K.1, K.3 and K.5 of T.81, and the order of figure A.6.
var (
	luminance = [64]byte{
		16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99}
	dcCounts  = [16]byte{0, 1, 5, 1, 1, 1, 1, 1, 1}
	dcSymbols = []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	acCounts  = [16]byte{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D}
	acSymbols = []byte{
		0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
		0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0,
		0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28,
		0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
		0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
		0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
		0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
		0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5,
		0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
		0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
		0xF9, 0xFA}
	order           = diagonals()
	dcCode, acCode  = greyCode(dcCounts, dcSymbols), greyCode(acCounts, acSymbols)
	endOfBlock, run = acCode[0x00], acCode[0xF0]
)

// diagonals gives the place in the block of each level of the zigzag.
func diagonals() (z [64]byte) {
	k := 0
	for d := range 15 {
		for i := range d + 1 {
			row, col := d-i, i // upwards, on every other diagonal
			if d%2 == 1 {
				row, col = i, d-i
			}
			if row < 8 && col < 8 {
				z[k] = byte(8*row + col)
				k++
			}
		}
	}
	return z
}

// greyCode gives code and length by symbol (T.81 annex C).
func greyCode(counts [16]byte, symbols []byte) (t [256]struct {
	bits uint32
	n    int
}) {
	v, k := uint32(0), 0
	for n, count := range counts {
		for range count {
			t[symbols[k]].bits, t[symbols[k]].n = v, n+1
			v++
			k++
		}
		v <<= 1
	}
	return t
}

// header writes what comes before the levels, and prepares their division:
// the transform leaves each coefficient scaled by its row and its column.
func (e *greyEncoder) header(width, height, quality int) {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	// cos(k·π/16)·√2, and 1 for k = 0.
	factors := [8]float64{1, 1.387039845, 1.306562965, 1.175875602, 1, 0.785694958, 0.541196100, 0.275899379}
	out := append(e.w.out, 0xFF, markSOI, 0xFF, markDQT, 0, 67, 0)
	for k, at := range order {
		q := min(max((int(luminance[at])*scale+50)/100, 1), 255)
		out = append(out, byte(q))
		e.divide[k] = float32(1 / (8 * float64(q) * factors[at/8] * factors[at%8]))
	}
	out = append(out, 0xFF, 0xC0, 0, 11, 8) // SOF0
	out = binary.BigEndian.AppendUint16(out, uint16(height))
	out = binary.BigEndian.AppendUint16(out, uint16(width))
	out = append(out, 1, 1, 0x11, 0)
	out = append(append(append(out, 0xFF, markDHT, 0, 31, 0x00), dcCounts[:]...), dcSymbols...)
	out = append(append(append(out, 0xFF, markDHT, 0, 181, 0x10), acCounts[:]...), acSymbols...)
	e.w.out = append(out, 0xFF, markSOS, 0, 8, 1, 1, 0, 0, 63, 0)
}

// oneLevel says whether a whole block is of one level, as most air and all that
// lies outside the window is.
func oneLevel(m *image.Gray, x, y int) (v byte, flat bool) {
	if x+8 > m.Rect.Dx() || y+8 > m.Rect.Dy() {
		return 0, false
	}
	v = m.Pix[y*m.Stride+x]
	want := uint64(v) * 0x0101010101010101
	for j := range 8 {
		if binary.LittleEndian.Uint64(m.Pix[(y+j)*m.Stride+x:]) != want {
			return 0, false
		}
	}
	return v, true
}

// load takes a block and transforms its rows; beyond the edges the last line
// and column go on.
func (e *greyEncoder) load(m *image.Gray, x, y int) {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	var edge [8]byte
	for j := range 8 {
		line := m.Pix[min(y+j, height-1)*m.Stride:]
		from := &edge
		if x+8 <= width {
			from = (*[8]byte)(line[x:])
		} else {
			for i := range edge {
				edge[i] = line[min(x+i, width-1)]
			}
		}
		s := (*[8]float32)(e.samples[8*j:])
		s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = eight(centred(from[0]), centred(from[1]), centred(from[2]), centred(from[3]),
			centred(from[4]), centred(from[5]), centred(from[6]), centred(from[7]))
	}
}

func centred(v byte) float32 { return float32(int32(v) - 128) }

// columns ends the forward cosine transform by the scheme of Arai, Agui and
// Nakajima (1988): rows, then columns.
func (e *greyEncoder) columns() {
	b := &e.samples
	for i := range 8 {
		b[i], b[8+i], b[16+i], b[24+i], b[32+i], b[40+i], b[48+i], b[56+i] =
			eight(b[i], b[8+i], b[16+i], b[24+i], b[32+i], b[40+i], b[48+i], b[56+i])
	}
}

func eight(a0, a1, a2, a3, a4, a5, a6, a7 float32) (r0, r1, r2, r3, r4, r5, r6, r7 float32) {
	s0, s1, s2, s3 := a0+a7, a1+a6, a2+a5, a3+a4
	d0, d1, d2, d3 := a0-a7, a1-a6, a2-a5, a3-a4
	e0, e1, e2, e3 := s0+s3, s1+s2, s1-s2, s0-s3
	z1 := (e2 + e3) * 0.707106781
	o0, o1, o2 := d3+d2, d2+d1, d1+d0
	z5 := (o0 - o2) * 0.382683433
	z2 := 0.541196100*o0 + z5
	z4 := 1.306562965*o2 + z5
	z3 := o1 * 0.707106781
	z11, z13 := d0+z3, d0-z3
	return e0 + e1, z11 + z4, e3 + z1, z13 - z2, e0 - e1, z13 + z2, e3 - z1, z11 - z4
}

// quantise goes to the nearest: positive by the offset, so that cutting off is
// rounding.
func quantise(coefficient, divide float32) int32 { return int32(coefficient*divide+16384.5) - 16384 }

// flat writes a block of one level, whose other coefficients are all zero.
func (e *greyEncoder) flat(v byte) {
	e.direct(quantise(64*centred(v), e.divide[0]))
	e.w.put(uint64(endOfBlock.bits), endOfBlock.n)
}

// direct writes the DC level as the difference from the block before.
func (e *greyEncoder) direct(dc int32) {
	n, low := magnitude(dc - e.before)
	e.before = dc
	e.w.put(uint64(dcCode[n].bits)<<n|low, dcCode[n].n+n)
}

// block quantises and writes one block (T.81 F.1.2).
func (e *greyEncoder) block() {
	set := uint64(0) // which levels are not zero
	for k := range 64 {
		v := quantise(e.samples[order[k]&63], e.divide[k])
		e.levels[k] = v
		set |= uint64(uint32(v|-v)>>31) << k
	}
	e.direct(e.levels[0])
	last := 0
	for left := set &^ 1; left != 0; left &= left - 1 {
		k := bits.TrailingZeros64(left)
		zeros := k - last - 1
		last = k
		for ; zeros > 15; zeros -= 16 {
			e.w.put(uint64(run.bits), run.n)
		}
		n, low := magnitude(e.levels[k&63])
		c := &acCode[(zeros<<4|n)&255]
		e.w.put(uint64(c.bits)<<n|low, c.n+n)
	}
	if last < 63 {
		e.w.put(uint64(endOfBlock.bits), endOfBlock.n)
	}
}

// magnitude is the category of a level and its bits within it (T.81 F.1.2.1).
func magnitude(v int32) (n int, low uint64) {
	sign := v >> 31
	n = bits.Len32(uint32((v ^ sign) - sign))
	return n, uint64(uint32(v+sign) & (1<<n - 1))
}
