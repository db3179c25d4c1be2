package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

// keyRequestSpacing is the least time between two keyframe requests to one
// publisher: a keyframe is a second of a slow link.
const keyRequestSpacing = time.Second

// keyRequest joins the subscribers' wishes for a keyframe into few requests.
type keyRequest struct {
	last    time.Time
	pending bool
}

// want says whether to send a request now; otherwise it is remembered.
func (k *keyRequest) want(now time.Time) bool {
	if !k.last.IsZero() && now.Sub(k.last) < keyRequestSpacing {
		k.pending = true
		return false
	}
	k.last, k.pending = now, false
	return true
}

// due, asked at each tick, says whether a remembered wish is to be sent now.
func (k *keyRequest) due(now time.Time) bool {
	return k.pending && k.want(now)
}

// requestKeyframe asks the publisher, now or when it may be asked again.
func (in *inlet) requestKeyframe(now time.Time) {
	in.mu.Lock()
	send := false
	if in.peer.Connected() {
		send = in.pli.want(now)
	} else {
		in.pli.pending = true // for when the publisher's link is back
	}
	in.mu.Unlock()
	if send {
		in.sendPLI()
	}
}

// requestStart asks for a keyframe for an outlet newly bound. A track that has
// not begun begins with one by itself; if not, the tick asks.
func (in *inlet) requestStart(now time.Time) {
	in.mu.Lock()
	begun := in.rec.started
	in.mu.Unlock()
	if begun && in.kind == video {
		in.requestKeyframe(now)
	}
}

func (in *inlet) sendPLI() {
	in.peer.sfu.counters.plisOut.Add(1)
	in.peer.writeRTCP(&rtcp.PictureLossIndication{SenderSSRC: in.peer.ssrc, MediaSSRC: in.ssrc})
}

// nack asks the publisher for lost packets (RFC 4585, 6.2.1).
func (in *inlet) nack(lost []uint16) {
	if len(lost) == 0 {
		return
	}
	in.peer.sfu.counters.nacksOut.Add(uint64(len(lost)))
	in.peer.writeRTCP(&rtcp.TransportLayerNack{
		SenderSSRC: in.peer.ssrc,
		MediaSSRC:  in.ssrc,
		Nacks:      rtcp.NackPairsFromSequenceNumbers(lost),
	})
}
