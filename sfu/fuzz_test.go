package sfu

import (
	"testing"

	"github.com/pion/rtp"
)

const sampleOffer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n" +
	"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=rtpmap:63 red/48000/2\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n"

// FuzzOffer: what readOffer lets through is bounded, and can be shaped.
func FuzzOffer(f *testing.F) {
	f.Add(sampleOffer)
	f.Add("v=0\r\n")
	f.Add(sampleOffer[:len(sampleOffer)/2])
	f.Fuzz(func(t *testing.T, raw string) {
		list, err := readOffer(raw, 3)
		if err != nil {
			return
		}
		if len(list) > 8 {
			t.Fatalf("%d sections", len(list))
		}
		for _, s := range list {
			if s.mid == "" {
				t.Fatal("section without mid")
			}
		}
		_, _ = shapeAnswer(raw)
	})
}

// FuzzPacket: no payload breaks what looks into packets.
func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x90, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 0x10, 0x00})
	f.Add([]byte{0xa0, 0x6f, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x80 | 111, 0, 0, 1, 111, 1, 2, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var h rtp.Header
		payload, ok := splitPacket(raw, &h)
		if !ok {
			return
		}
		for _, mime := range []string{"video/vp8", "video/vp9", "video/h264"} {
			startsKeyframe(mime, payload)
		}
		if p, err := redPrimary(payload); err == nil && len(p) > len(payload) {
			t.Fatal("primary block larger than its packet")
		}
		_ = redRenumber(payload, 111)
	})
}
