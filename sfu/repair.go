package sfu

import (
	"strings"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// repairTap takes retransmissions (RFC 4588) off pion's hands: pion would
// return them only from the track's next read, that is with the next
// ordinary packet, which at eight pictures a second is late.
type repairTap struct {
	interceptor.NoOp
	peer *Peer
}

// BindRemoteStream implements interceptor.Interceptor.
func (t *repairTap) BindRemoteStream(info *interceptor.StreamInfo, r interceptor.RTPReader) interceptor.RTPReader {
	if !strings.EqualFold(info.MimeType, webrtc.MimeTypeRTX) {
		return r
	}
	clocks := clocksOf(info.RTPHeaderExtensions, func(e interceptor.RTPHeaderExtension) (string, int) { return e.URI, e.ID })
	ssrc := info.SSRC
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, a, err := r.Read(b, a)
		if err == nil {
			t.peer.repair(ssrc, clocks, b[:n])
		}
		return 0, a, err // nothing left for pion
	})
}

// repair hands a retransmission to the inlet it repairs.
func (p *Peer) repair(rtxSSRC uint32, clocks clockIDs, b []byte) {
	now := time.Now()
	var h rtp.Header
	payload, ok := splitPacket(b, &h)
	if !ok {
		return
	}
	p.countIn(len(b))
	p.carriedUp(Repair, len(b))
	p.congestion.note(clocks, &h, len(b), now)
	p.mu.Lock()
	var in *inlet
	for _, i := range p.active {
		if uint32(i.track.RtxSSRC()) == rtxSSRC { // of a named encoding it is known with its first packet
			in = i
		}
	}
	p.mu.Unlock()
	if in != nil {
		in.repair(&h, payload, now)
	}
}
