package sfu

import (
	"time"

	"github.com/pion/rtp"
)

// hush leaves the voice out from now on, or takes it in again. To the
// subscriber it is like somebody who falls silent: nothing is missing, and
// nothing is to be made up.
func (o *outlet) hush(yes bool, now time.Time) {
	o.mu.Lock()
	if o.silent.Swap(yes) == yes || !yes || !o.started || o.w == nil || !o.live || o.in == nil {
		o.mu.Unlock()
		return
	}
	o.rejoin = true
	opus, ok := findFormat(o.formats, idOpus)
	toc, ms := o.in.lastOpus()
	if !ok || ms == 0 {
		o.mu.Unlock()
		return
	}
	h := rtp.Header{Version: 2, PayloadType: opus.pt, SSRC: o.ssrc}
	seq, ts := o.rw.append(uint32(ms)*48, now)
	h.SequenceNumber, h.Timestamp = uint16(seq), ts
	payload := []byte{toc}
	o.report.count(len(payload))
	w := o.w
	o.mu.Unlock()
	o.write(w, &h, payload, false, now)
}

// lastOpus describes the newest packet of a voice: the first byte of a packet
// of the same kind whose one frame is empty, which is how silence begins (RFC
// 6716, 3.1 and 2.1.9), and its length in ms; 0 when it is silence already, or
// unknown.
func (in *inlet) lastOpus() (toc byte, ms int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	p, ok := in.ring.get(in.rec.high)
	if !ok {
		return 0, 0
	}
	payload := p.payload
	if f, _ := findPT(in.formats, p.pt); f.id == idRED {
		payload, _ = redPrimary(payload)
	}
	if len(payload) <= 2 || in.length.ms == 0 {
		return 0, 0
	}
	return payload[0] &^ 0x03, int(in.length.ms)
}
