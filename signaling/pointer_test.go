package signaling

import (
	"testing"
	"time"
)

// TestPointerPaceReachesWhoPoints: also when their link was cut meanwhile.
func TestPointerPaceReachesWhoPoints(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	m := a.join(1)
	a.write(map[string]any{"type": "at", "at": []int{1, 2}}) // of the budget from here on; nothing to be told where there is room
	a.write(map[string]any{"type": "ping", "t": 1})
	a.wait("pong")
	g := b.guest(m)
	g.onPointer(320 * time.Millisecond)
	if m := a.wait("pointer"); m["every"] != 320.0 {
		t.Errorf("told %v", m)
	}
	back := b.comesBack(a, "a", m)
	if m := back.wait("pointer"); m["every"] != 320.0 {
		t.Errorf("told %v", m)
	}
}
