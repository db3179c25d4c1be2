package jpegls

// componentLine encodes one line of one component (T.87 A.3 to A.7).
func (e *encoder) componentLine(b *lines, component int) {
	width := len(b.cur) - 2
	prev, cur := b.prev[:width+2], b.cur[:width+2]
	ra, rb, rc := int(cur[0]), int(prev[1]), int(prev[0])
	for x := 1; x <= width; {
		rd := int(prev[x+1])
		q := 81*int(e.quant[uint(rd-rb+65536)%(1<<17)]) + 9*int(e.quant[uint(rb-rc+65536)%(1<<17)]) + int(e.quant[uint(rc-ra+65536)%(1<<17)])
		if q == 0 {
			x += e.run(prev, cur, x, component)
			if x > width {
				return
			}
			ra, rb, rc = int(cur[x-1]), int(prev[x]), int(prev[x-1])
			continue
		}
		px := min(max(ra+rb-rc, min(ra, rb)), max(ra, rb))
		sample := int(cur[x])
		e.regular(sample, px, q)
		ra, rc, rb = sample, rb, rd
		x++
	}
}

// regular encodes one sample in regular mode (T.87 A.4 to A.6).
func (e *encoder) regular(sample, px, q int) {
	sign := q >> 63
	ctx := &e.contexts[uint((q^sign)-sign)%512]
	px = min(max(px+(int(ctx.c)^sign)-sign, 0), e.maxval)
	d := e.reduce(((sample - px) ^ sign) - sign)
	k := int(ctx.k)
	mapped := d ^ int(ctx.flip)
	mapped = mapped<<1 ^ mapped>>63
	ctx.update(int32(d), int32(d), int32(e.reset))
	ctx.correct()
	ctx.derive(0)
	if zeros := mapped >> uint(k&63); zeros+k < 31 && zeros < e.limit-e.qbpp-1 {
		e.put(1<<uint(k&63)|uint64(mapped)&(1<<uint(k&63)-1), zeros+k+1)
		return
	}
	e.value(mapped, k, e.limit, e.qbpp)
}

// reduce brings an error into the range that is coded (T.87 A.4.5).
func (s *params) reduce(d int) int {
	if d < 0 {
		d += s.rng
	}
	if d >= (s.rng+1)/2 {
		d -= s.rng
	}
	return d
}

// run encodes a run that begins at x and the sample that interrupts it (T.87
// A.7). It returns how many samples that are.
func (e *encoder) run(prev, cur []uint16, x, component int) int {
	rest := cur[x : len(cur)-1]
	ra := cur[x-1]
	length := 0
	for length < len(rest) && rest[length] == ra {
		length++
	}
	e.runLength(length, len(rest), component)
	if length == len(rest) {
		return length
	}
	x += length
	sample, a, b := int(cur[x]), int(ra), int(prev[x])
	switch {
	case a == b:
		e.interruption(sample-a, 1, component)
	case b < a:
		e.interruption(b-sample, 0, component)
	default:
		e.interruption(sample-b, 0, component)
	}
	e.runIndex[component] = max(e.runIndex[component]-1, 0)
	return length + 1
}

// runLength puts a run of length, where left would end the line (T.87 A.7.1).
func (e *encoder) runLength(length, left, component int) {
	index := e.runIndex[component]
	rest := length
	for rest >= 1<<runOrder[index&31] {
		e.put(1, 1)
		rest -= 1 << runOrder[index&31]
		index = min(index+1, 31)
	}
	e.runIndex[component] = index
	switch {
	case length < left:
		e.put(0, 1)
		e.put(uint64(rest), int(runOrder[index&31]))
	case rest > 0:
		e.put(1, 1)
	}
}

// interruption encodes an error at the end of a run of type t (T.87 A.7.2).
func (e *encoder) interruption(d, t, component int) {
	d = e.reduce(d)
	ctx := &e.runs[t]
	k := ctx.order(t)
	mapped := 2*max(d, -d) - t
	if d != 0 && (d < 0) == ctx.negative(k) {
		mapped--
	}
	e.value(mapped, k, e.limit-int(runOrder[e.runIndex[component]&31])-1, e.qbpp)
	ctx.update(d, mapped, t, e.reset)
}

// sampleLine encodes a line whose components are interleaved by sample (T.87
// B.2.3).
func (e *encoder) sampleLine() {
	width := len(e.buffers[0].cur) - 2
	var q [4]int
	for x := 1; x <= width; {
		flat := true
		for i := range e.buffers {
			q[i] = e.region(&e.buffers[i], x)
			flat = flat && q[i] == 0
		}
		if flat {
			x += e.sampleRun(x)
			continue
		}
		for i := range e.buffers {
			b := &e.buffers[i]
			e.regular(int(b.cur[x]), predict(b, x), q[i])
		}
		x++
	}
}

// sampleRun encodes a run of all components and the pixel that interrupts it.
func (e *encoder) sampleRun(x int) int {
	left := len(e.buffers[0].cur) - 1 - x
	length := left
	for i := range e.buffers {
		cur := e.buffers[i].cur
		k := 0
		for k < length && cur[x+k] == cur[x-1] {
			k++
		}
		length = k
	}
	e.runLength(length, left, 0)
	if length == left {
		return length
	}
	for i := range e.buffers {
		b := &e.buffers[i]
		d := int(b.cur[x+length]) - int(b.prev[x+length])
		if b.prev[x+length] < b.cur[x-1] {
			d = -d
		}
		e.interruption(d, 0, 0)
	}
	e.runIndex[0] = max(e.runIndex[0]-1, 0)
	return length + 1
}
