package phantom

import "math"

// brain is what lies inside the skull; depth is the distance from the inner
// table in mm.
func (l *level) brain(x, y, depth float64) float64 {
	lump := l.lump(x+40, y-30)
	fold := l.fold(x, y)
	surface := depth - 2.2 - 0.8*lump
	hu := l.tissue(x, y, surface, fold)

	// Sulci follow the lines where the folding field changes sign; they are
	// wide at the surface and close 18 mm below it.
	sulcus := math.Abs(fold) * 3.4
	open := 1.25 * step(20, 2, surface) * step(-40, -25, l.z)
	hu = blend(huFluid, hu, step(open-0.7, open+0.8, sulcus+0.001))
	hu = blend(huFluid, hu, step(-0.6, 0.9, surface)) // the film under the skull

	hu = l.deepGrey(x, y, hu)
	hu = l.fissures(x, y, hu, surface)
	hu = l.bleed(x, y, hu, lump)
	hu = l.ventricles(x, y, hu, lump)
	if l.base > 0 {
		hu = blend(hu, l.hindbrain(x, y, hu), l.base)
	}
	return hu
}

// tissue is grey cortex over white matter.
func (l *level) tissue(x, y, surface, fold float64) float64 {
	ribbon := min(surface, math.Abs(fold)*7+step(8, 26, surface)*30)
	hu := blend(huGrey, huWhite, step(3.0, 5.2, ribbon))
	return hu + 1.1*l.lump(x*1.7, y*1.7)
}

// deepGrey adds caudate, lentiform nucleus and thalamus.
func (l *level) deepGrey(x, y, hu float64) float64 {
	side := math.Abs(x)
	for _, n := range [...]struct{ x, y, z, a, b, r float64 }{
		{13, -22, 10, 5, 9, 16},  // head of caudate
		{24, -4, 4, 6.5, 14, 15}, // lentiform nucleus
		{9, 14, 4, 7, 13, 16},    // thalamus
	} {
		s := shrink(l.z-n.z, n.r)
		if s == 0 {
			continue
		}
		hu = blend(hu, huGrey, step(-1, 1.2, inside(side, y, n.x, n.y, n.a*s, n.b*s)))
	}
	return hu
}

// fissures adds the falx between the hemispheres and the Sylvian fissures.
func (l *level) fissures(x, y, hu, surface float64) float64 {
	if l.z > -20 {
		bend := 0.6 * l.lump(50, y)
		gap := math.Abs(x - bend)
		cut := step(-20, -30, y) + step(34, 44, y)
		if l.z > 34 {
			cut = 1
		}
		cut *= step(-20, -8, l.z)
		width := 1.3 + 0.5*l.fold(3, y)
		hu = blend(hu, huFluid, min(cut, 1)*step(width+0.7, width-0.7, gap))
		hu = blend(hu, 54, 0.55*min(cut, 1)*step(1.1, 0.3, gap)) // falx
	}
	s := shrink(l.z-2, 20)
	if s > 0 {
		side := math.Abs(x)
		line := math.Abs(y + 16 - 0.55*(side-44) - 2*l.lump(side, 20))
		along := step(30, 36, side) * step(-3, 3, surface+4)
		hu = blend(hu, huFluid, s*along*step(2.6, 1.2, line))
		insula := math.Abs(side - 36 - 1.5*l.fold(12, y))
		hu = blend(hu, huFluid, s*step(1.9, 0.8, insula)*step(-26, -18, y)*step(20, 12, y))
	}
	return hu
}

// bleed adds the haemorrhage in the right basal ganglia and its oedema.
func (l *level) bleed(x, y, hu, lump float64) float64 {
	radius := 17 * l.bleedScale
	dz := (l.z - 9) / radius
	u, v := (x+29)/(0.85*radius), (y-1)/(1.2*radius)
	distance := math.Sqrt(u*u+v*v+dz*dz)*radius + 2.2*lump + 0.9*l.fold(x+70, y)
	hu = blend(hu, huOedema+0.3*(hu-huWhite), step(radius+7, radius+3.5, distance))
	return blend(hu, huBlood+2.5*l.fold(x*1.5, y*1.5), step(radius+0.8, radius-0.8, distance))
}

// ventricles adds the lateral and third ventricles; the right one is pressed
// by the bleeding. The choroid plexus is calcified, as in most adults.
func (l *level) ventricles(x, y, hu, lump float64) float64 {
	shift := 3.0 * shrink(l.z-9, 30) * l.bleedScale // midline shift to the left
	side, size := math.Abs(x-shift), 1.0
	if x < shift {
		size = 1 - 0.35*shrink(l.z-9, 34)
	}
	best := -1000.0
	tilt := func(cx, cy, a, b, slope float64) {
		best = max(best, inside(side-slope*(y-cy), y, cx, cy, a*size, b))
	}
	if s := shrink(l.z-12, 15); s > 0 {
		tilt(7.5, -27, 4.6*s, 12*s, -0.35) // frontal horn
	}
	if s := shrink(l.z-24, 13); s > 0 {
		tilt(10, 0, 6*s, 33*s, 0.12) // body
	}
	if s := shrink(l.z-12, 18); s > 0 {
		tilt(22, 34, 5.5*s, 13*s, 0.30) // atrium and occipital horn
	}
	if s := shrink(l.z-2, 12); s > 0 {
		best = max(best, inside(x-shift, y, 0, 6, 2.2*s, 13*s)) // third ventricle
	}
	hu = blend(hu, huFluid-2, step(-0.7, 0.7, best+0.4*lump))
	plexus := inside(side, y, 21, 34, 2.4*shrink(l.z-13, 6), 4.2)
	hu = blend(hu, huCalcium, step(-0.5, 0.8, plexus))
	pineal := inside(x-shift*0.6, y, 0, 22, 2.2*shrink(l.z-4, 4), 2.2)
	return blend(hu, huCalcium, step(-0.4, 0.5, pineal))
}
