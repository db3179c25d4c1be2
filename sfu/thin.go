package sfu

import (
	"sync/atomic"
	"time"
)

const (
	thinBelow    = 36 // kbit/s of picture: below it a still each few seconds says more, see faceSharp
	thinSince    = 3 * time.Second
	thinTrial    = 12 * time.Second // in which an uplink shows whether it carries video again
	thinBoth     = 5 * time.Second  // of it with stills besides: a first picture takes its time
	thinWait     = 45 * time.Second // until such a trial; doubles with each that fails
	thinWaitMost = 6 * time.Minute
	thinStill    = 0.75 // of what is left of a thin uplink that stills may take: their pieces come in a part of the time
)

// thin says whether a publisher's own uplink is too thin for video, so that it
// sends stills. Beside stills and voice nothing is sent that would show what
// else the link carries: now and then video is tried.
type thin struct {
	// Read by the viewers' clocks.
	stills atomic.Bool
	both   atomic.Bool // a trial has begun

	low   time.Time // since when there was too little; zero: there is enough
	trial time.Time // of the next, or the end of the present one
	wait  time.Duration
}

// judge takes what the uplink has for a picture, kbit/s.
func (t *thin) judge(kbps int, now time.Time) {
	t.both.Store(t.trying(now) && t.trial.Sub(now) > thinTrial-thinBoth)
	switch {
	case t.stills.Load():
		if !now.Before(t.trial) {
			t.stills.Store(false)
			t.low, t.trial = time.Time{}, now.Add(thinTrial)
		}
	case kbps >= thinBelow:
		t.low = time.Time{}
		if !now.Before(t.trial) {
			t.wait = 0
		}
	case now.Before(t.trial):
	case t.low.IsZero():
		t.low = now
	case now.Sub(t.low) >= thinSince:
		t.wait = min(max(2*t.wait, thinWait), thinWaitMost)
		t.trial = now.Add(t.wait)
		t.stills.Store(true)
	}
}

// trying says that video is being tried.
func (t *thin) trying(now time.Time) bool { return !t.stills.Load() && now.Before(t.trial) }

// end is for an uplink that nobody looks at in stills.
func (t *thin) end() {
	t.stills.Store(false)
	t.both.Store(false)
	t.low, t.trial, t.wait = time.Time{}, time.Time{}, 0
}

// rethink decides whether an inlet's uplink carries video. Without stills there
// is nothing better than a small one.
func (in *inlet) rethink(now time.Time) {
	kbps, known := in.peer.uplinkKbps()
	if !known || !in.stillsReach() {
		in.thin.end()
		return
	}
	in.thin.judge(kbps, now)
}

// stillsReach says whether all who see the inlet can see stills of it.
func (in *inlet) stillsReach() bool {
	if !in.peer.stills.open.Load() {
		return false
	}
	any := false
	for _, o := range in.viewers() {
		if !o.peer.stills.open.Load() {
			return false
		}
		any = true
	}
	return any
}

// stillShare is what stills of an inlet may take, bit/s: what its least viewer
// has for them, and its own uplink beside voice and files.
func (in *inlet) stillShare() float64 {
	least := 0.0
	for _, o := range in.viewers() {
		if s := float64(o.still.Load()); s > 0 && (least == 0 || s < least) {
			least = s
		}
	}
	if limit := float64(in.peer.congestion.up.limit.Load()); limit > 0 {
		least = min(least, thinStill*max(0, limit-in.peer.voiceOut()-in.peer.pointerUp()-in.peer.filesUp(limit)))
	}
	return least
}
