package sfu

import (
	"time"

	"sira/sfu/allocate"
	"sira/sfu/bulk"
)

// What streams are worth, bit/s on the wire.
const (
	voiceQuiet  = 4_000 // more people than two seldom speak at once
	voicesLoud  = 2
	faceLeast   = 14_000
	faceMost    = 700_000
	faceAsk     = 250_000 // whatever is sent now, it is worth knowing whether this would pass
	faceGrowth  = 2       // and so many times what is sent
	offFor      = 5 * time.Second
	layerSlack  = 1.25        // times a share that a layer may need: the publisher follows it, the gate smooths
	endless     = 100_000_000 // of a peer that tells nothing of its link
	largerEvery = 3 * time.Second
	gonePicture = 1.4     // times what a picture needs, for it to come back
	orderShare  = 0.7     // of a path of TCP, whose own rate falls with each packet lost: behind what it cannot carry then a voice waits
	orderMost   = 170_000 // of such a path that is worth finding out
	faceSharp   = 40_000  // below it video is a stamp, or a slide show that nobody can read: a still says more
)

// pictureLeast is the share below which a picture is off. Where stills may take
// its place, that is sooner, unless several are seen: they are small anyhow.
func pictureLeast(stills bool, pictures int) float64 {
	if !stills {
		return faceLeast
	}
	return max(faceLeast, faceSharp/float64(max(pictures, 1)))
}

// budget is what the peer's clock remembers of one outlet.
type budget struct {
	riser allocate.Riser
	fed   *inlet
	since time.Time // when it was last too thin a link

	wide   uint8     // highest spatial layer of what is fed
	larger time.Time // when a keyframe was asked for to get a larger picture
	turn   turn      // from one rung to the other
}

// allot divides the peer's estimate among its outlets.
func (p *Peer) allot(now time.Time) {
	unwanted := p.noVideo.Load()
	p.mu.Lock()
	outs := append(p.allotted[:0], p.link.outlets...)
	p.allotted = outs // used by this goroutine only
	p.mu.Unlock()

	var streams []allocate.Stream
	var seen []*outlet
	voices, want := 0, 0.0
	p.speakers.outs = p.speakers.outs[:0]
	loudest, spare := 0.0, 0.0
	for _, o := range outs {
		in := o.source()
		if in == nil {
			continue
		}
		if in = in.main(); in.dark.spares(o) {
			continue
		}
		s := allocate.Stream{Class: allocate.Voice}
		if o.kind == audio {
			p.speakers.outs = append(p.speakers.outs, o)
			s.Least = in.voiceRate(p.copies(in))
			s.Most = s.Least
			loudest = max(loudest, s.Least)
			if o.silent.Load() {
				spare = s.Least // it is worth knowing whether one more would pass
				continue
			}
			if voices++; voices > voicesLoud {
				s.Least, s.Most = voiceQuiet, voiceQuiet
			}
			want += s.Most
		} else {
			s = allocate.Stream{Class: allocate.Face, Least: faceLeast, Most: faceMost}
			levels := in.levels()
			sent := levels[len(levels)-1]
			stills, only := o.stillsFor(in)
			if stills {
				s.Least = stillLeast
			}
			if only && stills {
				s.Most = stillMost
				want += stillMost
			} else if only {
				s.Least, s.Most = 0, 0
			} else {
				want += min(max(sent*faceGrowth, faceAsk), faceMost)
			}
		}
		streams, seen = append(streams, s), append(seen, o)
	}
	p.repeatVoices(now)
	p.holdVoices()
	want += spare
	bps := float64(endless)
	if p.down.gated.Load() {
		if p.inOrder.Load() {
			want = min(want, orderMost)
		}
		p.down.demand(want)
		bps, _ = p.down.known()
		if p.inOrder.Load() {
			bps *= orderShare
		}
	}
	pictures := len(streams) - voices
	p.speakers.limit(bps, loudest, p.down.pressed(), now)
	limited := notLimited
	var others []Seen
	for i, share := range p.divideAll(bulk.Down, bps, want, streams, now) {
		if seen[i].kind == video {
			own, other := seen[i].give(share, pictures, unwanted, now)
			limited = max(limited, own)
			if other.Why != "" {
				others = append(others, other)
			}
		}
	}
	p.limited.Store(int32(limited))
	if others == nil {
		p.others.Store(nil)
	} else {
		p.others.Store(&others)
	}
}

// limitation is why a peer sees less than there is, where that is its own doing.
type limitation int32

const (
	notLimited limitation = iota
	limitedSmall
	limitedStills
	limitedOff
	limitedByWish
)

// smallBelow is the share below which a picture is visibly smaller than
// what a camera gives.
const smallBelow = 250_000

// source is what the outlet carries now, nil when nothing.
func (o *outlet) source() *inlet {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.live {
		return nil
	}
	return o.in
}

// give sets what the outlet may send, one of so many pictures. It is called by
// the peer's clock only.
func (o *outlet) give(share float64, pictures int, unwanted bool, now time.Time) (own limitation, other Seen) {
	source := o.source()
	if source == nil {
		return notLimited, Seen{}
	}
	in := source.main()
	stills, only := o.stillsFor(in)
	least := pictureLeast(stills, pictures)
	wait := o.peer.voiceFirst(now)
	b := &o.budget
	if b.fed != in {
		b.fed = in
		b.riser.Start(layersMost - 1)
	}
	up, _ := in.peer.congestion.up.loss()
	hold := max(repairTime(up, in.peer.deepUp.Load(), in.peer.roundTrip()), repairTime(o.peer.down.loss(), o.peer.deep.Load(), o.peer.roundTrip()))
	c := in.choices()
	if wide := c.sizes(); wide != b.wide {
		b.wide = wide
		if b.riser.Start(c.smallest()); in.spread.paid(share) || c.low != nil && in.spread.kbps.Load() == 0 {
			b.riser.Start(len(c.levels) - 1)
		}
	}
	top := max(b.riser.Next(now, share*layerSlack, c.levels), 0)
	o.mu.Lock()
	o.hold.want(hold)
	was := o.off
	switch {
	case unwanted, only, wait:
		o.off = true
	case share < least:
		o.off = true
		b.since = now
	case now.Sub(b.since) > offFor && share > gonePicture*least || b.since.IsZero():
		o.off = false
	}
	off := o.off
	if off && !was {
		o.restart()
	}
	larger := o.settle(c, top, share) && now.Sub(b.larger) > largerEvery
	o.mu.Unlock()
	if larger && !off {
		b.larger = now
		in.requestKeyframe(now)
	}
	switch {
	case wait:
		o.share.Store(-1) // the publisher need not change anything for that
	case off:
		o.share.Store(0)
	default:
		o.share.Store(int64(share))
	}
	if off != was {
		o.peer.down.drop(o)
		if !off {
			o.begin(source, now)
		}
	}
	want, _ := c.at(top)
	o.turnTo(want, off, now)
	both := in.thin.both.Load()
	if stills && (off || both) && !wait {
		o.setStill(min(share, stillMost))
	} else {
		o.setStill(0)
	}
	if wait {
		return notLimited, Seen{}
	}
	return o.verdict(in, share, off, unwanted, now)
}
