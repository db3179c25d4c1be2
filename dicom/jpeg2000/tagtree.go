package jpeg2000

// tagTree codes a small integer for each leaf of a grid, together with the
// minima of groups of four (T.800 B.10.2).
type tagTree struct {
	levels []tagLevel // leaves first
}

type tagLevel struct {
	width int
	nodes []tagNode
}

type tagNode struct {
	low   int32 // the value is at least this
	known bool  // it is this
}

func newTagTree(w, h int) *tagTree {
	t := &tagTree{}
	for {
		t.levels = append(t.levels, tagLevel{w, make([]tagNode, w*h)})
		if w*h <= 1 {
			return t
		}
		w, h = (w+1)/2, (h+1)/2
	}
}

// below reads as many bits as it takes to tell whether the value of leaf x, y
// is less than threshold, and returns that. When it is, value gives it.
func (t *tagTree) below(r *headerBits, x, y int, threshold int32) bool {
	low := int32(0)
	for k := len(t.levels) - 1; k >= 0; k-- {
		n := &t.levels[k].nodes[y>>k*t.levels[k].width+x>>k]
		n.low = max(n.low, low)
		for !n.known && n.low < threshold {
			if r.bit() == 1 {
				n.known = true
			} else {
				n.low++
			}
		}
		low = n.low
		if !n.known {
			return false // its children are no smaller
		}
	}
	return low < threshold
}

func (t *tagTree) value(x, y int) int32 {
	return t.levels[0].nodes[y*t.levels[0].width+x].low
}

// headerBits reads the bits of packet headers (T.800 B.10.1): after a byte of
// all ones the next begins with a stuffed zero.
type headerBits struct {
	b    []byte
	at   int
	hold uint
	left int
	over bool // read past the end
}

func (r *headerBits) bit() uint {
	if r.left == 0 {
		r.left = 8
		if r.at > 0 && r.at <= len(r.b) && r.hold == 0xFF {
			r.left = 7
		}
		if r.at >= len(r.b) {
			r.over = true
			r.hold = 0
		} else {
			r.hold = uint(r.b[r.at])
		}
		r.at++
	}
	r.left--
	return r.hold >> r.left & 1
}

func (r *headerBits) bits(n int) uint {
	v := uint(0)
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

// end returns how many bytes the header took.
func (r *headerBits) end() int {
	if r.at > 0 && r.hold == 0xFF {
		r.at++ // a last byte of all ones is followed by a stuffed one
	}
	return min(r.at, len(r.b))
}
