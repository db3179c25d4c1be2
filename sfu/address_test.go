package sfu

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// announced lists the addresses of an answer's candidates.
func announced(t *testing.T, cfg Config) (list []string, answer string) {
	t.Helper()
	s := startSFU(t, cfg)
	c := newClient(t, s, clientOptions{id: "a", room: "r", slots: 1})
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	answer, err = c.peer.Negotiate(context.Background(), offer.SDP)
	if err != nil {
		t.Fatal(err)
	}
	err = c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`a=candidate:\S+ \d+ \S+ \d+ (\S+) \d+ typ host`).FindAllStringSubmatch(answer, -1) {
		list = append(list, m[1])
	}
	return list, answer
}

func TestAnnouncedAddresses(t *testing.T) {
	if got, _ := announced(t, Config{UDPAddr: "127.0.0.1:0"}); !slices.Equal(got, []string{"127.0.0.1"}) {
		t.Errorf("listening on loopback: %v", got)
	}
	if got, _ := announced(t, Config{UDPAddr: ":0"}); !slices.Contains(got, "127.0.0.1") {
		t.Errorf("listening everywhere: %v", got)
	}
	got, _ := announced(t, Config{UDPAddr: "127.0.0.1:0", PublicIPs: []string{"203.0.113.7"}})
	if !slices.Equal(got, []string{"203.0.113.7"}) {
		t.Errorf("behind a NAT: %v", got)
	}
}

func TestAnswerAsksForFrugalSound(t *testing.T) {
	_, answer := announced(t, Config{})
	for _, want := range []string{
		"a=ice-lite\r\n", "a=group:BUNDLE ", "usedtx=1", "useinbandfec=1", "maxaveragebitrate=16000", "a=ptime:60\r\n",
	} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer lacks %q:\n%s", want, answer)
		}
	}
	if len(answer) > 12000 {
		t.Errorf("answer of %d bytes", len(answer))
	}
}

// TestVoiceIsSaidTwice: redundant audio comes first where we receive, and
// nowhere else.
func TestVoiceIsSaidTwice(t *testing.T) {
	section := func(dir string) string {
		return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=" + dir +
			"\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
	}
	for dir, want := range map[string]string{"recvonly": "SAVPF 63 111\r\n", "sendonly": "SAVPF 111 63\r\n"} {
		got, err := shapeAnswer(section(dir), 40, nil)
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: no %q in %s, %v", dir, want, got, err)
		}
		if asked := strings.Contains(got, "a=ptime:40\r\na=maxptime:40\r\n"); asked != (dir == "recvonly") {
			t.Errorf("%s: packets of 40 ms are asked for: %v", dir, asked)
		}
	}
}
