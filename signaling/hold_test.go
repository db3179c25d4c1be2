package signaling

import (
	"testing"
	"time"

	"sira/sfu"
)

// TestHoldReachesWhoHears: also when their link was cut meanwhile, and when it is
// over; and so does how far back a voice is wanted.
func TestHoldReachesWhoHears(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	m := a.join(1)
	g := b.guest(m)
	g.onHold(sfu.Hold{Mids: []string{"2"}, For: 420 * time.Millisecond})
	if m := a.wait("hold"); m["ms"] != 420.0 || len(m["mids"].([]any)) != 1 || m["mids"].([]any)[0] != "2" {
		t.Errorf("told %v", m)
	}
	g.onHold(sfu.Hold{For: 420 * time.Millisecond})
	eventually(t, "all play as they come", func() bool { list, ok := a.last("hold")["mids"].([]any); return ok && len(list) == 0 })
	g.onTarget(sfu.Target{Kbps: 64, Height: 240, FPS: 8, Voice: 16, Packet: 60, Again: 300})
	back := b.comesBack(a, "a", m)
	if m := back.wait("target"); m["again"] != 300.0 {
		t.Errorf("told %v", m)
	}
	if m := back.wait("hold"); m["mids"] == nil {
		t.Errorf("told %v", m)
	}
}
