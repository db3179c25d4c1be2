package jpeg

// zigzag gives the natural position of each coefficient of the zigzag
// sequence (T.81 Figure A.6); what would lie behind it falls on the last.
var zigzag = makeZigzag()

func makeZigzag() (order [80]uint8) {
	x, y := 0, 0
	for k := range order {
		if k > 63 {
			order[k] = 63
			continue
		}
		order[k] = uint8(8*y + x)
		switch up := (x+y)%2 == 0; {
		case up && x == 7, !up && y == 7 && x < 7:
			if up {
				y++
			} else {
				x++
			}
		case up && y == 0:
			x++
		case !up && x == 0:
			y++
		case up:
			x, y = x+1, y-1
		default:
			x, y = x-1, y+1
		}
	}
	return order
}

// The factors of the inverse transform, with rootBits fractional bits: sums of
// √2·cos(kπ/16) as in C. Loeffler, A. Ligtenberg, G. Moschytz, "Practical fast
// 1-D DCT algorithms with 11 multiplications", ICASSP 1989.
const (
	rootBits = 13

	f0298 = 2446
	f0390 = 3196
	f0541 = 4433
	f0765 = 6270
	f0899 = 7373
	f1175 = 9633
	f1501 = 12299
	f1847 = 15137
	f1961 = 16069
	f2053 = 16819
	f2562 = 20995
	f3072 = 25172
)

// inverse is one transform of eight values, scaled by √8·2^rootBits.
func inverse(c0, c1, c2, c3, c4, c5, c6, c7 int32) (o0, o1, o2, o3, o4, o5, o6, o7 int32) {
	// Even coefficients: a rotation of 2 and 6, a butterfly of 0 and 4.
	turn := (c2 + c6) * f0541
	r2, r6 := turn+c2*f0765, turn-c6*f1847
	s, d := (c0+c4)<<rootBits, (c0-c4)<<rootBits
	e0, e3, e1, e2 := s+r2, s-r2, d+r6, d-r6

	// Odd coefficients: three rotations that share their products.
	p71, p53, p73, p51 := c7+c1, c5+c3, c7+c3, c5+c1
	all := (p73 + p51) * f1175
	p71 *= -f0899
	p53 *= -f2562
	p73 = all - p73*f1961
	p51 = all - p51*f0390
	q7 := c7*f0298 + p71 + p73
	q5 := c5*f2053 + p53 + p51
	q3 := c3*f3072 + p53 + p73
	q1 := c1*f1501 + p71 + p51

	return e0 + q1, e1 + q3, e2 + q5, e3 + q7, e3 - q7, e2 - q5, e1 - q3, e0 - q1
}

// transform turns dequantized coefficients into samples of a precision (T.81
// A.3.3) and writes them to out, lines stride apart.
func transform(b *[64]int32, out []uint16, stride, bits int) {
	// Between the passes, fractional bits as many as 32 bits have room for.
	between := uint(2)
	if bits > 8 {
		between = 1
	}
	down, half := rootBits-between, int32(1)<<(rootBits-between-1)
	for x := range 8 {
		c0, c1, c2, c3, c4, c5, c6, c7 := b[x], b[x+8], b[x+16], b[x+24], b[x+32], b[x+40], b[x+48], b[x+56]
		if c1|c2|c3|c4|c5|c6|c7 == 0 {
			v := c0 << between
			b[x], b[x+8], b[x+16], b[x+24], b[x+32], b[x+40], b[x+48], b[x+56] = v, v, v, v, v, v, v, v
			continue
		}
		c0, c1, c2, c3, c4, c5, c6, c7 = inverse(c0, c1, c2, c3, c4, c5, c6, c7)
		b[x], b[x+8], b[x+16], b[x+24] = (c0+half)>>down, (c1+half)>>down, (c2+half)>>down, (c3+half)>>down
		b[x+32], b[x+40], b[x+48], b[x+56] = (c4+half)>>down, (c5+half)>>down, (c6+half)>>down, (c7+half)>>down
	}
	top := int32(1)<<bits - 1
	down = rootBits + between + 3
	half = int32(1)<<(down-1) + int32(1)<<(uint(bits)-1+down) // rounding, and the level shift
	for y := range 8 {
		c := b[8*y : 8*y+8 : 8*y+8]
		line := out[y*stride:][:8:8]
		c0, c1, c2, c3, c4, c5, c6, c7 := inverse(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])
		line[0] = uint16(min(max((c0+half)>>down, 0), top))
		line[1] = uint16(min(max((c1+half)>>down, 0), top))
		line[2] = uint16(min(max((c2+half)>>down, 0), top))
		line[3] = uint16(min(max((c3+half)>>down, 0), top))
		line[4] = uint16(min(max((c4+half)>>down, 0), top))
		line[5] = uint16(min(max((c5+half)>>down, 0), top))
		line[6] = uint16(min(max((c6+half)>>down, 0), top))
		line[7] = uint16(min(max((c7+half)>>down, 0), top))
	}
}

// level fills a block that has but its mean.
func level(dc int32, out []uint16, stride, bits int) {
	v := uint16(min(max((dc+4)>>3+1<<(bits-1), 0), 1<<bits-1))
	for y := range 8 {
		line := out[y*stride:][:8:8]
		for x := range line {
			line[x] = v
		}
	}
}
