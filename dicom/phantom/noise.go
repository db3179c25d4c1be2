package phantom

import (
	"math"
	"math/rand/v2"
)

// newRand gives an independent stream for each purpose under one seed.
func newRand(seed, purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }

// tile is a square of smooth Gaussian noise that repeats seamlessly, with
// mean 0 and standard deviation 1.
type tile struct {
	size   int // a power of two
	values []float32
}

// newTile blurs white noise with a Gaussian of sigma cells.
func newTile(r *rand.Rand, size int, sigma float64) *tile {
	t := &tile{size, make([]float32, size*size)}
	for i := range t.values {
		t.values[i] = float32(r.NormFloat64())
	}
	if sigma > 0 {
		t.blur(sigma)
	}
	t.normalise()
	return t
}

func (t *tile) blur(sigma float64) {
	radius := int(math.Ceil(3 * sigma))
	kernel := make([]float32, 2*radius+1)
	for i := range kernel {
		x := float64(i-radius) / sigma
		kernel[i] = float32(math.Exp(-x * x / 2))
	}
	mask, line := t.size-1, make([]float32, t.size)
	pass := func(start, step int) {
		for i := range line {
			line[i] = t.values[start+i*step]
		}
		for i := range line {
			var sum float32
			for k, w := range kernel {
				sum += w * line[(i+k-radius)&mask]
			}
			t.values[start+i*step] = sum
		}
	}
	for y := range t.size {
		pass(y*t.size, 1)
	}
	for x := range t.size {
		pass(x, t.size)
	}
}

func (t *tile) normalise() {
	var sum, squares float64
	for _, v := range t.values {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(t.values))
	mean := sum / n
	deviation := math.Sqrt(max(squares/n-mean*mean, 1e-12))
	for i, v := range t.values {
		t.values[i] = float32((float64(v) - mean) / deviation)
	}
}

// at interpolates between cells; coordinates wrap round.
func (t *tile) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	mask := t.size - 1
	x0, y0 := int(fx)&mask, int(fy)&mask
	x1, y1 := (x0+1)&mask, (y0+1)&mask
	u, v := x-fx, y-fy
	top := float64(t.values[y0*t.size+x0])*(1-u) + float64(t.values[y0*t.size+x1])*u
	low := float64(t.values[y1*t.size+x0])*(1-u) + float64(t.values[y1*t.size+x1])*u
	return top*(1-v) + low*v
}

// cell reads without interpolation.
func (t *tile) cell(x, y int) float64 {
	mask := t.size - 1
	return float64(t.values[(y&mask)*t.size+x&mask])
}

// step rises smoothly from 0 at low to 1 at high.
func step(low, high, x float64) float64 {
	t := min(max((x-low)/(high-low), 0), 1)
	return t * t * (3 - 2*t)
}

// blend moves from a to b by the share t.
func blend(a, b, t float64) float64 { return a + (b-a)*t }

// inside is the approximate distance in mm from the border of an ellipse,
// positive inside.
func inside(x, y, cx, cy, a, b float64) float64 {
	if a < 0.25 || b < 0.25 {
		return -1000
	}
	u, v := (x-cx)/a, (y-cy)/b
	return (1 - math.Sqrt(u*u+v*v)) * min(a, b)
}

// shrink is the scale of a ball's cross section at distance z of its centre.
func shrink(z, radius float64) float64 {
	if math.Abs(z) >= radius {
		return 0
	}
	return math.Sqrt(1 - z*z/(radius*radius))
}
