package sfu

import (
	"slices"
	"time"
)

// Rules of asking a publisher again for a lost packet.
const (
	nackAfterPackets = 2                     // later packets seen before a hole counts as a loss
	nackAfter        = 20 * time.Millisecond // or this long
	nackSpacingLeast = 40 * time.Millisecond // between two requests for one packet, when the round trip is shorter
	nackTries        = 8
	nackGiveUp       = 2 * time.Second
	nackHoles        = 128 // holes remembered; more is an outage, for a keyframe to heal
	outageHoles      = 8   // so many suffice after a silence
	outageSilence    = time.Second
	resyncJump       = 3000 // sequence numbers; a larger jump is a restart of the stream
)

// arrival is what reception thinks of a packet.
type arrival int

const (
	arrivedNew    arrival = iota // in order or ahead
	arrivedLate                  // fills a hole
	arrivedUseful                // before anything known, or hole forgotten: keep it if the ring can
	arrivedDup                   // seen before or far off: ignore
)

// hole is a sequence number that has not arrived.
type hole struct {
	ext   uint64
	since time.Time
	asked time.Time
	tries int
}

// reception follows the sequence numbers of one incoming stream: what is
// missing, how much was lost, how irregular it is (RFC 3550, 6.4.1 and A.8).
// It is plain state without locks; time comes from the caller.
type reception struct {
	clock   uint32
	started bool
	first   uint64 // first extended sequence number
	high    uint64 // highest
	highAt  time.Time
	jumped  uint16 // where a jump landed, to be confirmed by the next packet
	jumping bool

	received uint64 // packets that came at first, without being asked again
	repaired uint64 // packets that came after being asked again
	holes    []hole // ascending

	transit int64   // of the last packet, in clock units
	jitter  float64 // in clock units

	lastExpected, lastReceived uint64 // at the last report
}

// arrive records a packet. again says that it is known to be a repair.
// lostMany tells that too much is missing to ask for.
func (r *reception) arrive(seq uint16, ts uint32, again bool, now time.Time) (ext uint64, a arrival, lostMany bool) {
	if !r.started {
		if again {
			return 0, arrivedDup, false
		}
		r.started = true
		r.first = 1<<32 | uint64(seq)
		r.high = r.first
		r.highAt = now
		r.received = 1
		r.transit = r.transitOf(ts, now)
		return r.high, arrivedNew, false
	}
	diff := int64(int16(seq - uint16(r.high)))
	if diff > resyncJump || diff < -resyncJump {
		return r.jump(seq, ts, again, now)
	}
	r.jumping = false
	ext = uint64(int64(r.high) + diff)
	if diff <= 0 {
		a = r.lateArrival(ext, again)
		return ext, a, false
	}
	lostMany = diff > nackHoles || diff > outageHoles && now.Sub(r.highAt) > outageSilence
	if lostMany {
		r.holes = r.holes[:0]
	} else {
		for e := r.high + 1; e < ext; e++ {
			r.holes = append(r.holes, hole{ext: e, since: now})
		}
		if extra := len(r.holes) - nackHoles; extra > 0 {
			r.holes = slices.Delete(r.holes, 0, extra)
		}
	}
	r.high, r.highAt = ext, now
	r.received++
	if !again {
		r.measureJitter(ts, now)
	}
	return ext, arrivedNew, lostMany
}

func (r *reception) lateArrival(ext uint64, again bool) arrival {
	i, found := slices.BinarySearchFunc(r.holes, ext, func(h hole, e uint64) int {
		switch {
		case h.ext < e:
			return -1
		case h.ext > e:
			return 1
		}
		return 0
	})
	if !found {
		return arrivedUseful
	}
	if again || r.holes[i].tries > 0 {
		r.repaired++
	} else {
		r.received++ // merely out of order
	}
	r.holes = slices.Delete(r.holes, i, i+1)
	return arrivedLate
}

// jump handles a sequence number far from the others: the first is ignored,
// a second in a row means that the sender started anew.
func (r *reception) jump(seq uint16, ts uint32, again bool, now time.Time) (uint64, arrival, bool) {
	if again {
		return 0, arrivedDup, false
	}
	if !r.jumping || seq != r.jumped+1 {
		r.jumping, r.jumped = true, seq
		return 0, arrivedDup, false
	}
	r.jumping = false
	// The next extended number with these low bits.
	ext := r.high&^0xffff | uint64(seq)
	if ext <= r.high {
		ext += 1 << 16
	}
	// What was skipped was never sent: reports start again from here.
	r.first, r.high, r.highAt = ext, ext, now
	r.received, r.repaired = 1, 0
	r.lastExpected, r.lastReceived = 0, 0
	r.holes = r.holes[:0]
	r.transit = r.transitOf(ts, now)
	return ext, arrivedNew, true
}

func (r *reception) transitOf(ts uint32, now time.Time) int64 {
	return now.UnixMicro()*int64(r.clock)/1e6 - int64(ts)
}

func (r *reception) measureJitter(ts uint32, now time.Time) {
	t := r.transitOf(ts, now)
	d := int64(int32(t - r.transit)) // timestamps wrap at 32 bits
	r.transit = t
	if d < 0 {
		d = -d
	}
	r.jitter += (float64(d) - r.jitter) / 16
}

// ask returns the sequence numbers to ask for now, given the round trip to
// the publisher.
func (r *reception) ask(now time.Time, rtt time.Duration) []uint16 {
	spacing, tries := max(rtt+rtt/4, nackSpacingLeast), nackTries
	twice := rtt >= echoFrom
	if twice {
		spacing, tries = rtt+rtt/8, 2*nackTries
	}
	var out []uint16
	r.holes = slices.DeleteFunc(r.holes, func(h hole) bool {
		return h.tries >= tries || now.Sub(h.since) > nackGiveUp
	})
	for i := range r.holes {
		h := &r.holes[i]
		if h.tries == 0 {
			if r.high-h.ext < nackAfterPackets && now.Sub(h.since) < nackAfter {
				continue
			}
		} else if now.Sub(h.asked) < askAgain(h.tries, spacing, twice) {
			continue
		}
		h.tries++
		h.asked = now
		out = append(out, uint16(h.ext))
	}
	return out
}

// askAgain is how long after the last of so many requests the next one goes. Over
// a long way each goes twice, since it may be lost as well: who got the first
// does not heed the second.
func askAgain(tries int, spacing time.Duration, twice bool) time.Duration {
	switch {
	case !twice:
		return spacing
	case tries%2 == 1:
		return echoAfter
	}
	return spacing - echoAfter
}

// askVoice is ask for voice that is said twice: what the next packet brings
// along need not be asked for. It comes once, or not at all: later it is of no
// use.
func (r *reception) askVoice(now time.Time) []uint16 {
	var out []uint16
	r.holes = slices.DeleteFunc(r.holes, func(h hole) bool { return now.Sub(h.since) > nackGiveUp })
	for i := range r.holes {
		h := &r.holes[i]
		next := i+1 < len(r.holes) && r.holes[i+1].ext == h.ext+1
		if h.tries > 0 || !next {
			continue
		}
		h.tries++
		h.asked = now
		out = append(out, uint16(h.ext))
	}
	return out
}

// expected and arrived count packets since the start.
func (r *reception) expected() uint64 {
	if !r.started {
		return 0
	}
	return r.high - r.first + 1
}

// report closes an interval for a receiver report: the share lost in it in
// 1/256 and the packets lost since the start.
func (r *reception) report() (fraction uint8, lost uint32) {
	exp := r.expected()
	dExp, dRec := exp-r.lastExpected, r.received-r.lastReceived
	r.lastExpected, r.lastReceived = exp, r.received
	if dExp > 0 && dRec < dExp {
		fraction = uint8(min((dExp-dRec)*256/dExp, 255))
	}
	if exp > r.received {
		lost = uint32(min(exp-r.received, 0x7fffff))
	}
	return fraction, lost
}
