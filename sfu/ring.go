package sfu

// packet is one RTP packet of an inlet. Its payload belongs to whoever made
// the packet and is valid only during the call it is passed to.
type packet struct {
	ext      uint64 // extended sequence number
	ts       uint32
	marker   bool
	keyStart bool // first packet of a frame that decodes alone
	gap      bool // what is missing before it is given up
	tid      uint8
	sid      uint8 // spatial layer
	end      bool  // last packet of its layer of the picture (VP9)
	up       bool  // one may go up to this layer from here
	starts   bool  // first packet of a numbered picture (VP8)
	pt       uint8
	payload  []byte
}

// Sizes of rings, in packets; each a power of two.
const (
	ringVideo = 512
	ringAudio = 128
	ringMost  = 4096
)

// ring keeps the last packets of an inlet for all its subscribers. It owns
// its bytes and reuses them.
type ring struct {
	slots []packet
	used  []bool
}

func newRing(size int) *ring {
	return &ring{slots: make([]packet, size), used: make([]bool, size)}
}

func (r *ring) index(ext uint64) int { return int(ext & uint64(len(r.slots)-1)) }

// put copies a packet in, over the one that is a whole ring older.
func (r *ring) put(p *packet) {
	i := r.index(p.ext)
	s := &r.slots[i]
	if r.used[i] && s.ext > p.ext {
		return // older than what the ring reaches back to
	}
	buf := append(s.payload[:0], p.payload...)
	*s = *p
	s.payload = buf
	r.used[i] = true
}

// get returns the packet, its payload still owned by the ring.
func (r *ring) get(ext uint64) (*packet, bool) {
	i := r.index(ext)
	if !r.used[i] || r.slots[i].ext != ext {
		return nil, false
	}
	return &r.slots[i], true
}

// grow doubles the ring until it holds want packets, up to ringMost.
func (r *ring) grow(want int) {
	size := len(r.slots)
	for size < want && size < ringMost {
		size *= 2
	}
	if size == len(r.slots) {
		return
	}
	bigger := newRing(size)
	for i := range r.slots {
		if r.used[i] {
			j := bigger.index(r.slots[i].ext)
			bigger.slots[j], bigger.used[j] = r.slots[i], true
		}
	}
	*r = *bigger
}
