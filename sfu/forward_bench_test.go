package sfu

import (
	"log/slog"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// nowhere takes packets for a network.
type nowhere struct{ webrtc.TrackLocalWriter }

func (nowhere) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	return h.MarshalSize() + len(payload), nil
}

// BenchmarkForward is what one packet costs an outlet without the network:
// bare, and with transport-wide numbers through the gate.
func BenchmarkForward(b *testing.B) {
	for _, gated := range []bool{false, true} {
		b.Run(map[bool]string{false: "bare", true: "gated"}[gated], func(b *testing.B) {
			s := &SFU{log: slog.New(slog.DiscardHandler)}
			p := &Peer{sfu: s, down: newDownlink(1e9)}
			f := format{id: "video/vp8", mime: "video/vp8", pt: 96, rtx: 97, clock: 90000}
			in := &inlet{peer: p, kind: video, ring: newRing(ringVideo), format: f, formats: []format{f}}
			in.outlets.Store(&[]*outlet{})
			o := newOutlet(p, video, 0)
			o.w, o.live, o.formats, o.in, o.ssrc = nowhere{}, true, in.formats, in, 7
			o.plan(in)
			o.restart()
			in.outlets.Store(&[]*outlet{o})
			now := time.Unix(1_700_000_000, 0)
			if gated {
				o.ccID = 3
				p.down.open(now)
			}
			payload := append(vp8Start(true), make([]byte, 1000)...)
			b.ReportAllocs()
			for n := range b.N {
				now = now.Add(time.Millisecond)
				in.accept(uint16(n), uint32(n)*900, true, 96, payload, false, now)
			}
			if got := s.counters.packetsOut.Load(); got < uint64(b.N)*9/10 {
				b.Fatalf("%d of %d packets forwarded", got, b.N)
			}
		})
	}
}
