package jpeg2000

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
