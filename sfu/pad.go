package sfu

import (
	"time"

	"github.com/pion/rtp"
)

// padSize is the padding of a packet that carries nothing else.
const padSize = 200

// pad sends an empty repair packet. A trial needs something to send: where a
// picture is off, or seen in stills, there is none to copy, and a link would
// never be found to carry more than the voice. Browsers pad in the same way
// (RFC 4588 stream, RFC 3550 padding), and take it. It returns false when the
// outlet has no repair stream.
func (o *outlet) pad(now time.Time) bool {
	o.mu.Lock()
	if o.in == nil || o.w == nil || !o.live || !o.off || o.rtxSSRC == 0 {
		o.mu.Unlock()
		return false
	}
	pt := uint8(0)
	for _, r := range o.routes {
		if r.ok && r.rtx != 0 {
			pt = r.rtx
			break
		}
	}
	if pt == 0 {
		o.mu.Unlock()
		return false
	}
	o.rtxSeq++
	h := rtp.Header{Version: 2, Padding: true, PayloadType: pt, SequenceNumber: o.rtxSeq, SSRC: o.rtxSSRC}
	w := o.w
	o.mu.Unlock()
	payload := make([]byte, padSize)
	payload[padSize-1] = padSize
	o.write(w, &h, payload, false, now)
	return true
}
