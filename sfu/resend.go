package sfu

import (
	"slices"
	"time"

	"github.com/pion/rtp"
)

// resend answers a subscriber's NACK from the inlet's ring, by RTX where
// negotiated.
func (o *outlet) resend(seqs []uint16, now time.Time) {
	rtt := o.peer.roundTrip()
	twice := o.peer.echoWorth(rtt)
	gone := false
	for _, seq := range seqs {
		switch o.again(seq, func() (uint64, verdict) { return o.sent.again(seq, o.era, rtt, now) }, now) {
		case resendNow:
			if twice {
				o.peer.echoes.add(o, seq, now)
			}
		case resendGone:
			gone = true
		}
	}
	if gone {
		o.keyframeInstead(now)
	}
}

// again sends a number once more when find, called with the lock held, says
// which of the source's packets it was and that it is worth it.
func (o *outlet) again(seq uint16, find func() (ext uint64, v verdict), now time.Time) verdict {
	o.mu.Lock()
	if o.in == nil || o.w == nil || !o.started {
		o.mu.Unlock()
		return resendNot // a new beginning is on its way
	}
	w := o.w
	var h rtp.Header
	var payload []byte
	ext, v := find()
	if v == resendNow {
		h, payload, v = o.repairWith(seq, ext)
	}
	o.mu.Unlock()
	if v == resendNow {
		o.peer.sfu.counters.resent.Add(1)
		o.write(w, &h, payload, false, now)
	}
	return v
}

// repairWith makes the packet that repairs a number of one of the source's. The
// lock is held.
func (o *outlet) repairWith(seq uint16, ext uint64) (rtp.Header, []byte, verdict) {
	p, ok := o.in.fetch(ext, o.scratch)
	if !ok {
		return rtp.Header{}, nil, resendGone
	}
	o.scratch = p.payload[:0]
	if o.repairs < len(p.payload) {
		return rtp.Header{}, nil, resendNot
	}
	o.repairs -= len(p.payload)
	r := o.routes[p.pt&0x7f]
	p.payload = o.renumber(&p, p.payload)
	if s, ok := o.sent.get(seq); ok {
		p.marker = p.marker || s.final
	}
	h := rtp.Header{
		Version: 2, Marker: p.marker, PayloadType: r.pt,
		SequenceNumber: seq, Timestamp: o.rw.told(p.ext, p.ts), SSRC: o.ssrc,
	}
	if r.rtx == 0 || o.rtxSSRC == 0 {
		return h, slices.Clone(p.payload), resendNow
	}
	o.rtxSeq++
	h.SSRC, h.PayloadType, h.SequenceNumber = o.rtxSSRC, r.rtx, o.rtxSeq
	return h, slices.Concat([]byte{byte(seq >> 8), byte(seq)}, p.payload), resendNow
}

// keyframeInstead asks for a keyframe when what a subscriber misses cannot be
// sent any more, unless it began anew since.
func (o *outlet) keyframeInstead(now time.Time) {
	o.mu.Lock()
	in := o.in
	fresh := now.Sub(o.begun) < o.peer.roundTrip()+resendAge
	o.mu.Unlock()
	if in != nil && in.kind == video && !fresh {
		in.requestKeyframe(now)
	}
}
