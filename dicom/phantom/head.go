package phantom

import "math"

// head is a head in millimetres: x to the patient's left, y to the back, z to
// the vertex, origin near the foramina of Monro.
type head struct {
	grain      *tile    // detector noise, one cell a pixel
	folds      [2]*tile // sulci and gyri, one cell a mm
	lumps      [2]*tile // slower unevenness, one cell a mm
	shape      float64  // 0.97..1.03, so that two patients differ
	bleedScale float64
}

// Hounsfield units of what a head is made of.
const (
	huSkin    = 45.0
	huFat     = -85.0
	huMuscle  = 55.0
	huTable   = 1250.0 // the two compact layers of the skull
	huDiploe  = 620.0
	huFluid   = 8.0
	huGrey    = 39.0
	huWhite   = 29.0
	huBlood   = 68.0
	huOedema  = 19.0
	huCalcium = 160.0
)

func newHead(seed uint64) *head {
	r := newRand(seed, 1)
	h := &head{grain: newTile(r, 1024, 0.75)}
	for i := range 2 {
		h.folds[i] = newTile(r, 256, 3.6)
		h.lumps[i] = newTile(r, 256, 11)
	}
	h.shape = 0.97 + 0.06*r.Float64()
	h.bleedScale = 0.85 + 0.3*r.Float64()
	return h
}

// level is the head at one height.
type level struct {
	*head
	z          float64
	a, b       float64 // semi-axes of the skin
	scalp      float64 // mm of soft tissue over the skull
	skull      float64 // mm of bone
	base       float64 // 0 in the vault, 1 at the base of the skull
	mix0, mix1 float64 // weights that turn two tiles into one field over z
	slow0      float64
	slow1      float64
}

func (h *head) at(z float64) level {
	l := level{head: h, z: z, scalp: 5.5, skull: 7}
	scale := 1.0
	if z > 0 {
		scale = shrink(z, 97)
	} else {
		scale = 1 - 0.10*z*z/3600
	}
	l.a, l.b = 74*scale*h.shape, 94*scale
	// Near the vertex the bone is cut at a slant and looks thicker.
	l.skull += 5 * step(50, 92, z)
	l.scalp += 3 * step(55, 95, z)
	l.base = step(-26, -34, z)
	l.mix0, l.mix1 = math.Cos(z/9), math.Sin(z/9)
	l.slow0, l.slow1 = math.Cos(z/25), math.Sin(z/25)
	return l
}

func (l *level) fold(x, y float64) float64 {
	return l.mix0*l.folds[0].at(x+128, y+128) + l.mix1*l.folds[1].at(x+128, y+128)
}

func (l *level) lump(x, y float64) float64 {
	return l.slow0*l.lumps[0].at(x+128, y+128) + l.slow1*l.lumps[1].at(x+128, y+128)
}

// hounsfield is the head without noise at one point.
func (l *level) hounsfield(x, y float64) float64 {
	skin := l.skinDepth(x, y)
	if skin < -1 {
		return l.rest(x, y)
	}
	edge := step(-0.6, 0.6, skin)
	hu := l.soft(x, y, skin)
	lump := l.lump(x, y)
	bone := skin - l.scalp + 0.8*lump // depth below the outer table
	if bone > -1 {
		hu = l.belowScalp(x, y, hu, bone, lump)
	}
	return blend(l.rest(x, y), hu, edge)
}

// skinDepth is the depth below the skin, with a nose and narrower face below.
func (l *level) skinDepth(x, y float64) float64 {
	depth := inside(x, y, 0, 2, l.a, l.b)
	if l.base > 0 {
		face := inside(x, y, 0, -4, l.a*(1-0.13*l.base*step(0, -60, y)), l.b*0.97)
		depth = blend(depth, face, l.base)
		nose := inside(x, y, 0, -88, 11+0.1*(-30-l.z), 16*step(-30, -48, l.z)+0.1)
		depth = max(depth, nose)
		ear := inside(math.Abs(x), y, l.a+2, 16, 7, 15*shrink(l.z+48, 24))
		depth = max(depth, ear)
	}
	return depth
}

// rest is the air round the head and the head rest under it.
func (l *level) rest(x, y float64) float64 {
	r := math.Hypot(x, y+22)
	shell := math.Abs(r - 126)
	if y > 60 && shell < 3 {
		return blend(-600, ctAir, step(1.4, 2.4, shell))
	}
	return ctAir
}

// soft is scalp: skin, then fat with muscle at the temples and neck.
func (l *level) soft(x, y, skin float64) float64 {
	hu := blend(huSkin, huFat, step(1.4, 2.6, skin))
	muscle := step(0.5, 0.75, math.Abs(x)/l.a) * step(20, 0, l.z) * step(-70, -40, y) * step(2.5, 3.5, skin)
	muscle = max(muscle, l.base*step(3, 5, skin))
	return blend(hu, huMuscle+4*l.lump(x*2, y*2), muscle)
}

// belowScalp adds the skull and what it holds.
func (l *level) belowScalp(x, y, hu, bone, lump float64) float64 {
	cavity := bone - l.skull - 0.7*l.lump(y, x) // depth below the inner table
	if l.base > 0 {
		cavity = blend(cavity, min(cavity, l.fossae(x, y)), l.base)
	}
	thickness := bone - cavity
	if bone < thickness && thickness < 60 || l.base > 0 {
		hu = blend(hu, l.bone(x, y, bone, cavity), step(-0.5, 0.5, bone))
	}
	if cavity > -1 {
		hu = blend(hu, l.brain(x, y, cavity), step(-0.5, 0.5, cavity))
	}
	return hu
}

// bone is compact outside and spongy between; below the vault it is the base
// of the skull with the face in front of it.
func (l *level) bone(x, y, outer, cavity float64) float64 {
	table := min(outer, -cavity)
	hu := blend(huTable, huDiploe+90*l.fold(x*3, y*3), step(1.2, 2.6, table))
	if l.base > 0 {
		hu = blend(hu, l.face(x, y, outer, cavity), l.base)
	}
	front := inside(math.Abs(x), y, 9, -l.b+l.scalp+8, 9, 5*shrink(l.z+22, 16))
	return blend(hu, ctAir, step(-0.5, 0.5, front)) // frontal sinus
}
