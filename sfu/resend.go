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
		o.mu.Lock()
		w := o.w
		h, payload, v := o.repairOf(seq, rtt, now)
		o.mu.Unlock()
		switch v {
		case resendNow:
			o.peer.sfu.counters.resent.Add(1)
			o.write(w, &h, payload, false, now)
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

// repairOf makes the packet that repairs a number. The lock is held.
func (o *outlet) repairOf(seq uint16, rtt time.Duration, now time.Time) (rtp.Header, []byte, verdict) {
	if o.in == nil || o.w == nil || !o.started {
		return rtp.Header{}, nil, resendNot // a new beginning is on its way
	}
	ext, v := o.sent.again(seq, o.era, rtt, now)
	if v != resendNow {
		return rtp.Header{}, nil, v
	}
	return o.repairWith(seq, ext)
}

// repairWith makes it of one of the source's packets. The lock is held.
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
