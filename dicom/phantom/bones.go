package phantom

import "math"

// bones adds the absorption of spine, ribs, clavicles, shoulder blades and
// humeral heads at (x, y) mm.
func (c *chest) bones(x, y, lump float64) float64 {
	side := math.Abs(x)
	a := c.spine(x, y)
	a += c.ribs(side, y, lump)

	// Clavicle: a slender S from the manubrium to the shoulder.
	along := (side - 14) / 118
	if along > -0.05 && along < 1.02 {
		middle := 66 - 24*along + 7*math.Sin(along*2*math.Pi+0.4)
		a += 0.30 * tube((y-middle)/(6.2-1.2*math.Sin(along*math.Pi))) * step(-0.05, 0.02, along)
	}
	blade := inside(side+0.28*(y-110), y, 138, 112, 27, 52)
	a += 0.10*step(-1, 2, blade) + 0.16*step(2.8, 0.6, math.Abs(blade))
	humerus := inside(side, y, 176, 72, 23, 24)
	a += 0.55 * step(-1, 4, humerus)
	return a
}

// tube is the profile of a hollow bone across u = -1..1: dense at the edges.
func tube(u float64) float64 {
	if u <= -1 || u >= 1 {
		return 0
	}
	outer := math.Sqrt(1 - u*u)
	inner := 0.0
	if v := u / 0.80; v > -1 && v < 1 {
		inner = math.Sqrt(1 - v*v)
	}
	return 1.5*outer - 0.95*inner
}

func (c *chest) spine(x, y float64) float64 {
	body := step(21, 15.5, math.Abs(x-0.8)+0.8*math.Cos(y*2*math.Pi/23.5))
	phase := math.Mod(y, 23.5) / 23.5
	disc := step(0.10, 0.04, phase) + step(0.90, 0.96, phase)
	plate := step(0.06, 0.0, math.Abs(phase-0.13)) + step(0.06, 0.0, math.Abs(phase-0.87))
	a := body * (0.34 - 0.20*min(disc, 1) + 0.09*plate)
	process := inside(x, y-23.5*math.Floor(y/23.5), 0, 14, 3.2, 6)
	a += 0.14 * step(-0.5, 1, process)
	pedicle := inside(math.Abs(x-0.8), y-23.5*math.Floor(y/23.5), 12, 9, 3.4, 4.2)
	return a + 0.12*step(1.4, 0.2, math.Abs(pedicle))
}

// rib is one pair: where its back part starts at the spine, the lateral wall
// it reaches, and where its front part leaves that wall.
type rib struct{ n, start, reach, bottom float64 }

var ribPairs = func() (pairs [10]rib) {
	for i := range pairs {
		n := float64(i)
		start := 46 + 20.5*n
		pairs[i] = rib{
			n: n, start: start,
			reach:  30 + 118*math.Pow(min((start-24)/225, 1), 0.36),
			bottom: start - 11*math.Sin(math.Pi*0.75) + 16 + 1.6*n,
		}
	}
	return pairs
}()

// ribs are ten pairs: the back part falls gently outwards, the front part
// returns steeply and fades where it becomes cartilage.
func (c *chest) ribs(side, y, lump float64) float64 {
	a := 0.0
	for _, r := range ribPairs {
		along := (side - 17) / (r.reach - 17)
		if along > 0 && along < 1 && y > r.start-20 && y < r.start+45 {
			middle := r.start - 11*math.Sin(along*math.Pi*0.75) + (16+1.6*r.n)*along*along
			half := 5.6 + 0.9*math.Sin(along*math.Pi)
			// The rib turns forward at the wall and is met edge on.
			grow := 1 + 0.8*step(0.88, 1, along)
			a += 0.20 * grow * tube((y-middle+0.3*lump)/half) * step(0, 0.06, along) * step(1, 0.955, along)
		}
		back := (r.reach - side) / (r.reach - 34 - 3*r.n)
		if r.n < 8 && back > 0 && back < 0.78 && y > r.bottom-10 {
			middle := r.bottom + 6*math.Sqrt(back) + (40+2.5*r.n)*back
			a += 0.15 * tube((y-middle)/(6.4+1.5*back)) * step(0.78, 0.62, back) * step(0, 0.04, back)
		}
	}
	return a
}
