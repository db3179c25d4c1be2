package sfu

// How many temporal and spatial layers are told apart.
const (
	layersMost = 3
	spacesMost = 3
)

// layerRates measures the rate of each layer of an inlet.
type layerRates struct {
	bytes     [spacesMost][layersMost]int // since the last second
	rate      [spacesMost][layersMost]float64
	top, wide uint8    // highest temporal and spatial layer seen lately
	tops      [2]uint8 // of the second that runs, and of the last one
	wides     [2]uint8
	any       bool // something came in the second that runs
}

func (r *layerRates) add(p *packet) {
	r.bytes[p.sid][p.tid] += len(p.payload) + wireOverhead
	r.tops[0], r.wides[0], r.any = max(r.tops[0], p.tid), max(r.wides[0], p.sid), true
	r.top, r.wide = max(r.top, p.tid), max(r.wide, p.sid)
}

// second closes a second.
func (r *layerRates) second() {
	for s := range r.rate {
		for t, b := range r.bytes[s] {
			now := float64(b) * 8
			if r.rate[s][t] == 0 {
				r.rate[s][t] = now
			}
			r.rate[s][t] += (now - r.rate[s][t]) / 2
			r.bytes[s][t] = 0
		}
	}
	if r.any {
		r.top, r.wide = max(r.tops[0], r.tops[1]), max(r.wides[0], r.wides[1])
		r.tops, r.wides, r.any = [2]uint8{0, r.tops[0]}, [2]uint8{0, r.wides[0]}, false
	}
}

// levels are the rates of what can be sent, bit/s: each temporal layer of the
// smallest size, then of the larger ones all but their slowest.
func (r *layerRates) levels() []float64 {
	out := make([]float64, 0, spacesMost*layersMost)
	for i := range r.count() {
		t, s := r.at(i)
		sum := 0.0
		for _, row := range r.rate[:s+1] {
			for _, x := range row[:t+1] {
				sum += x
			}
		}
		out = append(out, sum)
	}
	return out
}

func (r *layerRates) count() int {
	return int(r.top) + 1 + int(r.wide)*max(int(r.top), 1)
}

// at is which layers a level holds.
func (r *layerRates) at(level int) (top, space uint8) {
	if level <= int(r.top) || r.wide == 0 {
		return uint8(level), 0
	}
	level -= int(r.top) + 1
	if r.top == 0 {
		return 0, uint8(level + 1)
	}
	return uint8(1 + level%int(r.top)), uint8(1 + level/int(r.top))
}

// levels are the rates of what can be sent of the inlet, bit/s on the wire.
func (in *inlet) levels() []float64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.layers.levels()
}

// layerAt is which layers a level holds, and whether they are of several sizes.
func (in *inlet) layerAt(level int) (top, space uint8, wide bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	top, space = in.layers.at(min(level, max(in.layers.count()-1, layersMost-1)))
	return min(top, layersMost-1), min(space, spacesMost-1), in.layers.wide > 0
}

// topLayer and topSpace are the highest layers seen lately.
func (in *inlet) topLayer() uint8 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.layers.top
}

func (in *inlet) topSpace() uint8 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.layers.wide
}
