package jpeg2000

// unshift brings a region of interest down to where the rest is (T.800 H.1).
func (d *blockDecoder) unshift(by int) {
	if by >= maxPlanes {
		return // nothing of that magnitude is representable
	}
	values := d.values[:4*d.w*((d.h+3)/4)]
	for i, v := range values {
		if m := v & 0x7FFFFFFF; m >= 2<<by {
			values[i] = v&(1<<31) | m>>by
		}
	}
}

// storeInts writes part of the decoded block as two's complement.
func (d *blockDecoder) storeInts(out []int32, stride int, part rect) {
	for y := part.y0; y < part.y1; y++ {
		row := out[(y-part.y0)*stride:][:part.width()]
		values := d.values[(y&^3)*d.w+4*part.x0+y&3:]
		for x := range row {
			v := values[4*x]
			sign := int32(v) >> 31
			row[x] = (int32(v&0x7FFFFFFF)>>1 ^ sign) - sign
		}
	}
}

// storeFloats writes part of the decoded block multiplied by the step of a half.
func (d *blockDecoder) storeFloats(out []float32, stride int, part rect, step float32) {
	for y := part.y0; y < part.y1; y++ {
		row := out[(y-part.y0)*stride:][:part.width()]
		values := d.values[(y&^3)*d.w+4*part.x0+y&3:]
		for x := range row {
			v := values[4*x]
			f := float32(int32(v&0x7FFFFFFF)) * step
			if v>>31 != 0 {
				f = -f
			}
			row[x] = f
		}
	}
}
