package signaling

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A guest who was let in already joins by one exchange, as anybody does; one
// who waits gets nothing by it, and nothing is made of what they sent.
func TestGuestJoinsByOneExchange(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	a.join(2)
	a.speak()
	out := unwired(t)
	if status, m := b.post("r", guestA, out.offer(1)); status != http.StatusTeapot || m != nil || b.sfu.Stats().Peers != 1 || b.waiting("r") != "" {
		t.Fatalf("who waits: %d %v, %d peers, at the door %q", status, m, b.sfu.Stats().Peers, b.waiting("r"))
	}
	const in = "guest:x:in"
	g := unwired(t)
	status, m := b.post("r", in, g.offer(1))
	if status != http.StatusOK || names(m) != "a "+in {
		t.Fatalf("%d %v", status, m)
	}
	if p := m["participants"].([]any)[1].(map[string]any); p["guest"] != true {
		t.Errorf("not marked as a guest: %v", p)
	}
	g.accept(m)
	eventually(t, "the guest hears without a WebSocket", func() bool { return g.packetsHeard() > 20 })
	c := g.resume(b, "r", in, m["token"].(string), nil)
	c.wait("admitted")
	if r := c.wait("resumed"); r["self"] != m["self"] {
		t.Errorf("resumed: %v", r)
	}
	c.write(map[string]any{"type": "gesture", "to": "p1", "move": "tilt", "direction": "left"})
	c.write(map[string]any{"type": "ping", "t": 1})
	c.wait("pong")
	if a.last("gesture") != nil {
		t.Error("a guest who joined by one exchange shows gestures")
	}
	if !b.srv.Evict("r", in, Removed) {
		t.Error("not inside")
	}
	c.waitEnd("removed", websocket.ClosePolicyViolation)
}

// What a guest leaves at the door lies there until they are let in; then they
// are in the room at once.
func TestGuestLeavesTheirOfferAtTheDoor(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	a.join(2)
	a.speak()
	g := b.dial("r", guestA)
	g.wait("waiting")
	g.write(map[string]any{"type": "prepare", "sdp": "v=0\r\n"}) // the last one counts
	g.write(map[string]any{"type": "prepare", "sdp": g.offer(1), "audio": true})
	g.write(map[string]any{"type": "ping", "t": 1})
	g.wait("pong")
	if len(b.srv.Participants("r")) != 1 || b.sfu.Stats().Peers != 1 || b.waiting("r") != guestA+" " {
		t.Fatalf("inside before being let in: %+v, %d peers", b.srv.Participants("r"), b.sfu.Stats().Peers)
	}
	g.mu.Lock()
	for _, m := range g.messages {
		if kind := m["type"]; kind != "waiting" && kind != "pong" && kind != "ping" {
			t.Errorf("told at the door: %v", m)
		}
	}
	g.mu.Unlock()
	if !b.srv.Admit("r", guestA) {
		t.Fatal("not let in")
	}
	m, ok := g.wait("admitted")["joined"].(map[string]any)
	if !ok || names(m) != "a "+guestA {
		t.Fatalf("admitted with %v", m)
	}
	g.accept(m)
	eventually(t, "the guest hears", func() bool { return g.packetsHeard() > 20 })
	g.write(map[string]any{"type": "resume", "token": m["token"]})
	if r := g.wait("resumed"); r["self"] != m["self"] || b.sfu.Stats().Peers != 2 {
		t.Errorf("resumed: %v, %d peers", r, b.sfu.Stats().Peers)
	}
}

// Whose offer is none learns it by joining; who went away meanwhile is not kept.
func TestOfferLeftAtTheDoorFails(t *testing.T) {
	b := start(t, Options{Timing: Timing{Join: 300 * time.Millisecond}})
	g := b.dial("r", guestA)
	g.wait("waiting")
	g.write(map[string]any{"type": "prepare", "sdp": "v=0\r\n"})
	g.write(map[string]any{"type": "ping", "t": 1})
	g.wait("pong")
	b.srv.Admit("r", guestA)
	if m := g.wait("admitted"); m["joined"] != nil || b.sfu.Stats().Peers != 0 {
		t.Errorf("admitted with %v", m)
	}
	if m := g.join(1); names(m) != guestA {
		t.Errorf("joined: %v", m)
	}
	h := b.dial("r", "guest:h")
	h.wait("waiting")
	h.write(map[string]any{"type": "prepare", "sdp": h.offer(1)})
	h.write(map[string]any{"type": "ping", "t": 1})
	h.wait("pong")
	b.srv.Admit("r", "guest:h")
	h.wait("admitted")
	h.cut() // and never resumes
	eventually(t, "only one is left", func() bool { return b.sfu.Stats().Peers == 1 && len(b.srv.Participants("r")) == 1 })
}

// Who is sent away in the moment in which they join is not let in: the right is
// asked for again once they could be found and put out.
func TestGuestSentAwayWhileJoining(t *testing.T) {
	var asked atomic.Int32
	b := start(t, Options{Authorize: func(_ context.Context, u User, _ string) error {
		if u.Guest && asked.Add(1) > 1 {
			return errors.New("sent away")
		}
		return nil
	}})
	g := unwired(t)
	if status, _ := b.post("r", "guest:x:in", g.offer(1)); status != http.StatusTeapot {
		t.Errorf("%d", status)
	}
	asked.Store(0)
	c := b.dial("r", "guest:y:in")
	c.wait("admitted")
	c.write(map[string]any{"type": "join", "sdp": c.offer(1)})
	c.waitEnd("forbidden", websocket.ClosePolicyViolation)
	if b.sfu.Stats().Peers != 0 || len(b.srv.Participants("r")) != 0 {
		t.Error("inside")
	}
}
