package pixel

// Reduce returns p at 1/2^k of its size in each direction, rounded up, each
// pixel the mean of those it replaces. With k below 1 it returns p itself.
func Reduce(p *Pixels, k int) *Pixels {
	if k < 1 || p == nil {
		return p
	}
	k = min(k, 16)
	step := 1 << k
	out := &Pixels{
		Rows: (p.Rows + step - 1) >> k, Cols: (p.Cols + step - 1) >> k,
		Samples: p.Samples, Bits: p.Bits, Signed: p.Signed,
	}
	out.Data = make([]byte, out.Rows*out.Cols*out.Samples*out.Bits/8)
	sums := make([]int64, out.Cols*out.Samples)
	for row := range out.Rows {
		clear(sums)
		last := min((row+1)<<k, p.Rows)
		for y := row << k; y < last; y++ {
			p.addRow(y, k, sums)
		}
		height := last - row<<k
		for col := range out.Cols {
			count := int64(height * (min((col+1)<<k, p.Cols) - col<<k))
			for s := range out.Samples {
				sum := sums[col*out.Samples+s]
				out.set((row*out.Cols+col)*out.Samples+s, roundDiv(sum, count))
			}
		}
	}
	return out
}

// addRow adds row y to sums, 2^k pixels to each.
func (p *Pixels) addRow(y, k int, sums []int64) {
	at := y * p.Cols * p.Samples
	for x := range p.Cols {
		to := x >> k * p.Samples
		for s := range p.Samples {
			sums[to+s] += p.at(at)
			at++
		}
	}
}

// roundDiv divides to the nearest, halves away from zero.
func roundDiv(sum, count int64) int64 {
	if sum < 0 {
		return -((-sum + count/2) / count)
	}
	return (sum + count/2) / count
}
