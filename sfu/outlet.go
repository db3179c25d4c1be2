package sfu

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// route is how one payload type of the inlet leaves through the outlet.
type route struct {
	ok      bool
	pt, rtx uint8
	strip   bool  // redundant audio to someone who has only Opus
	renum   uint8 // payload type of the blocks inside redundant audio, 0: as they are
	plain   uint8 // payload type of the same without its redundancy, 0 without
	deep    bool  // say again more than the publisher did
	far     bool  // and from further back
	vp8     bool  // pictures have numbers that must follow each other
}

// outlet is one receiving section of a subscriber, to pion a local track. Its
// SSRC never changes; what it carries does, without negotiation.
type outlet struct {
	peer  *Peer
	kind  kind
	index int // in its kind; the same index of both kinds is one person
	trans *webrtc.RTPTransceiver
	mid   string

	mu        sync.Mutex
	w         webrtc.TrackLocalWriter // nil until negotiated
	ssrc      uint32
	rtxSSRC   uint32
	rtxSeq    uint16
	formats   []format
	ccID      uint8 // of the transport-wide number, 0 without
	acked     bool  // without it, by stream and number (RFC 8888)
	both      bool  // the subscriber publishes in the same section
	holdID    uint8 // of the playout delay, 0 without
	hold      playout
	live      bool  // the transport is up
	lined     bool  // a beginning waits at the gate
	layer     uint8 // highest temporal layer that is sent
	wantTop   uint8 // the one to go up to when the stream allows it
	space     uint8 // highest spatial layer that is sent
	wantSpace uint8
	chosen    bool // layers, of the picture of chosenTS
	chosenTS  uint32
	off       bool // no picture: the link is too thin, or it is not wanted
	rejoin    bool // the next packet follows what was sent before, whatever was left out
	filled    uint64
	in        *inlet
	shown     *inlet      // of the room's goroutine: the publisher's, whichever rung
	low       atomic.Bool // the low rung is to be sent
	era       uint32      // counts bindings
	routes    [128]route
	awaitKey  bool
	started   bool // something of the present inlet was sent
	begun     time.Time
	firstSeq  uint64 // before the first packet ever
	rw        rewriter
	sent      history
	repairs   int // bytes that repairs may still cost
	report    outReport
	scratch   []byte

	budget budget      // of the peer's clock, which allots
	turn   talker      // as well
	silent atomic.Bool // no voice: others are heard
	share  atomic.Int64
	still  atomic.Int64 // bit/s of stills in place of the picture; 0: none
}

func newOutlet(p *Peer, k kind, index int) *outlet {
	o := &outlet{peer: p, kind: k, index: index}
	o.rw.high = 1<<32 | uint64(rand.Uint32()&0x7fff)
	o.firstSeq = o.rw.high
	o.repairs = repairBurst / 2
	if k == audio {
		o.sent.most = ringAudio
	}
	o.share.Store(-1)
	return o
}

// The identifiers make audio and video of one index a synchronised stream.

// ID implements webrtc.TrackLocal.
func (o *outlet) ID() string { return fmt.Sprintf("%s-%d", o.kind, o.index) }

// RID implements webrtc.TrackLocal.
func (o *outlet) RID() string { return "" }

// StreamID implements webrtc.TrackLocal.
func (o *outlet) StreamID() string { return fmt.Sprintf("slot-%d", o.index) }

// Kind implements webrtc.TrackLocal.
func (o *outlet) Kind() webrtc.RTPCodecType { return o.kind.codecType() }

// Bind implements webrtc.TrackLocal: pion calls it once negotiated.
func (o *outlet) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codecs := slices.Clone(c.CodecParameters())
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, errors.New("no common codec")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w = c.WriteStream()
	o.ssrc, o.rtxSSRC = uint32(c.SSRC()), uint32(c.SSRCRetransmission())
	o.rtxSeq = uint16(rand.Uint32())
	o.formats = formats(codecs)
	o.peer.heard.Store(o.ssrc, o)
	if o.rtxSSRC != 0 {
		o.peer.heard.Store(o.rtxSSRC, o) // transport-wide feedback may name either
	}
	for _, e := range c.HeaderExtensions() {
		switch e.URI {
		case sdp.TransportCCURI:
			o.ccID = uint8(e.ID)
			o.peer.down.open(time.Now())
		case playoutURI:
			o.holdID = uint8(e.ID)
		}
	}
	if o.acked = o.ccID == 0 && !o.both && acknowledged(codecs); o.acked {
		o.peer.down.open(time.Now())
	}
	return codecs[0], nil
}

// Unbind implements webrtc.TrackLocal.
func (o *outlet) Unbind(webrtc.TrackLocalContext) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w = nil
	o.restart() // whoever is in the middle of a replay must notice
	return nil
}

// feed makes in the source, or nothing when nil. It returns false when the
// subscriber has no codec for it. Called by the room's goroutine only.
func (o *outlet) feed(in *inlet, now time.Time) bool {
	o.mu.Lock()
	if o.in == in && (in == nil || o.routes[in.currentFormat().pt&0x7f].ok) {
		o.mu.Unlock()
		return true
	}
	old := o.in
	o.in = nil
	o.restart()
	fits := in != nil && o.w != nil && o.plan(in)
	if fits {
		o.in = in
		o.layer, o.wantTop = layersMost-1, layersMost-1
		o.space, o.wantSpace = 0, 0
	}
	live := o.live
	o.mu.Unlock()

	if old != nil {
		old.detach(o)
		o.peer.down.drop(o)
	}
	if !fits {
		return in == nil
	}
	in.attach(o)
	if live {
		o.begin(in, now)
	}
	return true
}

// plan computes the routes from the inlet's payload types to ours.
func (o *outlet) plan(in *inlet) bool {
	o.routes = [128]route{}
	for _, f := range in.formats {
		o.routes[f.pt&0x7f] = o.routeOf(f, in.formats)
	}
	cur := in.currentFormat()
	if o.routes[cur.pt&0x7f].ok {
		o.rw.clock = cur.clock
		return true
	}
	return false
}

func (o *outlet) routeOf(f format, theirs []format) route {
	ours, ok := findFormat(o.formats, f.id)
	opus, hasOpus := findFormat(o.formats, idOpus)
	switch {
	case ok && f.id == idRED:
		r := route{ok: true, pt: ours.pt}
		if hasOpus {
			r.plain = opus.pt
		}
		if inner, has := findFormat(theirs, idOpus); has && hasOpus && inner.pt != opus.pt {
			r.renum = opus.pt
		}
		return r
	case ok:
		return route{ok: true, pt: ours.pt, rtx: ours.rtx, vp8: f.mime == "video/vp8"}
	case f.id == idRED && hasOpus:
		return route{ok: true, pt: opus.pt, strip: true}
	}
	return route{}
}

// setLive opens the outlet when the transport comes up and shuts it when it
// goes down: what is sent into a dead link comes out of it late, if at all,
// and before what matters then.
func (o *outlet) setLive(live bool, now time.Time) {
	o.mu.Lock()
	was := o.live
	o.live = live
	in := o.in
	if !live {
		o.restart()
	}
	o.mu.Unlock()
	if live && !was && in != nil {
		o.begin(in, now)
	}
}

// restart makes the outlet begin anew, without a gap in its numbers, with the
// next packet that can stand alone. The lock is held.
func (o *outlet) restart() {
	o.started, o.lined, o.awaitKey, o.chosen = false, false, o.kind == video, false
	o.rw.squeeze(0, 0)
	o.era++
}

// waiting says whether the subscriber cannot see anything yet.
func (o *outlet) waiting() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.live && o.in != nil && o.awaitKey && !o.lined && !o.off
}

// forward takes a packet of the inlet: voice goes on at once, pictures
// through the gate of the peer's link.
func (o *outlet) forward(in *inlet, p *packet, now time.Time) {
	if o.kind == video && o.peer.down.gated.Load() {
		o.line(in, p, now)
		return
	}
	o.deliver(in, p, false, now)
}

// deliver sends a packet of the inlet on, under this outlet's numbers. waited
// is whether it came through the gate.
func (o *outlet) deliver(in *inlet, p *packet, waited bool, now time.Time) {
	o.mu.Lock()
	if o.in != in || !o.live || o.w == nil || o.off || o.silent.Load() {
		o.mu.Unlock()
		return
	}
	r := o.routes[p.pt&0x7f]
	if r.plain != 0 {
		switch o.peer.copies(in) {
		case 1:
			r = route{ok: true, pt: r.plain, strip: true}
		case redCopies:
			r.deep, r.far = true, o.peer.hearsFar()
		}
	}
	if p.gap && o.started {
		// What is missing before this packet will not come. The subscriber
		// need not know of it, nor ask for it.
		o.restart()
	}
	if o.rejoin && o.started {
		o.rw.rejoin(p.ext)
	}
	o.rejoin = false
	if !o.started {
		if !r.ok || len(p.payload) == 0 || (o.awaitKey && !p.keyStart) {
			o.mu.Unlock()
			return
		}
		o.rw.begin(p.ext, p.ts, now)
		o.started, o.awaitKey, o.begun = true, false, now
		if o.kind == video && !waited {
			o.replay(in, p, now)
			return
		}
	}
	if !r.ok || len(p.payload) == 0 {
		// Not for this subscriber. When its number is already taken an empty
		// packet fills the hole, or it would be asked for.
		if o.rw.skip(p.ext) || !r.ok {
			o.mu.Unlock()
			return
		}
	}
	o.send(p, r, waited, now)
}

// replay starts a subscriber with the keyframe's first packet and whatever
// followed it already, when that first packet came late. It is entered with
// the lock held and leaves without.
func (o *outlet) replay(in *inlet, start *packet, now time.Time) {
	era := o.era
	o.send(start, o.routes[start.pt&0x7f], false, now)
	buf := make([]byte, 0, 1600)
	for ext := start.ext + 1; ext <= in.highest(); ext++ {
		p, ok := in.fetch(ext, buf)
		if !ok {
			continue
		}
		o.mu.Lock()
		r := o.routes[p.pt&0x7f]
		if o.era != era || !r.ok {
			o.mu.Unlock()
			return
		}
		o.send(&p, r, false, now)
	}
}

// send writes one packet. It is entered with the lock held and leaves
// without: writing must not keep others from the outlet's state.
func (o *outlet) send(p *packet, r route, waited bool, now time.Time) {
	seq, ts, ok := o.rw.place(p.ext, p.ts, now)
	if !ok {
		o.mu.Unlock()
		return
	}
	payload := p.payload
	if len(payload) > 0 {
		var err error
		if r.deep {
			payload = o.in.deepen(p, r.plain, r.far)
		} else if payload, err = o.repack(payload, r); err != nil {
			payload = nil
		}
	}
	payload = o.renumber(p, payload)
	o.sent.note(uint16(seq), o.era, p.ext, now).final = p.marker
	o.repairs = min(o.repairs+len(payload)/2, repairBurst)
	o.report.count(len(payload))
	h := headers.Get().(*header)
	h.Header = rtp.Header{
		Version: 2, Marker: p.marker, PayloadType: r.pt,
		SequenceNumber: uint16(seq), Timestamp: ts, SSRC: o.ssrc, Extensions: h.room[:0],
	}
	if o.kind == video {
		o.hold.put(&h.Header, o.holdID, p.keyStart)
	}
	w := o.w
	o.mu.Unlock()
	o.write(w, &h.Header, payload, waited, now)
	headers.Put(h)
}

// header is one that is used again: whoever writes it keeps nothing of it.
type header struct {
	rtp.Header
	room [2]rtp.Extension
}

var headers = sync.Pool{New: func() any { return &header{} }}

// repack changes redundant audio into what the subscriber understands.
func (o *outlet) repack(payload []byte, r route) ([]byte, error) {
	switch {
	case r.strip:
		return redPrimary(payload)
	case r.renum != 0:
		own := slices.Clone(payload)
		return own, redRenumber(own, r.renum)
	}
	return payload, nil
}

func (o *outlet) write(w webrtc.TrackLocalWriter, h *rtp.Header, payload []byte, waited bool, now time.Time) {
	size := len(payload)
	if o.ccID != 0 {
		n := o.peer.down.depart(size, waited, now)
		_ = h.SetExtension(o.ccID, []byte{byte(n >> 8), byte(n)})
	} else if o.acked {
		size -= numberSize // spared
		o.peer.down.departAcked(h.SSRC, h.SequenceNumber, size, waited, now)
	}
	n, err := w.WriteRTP(h, payload)
	if err == nil && n > 0 {
		o.peer.countOut(n)
		o.peer.carriedDown(o.trafficOf(h.SSRC), size)
	}
}
