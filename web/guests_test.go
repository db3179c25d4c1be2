package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"

	"sira/cases"
	"sira/cases/guests"
	"sira/dicom/phantom"
	"sira/signaling"
)

// invited is what who invites is told.
type invited struct {
	Guest guestView
	Link  string
}

func (i invited) secret() string { return i.Link[strings.IndexByte(i.Link, '#')+1:] }

func (w *world) invite(user, id string, more map[string]any) invited {
	w.t.Helper()
	body := map[string]any{"kind": "other", "name": "Moussa Zan", "hours": 24}
	for k, v := range more {
		body[k] = v
	}
	var i invited
	w.want(201, w.do(user, "POST", "/api/cases/"+id+"/guests", body)).json(w.t, &i)
	return i
}

// use opens the link in a new browser, and gives its cookie.
func (w *world) use(i invited) string {
	w.t.Helper()
	a := w.want(200, w.do("", "POST", "/api/guest/session", map[string]string{"secret": i.secret()}))
	set := a.header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/api/guest;", "Max-Age=43200"} {
		if !strings.Contains(set, want) {
			w.t.Errorf("cookie %q lacks %q", set, want)
		}
	}
	cookie, _, _ := strings.Cut(set, ";")
	return cookie
}

// at opens the guest's WebSocket.
func (w *world) at(cookie string) *websocket.Conn {
	w.t.Helper()
	conn, res := w.dial("", "/api/guest/call", "Cookie", cookie)
	if res.StatusCode != http.StatusSwitchingProtocols {
		w.t.Fatalf("the guest's WebSocket: %d", res.StatusCode)
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

// hear reads messages until one of the type comes.
func hear(t *testing.T, conn *websocket.Conn, kind string) map[string]any {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		var m map[string]any
		if err := conn.ReadJSON(&m); err != nil {
			t.Fatalf("waiting for %q: %v", kind, err)
		}
		if m["type"] == kind {
			return m
		}
		if m["type"] == "error" {
			t.Fatalf("waiting for %q: %v", kind, m)
		}
	}
}

// join enters the room over the WebSocket with a real pion connection.
func (w *world) join(conn *websocket.Conn) {
	w.t.Helper()
	pc := must[*webrtc.PeerConnection](w.t)(webrtc.NewPeerConnection(webrtc.Configuration{}))
	w.t.Cleanup(func() { _ = pc.GracefulClose() })
	must[*webrtc.RTPTransceiver](w.t)(pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}))
	o := must[webrtc.SessionDescription](w.t)(pc.CreateOffer(nil))
	if err := conn.WriteJSON(map[string]any{"type": "join", "sdp": o.SDP}); err != nil {
		w.t.Fatal(err)
	}
	hear(w.t, conn, "joined")
}

func (w *world) problem(a answer) string {
	w.t.Helper()
	var p struct{ Code, Detail string }
	a.json(w.t, &p)
	if p.Detail == "" {
		w.t.Errorf("%s without a sentence", p.Code)
	}
	return p.Code
}

func (w *world) told(id string) map[string]int {
	w.t.Helper()
	var log struct{ Entries []accessView }
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/access", nil)).json(w.t, &log)
	told := map[string]int{}
	for _, e := range log.Entries {
		told[strings.TrimSpace(e.By.Name+" "+e.Action+" "+e.Outcome+" "+e.Detail)]++
	}
	return told
}

// The whole way of a guest: invited, at the door, let in, put out, and all of
// it on record.
func TestGuestsWay(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	still := uuid.NewString()
	w.want(200, w.do("clin", "PUT", "/api/calls/"+id+"/stills/"+still, phantom.Photo(3), "Content-Type", "image/jpeg"))
	i := w.invite("cardio", id, nil)
	if len(i.secret()) != 43 || i.Guest.State != "link" || i.Guest.By.ID != w.users["cardio"].ID || i.Guest.Expires.Sub(i.Guest.Created) != 24*time.Hour {
		t.Fatalf("invited %+v", i)
	}
	secret := map[string]string{"secret": i.secret()}
	var seen invitationView
	for range 2 { // looking uses nothing up: a messenger looks too
		a := w.want(200, w.do("", "POST", "/api/guest/invitation", secret))
		a.json(t, &seen)
		if strings.Contains(string(a.body), "Zoumana") || seen.By != "Pr Ibrahima Konaté" || seen.Facility != "CHU du Point G" || seen.Name != "Moussa Zan" || seen.Open {
			t.Errorf("the guest sees %s", a.body)
		}
	}
	cookie := w.use(i)
	for range 2 { // a second browser
		for _, path := range []string{"/api/guest/session", "/api/guest/invitation"} {
			if code := w.problem(w.want(410, w.do("", "POST", path, secret))); code != "invitation-used" {
				t.Errorf("a second browser: %s", code)
			}
		}
	}
	w.want(200, w.do("", "POST", "/api/guest/session", secret, "Cookie", cookie)).json(t, &seen)
	if !seen.Open {
		t.Error("the same browser, once more")
	}

	live, _ := w.dial("clin", "/api/live")
	defer live.Close()
	next(t, live, "hello")
	door := w.at(cookie)
	hear(t, door, "waiting")
	n := next(t, live, "guests")
	if n.CaseID != id || len(n.Waiting) != 1 || n.Waiting[0].Name != "Moussa Zan" || n.Waiting[0].ID != i.Guest.ID {
		t.Errorf("told %+v", n)
	}
	if v := w.getCase("disp", id); len(v.Waiting) != 1 || v.CallParticipants != 0 {
		t.Errorf("the case shows %+v", v.Waiting)
	}
	if got := w.do("", "GET", "/api/guest/stills/"+still, nil, "Cookie", cookie).status; got != 410 {
		t.Errorf("a still for who waits: %d", got)
	}
	for user, want := range map[string]int{"": 401, "clin2": 404, "cardio2": 404, "admin": 404, "disp-derm": 404} {
		if got := w.do(user, "PUT", "/api/cases/"+id+"/guests/"+i.Guest.ID+"/admission", map[string]bool{"admit": true}).status; got != want {
			t.Errorf("let in by %q: %d", user, got)
		}
	}
	w.want(404, w.do("clin", "PUT", "/api/cases/"+w.open("cardio")+"/guests/"+i.Guest.ID+"/admission", map[string]bool{"admit": true})) // of another case
	place := "/api/cases/" + id + "/guests/" + i.Guest.ID + "/admission"
	w.want(204, w.do("clin", "PUT", place, map[string]bool{"admit": true}))
	w.want(204, w.do("cardio", "PUT", place, map[string]bool{"admit": true})) // two press at once
	hear(t, door, "admitted")
	w.join(door)
	var list struct{ Guests []guestView }
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/guests", nil)).json(t, &list)
	if len(list.Guests) != 1 || list.Guests[0].State != "inside" {
		t.Errorf("guests %+v", list)
	}

	// In the call: the picture before all, no other.
	w.want(404, w.do("", "GET", "/api/guest/stills/"+still, nil, "Cookie", cookie))
	w.cfg.Signaling.Show(id, signaling.Still{ID: still})
	if a := w.want(200, w.do("", "GET", "/api/guest/stills/"+still, nil, "Cookie", cookie)); a.header.Get("Content-Type") != "image/jpeg" || a.header.Get("Cache-Control") != "no-store" || len(a.body) < 100 {
		t.Errorf("the still: %v", a.header)
	}
	w.cfg.Signaling.Show(id, signaling.Still{ID: "another"})
	w.want(404, w.do("", "GET", "/api/guest/stills/"+still, nil, "Cookie", cookie))

	// A reload: in again without asking.
	again := w.at(cookie)
	w.join(again)
	w.want(204, w.do("clin", "PUT", place, map[string]bool{"admit": false}))
	if m := last(t, again); m["code"] != "removed" {
		t.Errorf("put out: %v", m)
	}
	for _, a := range []answer{w.do("", "GET", "/api/guest/session", nil, "Cookie", cookie), w.do("", "POST", "/api/guest/session", secret, "Cookie", cookie)} {
		if a.status != 410 || w.problem(a) != "invitation-ended" {
			t.Errorf("who was put out: %d %s", a.status, a.body)
		}
	}
	if _, res := w.dial("", "/api/guest/call", "Cookie", cookie); res.StatusCode != 410 {
		t.Errorf("who was put out comes back: %d", res.StatusCode)
	}
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/guests", nil)).json(t, &list)
	if len(list.Guests) != 0 {
		t.Errorf("still invited: %+v", list)
	}
	w.eventually("the room is over", func() bool { return len(w.cfg.Signaling.Participants(id)) == 0 })
	told := w.told(id)
	for _, want := range []string{"Ibrahima Konaté call-invite ok Moussa Zan", "Moussa Zan (sur invitation) call-use-link ok", "Moussa Zan (sur invitation) call-use-link denied",
		"Moussa Zan (sur invitation) call-wait ok", "Fatoumata Diarra call-admit ok Moussa Zan", "Moussa Zan (sur invitation) call-join ok",
		"Moussa Zan (sur invitation) view-image ok", "Fatoumata Diarra call-put-out ok Moussa Zan"} {
		if told[want] == 0 {
			t.Errorf("the journal lacks %q: %v", want, told)
		}
	}
	token := strings.TrimPrefix(cookie, guestCookie+"=")
	w.mustNotLog(i.secret(), token, "Moussa", patientName, "Zoumana")
	metrics := string(w.do("", "GET", "/metrics", nil).body)
	for _, act := range []string{"call-invite", "call-use-link", "call-wait", "call-admit", "call-join", "call-put-out", "bad-link"} {
		if !strings.Contains(metrics, `sira_call_guests_total{act="`+act+`"}`) {
			t.Errorf("no metric of %s", act)
		}
	}
}

// last reads until the end, which must come with an error message.
func last(t *testing.T, conn *websocket.Conn) (m map[string]any) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			return m
		}
		m = nil
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
	}
}

// The cookie of a guest opens nothing but the guest's own addresses, and who
// was never invited not even these.
func TestGuestsReachNothingElse(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	photo := w.send("clin", id, "p.jpg", phantom.Photo(1)).Files[0].AttachmentID
	i := w.invite("clin", id, nil)
	cookie := w.use(i)
	session := cookieName + cookie[strings.IndexByte(cookie, '='):]
	for _, rt := range append(w.srv.apiRoutes(), w.srv.uploadRoutes()...) {
		if rt.public {
			continue
		}
		verb, path, _ := strings.Cut(rt.pattern, " ")
		path = strings.NewReplacer("{$}", "", "{id}", id, "{aid}", photo, "{guest}", i.Guest.ID, "{still}", photo).Replace(path)
		path = strings.NewReplacer("{", "", "}", "").Replace(path)
		for _, c := range []string{cookie, session} {
			if got := w.do("", verb, path, nil, "Cookie", c, "Connection", "Upgrade", "Upgrade", "websocket").status; got != 401 {
				t.Errorf("%s %s as a guest: %d", verb, rt.pattern, got)
			}
		}
	}
	for _, c := range []string{"", "x=y", guestCookie + "=" + strings.Repeat("A", 43), guestCookie + "=" + i.secret()} {
		for _, path := range []string{"/api/guest/session", "/api/guest/call", "/api/guest/stills/" + photo} {
			if got := w.do("", "GET", path, nil, "Cookie", c, "Connection", "Upgrade", "Upgrade", "websocket").status; got != 401 {
				t.Errorf("%s with %q: %d", path, c, got)
			}
		}
	}
	if code := w.problem(w.want(404, w.do("", "POST", "/api/guest/session", map[string]string{"secret": strings.Repeat("A", 43)}))); code != "invitation-unknown" {
		t.Error(code)
	}
	w.want(404, w.do("", "POST", "/api/guest/session", map[string]string{"secret": "x"}))
	w.want(400, w.do("", "POST", "/api/guest/session", map[string]string{"x": "x"}))
	// With a case's own attachment that is no still, even in the call.
	conn := w.at(cookie)
	hear(t, conn, "waiting")
	w.want(204, w.do("clin", "PUT", "/api/cases/"+id+"/guests/"+i.Guest.ID+"/admission", map[string]bool{"admit": true}))
	hear(t, conn, "admitted")
	w.join(conn)
	w.cfg.Signaling.Show(id, signaling.Still{ID: photo})
	w.want(404, w.do("", "GET", "/api/guest/stills/"+photo, nil, "Cookie", cookie))
}

func TestWhoMayInvite(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	body := map[string]any{"kind": "patient", "hours": 1}
	for user, want := range map[string]int{"": 401, "clin2": 404, "admin": 404, "disp-derm": 404, "disp": 403} {
		if got := w.do(user, "POST", "/api/cases/"+id+"/guests", body).status; got != want {
			t.Errorf("%q invites: %d, want %d", user, got, want)
		}
	}
	for name, bad := range map[string]map[string]any{"no hours": {"kind": "patient"}, "years": {"kind": "patient", "hours": 9999}, "no name": {"kind": "other", "hours": 1},
		"a name of the patient": {"kind": "patient", "name": "x", "hours": 1}, "a line end": {"kind": "other", "name": "a\nb", "hours": 1}, "another kind": {"kind": "x", "name": "y", "hours": 1}} {
		if got := w.do("clin", "POST", "/api/cases/"+id+"/guests", bad).status; got != 422 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := w.invite("clin", id, map[string]any{"kind": "patient", "name": ""}); got.Guest.Name != "La patiente" {
		t.Errorf("the patient is called %q", got.Guest.Name)
	}
	for range guests.Most - 1 {
		w.invite("cardio", id, nil)
	}
	if code := w.problem(w.want(409, w.do("clin", "POST", "/api/cases/"+id+"/guests", body))); code != "invitations-full" {
		t.Error(code)
	}
	if told := w.told(id); told["Fatoumata Diarra call-invite ok La patiente"] != 1 || told["Ibrahima Konaté call-invite ok Moussa Zan"] != guests.Most-1 || told["Mariam Touré invite denied"] != 1 {
		t.Errorf("journal %v", told)
	}
	w.want(201, w.do("clin", "POST", "/api/cases/"+w.open("cardio")+"/guests", body))
}

// What was taken back, refused, or belongs to a case that ended or to somebody
// who may no more, opens nothing; each says so.
func TestLinksThatAreOver(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio", "cardio2")
	back := w.invite("clin", id, nil)
	w.want(404, w.do("clin", "DELETE", "/api/cases/"+id+"/guests/none", nil))
	for range 2 {
		w.want(204, w.do("cardio", "DELETE", "/api/cases/"+id+"/guests/"+back.Guest.ID, nil))
	}
	try := func(i invited, want string) {
		t.Helper()
		if code := w.problem(w.want(410, w.do("", "POST", "/api/guest/session", map[string]string{"secret": i.secret()}))); code != want {
			t.Errorf("%s, want %s", code, want)
		}
	}
	try(back, "invitation-withdrawn")

	no := w.invite("clin", id, nil)
	cookie := w.use(no)
	conn := w.at(cookie)
	hear(t, conn, "waiting")
	w.want(204, w.do("clin", "PUT", "/api/cases/"+id+"/guests/"+no.Guest.ID+"/admission", map[string]bool{"admit": false}))
	if m := last(t, conn); m["code"] != "refused" {
		t.Errorf("refused: %v", m)
	}
	try(no, "invitation-ended")
	if code := w.problem(w.want(410, w.do("clin", "PUT", "/api/cases/"+id+"/guests/"+no.Guest.ID+"/admission", map[string]bool{"admit": true}))); code != "invitation-ended" {
		t.Error(code)
	}
	away := w.invite("clin", id, nil)
	w.use(away)
	if code := w.problem(w.want(409, w.do("clin", "PUT", "/api/cases/"+id+"/guests/"+away.Guest.ID+"/admission", map[string]bool{"admit": true}))); code != "guest-away" {
		t.Error(code)
	}

	gone, other := w.invite("cardio2", id, nil), w.invite("cardio", id, nil)
	w.want(200, w.do("admin", "PUT", "/api/admin/users/"+w.users["cardio2"].ID+"/disabled", map[string]bool{"disabled": true}))
	try(gone, "guest-closed")
	w.post("cardio", id, event(cases.OpinionGiven, cases.OpinionData{Conclusion: "Rien."}))
	w.post("clin", id, event(cases.Closed, cases.ClosedData{Outcome: "improved"}))
	try(other, "guest-closed")
	for range 25 {
		w.do("", "POST", "/api/guest/invitation", map[string]string{"secret": strings.Repeat("B", 43)})
	}
	if a := w.do("", "POST", "/api/guest/invitation", map[string]string{"secret": strings.Repeat("B", 43)}); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("attempts without end: %d", a.status)
	}
}

// A guest who was gone for a while waits again; a new start of the server lets
// nobody in by itself.
func TestAdmissionLapses(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	i := w.invite("clin", id, nil)
	cookie := w.use(i)
	place := "/api/cases/" + id + "/guests/" + i.Guest.ID + "/admission"
	enter := func() *websocket.Conn {
		t.Helper()
		conn := w.at(cookie)
		hear(t, conn, "waiting")
		w.want(204, w.do("clin", "PUT", place, map[string]bool{"admit": true}))
		hear(t, conn, "admitted")
		w.join(conn)
		return conn
	}
	w.srv.calls.grace = 10 * time.Millisecond
	conn := enter()
	_ = conn.WriteJSON(map[string]string{"type": "leave"})
	w.eventually("the admission lapses", func() bool { return !w.srv.admitted.has(i.Guest.ID) })
	conn = enter()
	who := signaling.User{ID: cases.GuestActor(i.Guest.ID), Guest: true}
	if err := w.srv.stillMayCall(t.Context(), who, id); err != nil {
		t.Errorf("in the call: %v", err)
	}
	if err := w.srv.stillMayCall(t.Context(), who, w.open("cardio")); err == nil {
		t.Error("in another call")
	}
	w.srv.admitted.set(i.Guest.ID, false)
	if err := w.srv.stillMayCall(t.Context(), who, id); err == nil {
		t.Error("in the call without having been let in")
	}
	conn.Close()
	w.restart()
	hear(t, w.at(cookie), "waiting")
}
