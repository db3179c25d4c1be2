package sfu

import (
	"time"

	"sira/sfu/pace"
)

// Bounds of a beginning that is served from what an inlet keeps.
const (
	keptAge   = 20 * time.Second // of the keyframe
	keptMost  = 256 << 10        // bytes, from the keyframe to now
	keptTime  = time.Second      // of the viewer's link; its gate gives up after a little more
	keptBlind = 64 << 10         // bytes, to a viewer of whose link nothing is known
	keptShare = 0.7              // of a link that was not yet allotted, for a picture

	// A viewer that asks for a keyframe so soon after it was sent one asks
	// because it had none.
	beginsFor = 300 * time.Millisecond // and a round trip
)

// beginning is the last keyframe that an inlet's ring holds, with all that
// came after it: what someone who comes late can begin with.
type beginning struct {
	first, last uint64
	newest      uint32 // timestamp
	key         int    // bytes of the keyframe on the wire
	base        int    // with the lowest layer since
	wide        int    // with the lowest temporal layer of every size
	all         int    // with every layer
}

// kept finds the beginning in the ring, unless something of it is missing.
func (in *inlet) kept() (b beginning, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.kind != video || !in.rec.started {
		return b, false
	}
	b.last = in.rec.high
	var frame uint32
	for ext := b.last; ; ext-- {
		p, known := in.ring.get(ext)
		if !known {
			return b, false
		}
		if ext == b.last {
			b.newest, frame = p.ts, p.ts
		}
		if p.ts != frame {
			frame, b.key = p.ts, 0
		}
		size := len(p.payload) + wireOverhead
		b.key += size
		b.all += size
		if p.tid == 0 {
			b.wide += size
			if p.sid == 0 {
				b.base += size
			}
		}
		age := time.Duration(float64(b.newest-p.ts) / float64(in.format.clock) * float64(time.Second))
		if b.all > keptMost || age > keptAge {
			return b, false
		}
		if p.keyStart {
			b.first = ext
			return b, true
		}
		if p.gap {
			return b, false
		}
	}
}

// fresh is how long a keyframe that is asked for now takes to reach a viewer
// whose link has bps for it.
func (in *inlet) fresh(size int, bps float64, now time.Time) time.Duration {
	if !in.peer.Connected() {
		return time.Hour
	}
	rtt := in.peer.roundTrip()
	in.mu.Lock()
	since := now.Sub(in.pli.last)
	in.mu.Unlock()
	wait := rtt
	if since < keyRequestSpacing {
		wait = keyRequestSpacing - since + rtt
		if since < rtt {
			wait = rtt - since // one is on its way
		}
	}
	up := float64(in.peer.congestion.up.limit.Load())
	if up == 0 {
		up = uplinkStart
	}
	return wait + passes(size, min(up, bps))
}

// passes is how long a link needs for so many bytes.
func passes(size int, bps float64) time.Duration {
	return time.Duration(float64(size) * 8 / max(bps, 1) * float64(time.Second))
}

// begin shows a viewer the inlet's picture, from what is kept of it where
// that is sooner than a keyframe that its publisher would have to make.
func (o *outlet) begin(in *inlet, now time.Time) {
	b, ok := in.kept()
	o.mu.Lock()
	off, larger := o.off, o.wantSpace > 0 && b.wide > b.base
	o.mu.Unlock()
	switch {
	case off: // it begins when it is shown again
	case ok && larger && o.sooner(in, b, b.wide, now):
		o.serve(in, spacesMost-1, now)
	case ok && o.sooner(in, b, b.base, now):
		o.serve(in, 0, now)
	default:
		in.requestStart(now)
	}
}

// sooner says whether size bytes of the beginning are there before a fresh
// keyframe would be.
func (o *outlet) sooner(in *inlet, b beginning, size int, now time.Time) bool {
	if !o.peer.down.gated.Load() {
		return b.all <= keptBlind
	}
	bps := float64(o.share.Load())
	if bps <= 0 {
		bps, _ = o.peer.down.known()
		bps *= keptShare
	}
	takes := passes(size, bps)
	return takes <= keptTime && takes <= in.fresh(b.key, bps, now)
}

// serve sends the beginning, at the pace of the viewer's link: of what came
// after the keyframe the lowest layer, which the next pictures build on. It
// is played at once (rewriter.squeeze), not as long as it took to make.
func (o *outlet) serve(in *inlet, space uint8, now time.Time) {
	o.mu.Lock()
	if o.in != in || !o.live || o.w == nil || o.off || o.started || o.lined {
		o.mu.Unlock()
		return
	}
	// Once more, now that no packet can go past us unseen.
	b, ok := in.kept()
	if !ok {
		o.mu.Unlock()
		in.requestStart(now)
		return
	}
	o.rw.squeeze(b.last, b.newest)
	o.peer.sfu.counters.kept.Add(1)
	if !o.peer.down.gated.Load() {
		start, ok := in.fetch(b.first, nil)
		if !ok || !o.routes[start.pt&0x7f].ok {
			o.mu.Unlock()
			return
		}
		o.rw.begin(start.ext, start.ts, now)
		o.started, o.awaitKey, o.begun = true, false, now
		o.replay(in, &start, now)
		return
	}
	o.lined, o.layer, o.space = true, 0, space
	o.chosen, o.chosenTS = true, b.newest
	items := make([]pace.Item[queued], 0, b.last-b.first+1)
	for ext := b.first; ext <= b.last; ext++ {
		if p, size, ok := in.peek(ext); ok {
			it := pace.Item[queued]{
				Value:  queued{o: o, in: in, ext: ext, leave: o.leaves(&p), last: o.ends(&p)},
				Stream: o.index, Frame: uint64(p.ts), Size: size + wireOverhead,
			}
			if it.Value.leave {
				it.Size = 0
			}
			items = append(items, it)
		}
	}
	o.peer.down.queue(now, items) // before anything newer is
	o.mu.Unlock()
	o.peer.down.drain(now)
}

// begins says whether a keyframe is on its way to the viewer, or would not be
// sent to it.
func (o *outlet) begins(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.off || o.lined && !o.started || o.started && now.Sub(o.begun) < o.peer.roundTrip()+beginsFor
}
