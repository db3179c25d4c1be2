package sfu

import (
	"math"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
)

// congestion leads a publisher's rate. A browser that heeds targets is told the
// limit that we find (REMB), and so is a device that offers to follow one. Its own controller, fed with arrival times, takes
// the jitter of a radio for a queue: each false alarm costs 15 % of what was
// sent, and who sends little finds no way up. Another device is told when its packets
// arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01) and finds its
// rate itself.
type congestion struct {
	up *arrivals

	mu  sync.Mutex
	rec *twcc.Recorder
	due bool
}

func newCongestion(ssrc uint32, start float64) *congestion {
	return &congestion{rec: twcc.NewRecorder(ssrc), up: newArrivals(start)}
}

// clockIDs are a section's header extensions that we read; 0 is one that was not
// negotiated.
type clockIDs struct {
	number uint8 // transport-wide
	left   uint8 // abs-send-time
	level  uint8 // of sound (RFC 6464)
}

func clocksOf[E any](list []E, read func(E) (uri string, id int)) (ids clockIDs) {
	for _, e := range list {
		switch uri, id := read(e); uri {
		case sdp.TransportCCURI:
			ids.number = uint8(id)
		case sdp.ABSSendTimeURI:
			ids.left = uint8(id)
		case sdp.AudioLevelURI:
			ids.level = uint8(id)
		}
	}
	return ids
}

// note records the arrival of a packet of so many bytes.
func (c *congestion) note(ids clockIDs, h *rtp.Header, size int, now time.Time) {
	if t := h.GetExtension(ids.left); ids.left != 0 && len(t) >= 3 {
		c.up.note(h.SSRC, h.SequenceNumber, uint32(t[0])<<16|uint32(t[1])<<8|uint32(t[2]), size, now)
	}
	if n := h.GetExtension(ids.number); ids.number != 0 && len(n) >= 2 {
		c.mu.Lock()
		c.rec.Record(h.SSRC, uint16(n[0])<<8|uint16(n[1]), now.UnixMicro())
		c.due = true
		c.mu.Unlock()
	}
}

// feedback returns what to send, nothing when nothing arrived.
func (c *congestion) feedback() []rtcp.Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.due {
		return nil
	}
	c.due = false
	return c.rec.BuildFeedbackPacket()
}

const (
	rembEvery  = time.Second // when nothing changed: the last one may be lost
	rembChange = 0.03        // a limit that moved so far is told at once
)

// led says whether the peer is told a limit, and not when its packets arrived.
func (p *Peer) led() bool { return p.part.OnTarget != nil || p.part.HeedsREMB }

// lead tells the publisher what its uplink carries, feedback when it is due.
func (p *Peer) lead(now time.Time, feedback bool) {
	if !p.led() {
		if feedback {
			p.writeRTCP(p.congestion.feedback()...)
		}
		return
	}
	limit := float64(p.congestion.up.limit.Load())
	if limit == 0 || now.Sub(p.rembAt) < rembEvery && math.Abs(limit-p.remb) < rembChange*p.remb {
		return
	}
	var ssrcs []uint32
	for _, in := range p.ticked {
		ssrcs = append(ssrcs, in.ssrc)
	}
	p.remb, p.rembAt = limit, now
	p.writeRTCP(&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: p.ssrc, Bitrate: float32(limit), SSRCs: ssrcs})
}
