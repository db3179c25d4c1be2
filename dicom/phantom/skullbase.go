package phantom

import "math"

// fossae is the depth inside the middle or posterior fossa at the base of the
// skull; the petrous ridges stand between them.
func (l *level) fossae(x, y float64) float64 {
	side := math.Abs(x)
	low := step(-30, -62, l.z)
	posterior := inside(x, y, 0, 42, blend(50, 34, low), blend(40, 34, low))
	middle := inside(side, y, 38, -10, blend(27, 16, low), blend(32, 17, low))
	sella := inside(x, y, 0, 0, 17, blend(22, 6, low))
	return max(posterior, middle, sella) + 0.6*l.lump(x, y)
}

// hindbrain is cerebellum, pons and fourth ventricle.
func (l *level) hindbrain(x, y, hu float64) float64 {
	if inside(x, y, 0, 42, 50, 42) < 0 && math.Abs(x) > 17 {
		return hu // temporal lobes
	}
	leaf := math.Sin(math.Hypot(x, y-22)*1.35 + 2*l.lump(x, y))
	hu = huGrey - 2 + 2.2*leaf*step(14, 24, math.Hypot(x, y-10))
	pons := inside(x, y, 0, 10, 15, 13)
	hu = blend(hu, huWhite+4, step(-1.5, 1.5, pons))
	cistern := math.Abs(inside(x, y, 0, 10, 18, 16))
	hu = blend(hu, huFluid, step(2.4, 1.2, cistern)*step(8, 0, y-4))
	fourth := inside(x, y, 0, 27, 6*shrink(l.z+40, 14), 4.5*shrink(l.z+40, 14))
	return blend(hu, huFluid, step(-0.7, 0.7, fourth))
}

// face is bone and soft tissue outside the cavity at the base of the skull:
// petrous bones with mastoid cells, orbits, sinuses.
func (l *level) face(x, y, outer, cavity float64) float64 {
	side := math.Abs(x)
	hu := huMuscle + 5*l.lump(x*2, y*2)
	hu = blend(hu, huFat, step(0.5, 1.3, l.fold(x*0.9+9, y*0.9))*step(0, -20, y))
	shell := min(-cavity, outer+2)
	if y > -30 || outer < 7 {
		hu = blend(hu, huTable*0.9, step(5.5, 4.2, shell)*step(-1, 0.5, shell))
	}
	petrous := inside(side*0.82+(y-16)*0.57, y*0.82-side*0.57+10, 44, 0, 36, 10)
	hu = blend(hu, 1100+180*l.fold(x*2, y*2), step(-0.8, 0.8, petrous))
	if side > 44 && petrous > 1.5 { // mastoid air cells
		hu = blend(hu, -700, step(0.35, 0.8, l.fold(x*3.5, y*3.5)))
	}
	canal := inside(side, y, 47, 12, 17, 3.4*shrink(l.z+46, 8))
	hu = blend(hu, ctAir, step(-0.5, 0.5, canal)*step(30, 34, side))
	hu = l.sinuses(x, y, hu)
	return l.orbits(side, y, hu)
}

func (l *level) sinuses(x, y, hu float64) float64 {
	side := math.Abs(x)
	for _, s := range [...]struct{ x, y, z, a, b, r float64 }{
		{7, -54, -44, 7, 20, 20},   // ethmoid and nasal cavity
		{30, -52, -62, 14, 17, 16}, // maxillary
		{6, -22, -44, 6.5, 10, 12}, // sphenoid
		{5, -58, -62, 6.5, 26, 16}, // lower nasal cavity
		{0, -14, -64, 12, 7, 12},   // pharynx
	} {
		scale := shrink(l.z-s.z, s.r)
		if scale == 0 {
			continue
		}
		depth := inside(side, y, s.x, s.y, s.a*scale, s.b*scale)
		hu = blend(hu, 700, step(-2.0, -1.1, depth))
		hu = blend(hu, ctAir, step(-0.6, 0.4, depth))
		if s.x == 7 { // walls between ethmoid cells, and the septum
			wall := math.Abs(math.Sin(y * 0.42))
			hu = blend(hu, 250, step(0.25, 0.05, wall)*step(0, 1, depth))
		}
	}
	if l.z < -34 && y < -30 && y > -82 {
		hu = blend(hu, 320, step(1.0, 0.4, math.Abs(x-0.8*l.lump(1, y))))
	}
	return hu
}

func (l *level) orbits(side, y, hu float64) float64 {
	scale := shrink(l.z+42, 19)
	if scale == 0 {
		return hu
	}
	cone := inside(side+0.30*(y+60), y, 32, -60, 17*scale, 27*scale)
	hu = blend(hu, 900, step(-2.4, -1.4, cone)*step(-84, -78, y))
	hu = blend(hu, huFat, step(-0.6, 0.6, cone))
	nerve := math.Abs(side - 32 + 0.38*(y+68)*-1 + 5)
	hu = blend(hu, huGrey, step(2.2, 1.4, nerve)*step(0, 1, cone)*step(-66, -62, y)*shrink(l.z+42, 5))
	for _, cx := range [...]float64{20, 44} {
		muscle := math.Abs(side - cx + 0.30*(y+60) + (cx-32)*0.028*(y+60))
		hu = blend(hu, huMuscle, step(2.4, 1.5, muscle)*step(0, 1, cone)*step(-72, -66, y)*shrink(l.z+42, 10))
	}
	globe := inside(side, y, 32, -76, 12.5*shrink(l.z+42, 12.5), 12.5*shrink(l.z+42, 12.5))
	hu = blend(hu, 42, step(-0.6, 0.4, globe))
	hu = blend(hu, 12, step(1.0, 1.8, globe))
	lens := inside(side, y, 32, -85, 4.5*shrink(l.z+42, 5), 2.2)
	return blend(hu, 85, step(-0.4, 0.4, lens))
}
