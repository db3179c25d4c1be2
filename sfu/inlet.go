package sfu

import (
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// kind is audio or video, also an index.
type kind int

const (
	audio kind = iota
	video
	kinds // how many
)

func (k kind) String() string { return [...]string{"audio", "video"}[k] }

func (k kind) codecType() webrtc.RTPCodecType {
	return [...]webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}[k]
}

// inlet is one track of a publisher: it reads packets, keeps the last ones
// for repairs and hands each to the outlets it feeds. Reading is done by one
// goroutine, repairs (RTX) by a second, requests come from any.
type inlet struct {
	peer    *Peer
	kind    kind
	ssrc    uint32
	track   *webrtc.TrackRemote
	formats []format
	clocks  clockIDs

	outlets atomic.Pointer[[]*outlet] // written by the room only

	mu      sync.Mutex
	format  format // of the last packet
	rec     reception
	ring    *ring
	pli     keyRequest
	sr      senderReport
	packets int // since the last second, for the ring's size
	layers  layerRates
	spread  spread
	dark    dark
	far     atomic.Bool // the publisher says voices again from far back, as it was asked
	rungs   rungs
	length  packetLength // of voice
	loud    loudness

	measured, observed tally // by Quality, by Observe

	sending sending

	// Of the publisher's clock.
	target   Target
	targetAt time.Time
	seenAt   time.Time // since when someone may see it
	stills   Stills
	thin     thin
}

func newInlet(p *Peer, track *webrtc.TrackRemote, recv *webrtc.RTPReceiver) *inlet {
	in := &inlet{peer: p, kind: audio, ssrc: uint32(track.SSRC()), track: track}
	in.rungs.isLow = p.isRung(track, recv)
	size := ringAudio
	if track.Kind() == webrtc.RTPCodecTypeVideo {
		in.kind, size = video, ringVideo
	}
	in.ring = newRing(size)
	params := recv.GetParameters()
	in.formats = formats(params.Codecs)
	in.clocks = clocksOf(params.HeaderExtensions, func(e webrtc.RTPHeaderExtensionParameter) (string, int) { return e.URI, e.ID })
	in.target = targetAtFirst
	pt := track.PayloadType()
	if track.RID() != "" {
		pt = track.Codec().PayloadType // the other is told with the first packet read
	}
	in.format, _ = findPT(in.formats, uint8(pt))
	in.rec.clock = in.format.clock
	in.outlets.Store(&[]*outlet{})
	return in
}

// read forwards until the track ends.
func (in *inlet) read(track *webrtc.TrackRemote) {
	buf := make([]byte, 1600)
	var h rtp.Header
	for {
		n, _, err := track.Read(buf)
		if errors.Is(err, webrtc.ErrCodecNotFound) {
			continue // a payload type that was not negotiated
		}
		if errors.Is(err, io.ErrShortBuffer) {
			continue
		}
		if err != nil {
			return
		}
		now := time.Now()
		h = rtp.Header{Extensions: h.Extensions[:0]}
		payload, ok := splitPacket(buf[:n], &h)
		if !ok {
			continue
		}
		in.peer.countIn(n)
		in.peer.carriedUp(in.kind.traffic(), n)
		in.peer.congestion.note(in.clocks, &h, n, now)
		in.hearLevel(&h, payload, now)
		in.accept(h.SequenceNumber, h.Timestamp, h.Marker, h.PayloadType, payload, false, now)
	}
}

// splitPacket parses a packet and returns its payload without padding.
func splitPacket(b []byte, h *rtp.Header) (payload []byte, ok bool) {
	n, err := h.Unmarshal(b)
	if err != nil || n > len(b) {
		return nil, false
	}
	payload = b[n:]
	if h.Padding {
		if len(payload) == 0 {
			return nil, false
		}
		pad := int(payload[len(payload)-1])
		if pad == 0 || pad > len(payload) {
			return nil, false
		}
		payload = payload[:len(payload)-pad]
	}
	return payload, true
}

// repair takes a packet of the retransmission stream (RFC 4588, 4): the
// original sequence number, then the original payload.
func (in *inlet) repair(h *rtp.Header, payload []byte, now time.Time) {
	if len(payload) < 2 {
		return // padding, sent to probe the link
	}
	osn := uint16(payload[0])<<8 | uint16(payload[1])
	for _, f := range in.formats {
		if f.rtx == h.PayloadType {
			in.accept(osn, h.Timestamp, h.Marker, f.pt, payload[2:], true, now)
			return
		}
	}
}

// accept records a packet, asks for what is missing, and forwards.
func (in *inlet) accept(seq uint16, ts uint32, marker bool, pt uint8, payload []byte, again bool, now time.Time) {
	p := packet{ts: ts, marker: marker, pt: pt, payload: payload}
	in.mu.Lock()
	f, reformed := in.format, false
	if pt != in.format.pt {
		var ok bool
		if f, ok = findPT(in.formats, pt); !ok {
			in.mu.Unlock()
			return
		}
		if !again {
			in.format, reformed = f, in.kind == video
		}
	}
	repairedBefore := in.rec.repaired
	ext, how, lostMany := in.rec.arrive(seq, ts, again, now)
	p.ext = ext
	if how == arrivedUseful {
		if _, known := in.ring.get(ext); known {
			how = arrivedDup
		}
	}
	if how == arrivedDup {
		in.mu.Unlock()
		return
	}
	p.gap = lostMany
	if reformed {
		in.layers = layerRates{}
	}
	if in.kind == video {
		in.describe(&p, f.mime)
	}
	if in.kind == audio {
		in.hearFar(payload, f.mime)
		in.length.note(ext, ts, in.format.clock)
	}
	in.layers.add(&p)
	if p.keyStart {
		in.pli.pending = false // whoever wished for one has it
	}
	in.ring.put(&p)
	in.packets++
	var lost []uint16
	switch {
	case len(in.rec.holes) == 0:
	case in.kind == video:
		lost = in.rec.ask(now, in.peer.roundTrip())
	case f.mime == mimeRED && !in.far.Load(): // else what is not said again is too late in any case
		lost = in.rec.askVoice(now)
	}
	recovered := in.rec.repaired - repairedBefore
	in.mu.Unlock()
	if reformed {
		in.peer.reformed()
	}

	in.peer.sfu.counters.recovered.Add(recovered)
	in.peer.box.Hold()
	for _, o := range *in.outlets.Load() {
		o.forward(in, &p, now)
	}
	in.peer.box.Release()
	in.nack(lost)
	if lostMany && in.kind == video {
		in.requestKeyframe(now)
	}
}

// fetch copies a kept packet's payload into buf.
func (in *inlet) fetch(ext uint64, buf []byte) (packet, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	kept, ok := in.ring.get(ext)
	if !ok {
		return packet{}, false
	}
	p := *kept
	p.payload = append(buf[:0], kept.payload...)
	return p, true
}

// peek describes a kept packet without its payload.
func (in *inlet) peek(ext uint64) (p packet, size int, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	kept, ok := in.ring.get(ext)
	if !ok {
		return packet{}, 0, false
	}
	p = *kept
	p.payload = nil
	return p, len(kept.payload), true
}

// highest is the newest packet's extended sequence number.
func (in *inlet) highest() uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.rec.high
}

// currentFormat is the codec of the newest packet.
func (in *inlet) currentFormat() format {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.format
}

// tick does what is due by time: requests repeated, the ring sized.
func (in *inlet) tick(now time.Time, eachSecond bool) {
	if in.kind == video && in.peer.Connected() {
		in.mu.Lock()
		var lost []uint16
		if len(in.rec.holes) > 0 {
			lost = in.rec.ask(now, in.peer.roundTrip())
		}
		due := in.pli.due(now)
		in.mu.Unlock()
		in.nack(lost)
		if due {
			in.sendPLI()
		}
	}
	if eachSecond {
		in.mu.Lock()
		in.ring.grow(in.packets * 2) // two seconds of it
		in.packets = 0
		in.layers.second()
		in.mu.Unlock()
		if in.kind == video && slices.ContainsFunc(*in.outlets.Load(), (*outlet).waiting) {
			in.requestKeyframe(now)
		}
	}
}

// attach and detach are called by the room's goroutine only.
func (in *inlet) attach(o *outlet) {
	list := append(slices.Clone(*in.outlets.Load()), o)
	in.outlets.Store(&list)
}

func (in *inlet) detach(o *outlet) {
	list := slices.DeleteFunc(slices.Clone(*in.outlets.Load()), func(x *outlet) bool { return x == o })
	in.outlets.Store(&list)
}

// usable says whether the codec can be forwarded at all.
func (in *inlet) usable() bool { return in.format.clock != 0 }
