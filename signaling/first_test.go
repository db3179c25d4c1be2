package signaling

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// post joins by one HTTP exchange; nil when refused.
func (b *bench) post(room, user, offer string) (status int, m map[string]any) {
	b.t.Helper()
	return b.say(room, user, map[string]any{"type": "join", "sdp": offer, "audio": true})
}

// say sends a message by HTTP; the answer is nil when refused.
func (b *bench) say(room, user string, message map[string]any) (status int, m map[string]any) {
	b.t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := http.Post(b.http.URL+"/"+room+"?user="+user, "application/json", bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, m
}

// unwired is a caller that has no WebSocket yet.
func unwired(t *testing.T) *caller {
	c := &caller{t: t, packets: map[string]int{}}
	t.Cleanup(func() {
		if c.pc != nil {
			_ = c.pc.GracefulClose()
		}
	})
	return c
}

// TestJoinByOneExchange: sound flows before there is a WebSocket; the one that
// comes resumes, and all is as if it had joined.
func TestJoinByOneExchange(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	ma := a.join(1)
	a.speak()
	x := unwired(t)
	status, m := b.post("r", "x", x.offer(1))
	if status != http.StatusOK || m["type"] != "joined" || names(m) != "a x" || m["token"] == "" {
		t.Fatalf("%d %v", status, m)
	}
	x.accept(m)
	x.speak()
	self := m["self"].(string)
	eventually(t, "both hear, without a WebSocket", func() bool { return a.heard(self) > 20 && x.packetsHeard() > 20 })
	if _, gone := away(a.last("participants"), "x"); gone {
		t.Error("shown as away")
	}
	y := x.resume(b, "r", "x", m["token"].(string), nil)
	r := y.wait("resumed")
	if r["self"] != self || names(r) != "a x" || len(r["slots"].([]any)) != 1 {
		t.Errorf("resumed: %v", r)
	}
	if slot := r["slots"].([]any)[0].(map[string]any); slot["participant"] != ma["self"] {
		t.Errorf("slot %v", slot)
	}
	if b.sfu.Stats().Peers != 2 {
		t.Errorf("%d peers", b.sfu.Stats().Peers)
	}
	n := x.packetsHeard()
	eventually(t, "sound goes on", func() bool { return x.packetsHeard() > n+20 })
	y.write(map[string]any{"type": "leave"})
	y.waitEnd("", websocket.CloseNormalClosure)
	eventually(t, "x has left", func() bool { return names(a.last("participants")) == "a" && b.sfu.Stats().Peers == 1 })
}

// TestJoinByOneExchangeEnds: by time when no WebSocket comes, by a WebSocket
// that joins anew because the answer was lost, by an offer that is none.
func TestJoinByOneExchangeEnds(t *testing.T) {
	b := start(t, Options{Timing: Timing{Join: 300 * time.Millisecond}})
	x := unwired(t)
	if status, m := b.post("r", "x", x.offer(1)); status != http.StatusOK {
		t.Fatalf("%d %v", status, m)
	}
	eventually(t, "nobody is left", func() bool { return b.sfu.Stats().Peers == 0 && len(b.srv.Participants("r")) == 0 })

	if status, _ := b.post("r", "x", "v=0\r\n"); status != http.StatusTeapot {
		t.Errorf("an offer that is none: %d", status)
	}
	if b.sfu.Stats().Peers != 0 || len(b.srv.Participants("r")) != 0 {
		t.Error("a refused guest stays")
	}
	c := start(t, Options{})
	y := unwired(t)
	if status, _ := c.post("r", "y", y.offer(1)); status != http.StatusOK {
		t.Fatal(status)
	}
	if m := c.dial("r", "y").join(1); names(m) != "y" {
		t.Errorf("joined: %v", m)
	}
	eventually(t, "no ghost", func() bool { return c.sfu.Stats().Peers == 1 })
}
