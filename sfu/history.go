package sfu

import (
	"cmp"
	"time"
)

// Rules of sending a packet again to a subscriber.
const (
	resendTries   = 3
	resendSpacing = 20 * time.Millisecond // at least, whatever the round trip says
	resendMost    = 200 * time.Millisecond

	// A packet is worth sending again for so long beyond a round trip. After
	// an outage a keyframe is cheaper than all that was lost in it.
	resendAge = time.Second

	// Repairs may cost half of what is sent, and this at once, in bytes.
	repairBurst = 30_000
)

// sentPacket remembers which of the source's packets left under a number.
type sentPacket struct {
	seq   uint16
	used  bool
	tries uint8
	final bool   // the picture ended with it
	era   uint32 // which binding of the outlet
	ext   uint64
	first moment // when it was sent
	last  moment // when it was last sent again
}

// history is the memory of the last packets of one outlet. It is made with the
// first one: most outlets of a large room show nobody.
type history struct {
	slots []sentPacket
	most  int // 0: as many as of a picture
}

func (h *history) note(seq uint16, era uint32, ext uint64, now time.Time) *sentPacket {
	if h.slots == nil {
		h.slots = make([]sentPacket, cmp.Or(h.most, ringVideo))
	}
	s := &h.slots[int(seq)%len(h.slots)]
	*s = sentPacket{seq: seq, used: true, era: era, ext: ext, first: momentOf(now)}
	return s
}

// get returns what left under a number, false when that is not known.
func (h *history) get(seq uint16) (*sentPacket, bool) {
	if h.slots == nil {
		return nil, false
	}
	s := &h.slots[int(seq)%len(h.slots)]
	return s, s.used && s.seq == seq
}

// verdict on a packet that a subscriber misses.
type verdict int

const (
	resendNot  verdict = iota // unknown, sent often enough, or probably on its way
	resendNow                 // send it
	resendGone                // too late: only a keyframe helps
)

// again says whether to send the packet with an asked number, and which
// packet of the source that is.
func (h *history) again(seq uint16, era uint32, rtt time.Duration, now time.Time) (ext uint64, v verdict) {
	s, ok := h.get(seq)
	switch {
	case !ok:
		return 0, resendNot
	case s.era != era || s.first.before(now) > rtt+resendAge:
		return 0, resendGone
	case s.tries >= resendTries:
		return 0, resendNot
	case s.tries > 0 && s.last.before(now) < min(max(rtt, resendSpacing), resendMost):
		return 0, resendNot
	}
	s.tries++
	s.last = momentOf(now)
	return s.ext, resendNow
}
