package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"sira/sfu"
)

const patience = 60 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %s: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// bench is a server as web runs it: /ROOM?user=ID.
type bench struct {
	t    *testing.T
	sfu  *sfu.SFU
	srv  *Server
	http *httptest.Server
}

// guest is who was told that they joined.
func (b *bench) guest(joined map[string]any) *guest {
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	return b.srv.guests[joined["token"].(string)]
}

func start(t *testing.T, opts Options) *bench {
	t.Helper()
	s, err := sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0", RoomLimit: 4})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, sfu: s, srv: New(s, opts)}
	b.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("user")
		guest := strings.HasPrefix(id, "guest:")
		room, u := strings.TrimPrefix(r.URL.Path, "/"), User{ID: id, Name: "Nom " + id, Role: "clinician",
			Guest: guest, Waiting: guest && !strings.HasSuffix(id, ":in")}
		if r.Method != http.MethodPost {
			b.srv.ServeRoom(w, r, room, u)
			return
		}
		raw, _ := io.ReadAll(r.Body)
		joined, err := b.srv.Join(r, room, u, raw)
		if err != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_ = json.NewEncoder(w).Encode(joined)
	}))
	t.Cleanup(func() {
		if err := b.srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
		b.http.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// caller is a participant with a real WebSocket and a real pion connection.
type caller struct {
	t     *testing.T
	conn  *websocket.Conn
	pc    *webrtc.PeerConnection
	audio *webrtc.TrackLocalStaticRTP
	once  sync.Once

	mu       sync.Mutex
	messages []map[string]any
	closed   error
	packets  map[string]int // by mid
	ended    chan struct{}
}

func (b *bench) dial(room, user string) *caller {
	b.t.Helper()
	url := "ws" + strings.TrimPrefix(b.http.URL, "http") + "/" + room + "?user=" + user
	conn, resp, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		b.t.Fatalf("%v (%v)", err, resp)
	}
	resp.Body.Close()
	c := &caller{t: b.t, conn: conn, packets: map[string]int{}, ended: make(chan struct{})}
	go c.listen()
	b.t.Cleanup(c.hangUp)
	return c
}

func (c *caller) listen() {
	defer close(c.ended)
	for {
		_, raw, err := c.conn.ReadMessage()
		if err != nil {
			c.mu.Lock()
			c.closed = err
			c.mu.Unlock()
			return
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			c.t.Errorf("%s: %v", raw, err)
			return
		}
		c.mu.Lock()
		c.messages = append(c.messages, m)
		c.mu.Unlock()
	}
}

func (c *caller) hangUp() {
	c.once.Do(func() {
		if c.pc != nil {
			_ = c.pc.GracefulClose()
		}
		// As a browser whose page is closed.
		bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
		_ = c.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
		c.conn.Close()
		<-c.ended
	})
}

func (c *caller) write(m any) {
	c.t.Helper()
	if err := c.conn.WriteJSON(m); err != nil {
		c.t.Fatal(err)
	}
}

// last is the newest message of a type.
func (c *caller) last(typ string) map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.messages) - 1; i >= 0; i-- {
		if c.messages[i]["type"] == typ {
			return c.messages[i]
		}
	}
	return nil
}

func (c *caller) wait(typ string) map[string]any {
	c.t.Helper()
	eventually(c.t, "message "+typ, func() bool { return c.last(typ) != nil })
	return c.last(typ)
}

// waitEnd expects an error code (none when empty) and a close code.
func (c *caller) waitEnd(code string, closeCode int) {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.t.Fatal("connection stays open")
	}
	c.mu.Lock()
	err := c.closed
	c.mu.Unlock()
	if !websocket.IsCloseError(err, closeCode) {
		c.t.Errorf("closed with %v, want %d", err, closeCode)
	}
	m := c.last("error")
	switch {
	case code == "" && m != nil:
		c.t.Errorf("error %v", m)
	case code != "" && (m == nil || m["code"] != code || m["message"] == ""):
		c.t.Errorf("error message %v, want code %s", m, code)
	}
}

func (c *caller) offer(slots int) string {
	c.t.Helper()
	if c.pc == nil {
		var se webrtc.SettingEngine
		se.SetIncludeLoopbackCandidate(true)
		se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
		pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(se)).NewPeerConnection(webrtc.Configuration{})
		if err != nil {
			c.t.Fatal(err)
		}
		c.pc = pc
		pc.OnTrack(func(track *webrtc.TrackRemote, recv *webrtc.RTPReceiver) {
			mid := recv.RTPTransceiver().Mid()
			for {
				if _, _, err := track.ReadRTP(); err != nil {
					return
				}
				c.mu.Lock()
				c.packets[mid]++
				c.mu.Unlock()
			}
		})
		c.audio, err = webrtc.NewTrackLocalStaticRTP(
			webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "audio", "own")
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err = pc.AddTransceiverFromTrack(c.audio,
			webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			c.t.Fatal(err)
		}
	}
	for range slots {
		if _, err := c.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio,
			webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			c.t.Fatal(err)
		}
	}
	o, err := c.pc.CreateOffer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.pc.SetLocalDescription(o); err != nil {
		c.t.Fatal(err)
	}
	return o.SDP
}

func (c *caller) accept(m map[string]any) {
	c.t.Helper()
	err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: m["sdp"].(string)})
	if err != nil {
		c.t.Fatal(err)
	}
}

// join enters with so many slots and waits until it did.
func (c *caller) join(slots int) map[string]any {
	c.t.Helper()
	c.write(map[string]any{"type": "join", "sdp": c.offer(slots), "audio": true, "video": false})
	m := c.wait("joined")
	c.accept(m)
	return m
}

// speak sends sound until the test is over.
func (c *caller) speak() {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(5 * time.Millisecond)
		defer t.Stop()
		for n := uint32(0); ; n++ {
			select {
			case <-quit:
				return
			case <-t.C:
			}
			_ = c.audio.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 240},
				Payload: []byte("some sound"),
			})
		}
	})
	c.t.Cleanup(func() { close(quit); wg.Wait() })
}

// names lists the user IDs of a message's participants.
func names(m map[string]any) string {
	if m == nil {
		return "-"
	}
	var out []string
	for _, p := range m["participants"].([]any) {
		out = append(out, p.(map[string]any)["userId"].(string))
	}
	return strings.Join(out, " ")
}

// heard counts packets in the slot that shows a participant.
func (c *caller) heard(participant string) int {
	m := c.last("slots")
	if m == nil {
		m = c.last("joined")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range m["slots"].([]any) {
		s := s.(map[string]any)
		if s["participant"] == participant && s["kind"] == "audio" {
			return c.packets[s["mid"].(string)]
		}
	}
	return 0
}

func TestCall(t *testing.T) {
	var mu sync.Mutex
	var presence []int
	b := start(t, Options{Timing: Timing{Quality: 50 * time.Millisecond, Ping: 20 * time.Millisecond}})
	b.srv.OnPresence(func(room string, list []Participant) {
		if room != "cas-1" {
			t.Errorf("presence of %q", room)
		}
		mu.Lock()
		presence = append(presence, len(list))
		mu.Unlock()
	})
	a := b.dial("cas-1", "a")
	ma := a.join(1)
	if names(ma) != "a" {
		t.Errorf("joined: %v", ma)
	}
	x := b.dial("cas-1", "x")
	mx := x.join(1)
	if names(mx) != "a x" {
		t.Errorf("joined: %v", mx)
	}
	eventually(t, "a is told of x", func() bool { return names(a.last("participants")) == "a x" })
	a.speak()
	x.speak()
	eventually(t, "x hears a", func() bool { return x.heard(ma["self"].(string)) > 20 })
	eventually(t, "a hears x", func() bool { return a.heard(mx["self"].(string)) > 20 })
	eventually(t, "quality", func() bool {
		m := a.last("quality")
		return m != nil && m["connected"] == true && m["kbpsUp"].(float64) > 0 && m["kbpsDown"].(float64) > 0
	})

	// Mute.
	a.write(map[string]any{"type": "state", "audio": false})
	eventually(t, "x sees that a is muted", func() bool {
		m := x.last("participants")
		return m != nil && m["participants"].([]any)[0].(map[string]any)["audio"] == false
	})
	a.write(map[string]any{"type": "state", "camera": false})
	eventually(t, "x sees that a has no camera, and is muted still", func() bool {
		p := x.last("participants")["participants"].([]any)[0].(map[string]any)
		return p["noCamera"] == true && p["audio"] == false
	})
	a.write(map[string]any{"type": "ping", "t": 7})
	if m := a.wait("pong"); m["t"] != 7.0 {
		t.Errorf("pong %v", m)
	}
	a.write(map[string]any{"type": "something new", "x": 1}) // ignored

	// A third person: a is asked for one more section, and gets it.
	c := b.dial("cas-1", "c")
	mc := c.join(2)
	c.speak()
	if m := a.wait("renegotiate"); m["audio"] != 2.0 {
		t.Errorf("renegotiate %v", m)
	}
	a.write(map[string]any{"type": "offer", "id": 5, "sdp": a.offer(1)})
	m := a.wait("answer")
	if m["id"] != 5.0 {
		t.Errorf("answer %v", m)
	}
	a.accept(m)
	eventually(t, "a hears c", func() bool { return a.heard(mc["self"].(string)) > 20 })
	if got := b.srv.Rooms(); len(got) != 1 || got[0] != (RoomInfo{"cas-1", 3}) {
		t.Errorf("rooms %v", got)
	}

	c.write(map[string]any{"type": "leave"})
	c.waitEnd("", websocket.CloseNormalClosure)
	eventually(t, "a sees c leave", func() bool { return names(a.last("participants")) == "a x" })
	x.hangUp()
	a.hangUp()
	eventually(t, "the room is over", func() bool { return len(b.srv.Rooms()) == 0 && b.sfu.Stats().Peers == 0 })
	eventually(t, "presence", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(presence) > 0 && presence[len(presence)-1] == 0
	})
}

func TestSameUserAgainReplaces(t *testing.T) {
	b := start(t, Options{})
	old := b.dial("r", "a")
	m := old.join(1)
	other := b.dial("r", "x")
	other.join(1)
	again := b.dial("r", "a")
	m2 := again.join(1)
	if names(m2) != "x a" || m2["self"] == m["self"] {
		t.Errorf("joined: %v", m2)
	}
	old.waitEnd("replaced", websocket.ClosePolicyViolation)
	eventually(t, "no ghost", func() bool {
		return names(other.last("participants")) == "x a" && b.sfu.Stats().Peers == 2
	})
}

// TestIceRestart: the client's network changed; the call goes on.
func TestIceRestart(t *testing.T) {
	b := start(t, Options{})
	a, x := b.dial("r", "a"), b.dial("r", "x")
	a.join(1)
	mx := x.join(1)
	x.speak()
	self := mx["self"].(string)
	eventually(t, "a hears x", func() bool { return a.heard(self) > 20 })
	o, err := a.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	a.write(map[string]any{"type": "offer", "id": 1, "sdp": o.SDP})
	m := a.wait("answer")
	if !strings.Contains(m["sdp"].(string), "a=candidate:") {
		t.Fatalf("no candidate in the answer of a restart:\n%s", m["sdp"])
	}
	a.accept(m)
	n := a.heard(self)
	eventually(t, "a hears x again", func() bool { return a.heard(self) > n+100 })
}

func TestRoomFull(t *testing.T) {
	b := start(t, Options{})
	for _, id := range []string{"a", "b", "c", "d"} {
		b.dial("r", id).join(1)
	}
	e := b.dial("r", "e")
	e.write(map[string]any{"type": "join", "sdp": e.offer(1)})
	e.waitEnd("room-full", websocket.CloseTryAgainLater)
}

func TestRightWithdrawnAtTheDoor(t *testing.T) {
	b := start(t, Options{Authorize: func(context.Context, User, string) error { return errors.New("no") }})
	_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(b.http.URL, "http")+"/r?user=a", nil)
	if err == nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("got %v, %v", err, resp)
	}
	resp.Body.Close()
}

func TestServerClosing(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	a.join(1)
	if err := b.srv.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	a.waitEnd("server-closing", websocket.CloseGoingAway)
	if n := b.sfu.Stats().Peers; n != 0 {
		t.Errorf("%d peers left", n)
	}
}
