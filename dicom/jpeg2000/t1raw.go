package jpeg2000

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
					d.significant(row+x, 3*ci, sign)
				}
				d.flags[row+x] |= flagVisited << (3 * ci)
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
				if f>>(3*ci)&(centre|flagVisited) != centre {
					continue
				}
				d.values[top*d.w+4*x+int(ci)] += (d.raw.bit()*2 - 1) * half
				f |= flagRefined << (3 * ci)
			}
			d.flags[row+x] = f
		}
	}
}
