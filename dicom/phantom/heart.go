package phantom

import (
	"image"
	"math"
)

// heart draws an apical four-chamber view: x in cm to the right of the apex
// of the sector, d in cm of depth. The left ventricle is at the right.
type heart struct {
	speckle [2]*tile // real and imaginary part of the echo, in polar cells
	flow    [2]*tile // of moving blood
	relief  *tile    // unevenness of tissue
	size    float64
}

func newHeart(seed uint64) *heart {
	r := newRand(seed, 2)
	h := &heart{size: 0.96 + 0.08*r.Float64()}
	for i := range 2 {
		h.speckle[i] = newTile(r, 512, 1.1)
		h.flow[i] = newTile(r, 256, 1.3)
	}
	h.relief = newTile(r, 256, 9)
	return h
}

func usSectorX() (left, right float64) {
	half := math.Sin(usHalfAngle) * usDepth * usPerCm
	return math.Round(usApexX - half), math.Round(usApexX + half)
}

// pose is the state of the heart at one moment.
type pose struct {
	squeeze float64 // 0 end of diastole, 1 end of systole
	open    float64 // of the mitral and tricuspid valves, 0..1
	frame   int

	leaflets [4]leaflet
}

func poseAt(i, frames int) pose {
	phase := math.Mod(2*float64(i)/float64(frames), 1)
	p := pose{frame: i}
	if phase < 0.36 {
		p.squeeze = 0.5 - 0.5*math.Cos(math.Pi*phase/0.36)
	} else {
		p.squeeze = 0.5 + 0.5*math.Cos(math.Pi*min((phase-0.36)/0.30, 1))
	}
	early := math.Exp(-math.Pow((phase-0.56)/0.07, 2)) // E wave
	late := 0.75 * math.Exp(-math.Pow((phase-0.90)/0.05, 2))
	p.open = min(early+late, 1)
	p.leaflets = leaflets(p.open)
	return p
}

func (h *heart) draw(m *image.RGBA, i, frames int) {
	p := poseAt(i, frames)
	for row := range usHeight {
		for col := range usWidth {
			x, d := (float64(col)-usApexX)/usPerCm, (float64(row)-usApexY)/usPerCm
			grey := 0.0
			radius, angle := math.Hypot(x, d), math.Atan2(x, d)
			if d > 0 && math.Abs(angle) < usHalfAngle && radius < usDepth && radius > 0.35 {
				grey = h.grey(x, d, radius, angle, p)
			}
			at := row*m.Stride + col*4
			g := uint8(min(max(grey, 0), 255))
			m.Pix[at], m.Pix[at+1], m.Pix[at+2], m.Pix[at+3] = g, g, uint8(min(float64(g)*1.04, 255)), 255
		}
	}
}

// grey is the log-compressed echo at one point.
func (h *heart) grey(x, d, radius, angle float64, p pose) float64 {
	strength, blood := h.echo(x/h.size, d/h.size, p)
	// Tissue carries its speckle with it as it moves.
	pull := 1 + 0.035*p.squeeze*step(2, 9, d)*step(15, 10, d)
	u, v := angle*190, radius*22*pull
	amplitude := math.Hypot(h.speckle[0].at(u, v), h.speckle[1].at(u, v))
	if blood > 0 {
		shift := float64(p.frame * 37)
		stream := math.Hypot(h.flow[0].at(u+shift, v-shift), h.flow[1].at(u+shift, v-shift))
		amplitude = blend(amplitude, stream, blood)
	}
	gain := 1.0 - 0.35*step(10, 16, radius) - 0.15*step(0.45, 0.72, math.Abs(angle))
	gain *= 1 + 0.05*h.flow[0].cell(int(angle*60)+500, 3) // streaks along the beam
	echo := strength * amplitude * gain
	return 58*math.Log(1+14*echo) - 22
}

// echo is the strength of the reflectors at one point of the heart at its own
// size, and how much of it is blood.
func (h *heart) echo(x, d float64, p pose) (strength, blood float64) {
	lump := 0.10 * h.relief.at(x*18+80, d*18)
	base := 9.9 - 0.9*p.squeeze // the plane of the valves moves to the apex
	// Left and right ventricle, atria: depth inside the cavity in cm.
	lv := cavity(x-1.85+0.10*(d-6), d, 3.0+0.25*p.squeeze, base, 1.85-0.62*p.squeeze, lump)
	rv := cavity(x+2.3-0.10*(d-6), d, 3.9+0.2*p.squeeze, base-0.1, 1.35-0.4*p.squeeze, lump)
	la := inside(x, d, 1.75, base+1.75, 1.9+0.12*p.squeeze, 1.75+0.3*p.squeeze) + 0.5*lump
	ra := inside(x, d, -2.0, base+1.7, 1.9+0.1*p.squeeze, 1.7+0.25*p.squeeze) + 0.5*lump
	hollow := max(lv, rv, la, ra)

	wall := inside(x, d, -0.15, 8.2, 5.0-0.25*p.squeeze, 6.4) + lump
	strength = 0.10 + 0.07*h.relief.at(x*9, d*30) // lung and mediastinum
	strength = max(strength, 0.02)
	muscle := 0.34 + 0.10*h.relief.at(x*25, d*25+60)
	strength = blend(strength, muscle, step(-0.15, 0.15, wall))
	strength += 1.5 * step(0.16, 0.04, math.Abs(wall)) * step(4, 7, d) // pericardium
	near := step(2.6, 1.2, d)
	strength = blend(strength, 0.75+0.3*math.Sin(d*14), near*0.8) // chest wall
	blood = step(-0.06, 0.08, hollow)
	strength = blend(strength, 0.028, blood)
	strength += 0.55 * step(0.10, 0.02, math.Abs(hollow+0.04)) // endocardium
	strength = max(strength, h.valves(x, d, base, p))
	return strength, blood
}

// cavity is the depth inside a bullet-shaped ventricle from its tip to base.
func cavity(x, d, tip, base, half, lump float64) float64 {
	along := (d - tip) / (base - tip)
	if along < 0 || along > 1.1 {
		return -1
	}
	width := half * math.Pow(math.Sin(math.Pi*min(along*0.56+0.02, 0.60)), 0.75)
	side := width - math.Abs(x) + lump
	return min(side, (base-d)*1.2)
}

// leaflet is one leaf of a valve: its hinge and the direction it points to.
type leaflet struct{ x, length, dx, dd float64 }

// leaflets are those of both valves, turned as far as they are open.
func leaflets(open float64) (all [4]leaflet) {
	for i, v := range [...]struct{ left, right float64 }{{0.1, 3.1}, {-3.3, -0.6}} {
		middle := (v.left + v.right) / 2
		for k, hinge := range [...]float64{v.left, v.right} {
			closed := math.Atan2(-0.25, middle-hinge)
			opened := math.Atan2(-1, 0.18*(middle-hinge))
			angle := blend(closed, opened, open)
			all[2*i+k] = leaflet{hinge, 0.62 * (v.right - v.left), math.Cos(angle), math.Sin(angle)}
		}
	}
	return all
}

// valves are thin leaflets hinged at the base plane.
func (h *heart) valves(x, d, base float64, p pose) float64 {
	best := 0.0
	for _, l := range p.leaflets {
		along := (x-l.x)*l.dx + (d-base)*l.dd
		if along <= -0.1 || along >= l.length {
			continue
		}
		across := math.Abs((x-l.x)*l.dd - (d-base)*l.dx + 0.08*math.Sin(along*3))
		best = max(best, 1.1*step(0.11, 0.03, across)*step(l.length, l.length-0.3, along))
	}
	return best
}
