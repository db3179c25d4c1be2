package sfu

import (
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
)

// congestion tells a publisher when its packets arrived, so that it can find
// the rate of its uplink (draft-holmer-rmcat-transport-wide-cc-extensions-01),
// and finds a limit for that itself.
type congestion struct {
	up *arrivals

	mu  sync.Mutex
	rec *twcc.Recorder
	due bool
}

func newCongestion(ssrc uint32, start float64) *congestion {
	return &congestion{rec: twcc.NewRecorder(ssrc), up: newArrivals(start)}
}

// clockIDs are a section's header extensions about time; 0 is one that was not
// negotiated.
type clockIDs struct {
	number uint8 // transport-wide
	left   uint8 // abs-send-time
}

func clocksOf[E any](list []E, read func(E) (uri string, id int)) (ids clockIDs) {
	for _, e := range list {
		switch uri, id := read(e); uri {
		case sdp.TransportCCURI:
			ids.number = uint8(id)
		case sdp.ABSSendTimeURI:
			ids.left = uint8(id)
		}
	}
	return ids
}

// note records the arrival of a packet of so many bytes.
func (c *congestion) note(ids clockIDs, h *rtp.Header, size int, now time.Time) {
	if ids.number == 0 {
		return
	}
	ext := h.GetExtension(ids.number)
	if len(ext) < 2 {
		return
	}
	seq := uint16(ext[0])<<8 | uint16(ext[1])
	if ids.left != 0 {
		if t := h.GetExtension(ids.left); len(t) >= 3 {
			c.up.note(seq, uint32(t[0])<<16|uint32(t[1])<<8|uint32(t[2]), size, now)
		}
	}
	c.mu.Lock()
	c.rec.Record(h.SSRC, seq, now.UnixMicro())
	c.due = true
	c.mu.Unlock()
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
