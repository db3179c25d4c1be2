package web

import (
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// A guest joins by one exchange when they were let in, and learns nothing by
// it before and after: not with a cookie of nobody, not at the door, not put
// out, and not faster than a person presses a button.
func TestGuestJoinsByExchange(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	cart := w.newCart("clin", true)
	cart.connect("/whip/" + id) // somebody to hear, and to be told of
	i := w.invite("cardio", id, nil)
	cookie := w.use(i)
	screen := w.newCart("", false)
	offer := map[string]any{"type": "join", "sdp": screen.offer(nil)}
	post := func(cookie string) answer {
		return w.do("", "POST", "/api/guest/call", offer, "Cookie", cookie)
	}
	place := "/api/cases/" + id + "/guests/" + i.Guest.ID + "/admission"
	peers := func() int { return w.cfg.SFU.Stats().Peers }

	for _, c := range []string{"", guestCookie + "=" + strings.Repeat("A", 43), guestCookie + "=" + i.secret(), cookieName + cookie[strings.IndexByte(cookie, '='):]} {
		w.want(401, post(c))
	}
	if a := w.want(202, post(cookie)); strings.TrimSpace(string(a.body)) != `{"type":"waiting"}` || peers() != 1 {
		t.Fatalf("before being let in: %s, %d peers", a.body, peers())
	}
	if v := w.getCase("disp", id); len(v.Waiting) != 0 {
		t.Errorf("at the door without a WebSocket: %+v", v.Waiting)
	}
	door := w.at(cookie)
	hear(t, door, "waiting")
	w.want(202, post(cookie)) // still
	w.want(204, w.do("clin", "PUT", place, map[string]bool{"admit": true}))
	hear(t, door, "admitted")
	door.Close()

	var joined struct {
		Token, SDP   string
		Participants []map[string]any
	}
	w.want(400, w.do("", "POST", "/api/guest/call", map[string]any{"type": "join", "sdp": "v=0\r\n"}, "Cookie", cookie))
	w.want(400, w.do("", "POST", "/api/guest/call", map[string]any{"type": "resume", "token": "x"}, "Cookie", cookie))
	w.want(200, post(cookie)).json(t, &joined)
	if len(joined.Participants) != 2 || joined.Participants[1]["guest"] != true || joined.Participants[1]["name"] != "Moussa Zan" {
		t.Errorf("joined %+v", joined.Participants)
	}
	if err := screen.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: joined.SDP}); err != nil {
		t.Fatal(err)
	}
	screen.hears()
	again := w.at(cookie)
	hear(t, again, "admitted")
	if err := again.WriteJSON(map[string]any{"type": "resume", "token": joined.Token}); err != nil {
		t.Fatal(err)
	}
	hear(t, again, "resumed")

	w.want(204, w.do("clin", "PUT", place, map[string]bool{"admit": false}))
	if m := last(t, again); m["code"] != "removed" {
		t.Errorf("put out: %v", m)
	}
	if code := w.problem(w.want(410, post(cookie))); code != "invitation-ended" {
		t.Errorf("who was put out: %s", code)
	}
	w.eventually("only the cart is left", func() bool { return peers() == 1 })
	w.mustNotLog(joined.Token)
}

// Somebody whose link is good but who is never let in may ask as often as a
// person would.
func TestGuestJoinsAreBounded(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	cookie := w.use(w.invite("cardio", id, nil))
	refused := 0
	for range 14 {
		if w.do("", "POST", "/api/guest/call", map[string]any{"type": "join", "sdp": "x"}, "Cookie", cookie).status == 429 {
			refused++
		}
	}
	if refused < 2 {
		t.Errorf("%d of 14 refused", refused)
	}
}
