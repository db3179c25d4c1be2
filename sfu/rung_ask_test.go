package sfu

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestOddEncodingsAreRefused(t *testing.T) {
	offer := func(rids ...string) string {
		b := "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=sendonly\r\n"
		for _, r := range rids {
			b += "a=rid:" + r + " send\r\n"
		}
		return b
	}
	for _, rids := range [][]string{{"h", "l"}, {"0", "1", "2", "a-b_C"}} {
		if _, err := readOffer(offer(rids...), 8); err != nil {
			t.Errorf("%q: %v", rids, err)
		}
	}
	for _, rids := range [][]string{{"l", "l"}, {""}, {"l;h"}, {"é"}, {"an-encoding-of-a-long-name"}, {"1", "2", "3", "4", "5"}} {
		if _, err := readOffer(offer(rids...), 8); !errors.Is(err, ErrBadSDP) {
			t.Errorf("%q: %v", rids, err)
		}
	}
}

// TestNamesOfEncodingsCostNothing: browsers offer names in headers in every
// section; who sends one encoding is not asked for them.
func TestNamesOfEncodingsCostNothing(t *testing.T) {
	const names = "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=extmap:6 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n"
	head := "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n" + names
	for more, want := range map[string]int{"": 1, "a=simulcast:recv l;h\r\n": 3} {
		out, err := shapeAnswer(head+more, 60, func([]codecID) codecID { return "" })
		if got := strings.Count(out, "a=extmap"); err != nil || got != want {
			t.Errorf("%q: %d extensions, %v\n%s", more, got, err, out)
		}
	}
}

// TestTwoRungsAreAskedFor: a publisher of VP8 or H.264 is asked for a low rung
// where viewers are unlike, and to pause it when nobody wants it any more; over
// a thin uplink never.
func TestTwoRungsAreAskedFor(t *testing.T) {
	for _, x := range []struct {
		codec     codecID
		up        int64
		low, mode bool
	}{
		{"video/vp8", 900_000, true, false},
		{"video/h264;1;4240", 900_000, true, false},
		{"video/vp9;0", 900_000, false, true},
		{"video/av1;0", 900_000, false, false},
		{"video/vp8", 300_000, false, false},
	} {
		t.Run(fmt.Sprint(x.codec, x.up), func(t *testing.T) {
			now := time.Unix(1000, 0)
			var weak, good outlet
			in, low := &inlet{kind: video}, &inlet{kind: video}
			p := &Peer{congestion: newCongestion(1, 900_000)}
			p.congestion.up.limit.Store(x.up)
			for _, i := range []*inlet{in, low} {
				i.peer, i.format.id = p, x.codec
				i.outlets.Store(&[]*outlet{})
			}
			in.outlets.Store(&[]*outlet{&weak, &good})
			weak.share.Store(90_000)
			good.share.Store(800_000)
			sees := func(d time.Duration, still func() bool) {
				for end := now.Add(d); now.Before(end); now = now.Add(200 * time.Millisecond) {
					in.rec.highAt = now
					if low.rungs.isLow && in.target.Low.Kbps > 0 {
						low.rec.highAt = now // it does as it is told
					}
					in.retarget(now)
					if !still() {
						t.Fatalf("after %s: %+v", d-end.Sub(now), in.target)
					}
				}
			}
			alone := func() bool { return in.target.Low == Rung{} && in.target.Mode == "" }
			sees(spreadAfter-400*time.Millisecond, alone)
			sees(2*time.Second, func() bool { return true })
			if got := in.target.Low.Kbps > 0; got != x.low || (in.target.Mode != "") != x.mode {
				t.Fatalf("%+v", in.target)
			}
			if !x.low {
				return
			}
			low.rungs.isLow = true
			low.rungs.high.Store(in)
			in.rungs.low.Store(low)
			in.outlets.Store(&[]*outlet{&good})
			low.outlets.Store(&[]*outlet{&weak})
			sees(time.Minute, func() bool { return in.target.Low.Kbps > 0 })
			if l := in.target; l.Low.Kbps > payloadKbps(90_000) || l.Low.Height >= l.Height || l.Kbps < spreadLeast-l.Low.Kbps || l.Kbps+l.Low.Kbps > payloadKbps(900_000) {
				t.Errorf("%+v", l)
			}
			p.congestion.up.limit.Store(480_000)
			sees(2*time.Second, func() bool { return in.target.Low.Kbps > 0 })
			if l := in.target; l.Kbps+l.Low.Kbps > payloadKbps(480_000) {
				t.Errorf("more than the uplink carries: %+v", l)
			}
			weak.share.Store(700_000) // alike
			sees(spreadUntil, func() bool { return true })
			sees(10*time.Second, alone)
			p.congestion.up.limit.Store(900_000)
			weak.share.Store(90_000)
			sees(time.Minute, func() bool { return true })
			if in.target.Low.Kbps == 0 {
				t.Fatal("not asked for again")
			}
			p.congestion.up.limit.Store(200_000)
			sees(time.Second, alone)
		})
	}
}
