package sfu

import "time"

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
	first time.Time // when it was sent
	last  time.Time // when it was last sent again
}

// history is the memory of the last packets of one outlet.
type history struct{ slots [ringVideo]sentPacket }

func (h *history) note(seq uint16, era uint32, ext uint64, now time.Time) {
	h.slots[seq%ringVideo] = sentPacket{seq: seq, used: true, era: era, ext: ext, first: now}
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
	s := &h.slots[seq%ringVideo]
	switch {
	case !s.used || s.seq != seq:
		return 0, resendNot
	case s.era != era || now.Sub(s.first) > rtt+resendAge:
		return 0, resendGone
	case s.tries >= resendTries:
		return 0, resendNot
	case s.tries > 0 && now.Sub(s.last) < min(max(rtt, resendSpacing), resendMost):
		return 0, resendNot
	}
	s.tries++
	s.last = now
	return s.ext, resendNow
}
