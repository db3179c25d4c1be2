package jpeg

// progressive reads what one scan says of a block (T.81 Annex G).
func (r *blockReader) progressive(b []int16, i int) error {
	s := r.scan
	switch {
	case s.start == 0 && s.high == 0:
		diff, err := r.difference(i)
		if err != nil {
			return err
		}
		r.last[i] += diff
		b[0] = int16(r.last[i] << s.low)
	case s.start == 0:
		if r.bits(1) != 0 {
			b[0] |= 1 << s.low
		}
	case s.high == 0:
		return r.firstAC(b)
	default:
		return r.refineAC(b)
	}
	return nil
}

// firstAC reads the first bits of the coefficients of a band (G.1.2.2).
func (r *blockReader) firstAC(b []int16) error {
	if r.eobRun > 0 {
		r.eobRun--
		return nil
	}
	s := r.scan
	for k := s.start; k <= s.end; {
		symbol := r.symbol(s.ac[0])
		if symbol < 0 {
			return r.cause()
		}
		run, size := symbol>>4, symbol&15
		if size == 0 {
			if run < 15 {
				r.eobRun = 1<<run + r.bits(run) - 1
				return nil
			}
			k += 16
			continue
		}
		k += run
		if k > s.end {
			return r.cause()
		}
		b[zigzag[k]] = int16(r.value(size) << s.low)
		k++
	}
	return nil
}

// refineAC reads the next bit of the coefficients of a band (G.1.2.3).
func (r *blockReader) refineAC(b []int16) error {
	s := r.scan
	k := s.start
	for r.eobRun == 0 && k <= s.end {
		symbol := r.symbol(s.ac[0])
		if symbol < 0 {
			return r.cause()
		}
		run, size := symbol>>4, symbol&15
		fresh := int16(0)
		switch {
		case size > 1:
			return r.cause()
		case size == 1:
			fresh = -1 << s.low
			if r.bits(1) != 0 {
				fresh = 1 << s.low
			}
		case run < 15:
			r.eobRun = 1<<run + r.bits(run)
		}
		if r.eobRun > 0 {
			break
		}
		k = r.passOver(b, k, run)
		if k > s.end {
			if fresh != 0 {
				return r.cause()
			}
			return nil
		}
		if fresh != 0 {
			b[zigzag[k]] = fresh
		}
		k++
	}
	if r.eobRun > 0 {
		r.passOver(b, k, 64)
		r.eobRun--
	}
	return nil
}

// passOver corrects the coefficients known to be other than zero, from k on,
// until run zeros were passed, and returns where the next zero is.
func (r *blockReader) passOver(b []int16, k, run int) int {
	s := r.scan
	one := int16(1) << s.low
	for ; k <= s.end; k++ {
		v := &b[zigzag[k]]
		if *v == 0 {
			if run == 0 {
				return k
			}
			run--
			continue
		}
		switch {
		case r.bits(1) == 0:
		case *v > 0:
			*v += one
		default:
			*v -= one
		}
	}
	return k
}

// transformAll turns the coefficients of a progressive image into samples.
func (d *decoder) transformAll() error {
	var block [64]int32
	for i := range d.comps {
		c := &d.comps[i]
		for y := range c.rows {
			if err := d.ctx.Err(); err != nil {
				return err
			}
			for x := range c.cols {
				in := c.coefficients[64*(y*c.cols+x):][:64]
				for k := range block {
					block[k] = int32(in[k]) * int32(c.quant[k])
				}
				transform(&block, c.plane[64*y*c.cols+8*x:], 8*c.cols, d.bits)
			}
		}
	}
	return nil
}
