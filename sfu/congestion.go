package sfu

import (
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// congestion tells a publisher when its packets arrived, so that it can find
// the rate of its uplink (draft-holmer-rmcat-transport-wide-cc-extensions-01).
// The estimate of the way down will sit beside it.
type congestion struct {
	mu  sync.Mutex
	rec *twcc.Recorder
	due bool
}

func newCongestion(ssrc uint32) *congestion {
	return &congestion{rec: twcc.NewRecorder(ssrc)}
}

// note records the arrival of a packet. id is that of the extension in the
// packet's section, 0 when not negotiated.
func (c *congestion) note(id uint8, h *rtp.Header, now time.Time) {
	if id == 0 {
		return
	}
	ext := h.GetExtension(id)
	if len(ext) < 2 {
		return
	}
	c.mu.Lock()
	c.rec.Record(h.SSRC, uint16(ext[0])<<8|uint16(ext[1]), now.UnixMicro())
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
