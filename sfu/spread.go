package sfu

import (
	"sync/atomic"
	"time"
)

// One encoding is made for the weakest viewer. Where the others have many times
// as much, and the publisher's uplink carries it with ease, its browser is
// asked for two sizes in one stream (VP9 SVC), of which the weakest are sent
// the smaller. The larger one leans on the smaller in keyframes only. Of a codec
// that has no such layers it is asked for two streams (rung.go).
const (
	spreadMode = "L2T3_KEY" // W3C webrtc-svc: 2 sizes, 3 temporal layers

	// Browsers make the larger size from some 310 kbit/s for both on, and
	// give the smaller a third, of which the lowest frame rate is 40 %.
	spreadLeast = 350    // kbit/s of payload for both; less is one encoding
	spreadFrom  = 420    // of the best viewer's share, to begin
	spreadMost  = 700    // more than a browser makes of two sizes
	spreadUp    = 1.1    // times spreadFrom, that the uplink must carry
	spreadWeak  = 72_000 // bit/s, the weakest's share: it must carry the lowest layer
	spreadRatio = 3.0    // of the best share to the weakest
	spreadAlike = 2.0

	spreadAfter = 5 * time.Second  // during which it would be worth it
	spreadUntil = 3 * time.Second  // during which it is not
	spreadHold  = 30 * time.Second // from one change to the next
	spreadVain  = 8 * time.Second  // in which the second size must show
	spreadAgain = 5 * time.Minute  // from a vain trial to another
)

// spread is whether an inlet is asked for layers of size.
type spread struct {
	kbps atomic.Int32 // of what the best viewer is sent, 0: one encoding

	// Of the publisher's clock.
	since time.Time // since when the other would be better
	until time.Time // nothing changes before
	asked time.Time
	how   sizing
}

// sizing is how a codec comes in two sizes.
type sizing int

const (
	oneSize sizing = iota
	byLayers
	byRungs
)

func sizingOf(id codecID) sizing {
	switch id {
	case "video/vp9;0":
		return byLayers
	case "video/vp8", "video/h264;1;4240":
		return byRungs
	}
	return oneSize
}

// receivers is what a publisher's picture is made for.
type receivers struct {
	low, high float64 // the least and the best share, bit/s; low 0: nobody sees it
	up        int     // kbit/s of payload that the uplink carries, as far as was found
	able      bool    // it is known, and the codec comes in two sizes
	wide      bool    // there are two sizes
	least     float64 // bit/s of the lowest layer
}

// next says whether the picture should come in two sizes.
func (s *spread) next(r receivers, now time.Time) bool {
	best := payloadKbps(r.high)
	if s.kbps.Load() > 0 {
		switch {
		case !r.able || r.low == 0 || r.up < spreadLeast || best < spreadLeast:
			return s.set(false, now, spreadHold)
		case !r.wide && now.Sub(s.asked) > spreadVain:
			return s.set(false, now, spreadAgain)
		case r.low*layerSlack >= r.least && r.high >= spreadAlike*r.low:
			s.since = time.Time{}
		case s.lasts(now, spreadUntil):
			return s.set(false, now, spreadHold)
		}
		return true
	}
	if !r.able || r.low < spreadWeak || r.high < spreadRatio*r.low || best < spreadFrom ||
		float64(r.up) < spreadUp*spreadFrom || now.Before(s.until) {
		s.since = time.Time{}
		return false
	}
	return s.lasts(now, spreadAfter) && s.set(true, now, 0)
}

// lasts says whether the reason to change has held for so long.
func (s *spread) lasts(now time.Time, d time.Duration) bool {
	if s.since.IsZero() {
		s.since = now
	}
	return now.Sub(s.since) >= d
}

// set changes, and lets nothing change for a while.
func (s *spread) set(on bool, now time.Time, hold time.Duration) bool {
	s.since, s.until, s.asked = time.Time{}, now.Add(hold), now
	s.kbps.Store(0)
	if on {
		s.kbps.Store(spreadLeast)
	}
	return on
}

// spreads says whether the inlet's picture should come in two sizes.
func (in *inlet) spreads(low, high float64, now time.Time) bool {
	up, known := in.peer.uplinkKbps()
	how, c := sizingOf(in.currentFormat().id), in.choices()
	r := receivers{
		low: low, high: high, up: up, wide: c.sizes() > 0, least: c.levels[0],
		able: known && how != oneSize && how == in.spread.how && !in.thin.trying(now),
	}
	if how == byRungs && c.low == nil {
		r.least = 0 // not yet known
	}
	in.spread.how = how // another codec begins anew
	return in.spread.next(r, now)
}

// paid says whether a share pays for all that was asked for.
func (s *spread) paid(share float64) bool {
	kbps := s.kbps.Load()
	return kbps > 0 && payloadKbps(share*layerSlack) >= int(kbps)
}

// spreadTarget is the rate of both sizes together.
func (in *inlet) spreadTarget(high float64) float64 {
	kbps := max(min(payloadKbps(high), spreadMost), 1)
	in.spread.kbps.Store(int32(kbps))
	return (float64(kbps*1000) + targetFixed) / targetShare
}
