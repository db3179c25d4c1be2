package web

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"sira/cases"
	"sira/dicom/phantom"
)

func (w *world) dial(user, path string, head ...string) (*websocket.Conn, *http.Response) {
	w.t.Helper()
	h := http.Header{}
	if user != "" {
		h.Set("Authorization", "Bearer "+w.token[user])
	}
	for i := 0; i+1 < len(head); i += 2 {
		h.Set(head[i], head[i+1])
	}
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(w.http.URL, "http")+path, h)
	if err != nil && res == nil {
		w.t.Fatal(err)
	}
	return conn, res
}

type notice struct {
	Type         string
	ID, CaseID   string
	Seq          int64
	Participants int
	User         struct{ Login string }
	Intake       struct{ State string }
	Waiting      []waitingView
}

// next reads notices until one of the kind comes.
func next(t *testing.T, conn *websocket.Conn, kind string) notice {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %q: %v", kind, err)
		}
		var n notice
		if err := json.Unmarshal(raw, &n); err != nil {
			t.Fatal(err)
		}
		if n.Type == kind {
			return n
		}
	}
}

func TestLiveTellsWhoMaySee(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	clin, _ := w.dial("clin", "/api/live")
	defer clin.Close()
	cardio, _ := w.dial("cardio", "/api/live")
	defer cardio.Close()
	stranger, _ := w.dial("cardio2", "/api/live")
	defer stranger.Close()
	if n := next(t, cardio, "hello"); n.User.Login != "cardio" {
		t.Errorf("hello %+v", n)
	}
	next(t, stranger, "hello")
	v := w.post("clin", id, event(cases.MessagePosted, cases.TextData{Text: "secret de la patiente"}))
	for n := next(t, cardio, "case"); n.Seq < v.Seq; n = next(t, cardio, "case") {
		if n.ID != id {
			t.Errorf("notice %+v", n)
		}
	}
	w.send("clin", id, "p.jpg", phantom.Photo(2))
	for n := next(t, clin, "intake"); n.Intake.State != "done"; n = next(t, clin, "intake") {
	}
	// A case of the stranger's own marks the end of what they may have heard.
	own := w.open("cardio2")
	_ = stranger.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		_, raw, err := stranger.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), id) || strings.Contains(string(raw), "secret") {
			t.Fatalf("told a stranger: %s", raw)
		}
		if strings.Contains(string(raw), own) {
			break
		}
	}
}

func TestLiveDoor(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		user, path string
		head       []string
		want       int
	}{
		{"", "/api/live", nil, 401},
		{"clin", "/api/live", []string{"Origin", "https://mal.example"}, 403},
		{"clin", "/api/live", []string{"Origin", w.http.URL}, 101},
		{"cardio2", "/api/calls/" + w.open("cardio"), nil, 404},
		{"admin", "/api/calls/" + w.open("cardio"), nil, 404},
		{"", "/api/calls/" + w.open("cardio"), nil, 401},
		{"cardio", "/api/calls/" + w.open("cardio"), []string{"Origin", "https://mal.example"}, 403},
	} {
		conn, res := w.dial(c.user, c.path, c.head...)
		if res.StatusCode != c.want {
			t.Errorf("%s %s %v: %d, want %d", c.user, c.path, c.head, res.StatusCode, c.want)
		}
		if conn != nil {
			conn.Close()
		}
	}
}

func TestJunkOnLive(t *testing.T) {
	w := newWorld(t)
	for name, send := range map[string]func(*websocket.Conn) error{
		"binary": func(c *websocket.Conn) error { return c.WriteMessage(websocket.BinaryMessage, []byte{0, 1, 2}) },
		"huge":   func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, make([]byte, 1<<20)) },
		"flood": func(c *websocket.Conn) error {
			for range 500 {
				if err := c.WriteMessage(websocket.TextMessage, []byte("{")); err != nil {
					return nil
				}
			}
			return nil
		},
		"raw": func(c *websocket.Conn) error {
			_, err := c.NetConn().Write([]byte("\xff\xff\xff\xff not a frame"))
			return err
		},
	} {
		conn, _ := w.dial("clin", "/api/live")
		if err := send(conn); err != nil && name != "huge" {
			t.Errorf("%s: %v", name, err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		for {
			_, _, err := conn.ReadMessage()
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Errorf("%s: the connection stays", name)
			}
			if err != nil {
				break
			}
		}
		conn.Close()
	}
	w.want(200, w.do("clin", "GET", "/api/session", nil))
}

func TestReaderThatNeverReadsIsDropped(t *testing.T) {
	w := newWorld(t)
	conn, _ := w.dial("clin", "/api/live")
	defer conn.Close()
	me := []string{w.users["clin"].ID}
	big := strings.Repeat("x", 64<<10)
	for range 2000 { // the kernel's buffers hold a few megabytes, the queue some notices
		if w.srv.hub.Count() == 0 {
			break
		}
		w.srv.push(me, map[string]string{"type": "case", "id": big})
	}
	for range 300 {
		if w.srv.hub.Count() == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("a reader that never reads is kept")
}

func TestLogoutEndsLive(t *testing.T) {
	w := newWorld(t)
	a := w.want(200, w.do("", "POST", "/api/session", map[string]string{"login": "clin", "password": password}))
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	conn, _ := w.dial("", "/api/live", "Cookie", cookie)
	defer conn.Close()
	next(t, conn, "hello")
	w.want(204, w.do("", "DELETE", "/api/session", nil, "Cookie", cookie))
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("after logout: %v", err)
	}
}

func TestCallsAreOnRecord(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	w.srv.callJoined(id, w.users["cardio"].ID)
	w.srv.callLeft(leaver{room: id, user: w.users["cardio"].ID, at: time.Now()})
	v := w.getCase("clin", id)
	var kinds []string
	for _, x := range v.Timeline {
		kinds = append(kinds, string(x.Type))
	}
	if got := strings.Join(kinds, " "); !strings.Contains(got, "call-joined call-left") {
		t.Errorf("timeline %s; logs %s", got, w.logs)
	}
	entries, err := w.cfg.Audit.ByCase(context.Background(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if e.Action == actJoin || e.Action == actLeave {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d entries of the call", found)
	}
}
