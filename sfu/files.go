package sfu

import (
	"math"
	"sync/atomic"
	"time"

	"sira/sfu/allocate"
	"sira/sfu/bulk"
)

// Grant is what the participant's own transfers (uploads, images that load)
// may take beside the call, kbit/s each way; below 0 all there is.
type Grant struct{ Up, Down int }

const (
	filesShare   = 0.1        // of a path, while the call could use all of it
	filesTrickle = 2_000      // bit/s, that no request dies of waiting
	filesFree    = 50_000_000 // bit/s, from which a grant is none
	shortOf      = 0.95       // of what a call wants: less is short
	joinFor      = 20 * time.Second
	upFell       = 0.8 // of its last estimate: a queue on the way up
	upPressed    = 1500 * time.Millisecond
	pressedUp    = 100 * time.Millisecond // of queue; a keyframe makes one too
	grantChange  = 0.15                   // of a grant is worth telling
	grantEvery   = time.Second
)

// files is what the peer's clock knows of the participant's transfers.
type files struct {
	first  atomic.Bool  // they come before pictures, as the participant wishes
	uplink atomic.Int64 // what the participant's sender believes to carry, bit/s; 0: not told

	begun, met time.Time // joined, media first flowed
	finders    [2]allocate.Finder
	lastUp     float64
	fellAt     time.Time
	now        Grant // being worked out
	told       Grant
	toldAt     time.Time
}

// FilesFirst says whether the participant's transfers come before pictures.
func (p *Peer) FilesFirst(yes bool) { p.files.first.Store(yes) }

// HearUplink takes the sender's own estimate of the way to us, bit/s.
func (p *Peer) HearUplink(bps float64) {
	if bps > 0 && bps < math.MaxInt64/2 {
		p.files.uplink.Store(int64(bps))
	}
}

// divide plans a path for a call's streams and, after them, the transfers of
// the same person, and grants those their share. want is what the call would
// take of an endless path.
func (p *Peer) divide(w bulk.Way, bps, want float64, streams []allocate.Stream, now time.Time) []float64 {
	c := p.part.Files
	if c == nil {
		return allocate.Plan(bps, streams)
	}
	f := &p.files
	if f.begun.IsZero() {
		f.begun = now
	}
	up := p.connected.Load()
	if up && f.met.IsZero() {
		f.met = now
	}
	n := len(streams)
	plan := func(asked, files bool) []float64 {
		return allocate.Plan(bps, append(streams[:n:n], f.streams(bps, asked, files)...))
	}
	asks, sends := c.Active(w, bulk.Asked, now), c.Active(w, bulk.Files, now)
	switch {
	case !up && f.met.IsZero() && now.Sub(f.begun) < joinFor:
		// The first packets of a call must not wait behind an upload.
		start, _ := p.down.known()
		p.grant(w, start, start*filesShare)
	case !up || n == 0:
		p.grant(w, bulk.Free, bulk.Free)
	default:
		still, rest := plan(true, sends)[n], plan(asks, true)[n+1]
		p.grant(w, still, max(rest, p.find(w, bps, want, rest, streams, now)))
	}
	return plan(asks, sends)[:n]
}

// streams of the participant's transfers; those that are not wanted take
// nothing.
func (f *files) streams(bps float64, asked, files bool) []allocate.Stream {
	out := []allocate.Stream{{Class: allocate.Asked}, {Class: allocate.Bulk}}
	if f.first.Load() {
		out[1].Class = allocate.Asked
	}
	if asked {
		out[0].Most = endless
	}
	if files {
		out[1].Least, out[1].Most = bps*filesShare, endless
	}
	return out
}

// find is what more passes than is known of, when the call lacks nothing.
func (p *Peer) find(w bulk.Way, bps, want, rest float64, streams []allocate.Stream, now time.Time) float64 {
	f := &p.files
	s, voices := allocate.Found{Rest: rest}, 0.0
	for _, x := range streams {
		if x.Class == allocate.Voice {
			voices += x.Most
		}
		s.Short = s.Short || w == bulk.Down && x.Class == allocate.Face && x.Most > 0 && bps < shortOf*want
	}
	s.Short = s.Short || bps < voices
	if w == bulk.Down {
		s.Pressed = p.down.pressed()
	} else {
		// The limit of the way up grows no further than pictures use it, which
		// says nothing of what more would pass.
		s.Pressed = now.Sub(f.fellAt) < upPressed || p.congestion.up.pressed()
	}
	if f.finders[w].Due(now) {
		s.Used = float64(p.part.Files.Used(w)) * 8
	}
	return f.finders[w].Next(now, s)
}

func (p *Peer) grant(w bulk.Way, asked, files float64) {
	bound := func(bps float64) float64 {
		if bps < 0 || bps >= filesFree {
			return bulk.Free
		}
		return max(bps, filesTrickle)
	}
	asked, files = bound(asked), bound(files)
	p.part.Files.Grant(w, bulk.Asked, asked)
	p.part.Files.Grant(w, bulk.Files, files)
	kbps := int(files / 1000)
	if files < 0 {
		kbps = bulk.Free
	}
	if w == bulk.Up {
		p.files.now.Up = kbps
	} else {
		p.files.now.Down = kbps
	}
}

// allotUp grants transfers their share of the way up, of which only the
// participant's sender knows what it carries, and tells what is granted.
func (p *Peer) allotUp(now time.Time) {
	if p.part.Files == nil && p.part.OnPointer == nil {
		return
	}
	var streams []allocate.Stream
	want := 0.0
	for _, in := range p.ticked {
		if in.rungs.isLow || len(in.viewers()) == 0 {
			continue // it goes with the other; or nobody receives it
		}
		s := allocate.Stream{Class: allocate.Voice}
		if in.kind == audio {
			s.Least = in.voiceRate(in.copiesUp())
			s.Most = s.Least
		} else {
			most := float64(in.target.Kbps+in.target.Low.Kbps)*1000/targetShare + targetFixed
			if in.targetAt.IsZero() {
				most = faceAsk
			} else if in.target.Kbps == 0 {
				continue
			}
			s = allocate.Stream{Class: allocate.Face, Least: faceLeast, Most: most}
		}
		want += s.Most
		streams = append(streams, s)
	}
	p.divideAll(bulk.Up, p.uplink(now), want, streams, now)
	p.repoint()
	if p.part.Files != nil {
		p.tellGrant(now)
	}
}

// upBelieved is what the way up is believed to carry, bit/s: what was found here,
// less if the sender believes in less; 0: nobody knows.
func (p *Peer) upBelieved() float64 {
	bps := float64(p.congestion.up.limit.Load())
	if told := float64(p.files.uplink.Load()); told > 0 && (bps == 0 || told < bps) {
		return told
	}
	return bps
}

// uplink is the same, or as much as the way down where nobody knows.
func (p *Peer) uplink(now time.Time) float64 {
	f := &p.files
	bps := p.upBelieved()
	if bps == 0 {
		bps, _ = p.down.known()
	}
	if bps < upFell*f.lastUp {
		f.fellAt = now
	}
	f.lastUp = bps
	return bps
}

// filesUp is what transfers take of the way up now, bit/s.
func (p *Peer) filesUp(limit float64) float64 {
	if p.part.Files == nil || !p.part.Files.Active(bulk.Up, bulk.Files, time.Now()) {
		return 0
	}
	return limit * filesShare
}

// tellGrant tells the participant what is granted: less at once, more in its
// own time.
func (p *Peer) tellGrant(now time.Time) {
	f := &p.files
	if p.part.OnGrant == nil || f.now == f.told && !f.toldAt.IsZero() {
		return
	}
	less := func(is, was int) bool { return is >= 0 && (was < 0 || float64(is) < (1-grantChange)*float64(was)) }
	more := func(is, was int) bool {
		return was >= 0 && (is < 0 || float64(is) > (1+grantChange)*float64(was))
	}
	switch {
	case f.toldAt.IsZero(), less(f.now.Up, f.told.Up), less(f.now.Down, f.told.Down):
	case (more(f.now.Up, f.told.Up) || more(f.now.Down, f.told.Down)) && now.Sub(f.toldAt) >= grantEvery:
	case f.now.Up < 0 && f.told.Up >= 0, f.now.Down < 0 && f.told.Down >= 0: // let go at once
	default:
		return
	}
	f.told, f.toldAt = f.now, now
	p.part.OnGrant(f.now)
}

// pressed says that something waits on the way up.
func (a *arrivals) pressed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.est.QueueDelay() > pressedUp
}
