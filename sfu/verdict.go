package sfu

import (
	"sync/atomic"
	"time"
)

// Why somebody is seen smaller than they could be is said truly or not at all:
// the viewer's own link and wish are a limitation, what lies with the other
// side is a Seen.

// Seen is how a viewer sees somebody of whom there could be more, for a reason
// that is not the viewer's own.
type Seen struct {
	Participant string
	Picture     string // "small", "stills" or "off"
	Why         Why
}

// Why is such a reason.
type Why string

// The reasons. A link of which nobody knows yet what it carries is nobody's
// fault.
const (
	WhyLink      Why = "link"      // the publisher's uplink carries no more
	WhyCut       Why = "cut"       // the publisher's link is cut
	WhyChoice    Why = "choice"    // the publisher chose to send stills
	WhyOthers    Why = "others"    // another viewer's link: one encoding is made for all
	WhyMeasuring Why = "measuring" // one of the links is still being measured
)

const (
	fullFor     = 2 * time.Minute // for which a path that showed that it carries no more is believed not to
	clearlyLess = 0.8             // of what a viewer could take: then it is not the viewer who bounds it
)

// sending is what a publisher's clock knows of why its picture is as large as
// it is, for the clocks of its viewers.
type sending struct {
	kbps  atomic.Int64 // that it was asked to send; 0 as long as it was not
	bound atomic.Int32 // what keeps it there, a boundary
}

type boundary int32

const (
	byViewers boundary = iota
	byUplink
	byUnknown // an uplink of which it is not known whether it carries more
)

// note takes what the viewers would have and what the uplink leaves.
func (s *sending) note(viewers, up int, known, full bool) {
	b := byViewers
	if known && up < viewers {
		b = byUnknown
		if full {
			b = byUplink
		}
	}
	s.bound.Store(int32(b))
}

// verdict says how the outlet shows its publisher, of whose picture it may
// send share: own is the viewer's side of it.
func (o *outlet) verdict(in *inlet, share float64, off, unwanted bool, now time.Time) (own limitation, other Seen) {
	other = Seen{Participant: in.peer.part.ID, Picture: pictureWords[limitedOff]}
	stills := o.still.Load() > 0
	if stills {
		other.Picture = pictureWords[limitedStills]
	}
	switch {
	case unwanted && stills:
		return limitedStills, Seen{}
	case unwanted:
		return limitedByWish, Seen{}
	case !in.peer.Connected():
		other.Why, other.Picture = WhyCut, pictureWords[limitedOff]
		return notLimited, other
	case in.peer.stills.only.Load():
		other.Why = WhyChoice
		return notLimited, other
	case in.thin.stills.Load(), in.thin.both.Load():
		other.Why = WhyLink
		return notLimited, other
	case off && stills:
		return limitedStills, Seen{}
	case off:
		return limitedOff, Seen{}
	}
	if other.Why = o.smallBecause(in, share, now); other.Why == "" {
		return notLimited, Seen{}
	}
	if other.Why == ownLink {
		return limitedSmall, Seen{}
	}
	other.Picture = pictureWords[limitedSmall]
	return notLimited, other
}

// ownLink is a reason that is told as a limitation.
const ownLink Why = "own"

// smallBecause is why a picture is small; empty: it is not.
func (o *outlet) smallBecause(in *inlet, share float64, now time.Time) Why {
	sent := float64(in.sending.kbps.Load())
	if in.peer.part.OnTarget == nil { // a device sends what it likes
		levels := in.levels()
		sent = levels[len(levels)-1] / 1000
		if sent*1000 < share {
			return ""
		}
	}
	mine, enough := float64(payloadKbps(share)), float64(payloadKbps(smallBelow))
	bound := boundary(in.sending.bound.Load())
	switch {
	case sent >= enough && share >= smallBelow:
		return ""
	case bound == byUplink && sent <= mine:
		return WhyLink
	case sent >= clearlyLess*mine && o.peer.down.full(now):
		return ownLink
	case sent >= clearlyLess*mine:
		return WhyMeasuring
	}
	for _, x := range in.viewers() {
		if theirs := float64(x.share.Load()); bound == byViewers && x != o && theirs > 0 && theirs < clearlyLess*share {
			return WhyOthers
		}
	}
	return WhyMeasuring // or the publisher has not yet followed
}

// full says that the way to the peer showed of late that it carries no more.
func (d *downlink) full(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.est.Full(now, fullFor)
}

// full says that the way from the publisher showed of late that it carries no
// more.
func (a *arrivals) full(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.est.Full(now, fullFor)
}
