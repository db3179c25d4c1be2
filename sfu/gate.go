package sfu

import (
	"time"

	"github.com/pion/rtp"

	"sira/sfu/pace"
)

// line puts a picture's packet before the gate of the peer's link.
func (o *outlet) line(in *inlet, p *packet, now time.Time) {
	o.mu.Lock()
	if o.in != in || !o.live || o.w == nil || o.off || p.ext <= o.rw.pastTo {
		o.mu.Unlock()
		return
	}
	if !o.started && !o.lined {
		if !p.keyStart {
			o.mu.Unlock()
			return // nothing can be seen before a keyframe
		}
		// The keyframe's first packet may have come late: what followed it
		// is in the ring.
		o.lined = true
		o.mu.Unlock()
		items := []pace.Item[queued]{o.item(in, p, len(p.payload))}
		for ext := p.ext + 1; ext <= in.highest(); ext++ {
			if q, size, ok := in.peek(ext); ok {
				items = append(items, o.item(in, &q, size))
			}
		}
		o.peer.down.push(now, items...)
		return
	}
	o.mu.Unlock()
	o.peer.down.pass(now, o.item(in, p, len(p.payload)), p)
}

// item decides at the frame's first packet whether its layer is sent.
func (o *outlet) item(in *inlet, p *packet, size int) pace.Item[queued] {
	o.mu.Lock()
	o.choose(p)
	it := pace.Item[queued]{
		Value:  queued{o: o, in: in, ext: p.ext, leave: o.leaves(p), last: o.ends(p)},
		Stream: o.index, Frame: uint64(p.ts), Size: size + wireOverhead,
	}
	o.mu.Unlock()
	if it.Value.leave {
		it.Size = 0
	}
	it.Free = p.tid > 0 && p.tid == in.topLayer()
	return it
}

// leaveOut closes the hole that a packet would make that is not sent.
func (o *outlet) leaveOut(in *inlet, ext uint64, now time.Time) {
	p, _, ok := in.peek(ext)
	o.mu.Lock()
	if o.in != in || !o.started || !o.live || o.w == nil || o.rw.leave(ext, p.starts) || !ok {
		o.mu.Unlock()
		return
	}
	// Its number is taken already: an empty packet, or it would be asked for.
	o.send(&p, o.routes[p.pt&0x7f], true, now)
}

// beginAnew gives up what the subscriber would see too late.
func (o *outlet) beginAnew(in *inlet, now time.Time) {
	o.mu.Lock()
	same := o.in == in
	if same {
		o.restart()
	}
	o.mu.Unlock()
	if same {
		in.requestKeyframe(now)
	}
}

// fillers are how many of the last packets a trial repeats.
const fillers = 32

// fill sends a copy of a packet that left lately, as a repair: should the
// first one be lost, the second came before it was asked for. It returns
// false when there is none.
func (o *outlet) fill(now time.Time) bool {
	o.mu.Lock()
	if o.in == nil || o.w == nil || !o.started || !o.live || o.rtxSSRC == 0 {
		o.mu.Unlock()
		return false
	}
	var p packet
	var seq uint16
	found := false
	for range fillers {
		o.filled++
		seq = uint16(o.rw.high - o.filled%fillers)
		s, ok := o.sent.get(seq)
		if !ok || s.era != o.era || s.first.before(now) > 2*time.Second {
			continue
		}
		if p, found = o.in.fetch(s.ext, o.scratch); found && len(p.payload) > 0 {
			break
		}
		found = false
	}
	r := o.routes[p.pt&0x7f]
	if !found || r.rtx == 0 {
		o.mu.Unlock()
		return false
	}
	o.scratch = p.payload[:0]
	p.payload = o.renumber(&p, p.payload)
	if s, ok := o.sent.get(seq); ok {
		p.marker = p.marker || s.final
	}
	o.rtxSeq++
	h := rtp.Header{
		Version: 2, Marker: p.marker, PayloadType: r.rtx,
		SequenceNumber: o.rtxSeq, Timestamp: o.rw.told(p.ext, p.ts), SSRC: o.rtxSSRC,
	}
	payload := append([]byte{byte(seq >> 8), byte(seq)}, p.payload...)
	w := o.w
	o.mu.Unlock()
	o.write(w, &h, payload, false, now)
	return true
}
