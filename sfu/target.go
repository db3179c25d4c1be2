package sfu

import "time"

// Target is how a publisher is to encode its picture: one encoding, made for
// those who receive it; two where their links are very unlike.
type Target struct {
	Kbps   int    // of video, without headers; 0: nobody can or will see it
	Height int    // lines at most
	FPS    int    // frames a second at most
	Voice  int    // kbit/s of Opus
	Packet int    // ms of voice in each packet
	Again  int    // ms before it from which a voice is said once more, besides the one just before; 0: none
	Mode   string // scalabilityMode, where layers of size are wanted
	Low    Rung   // a second, smaller encoding, where the codec has none
	Codec  string // of the picture, as in SDP: what most of the others can be shown; empty: not known
}

// The ladder falls in time first, then in space: a face or a hand is better
// seen sharp at four frames a second than smooth in a stamp.
var ladder = []Target{ // Kbps is from where on
	{Height: 160, FPS: 4},
	{Kbps: 34, Height: 240, FPS: 8},
	{Kbps: 66, Height: 240, FPS: 12},
	{Kbps: 95, Height: 240, FPS: 15},
	{Kbps: 260, Height: 480, FPS: 15},
	{Kbps: 500, Height: 480, FPS: 24},
}

// legible is video that takes the place of stills for a trial.
var legible = Target{Height: 240, FPS: 4}

const (
	// A publisher's first seconds are not cut down to what is not yet known of
	// its viewers: its browser would take that for the rate of its uplink and
	// be slow to find more. The gates hold back meanwhile.
	targetGrace = 3 * time.Second

	targetEvery = time.Second // between two targets that rise
	targetDown  = 0.93        // a target falls when it is less than this of the last
	targetUp    = 1.08
	rungUp      = 1.2  // times the rung's rate, to climb on it: each change of size costs a keyframe
	rungFaster  = 1.05 // the same where pictures only come sooner
	targetLeast = 8    // kbit/s: an uplink that has less for a picture sends little of one
	weakTimes   = 2    // what the weakest gets is half the stream at least: a temporal layer can be left out

	targetShare = 0.9   // of a share is picture, the rest headers and repairs
	targetFixed = 4_000 // bit/s of headers, whatever the rate
)

// payloadKbps is what an encoder may make of a share of the wire.
func payloadKbps(share float64) int {
	return int(max(0, share*targetShare-targetFixed) / 1000)
}

// retarget tells the peer how to encode for those who see it, when that has
// changed.
func (p *Peer) retarget(now time.Time) {
	if p.part.OnTarget == nil {
		return
	}
	changed := p.revoice(now)
	if again := p.again(); again != p.againTold {
		p.againTold, changed = again, true
	}
	t := targetAtFirst
	for _, in := range p.ticked {
		if in.kind != video || in.rungs.isLow {
			continue
		}
		in.rethink(now)
		in.look(now)
		changed = in.retarget(now) || changed
		t = in.target
	}
	name, news := p.agreed.tell()
	if t.Codec = name; changed || news {
		t.Voice, t.Packet, t.Again = int(p.voice.Load()), p.packets.now(), p.againTold
		if t.Low.Kbps > 0 {
			p.askedRung.Store(true)
		}
		p.part.OnTarget(t)
	}
}

// targetAtFirst is what a publisher encodes before it is told anything.
var targetAtFirst = Target{Kbps: 48, Height: 240, FPS: 8, Voice: voiceAtFirst}

// retarget finds the target anew and says whether it changed.
func (in *inlet) retarget(now time.Time) bool {
	low, high, any := 0.0, 0.0, false
	for _, o := range in.viewers() {
		s := float64(o.share.Load())
		if s < 0 {
			continue // not yet allotted
		}
		if s > 0 && (low == 0 || s < low) {
			low = s
		}
		high = max(high, s)
		any = true
	}
	if !any {
		return false
	}
	if in.seenAt.IsZero() {
		in.seenAt = now
	}
	up, known := in.peer.uplinkKbps()
	want, mode, small := low, "", 0
	switch two := in.spreads(low, high, now); {
	case two && in.spread.how == byRungs:
		want = high
		small = in.spread.lowRung(low, high, up)
		up -= small
	case two:
		want, mode = in.spreadTarget(high), spreadMode
	case in.topLayer() > 0:
		want = min(high, weakTimes*low)
	}
	kbps := payloadKbps(want)
	if small > 0 {
		kbps = min(kbps, spreadMost)
	}
	if high > 0 && now.Sub(in.seenAt) < targetGrace {
		kbps = max(kbps, targetAtFirst.Kbps)
	}
	in.sending.note(kbps, up, known, in.peer.congestion.up.full(now))
	if known && kbps > 0 {
		kbps = min(kbps, max(up, targetLeast))
	}
	last := in.target
	fresh := in.targetAt.IsZero()
	switch {
	case fresh, mode != last.Mode, (small > 0) != (last.Low.Kbps > 0):
	case kbps == 0 && last.Kbps > 0, kbps > 0 && last.Kbps == 0:
	case fell(kbps, last.Kbps), fell(small, last.Low.Kbps):
	case (rose(kbps, last.Kbps) || rose(small, last.Low.Kbps)) && now.Sub(in.targetAt) > targetEvery:
	default:
		return false
	}
	in.target, in.targetAt = onLadder(kbps, last, fresh), now
	in.sending.kbps.Store(int64(kbps))
	in.target.Mode, in.target.Low = mode, onRung(small, last.Low)
	if in.thin.trying(now) {
		in.target.Height, in.target.FPS = legible.Height, legible.FPS
	}
	return true
}

func fell(kbps, last int) bool { return float64(kbps) < targetDown*float64(last) }
func rose(kbps, last int) bool { return float64(kbps) > targetUp*float64(last) }

// onLadder finds size and frame rate for a rate. To a larger size it goes only
// well above the rung's beginning.
func onLadder(kbps int, last Target, fresh bool) Target {
	t := ladder[0]
	for _, r := range ladder {
		from := float64(r.Kbps)
		switch {
		case fresh:
		case r.Height > last.Height:
			from *= rungUp
		case r.FPS > last.FPS:
			from *= rungFaster
		}
		if float64(kbps) >= from {
			t = r
		}
	}
	t.Kbps = kbps
	return t
}
