package jpeg2000

// refineHT adds the passes that follow the cleanup pass of an HT set (T.814
// 7.4, 7.5): significance propagation, its bits read forward, and magnitude
// refinement, its bits read backward from the end of the same segment.
func (d *blockDecoder) refineHT(data []byte, plane uint, passes int) {
	d.stride = d.w + 2
	clear(d.flags[:d.stride*((d.h+3)/4+2)])
	for y := range d.h {
		for x := range d.w {
			if d.values[(y&^3)*d.w+4*x+y&3] != 0 {
				d.significant((y/4+1)*d.stride+1+x, 3*uint(y&3), 0)
			}
		}
	}
	if passes > 0 {
		d.propagateHT(data, plane)
	}
	if passes > 1 {
		d.sharpenHT(data, plane)
	}
}

// propagateHT is the significance propagation pass: in groups of four columns
// of a stripe, first all magnitude bits, then the signs.
func (d *blockDecoder) propagateHT(data []byte, plane uint) {
	in := forward{data: data}
	var hold uint64
	var n uint
	value := uint32(3) << plane
	for top := 0; top < d.h; top += 4 {
		rows := min(4, d.h-top)
		base := (top/4+1)*d.stride + 1
		for from := 0; from < d.w; from += 4 {
			var found [16]int
			count := 0
			for x := from; x < min(from+4, d.w); x++ {
				for ci := range rows {
					around8 := d.flags[base+x] >> (3 * ci)
					if around8&around == 0 || around8&centre != 0 {
						continue
					}
					if n <= 32 {
						hold, n = in.fill(hold, n)
					}
					if hold&1 != 0 {
						d.significant(base+x, 3*uint(ci), 0)
						found[count] = top*d.w + 4*x + ci
						count++
					}
					d.flags[base+x] |= flagVisited << (3 * ci)
					hold >>= 1
					n--
				}
			}
			for _, at := range found[:count] {
				if n <= 32 {
					hold, n = in.fill(hold, n)
				}
				d.values[at] = value | uint32(hold&1)<<31
				hold >>= 1
				n--
			}
		}
	}
}

// sharpenHT is the magnitude refinement pass.
func (d *blockDecoder) sharpenHT(data []byte, plane uint) {
	in := backward{data: data, at: len(data) - 1, high: true}
	var hold uint64
	var n uint
	half := uint32(1) << plane
	for top := 0; top < d.h; top += 4 {
		base := (top/4+1)*d.stride + 1
		for x := range d.w {
			for ci := range min(4, d.h-top) {
				if d.flags[base+x]>>(3*ci)&(centre|flagVisited) != centre {
					continue
				}
				if n <= 32 {
					hold, n = in.fill(hold, n)
				}
				d.values[top*d.w+4*x+ci] += (uint32(hold&1)*2 - 1) * half
				hold >>= 1
				n--
			}
		}
	}
}
