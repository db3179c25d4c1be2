package signaling

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestReady: a transport stands ready, nobody knows, nothing flows; the word to
// enter is all that the first sound waits for.
func TestReady(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	a.join(1)
	a.speak()
	x := unwired(t)
	status, m := b.say("r", "x", map[string]any{"type": "ready", "sdp": x.offer(1)})
	if status != http.StatusOK || m["type"] != "ready" || m["token"] == "" || m["participants"] != nil {
		t.Fatalf("%d %v", status, m)
	}
	x.accept(m)
	eventually(t, "the transport is set up", func() bool { return x.pc.ConnectionState().String() == "connected" })
	x.speak() // what comes too early is not heard, and does no harm
	time.Sleep(300 * time.Millisecond)
	if n := x.packetsHeard(); n > 0 || a.last("participants") != nil || len(b.srv.Participants("r")) != 1 || b.sfu.Stats().Peers != 2 {
		t.Fatalf("%d packets heard, a was told of %q, %d peers", n, names(a.last("participants")), b.sfu.Stats().Peers)
	}
	a.mu.Lock()
	heard := len(a.packets)
	a.mu.Unlock()
	if heard > 0 {
		t.Fatal("heard before entering")
	}
	status, e := b.say("r", "x", map[string]any{"type": "enter", "token": m["token"], "audio": true})
	if status != http.StatusOK || e["type"] != "joined" || names(e) != "a x" || e["sdp"] != nil {
		t.Fatalf("%d %v", status, e)
	}
	self := e["self"].(string)
	eventually(t, "both hear, without a WebSocket", func() bool { return a.heard(self) > 20 && x.packetsHeard() > 20 })
	if status, _ := b.say("r", "x", map[string]any{"type": "enter", "token": m["token"]}); status != http.StatusTeapot {
		t.Errorf("entered twice: %d", status)
	}
	y := x.resume(b, "r", "x", e["token"].(string), nil)
	if r := y.wait("resumed"); r["self"] != self || names(r) != "a x" {
		t.Errorf("resumed: %v", r)
	}
	y.write(map[string]any{"type": "leave"})
	y.waitEnd("", websocket.CloseNormalClosure)
	eventually(t, "x has left", func() bool { return names(a.last("participants")) == "a" && b.sfu.Stats().Peers == 1 })
}

// TestReadyEnds: by time, by another one of the same user, for nobody else, and
// not the connection on which the user is in the call.
func TestReadyEnds(t *testing.T) {
	b := start(t, Options{Timing: Timing{Ready: 400 * time.Millisecond}})
	ready := func(user string) string {
		t.Helper()
		status, m := b.say("r", user, map[string]any{"type": "ready", "sdp": unwired(t).offer(1)})
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, m)
		}
		return m["token"].(string)
	}
	refused := func(what, room, user, token string) {
		t.Helper()
		if status, m := b.say(room, user, map[string]any{"type": "enter", "token": token}); status != http.StatusTeapot {
			t.Errorf("%s: %d %v", what, status, m)
		}
	}
	first := ready("x")
	second := ready("x")
	refused("replaced", "r", "x", first)
	refused("somebody else's", "r", "y", second)
	refused("of another room", "q", "x", second)
	eventually(t, "one is left", func() bool { return b.sfu.Stats().Peers <= 1 })
	eventually(t, "none is left", func() bool { return b.sfu.Stats().Peers == 0 })
	refused("late", "r", "x", second)
	for _, m := range []map[string]any{{"type": "ready", "sdp": "v=0\r\n"}, {"type": "ready"}, {"type": "enter"}, {"type": "leave"}} {
		if status, _ := b.say("r", "x", m); status != http.StatusTeapot {
			t.Errorf("%v: %d", m, status)
		}
	}
	if status, _ := b.say("r", "guest:g:in", map[string]any{"type": "ready", "sdp": unwired(t).offer(1)}); status != http.StatusTeapot {
		t.Errorf("a guest stands ready: %d", status)
	}
	a := b.dial("r", "a")
	a.join(1)
	token := ready("a")
	a.write(map[string]any{"type": "ping", "t": 1})
	a.wait("pong")
	if len(b.srv.Participants("r")) != 1 {
		t.Error("put out by their own transport that stands ready")
	}
	if status, m := b.say("r", "a", map[string]any{"type": "enter", "token": token}); status != http.StatusOK || names(m) != "a" {
		t.Errorf("%d %v", status, m)
	}
	a.waitEnd("replaced", websocket.ClosePolicyViolation)
	eventually(t, "nobody resumes", func() bool { return b.sfu.Stats().Peers <= 1 })
}

// TestReadyIsBounded: the oldest goes.
func TestReadyIsBounded(t *testing.T) {
	s := &Server{guests: map[string]*guest{}}
	s.opts.Timing = Timing{}.orDefault()
	var all []*guest
	for i := range readyMost + 5 {
		g := newGuest(s, "r", User{ID: string(rune('a' + i))}, nil)
		g.files = s.bulk.Join(g.user.ID)
		if !s.stand(g) {
			t.Fatal("closing")
		}
		all = append(all, g)
	}
	s.mu.Lock()
	if len(s.ready) != readyMost || s.ready[0] != all[5] {
		t.Errorf("%d stand ready", len(s.ready))
	}
	s.mu.Unlock()
	for i, g := range all {
		if g.mu.Lock(); g.over != (i < 5) {
			t.Errorf("%d: ended %v", i, g.over)
		}
		g.mu.Unlock()
		g.end(codeNone)
	}
	s.wg.Wait()
}
