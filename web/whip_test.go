package web

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sira/signaling"
)

// cart is a device that speaks WHIP, or a screen that speaks WHEP, with a real
// pion connection.
type cart struct {
	w     *world
	user  string
	pc    *webrtc.PeerConnection
	sound *webrtc.TrackLocalStaticRTP
	at    string // its URL
	tag   string
	got   [2]atomic.Int64 // packets of sound, of picture
}

func (w *world) newCart(user string, publishes bool) *cart {
	w.t.Helper()
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	pc := must[*webrtc.PeerConnection](w.t)(webrtc.NewAPI(webrtc.WithSettingEngine(se)).NewPeerConnection(webrtc.Configuration{}))
	c := &cart{w: w, user: user, pc: pc}
	w.t.Cleanup(func() { _ = pc.GracefulClose() })
	dir := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if publishes {
		dir.Direction = webrtc.RTPTransceiverDirectionSendonly
		c.sound = must[*webrtc.TrackLocalStaticRTP](w.t)(webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "a", "s"))
		picture := must[*webrtc.TrackLocalStaticRTP](w.t)(webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "v", "s"))
		for _, track := range []*webrtc.TrackLocalStaticRTP{c.sound, picture} {
			must[*webrtc.RTPTransceiver](w.t)(pc.AddTransceiverFromTrack(track, dir))
		}
		c.play(picture)
		return c
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			c.got[track.Kind()-webrtc.RTPCodecTypeAudio].Add(1)
		}
	})
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		must[*webrtc.RTPTransceiver](w.t)(pc.AddTransceiverFromKind(kind, dir))
	}
	return c
}

// play sends sound and one-packet keyframes of VP8 until the test is over.
func (c *cart) play(picture *webrtc.TrackLocalStaticRTP) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(10 * time.Millisecond)
		defer t.Stop()
		key := []byte{0x10, 0x10, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00, 0x10, 0x00, 0, 0}
		for n := uint32(0); ; n++ {
			select {
			case <-quit:
				return
			case <-t.C:
			}
			_ = c.sound.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 480}, Payload: []byte("sound")})
			_ = picture.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: uint16(n), Timestamp: n * 900}, Payload: key})
		}
	})
	c.w.t.Cleanup(func() { close(quit); wg.Wait() })
}

func (c *cart) offer(o *webrtc.OfferOptions) string {
	c.w.t.Helper()
	d := must[webrtc.SessionDescription](c.w.t)(c.pc.CreateOffer(o))
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(d); err != nil {
		c.w.t.Fatal(err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

func (c *cart) answer(sdp string) {
	c.w.t.Helper()
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		c.w.t.Fatal(err)
	}
}

// connect opens the endpoint at the path.
func (c *cart) connect(path string) {
	c.w.t.Helper()
	a := c.w.want(201, c.w.do(c.user, "POST", path, []byte(c.offer(nil)), "Content-Type", sdpType))
	c.at, c.tag = a.header.Get("Location"), a.header.Get("ETag")
	if a.header.Get("Content-Type") != sdpType || !strings.HasPrefix(c.at, path+"/") || !regexp.MustCompile(`^"[A-Z2-7]+"$`).MatchString(c.tag) {
		c.w.t.Fatalf("headers %v", a.header)
	}
	c.answer(string(a.body))
}

// hears waits until more of both arrives than came so far.
func (c *cart) hears() {
	c.w.t.Helper()
	from := [2]int64{c.got[0].Load(), c.got[1].Load()}
	deadline := time.Now().Add(20 * time.Second)
	for c.got[0].Load() <= from[0] || c.got[1].Load() <= from[1] {
		if time.Now().After(deadline) {
			c.w.t.Fatalf("packets: %d of sound, %d of picture; logs %s", c.got[0].Load(), c.got[1].Load(), c.w.logs)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var ufrag = regexp.MustCompile(`a=ice-ufrag:(.+)\r\n`)
var pwd = regexp.MustCompile(`a=ice-pwd:(.+)\r\n`)

// fragment is the transport of a description, as a client sends it.
func fragment(sdp string) string {
	return "a=ice-ufrag:" + ufrag.FindStringSubmatch(sdp)[1] + "\r\na=ice-pwd:" + pwd.FindStringSubmatch(sdp)[1] + "\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
}

// TestDevicePublishesIntoACall: an ultrasound cart publishes by WHIP into the
// call of a case, a screen watches by WHEP, the cart's network changes, it
// leaves; the others see it come and go, and it is on record.
func TestDevicePublishesIntoACall(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	us := w.newCart("clin", true)
	us.connect("/whip/" + id)
	screen := w.newCart("cardio", false)
	screen.connect("/whep/" + id)
	screen.hears()

	people := w.cfg.Signaling.Participants(id)
	if len(people) != 2 || people[0].Via != signaling.Publish || people[0].UserID != w.users["clin"].ID || people[1].Via != signaling.Watch {
		t.Errorf("participants %+v", people)
	}

	// A candidate, then a restart of ICE under new credentials.
	patch := func(user, tag, body string) answer {
		return w.do(user, "PATCH", us.at, []byte(body), "Content-Type", signaling.FragmentType, "If-Match", tag)
	}
	first := us.pc.LocalDescription().SDP
	w.want(204, patch("clin", us.tag, fragment(first)))
	w.want(412, patch("clin", `"other"`, fragment(first)))
	w.want(404, patch("cardio", us.tag, fragment(first)))
	w.want(400, patch("clin", us.tag, "a=ice-ufrag:x\r\n"))
	w.want(428, w.do("clin", "PATCH", us.at, []byte(fragment(first)), "Content-Type", signaling.FragmentType))
	w.want(415, w.do("clin", "PATCH", us.at, []byte(fragment(first)), "Content-Type", sdpType))
	again := us.offer(&webrtc.OfferOptions{ICERestart: true})
	a := w.want(200, patch("clin", "*", fragment(again)))
	if ufrag.FindString(again) == ufrag.FindString(first) || a.header.Get("ETag") == us.tag || a.header.Get("Content-Type") != signaling.FragmentType {
		t.Fatalf("restart: %v", a.header)
	}
	before := us.pc.CurrentRemoteDescription().SDP
	renewed := ufrag.ReplaceAllString(before, ufrag.FindString(string(a.body)))
	us.answer(pwd.ReplaceAllString(renewed, pwd.FindString(string(a.body))))
	w.want(412, patch("clin", us.tag, fragment(again)))
	w.want(204, patch("clin", a.header.Get("ETag"), fragment(again)))
	screen.hears()

	w.want(404, w.do("cardio", "DELETE", us.at, nil))
	w.want(200, w.do("clin", "DELETE", us.at, nil))
	w.want(404, w.do("clin", "DELETE", us.at, nil))
	if people := w.cfg.Signaling.Participants(id); len(people) != 1 {
		t.Errorf("after leaving: %+v", people)
	}
	w.want(200, w.do("cardio", "DELETE", screen.at, nil))
	deadline := time.Now().Add(10 * time.Second)
	for {
		raw, _ := json.Marshal(w.getCase("clin", id).Timeline)
		if strings.Count(string(raw), "call-joined") == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not on record: %s", raw)
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.mustNotLog(patientName, w.token["clin"])
}

// TestRehearsalRoom: an administrator opens a room under any name and watches
// it from several screens, and gets into no case that way; nobody else does.
func TestRehearsalRoom(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	offer := []byte(w.newCart("admin", true).offer(nil))
	for path, status := range map[string]int{"/whip/" + id: 404, "/whep/" + id: 404, "/whip/" + strings.ToUpper(id): 404, "/whip/essai%2Fx": 404} {
		w.want(status, w.do("admin", "POST", path, offer, "Content-Type", sdpType))
	}
	w.want(404, w.do("clin", "POST", "/whip/essai", offer, "Content-Type", sdpType))
	w.want(401, w.do("", "POST", "/whip/essai", offer, "Content-Type", sdpType))

	us := w.newCart("admin", true)
	us.connect("/whip/essai")
	for range 2 {
		screen := w.newCart("admin", false)
		screen.connect("/whep/essai")
		screen.hears()
	}
	// The same token publishing again takes the place of a lost device.
	next := w.newCart("admin", true)
	next.connect("/whip/essai")
	w.want(404, w.do("admin", "DELETE", us.at, nil))
	if people := w.cfg.Signaling.Participants(rehearsal + "essai"); len(people) != 3 {
		t.Errorf("%+v", people)
	}
	// A right withdrawn ends it: asked of the same function as each minute.
	who := signaling.User{ID: w.users["clin"].ID}
	if err := w.srv.stillMayCall(t.Context(), who, id); err != nil {
		t.Error(err)
	}
	for room, who := range map[string]string{id: "cardio2", rehearsal + "essai": "clin"} {
		if err := w.srv.stillMayCall(t.Context(), signaling.User{ID: w.users[who].ID}, room); err == nil {
			t.Errorf("%s stays in %s", who, room)
		}
	}
}

func TestEndpointRefusesJunk(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	for _, x := range []struct {
		method, path, body, kind string
		status                   int
	}{
		{"POST", "/whip/" + id, "v=0\r\n", sdpType, 400},
		{"POST", "/whip/" + id, strings.Repeat("a", sdpLimit+1), sdpType, 413},
		{"POST", "/whip/" + id, "{}", "application/json", 415},
		{"GET", "/whip/" + id, "", "", 405},
		{"PUT", "/whep/" + id, "x", sdpType, 405},
		{"OPTIONS", "/whip/" + id, "", "", 204},
		{"DELETE", "/whip/" + id + "/nothing", "", "", 404},
	} {
		if a := w.do("clin", x.method, x.path, []byte(x.body), "Content-Type", x.kind); a.status != x.status {
			t.Errorf("%s %.60s: %d, want %d: %.200s", x.method, x.path, a.status, x.status, a.body)
		}
	}
	if n := len(w.cfg.Signaling.Participants(id)); n != 0 {
		t.Errorf("%d participants", n)
	}
}

// TestEndpointsHaveOneWay: a screen publishes nothing by WHEP, and a cart is
// sent nothing by WHIP, whatever they offer.
func TestEndpointsHaveOneWay(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	cart, screen := w.newCart("clin", true).offer(nil), w.newCart("cardio", false).offer(nil)
	w.want(400, w.do("clin", "POST", "/whep/"+id, []byte(cart), "Content-Type", sdpType))
	w.want(400, w.do("cardio", "POST", "/whip/"+id, []byte(screen), "Content-Type", sdpType))
	both := func(offer string) []byte {
		return []byte(strings.NewReplacer("a=sendonly", "a=sendrecv", "a=recvonly", "a=sendrecv").Replace(offer))
	}
	w.want(400, w.do("cardio", "POST", "/whep/"+id, both(screen), "Content-Type", sdpType))
	a := w.want(201, w.do("clin", "POST", "/whip/"+id, both(cart), "Content-Type", sdpType))
	if strings.Count(string(a.body), "a=recvonly") != 2 {
		t.Errorf("answered %s", a.body)
	}
}
