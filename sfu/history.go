package sfu

import "time"

// Rules of sending a packet again to a subscriber.
const (
	resendTries   = 3
	resendSpacing = 20 * time.Millisecond // at least, whatever the round trip says
	resendMost    = 200 * time.Millisecond
)

// sentPacket remembers which of the source's packets left under a number.
type sentPacket struct {
	seq   uint16
	used  bool
	tries uint8
	era   uint32 // which binding of the outlet
	ext   uint64
	last  time.Time // when it was last sent again
}

// history is the memory of the last packets of one outlet.
type history struct{ slots [ringVideo]sentPacket }

func (h *history) note(seq uint16, era uint32, ext uint64) {
	h.slots[seq%ringVideo] = sentPacket{seq: seq, used: true, era: era, ext: ext}
}

// again says which source packet to send for an asked number; false when it
// is unknown, was sent often enough, or is probably still on its way.
func (h *history) again(seq uint16, era uint32, rtt time.Duration, now time.Time) (ext uint64, ok bool) {
	s := &h.slots[seq%ringVideo]
	if !s.used || s.seq != seq || s.era != era || s.tries >= resendTries {
		return 0, false
	}
	if s.tries > 0 && now.Sub(s.last) < min(max(rtt, resendSpacing), resendMost) {
		return 0, false
	}
	s.tries++
	s.last = now
	return s.ext, true
}
