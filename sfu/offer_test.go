package sfu

import (
	"strings"
	"testing"
)

// TestOffersREMB: a device is led by a limit when each picture that it sends
// would follow one and says when it left.
func TestOffersREMB(t *testing.T) {
	const head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	section := func(kind, way string, more ...string) string {
		return "m=" + kind + " 9 UDP/TLS/RTP/SAVPF 98\r\na=" + way + "\r\na=rtpmap:98 VP9/90000\r\na=" + strings.Join(more, "\r\na=") + "\r\n"
	}
	const (
		left   = "extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
		number = "extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
		remb   = "rtcp-fb:98 goog-remb"
	)
	for name, c := range map[string]struct {
		offer string
		want  bool
	}{
		"a browser":                {head + section("video", "sendonly", left, number, remb), true},
		"both ways":                {head + section("video", "sendrecv", left, remb), true},
		"without times":            {head + section("video", "sendonly", number, remb), false},
		"without limits":           {head + section("video", "sendonly", left, number, "rtcp-fb:98 transport-cc"), false},
		"one of two pictures":      {head + section("video", "sendonly", left, remb) + section("video", "sendonly", number), false},
		"one is received":          {head + section("video", "sendonly", left, remb) + section("video", "recvonly", number), true},
		"only received":            {head + section("video", "recvonly", left, remb), false},
		"only sound":               {head + section("audio", "sendonly", left, remb), false},
		"no description of media":  {"v=0", false},
		"nothing":                  {"", false},
		"what is longer than that": {head + section("video", "sendonly", left+"-not", remb), false},
	} {
		if got := OffersREMB(c.offer); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
