package sfu

// choose decides at a picture's first packet which of its layers are sent.
// Down it goes with any picture; up in time with one that leans on lower
// layers only, in size with a keyframe. The lock is held.
func (o *outlet) choose(p *packet) {
	if o.chosen && int32(p.ts-o.chosenTS) <= 0 {
		return
	}
	o.chosen, o.chosenTS = true, p.ts
	if p.keyStart {
		o.layer, o.space = o.wantTop, o.wantSpace
		return
	}
	o.space = min(o.space, o.wantSpace)
	switch {
	case o.wantTop < o.layer:
		o.layer = o.wantTop
	case o.wantTop > o.layer && p.up && p.tid == o.layer+1:
		o.layer++
	}
}

// leaves says that a packet is of a layer that the outlet does not send, ends
// that with it the picture ends there: its marker says so to the viewer. The
// lock is held.
func (o *outlet) leaves(p *packet) bool { return p.tid > o.layer || p.sid > o.space }
func (o *outlet) ends(p *packet) bool   { return p.end && p.sid == o.space }

// settle turns the level that a share pays for into layers. It returns whether
// a keyframe is needed to get there. The lock is held.
func (o *outlet) settle(c choices, level int, share float64) (key bool) {
	in := c.in
	if c.low != nil {
		of, top := c.at(level)
		o.wantSpace = 0
		switch {
		case of == o.in:
			o.wantTop = top
		case of == c.low:
			o.wantTop = 0 // until it is turned to
		default:
			o.wantTop = layersMost - 1
		}
		return false
	}
	top, space, wide := in.layerAt(level)
	if !wide && in.spread.paid(share) {
		space = spacesMost - 1 // about to come, with a keyframe
	}
	o.wantTop, o.wantSpace = top, space
	return wide && space > o.space && o.started
}
