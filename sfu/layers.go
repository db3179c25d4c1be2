package sfu

// layerOf reads which temporal layer a packet belongs to, and whether a
// decoder may go up to that layer from it on. Only VP9 is read (RFC 9628,
// 4.2): a VP8 stream has one layer here, since leaving some out would need
// its picture numbers rewritten.
func layerOf(mime string, b []byte) (tid uint8, up bool) {
	const pictureID, layers = 0x80, 0x20
	if mime != "video/vp9" || len(b) < 2 || b[0]&layers == 0 {
		return 0, false
	}
	i := 1
	if b[0]&pictureID != 0 {
		if b[i]&0x80 != 0 {
			i++
		}
		i++
	}
	if len(b) <= i {
		return 0, false
	}
	return min(b[i]>>5, layersMost-1), b[i]&0x10 != 0
}

// layersMost is how many temporal layers are told apart.
const layersMost = 3

// layerRates measures the rate of each temporal layer of an inlet.
type layerRates struct {
	bytes [layersMost]int // since the last second
	rate  [layersMost]float64
	top   uint8 // highest layer seen
}

func (r *layerRates) add(tid uint8, size int) {
	r.bytes[tid] += size + wireOverhead
	r.top = max(r.top, tid)
}

// second closes a second.
func (r *layerRates) second() {
	for i, b := range r.bytes {
		now := float64(b) * 8
		if r.rate[i] == 0 {
			r.rate[i] = now
		}
		r.rate[i] += (now - r.rate[i]) / 2
		r.bytes[i] = 0
	}
}

// levels are the rates up to each layer, bit/s.
func (r *layerRates) levels() []float64 {
	out := make([]float64, 0, layersMost)
	sum := 0.0
	for i := range r.top + 1 {
		sum += r.rate[i]
		out = append(out, sum)
	}
	return out
}
