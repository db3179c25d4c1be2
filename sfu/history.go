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

	// What left within so long is remembered: what is missed after an outage
	// that is none yet (iceDisconnected) is known to be gone.
	historyReach = 5 * time.Second
	historyLeast = 32 // packets, a power of two

	// Repairs may cost half of what is sent, and this at once, in bytes.
	repairBurst = 30_000
)

// sentPacket remembers which of the source's packets left under a number.
type sentPacket struct {
	ext   uint64 // 0: no packet
	first moment // when it was sent
	last  moment // when it was last sent again
	era   uint32 // which binding of the outlet
	seq   uint16
	tries uint8
	final bool // the picture ended with it
}

// history is the memory of the last packets of one outlet. It is made with the
// first one, for most outlets of a large room show nobody, and grows with the
// rate of what is sent.
type history struct {
	slots []sentPacket
	most  int // a power of two; 0: as many as of a picture
}

func (h *history) note(seq uint16, era uint32, ext uint64, now time.Time) *sentPacket {
	if n := len(h.slots); n == 0 || n < cmp.Or(h.most, ringVideo) && h.of(seq).within(historyReach, now) {
		h.grow()
	}
	s := h.of(seq)
	*s = sentPacket{seq: seq, era: era, ext: ext, first: momentOf(now)}
	return s
}

// of is the place of a number.
func (h *history) of(seq uint16) *sentPacket { return &h.slots[int(seq)%len(h.slots)] }

// grow doubles the history.
func (h *history) grow() {
	old := h.slots
	h.slots = make([]sentPacket, max(2*len(old), historyLeast))
	for _, s := range old {
		if s.ext != 0 {
			*h.of(s.seq) = s
		}
	}
}

// within says whether there is a packet that was sent so lately.
func (s *sentPacket) within(d time.Duration, now time.Time) bool {
	return s.ext != 0 && s.first.before(now) < d
}

// get returns what left under a number, false when that is not known.
func (h *history) get(seq uint16) (*sentPacket, bool) {
	if h.slots == nil {
		return nil, false
	}
	s := h.of(seq)
	return s, s.ext != 0 && s.seq == seq
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
