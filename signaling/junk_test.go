package signaling

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestJunk: whatever a client sends, it is told and closed, and the call of
// the others goes on.
func TestJunk(t *testing.T) {
	b := start(t, Options{Timing: Timing{Join: 300 * time.Millisecond}})
	a, x := b.dial("r", "a"), b.dial("r", "x")
	a.join(1)
	mx := x.join(1)
	x.speak()
	self := mx["self"].(string)
	eventually(t, "a hears x", func() bool { return a.heard(self) > 20 })

	half := func(c *caller) string { s := c.offer(1); return s[:len(s)/2] }
	text := func(s string) func(*caller) {
		return func(c *caller) { _ = c.conn.WriteMessage(websocket.TextMessage, []byte(s)) }
	}
	for name, tc := range map[string]struct {
		do    func(c *caller)
		code  string
		close int
	}{
		"not JSON":    {text("hello"), "bad-message", 1007},
		"no type":     {text("{}"), "bad-message", 1007},
		"wrong field": {text(`{"type":"join","sdp":5}`), "bad-message", 1007},
		"not UTF-8":   {text("{\"type\":\"ping\xff\"}"), "bad-message", 1007},
		"deep":        {text(strings.Repeat("[", 20000)), "bad-message", 1007},
		"too early":   {text(`{"type":"offer","sdp":"v=0"}`), "bad-message", 1007},
		"binary": {func(c *caller) {
			junk := make([]byte, 1000)
			for i := range junk {
				junk[i] = byte(rand.Uint32())
			}
			_ = c.conn.WriteMessage(websocket.BinaryMessage, junk)
		}, "bad-message", 1007},
		"large":       {text(`{"type":"join","sdp":"` + strings.Repeat("x", maxMessage) + `"}`), "bad-message", 1007},
		"empty offer": {text(`{"type":"join","sdp":"v=0"}`), "bad-sdp", 1008},
		"junk offer":  {text(`{"type":"join","sdp":"` + strings.Repeat("a=b ", 100) + `"}`), "bad-sdp", 1008},
		"half an offer": {func(c *caller) {
			c.write(map[string]any{"type": "join", "sdp": half(c)})
		}, "bad-sdp", 1008},
		"half a second offer": {func(c *caller) {
			c.join(1)
			c.write(map[string]any{"type": "offer", "sdp": half(c)})
		}, "bad-sdp", 1008},
		"join twice": {func(c *caller) {
			c.join(1)
			c.write(map[string]any{"type": "join", "sdp": "v=0"})
		}, "bad-message", 1007},
		"flood": {func(c *caller) {
			for range 10 * messageBurst {
				if c.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"pong"}`)) != nil {
					return
				}
			}
		}, "too-fast", 1008},
		"no join": {func(*caller) {}, "join-timeout", 1008},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.dial("r", "junk")
			c.t = t
			tc.do(c)
			c.waitEnd(tc.code, tc.close)
			c.hangUp()
		})
	}

	t.Run("huge", func(t *testing.T) {
		c := b.dial("r", "junk")
		_ = c.conn.WriteMessage(websocket.TextMessage, make([]byte, 8<<20))
		select {
		case <-c.ended:
		case <-time.After(patience):
			t.Fatal("connection stays open")
		}
	})
	t.Run("junk candidates", func(t *testing.T) {
		c := b.dial("r", "cand")
		c.join(1)
		for _, s := range []string{"", "junk", "candidate:", "candidate:1 1 udp 1 x.local 1 typ host", strings.Repeat("x", 9999)} {
			c.write(map[string]any{"type": "candidate", "candidate": map[string]any{"candidate": s}})
		}
		c.write(map[string]any{"type": "candidate"})
		c.write(map[string]any{"type": "ping", "t": 1})
		c.wait("pong")
		c.hangUp()
	})

	n := a.heard(self)
	eventually(t, "a still hears x", func() bool { return a.heard(self) > n+50 })
	eventually(t, "no ghosts", func() bool { return names(a.last("participants")) == "a x" && b.sfu.Stats().Peers == 2 })
}

// TestSlowReaderIsDropped: a client that never reads costs a bounded queue.
func TestSlowReaderIsDropped(t *testing.T) {
	b := start(t, Options{Timing: Timing{Write: 200 * time.Millisecond, Park: 200 * time.Millisecond}})
	url := "ws" + strings.TrimPrefix(b.http.URL, "http") + "/r?user=slow"
	conn, resp, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer conn.Close()
	helper := &caller{t: t}
	offer := helper.offer(1)
	defer func() { _ = helper.pc.GracefulClose() }()
	if err := conn.WriteJSON(map[string]any{"type": "join", "sdp": offer}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "joined", func() bool { return len(b.srv.Participants("r")) == 1 })

	// The server has much to say to someone who does not listen.
	quit := time.After(patience)
	big := participantsMessage{"participants", make([]Participant, 2000)}
	for len(b.srv.Participants("r")) > 0 {
		select {
		case <-quit:
			t.Fatal("a client that reads nothing is still there")
		default:
		}
		b.srv.mu.Lock()
		if r := b.srv.rooms["r"]; r != nil {
			for _, m := range r.members {
				m.send(big)
			}
		}
		b.srv.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	eventually(t, "peer closed", func() bool { return b.sfu.Stats().Peers == 0 })
}
