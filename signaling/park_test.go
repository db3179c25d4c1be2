package signaling

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
)

// cut ends the WebSocket as a dead link does: without a word. The media
// connection stays.
func (c *caller) cut() {
	_ = c.conn.NetConn().Close()
	<-c.ended
}

// comesBack is a person of room r whose link is cut until the server knows it.
func (b *bench) comesBack(c *caller, user string, joined map[string]any) *caller {
	c.cut()
	eventually(b.t, "parked", func() bool { b.srv.mu.Lock(); defer b.srv.mu.Unlock(); return len(b.srv.parked) == 1 })
	return c.resume(b, "r", user, joined["token"].(string), nil)
}

// resume opens another WebSocket for the same media connection.
func (c *caller) resume(b *bench, room, user, token string, more map[string]any) *caller {
	c.t.Helper()
	n := b.dial(room, user)
	n.pc, n.audio = c.pc, c.audio
	m := map[string]any{"type": "resume", "token": token, "audio": true}
	for k, v := range more {
		m[k] = v
	}
	n.write(m)
	return n
}

// away says whether a message shows the user, and as away.
func away(m map[string]any, user string) (there, away bool) {
	if m == nil {
		return false, false
	}
	for _, p := range m["participants"].([]any) {
		if p := p.(map[string]any); p["userId"] == user {
			return true, p["away"] == true
		}
	}
	return false, false
}

func (c *caller) packetsHeard() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.packets {
		n += k
	}
	return n
}

func restartOffer(t *testing.T, pc *webrtc.PeerConnection) string {
	t.Helper()
	o, err := pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	return o.SDP
}

func TestResume(t *testing.T) {
	var presence atomic.Int32
	b := start(t, Options{})
	a, x := b.dial("r", "a"), b.dial("r", "x")
	ma, mx := a.join(1), x.join(1)
	b.srv.OnPresence(func(_ string, list []Participant) { presence.Store(int32(len(list))) })
	a.speak()
	x.speak()
	self, token := mx["self"].(string), mx["token"].(string)
	eventually(t, "both hear", func() bool { return a.heard(self) > 20 && x.heard(ma["self"].(string)) > 20 })

	x.cut()
	eventually(t, "a sees that x is cut off", func() bool {
		there, gone := away(a.last("participants"), "x")
		return there && gone
	})
	if presence.Load() != 2 {
		t.Errorf("%d present while one is parked", presence.Load())
	}
	n, k := a.heard(self), x.packetsHeard()
	eventually(t, "sound goes on both ways meanwhile", func() bool { return a.heard(self) > n+50 && x.packetsHeard() > k+50 })

	y := x.resume(b, "r", "x", token, nil)
	m := y.wait("resumed")
	if m["self"] != self || names(m) != "a x" || m["sdp"] != nil || len(m["slots"].([]any)) != 1 {
		t.Errorf("resumed: %v", m)
	}
	if _, gone := away(m, "x"); gone {
		t.Errorf("resumed, and away: %v", m)
	}
	eventually(t, "a sees that x is back", func() bool {
		there, gone := away(a.last("participants"), "x")
		return there && !gone
	})
	if b.sfu.Stats().Peers != 2 {
		t.Errorf("%d peers", b.sfu.Stats().Peers)
	}

	// Again, with an offer for an ICE restart in the same message; the former
	// connection still seems alive.
	z := y.resume(b, "r", "x", token, map[string]any{"sdp": restartOffer(t, x.pc), "id": 9})
	m = z.wait("resumed")
	if m["self"] != self || m["id"] != 9.0 {
		t.Fatalf("resumed: %v", m)
	}
	z.accept(m)
	y.waitEnd("replaced", websocket.ClosePolicyViolation)
	n, k = a.heard(self), x.packetsHeard()
	eventually(t, "sound goes on after the restart", func() bool { return a.heard(self) > n+50 && x.packetsHeard() > k+50 })
	z.write(map[string]any{"type": "state", "audio": false})
	eventually(t, "the new connection has a say", func() bool {
		m := a.last("participants")
		return m["participants"].([]any)[1].(map[string]any)["audio"] == false
	})

	// A goodbye is one.
	z.write(map[string]any{"type": "leave"})
	z.waitEnd("", websocket.CloseNormalClosure)
	eventually(t, "x has left", func() bool { return names(a.last("participants")) == "a" && presence.Load() == 1 })
	late := x.resume(b, "r", "x", token, nil)
	late.waitEnd("gone", websocket.ClosePolicyViolation)
}

func TestResumeRefused(t *testing.T) {
	b := start(t, Options{})
	a, x := b.dial("r", "a"), b.dial("r", "x")
	a.join(1)
	token := x.join(1)["token"].(string)
	x.cut()
	eventually(t, "x is parked", func() bool { _, gone := away(a.last("participants"), "x"); return gone })
	for name, try := range map[string][3]string{
		"another user":  {"r", "y", token},
		"another room":  {"other", "x", token},
		"another token": {"r", "x", token + "A"},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.dial(try[0], try[1])
			c.t = t
			c.write(map[string]any{"type": "resume", "token": try[2]})
			c.waitEnd("gone", websocket.ClosePolicyViolation)
		})
	}
	y := x.resume(b, "r", "x", token, nil)
	y.wait("resumed")
	y.write(map[string]any{"type": "resume", "token": token})
	y.waitEnd("bad-message", websocket.CloseInvalidFramePayloadData)
	eventually(t, "a fault ends the call", func() bool { return b.sfu.Stats().Peers == 1 })
}

// TestParkEnds: by time, by joining anew, by a right withdrawn at the door.
func TestParkEnds(t *testing.T) {
	var no atomic.Bool
	b := start(t, Options{Timing: Timing{Park: 300 * time.Millisecond}, Authorize: func(_ context.Context, u User, _ string) error {
		if no.Load() && u.ID == "x" {
			return errors.New("no")
		}
		return nil
	}})
	a := b.dial("r", "a")
	a.join(1)
	x := b.dial("r", "x")
	token := x.join(1)["token"].(string)
	x.cut()
	eventually(t, "x is gone", func() bool { return names(a.last("participants")) == "a" && b.sfu.Stats().Peers == 1 })
	x.resume(b, "r", "x", token, nil).waitEnd("gone", websocket.ClosePolicyViolation)
	no.Store(true)
	_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(b.http.URL, "http")+"/r?user=x", nil)
	if err == nil {
		t.Fatal("let in")
	}
	resp.Body.Close()
}

func TestJoinAnewReplacesParked(t *testing.T) {
	b := start(t, Options{})
	a, x := b.dial("r", "a"), b.dial("r", "x")
	a.join(1)
	old := x.join(1)
	x.cut()
	m := b.dial("r", "x").join(1)
	if names(m) != "a x" || m["self"] == old["self"] {
		t.Errorf("joined: %v", m)
	}
	x.resume(b, "r", "x", old["token"].(string), nil).waitEnd("gone", websocket.ClosePolicyViolation)
	eventually(t, "no ghost", func() bool { return b.sfu.Stats().Peers == 2 })
}

// TestParkedGiveWay: a full room, and a user parked in many.
func TestParkedGiveWay(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	a.join(1)
	for _, id := range []string{"b", "c", "d"} { // the bench's rooms take four
		x := b.dial("r", id)
		x.join(1)
		x.cut()
		eventually(t, id+" is parked", func() bool { _, gone := away(a.last("participants"), id); return gone })
	}
	m := b.dial("r", "e").join(1)
	if names(m) != "a c d e" {
		t.Errorf("joined: %s", names(m))
	}
	for i := range parkedMostEach + 2 {
		x := b.dial(fmt.Sprintf("room%d", i), "z")
		x.join(1)
		x.cut()
		eventually(t, "z is parked", func() bool {
			p := b.srv.Participants(fmt.Sprintf("room%d", i))
			return len(p) == 1 && p[0].Away
		})
	}
	eventually(t, "the oldest went", func() bool {
		return len(b.srv.Participants("room0")) == 0 && len(b.srv.Participants("room1")) == 0 && b.sfu.Stats().Peers == 4+parkedMostEach
	})
}
