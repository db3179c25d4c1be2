package sfu

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// keyStarts are payloads that begin a keyframe, by codec as a target names it;
// deltas are others.
var (
	keyStarts = map[string][]byte{
		"VP8": {0x10, 0x00, 0, 0}, "VP9": vp9(0, true), "H264": {0x67, 0x42, 0xe0, 0x1f}, "AV1": {0x18, 0x0a, 0x0b, 0},
	}
	deltas = map[string][]byte{
		"VP8": {0x10, 0x01, 0, 0}, "VP9": vp9(0, false), "H264": {0x41, 0x9a, 0, 0}, "AV1": {0x10, 0x32, 0, 0},
	}
)

// encoder is a picture in whatever codec is wanted, as a browser has one.
type encoder struct {
	mu     sync.Mutex
	w      webrtc.TrackLocalWriter
	ssrc   uint32
	codecs []webrtc.RTPCodecParameters
	codec  string
}

func (e *encoder) ID() string                { return "picture" }
func (e *encoder) RID() string               { return "" }
func (e *encoder) StreamID() string          { return "own" }
func (e *encoder) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeVideo }

func (e *encoder) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.w, e.ssrc, e.codecs = c.WriteStream(), uint32(c.SSRC()), c.CodecParameters()
	return e.codecs[0], nil
}

func (e *encoder) Unbind(webrtc.TrackLocalContext) error { return nil }

func (e *encoder) use(codec string) { e.mu.Lock(); e.codec = codec; e.mu.Unlock() }

// run sends a picture each 10 ms, a keyframe where the codec changes and when
// asked for one.
func (e *encoder) run(c *client) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		was, asked := "", 0
		for n := uint16(0); ; {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			e.mu.Lock()
			codec, w := e.codec, e.w
			i := slices.IndexFunc(e.codecs, func(p webrtc.RTPCodecParameters) bool {
				return strings.EqualFold(p.MimeType, "video/"+codec) && (codec != "H264" || identify(p.RTPCodecCapability) == codecRank[2])
			})
			e.mu.Unlock()
			if w == nil || i < 0 {
				continue
			}
			payload := deltas[codec]
			if now := c.keyframesAsked(); now > asked || codec != was {
				asked, was, payload = now, codec, keyStarts[codec]
			}
			_, _ = w.WriteRTP(&rtp.Header{
				Version: 2, SSRC: e.ssrc, PayloadType: uint8(e.codecs[i].PayloadType),
				SequenceNumber: n, Timestamp: uint32(n) * 900, Marker: true,
			}, slices.Concat(payload, make([]byte, 40)))
			n++
		}
	})
	c.t.Cleanup(sync.OnceFunc(func() { close(quit); wg.Wait() }))
}

// publish makes the client's picture that of an encoder which does what the
// server tells it: at first by its answer.
func publish(t *testing.T, s *SFU, o clientOptions) (*client, *encoder) {
	t.Helper()
	e := &encoder{}
	c := newClient(t, s, o)
	tr := c.pc.GetTransceivers()[1]
	if err := tr.Sender().ReplaceTrack(e); err != nil {
		t.Fatal(err)
	}
	c.negotiate(o)
	e.use(firstCodec(t, c.pc.RemoteDescription().SDP))
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
			if x := c.toldCodec(); x != "" {
				e.use(x)
			}
		}
	})
	t.Cleanup(func() { close(quit); wg.Wait() })
	e.run(c)
	return c, e
}

func (c *client) toldCodec() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.target.Codec
}

// firstCodec is the name of the first format of a description's first video
// section.
func firstCodec(t *testing.T, raw string) string {
	t.Helper()
	_, section, _ := strings.Cut(raw, "m=video ")
	line, _, _ := strings.Cut(section, "\r\n")
	pt := strings.Fields(line)[2]
	_, name, _ := strings.Cut(section, "a=rtpmap:"+pt+" ")
	name, _, _ = strings.Cut(name, "/")
	return name
}

// lastOf says whether the newest packets that came from someone are of a codec,
// from a keyframe on.
func (c *client) lastOf(id, codec string) bool {
	pkts := c.from(id, video)
	if len(pkts) < 10 {
		return false
	}
	pts := map[uint8]bool{}
	for _, p := range c.codecs {
		if strings.EqualFold(p.MimeType, "video/"+codec) {
			pts[uint8(p.PayloadType)] = true
		}
	}
	for _, p := range pkts[len(pkts)-5:] {
		if !pts[p.PayloadType] {
			return false
		}
	}
	first := slices.IndexFunc(pkts, func(p rtp.Packet) bool { return pts[p.PayloadType] })
	return startsKeyframe("video/"+strings.ToLower(codec), pkts[first].Payload)
}

// TestRoomAgreesOnACodec: pictures are VP9 until someone comes who cannot show
// it, then what all can, and VP9 again when that one leaves.
func TestRoomAgreesOnACodec(t *testing.T) {
	for _, only := range []string{"VP8", "H264", "AV1"} {
		t.Run(only, func(t *testing.T) {
			s := startSFU(t, Config{})
			a, _ := publish(t, s, clientOptions{id: "a", room: "r", slots: 2})
			b := join(t, s, clientOptions{id: "b", room: "r", slots: 2})
			a.waitConnected()
			b.waitConnected()
			eventually(t, "b sees a in VP9", func() bool { return b.lastOf("a", "VP9") })
			c := join(t, s, clientOptions{id: "c", room: "r", slots: 2, only: only})
			for _, x := range []*client{b, c} {
				eventually(t, x.id+" sees a in "+only, func() bool { return x.lastOf("a", only) })
			}
			// Who publishes from now on is told by the first answer.
			d, e := publish(t, s, clientOptions{id: "d", room: "r", slots: 3})
			e.mu.Lock()
			first := e.codec
			e.mu.Unlock()
			if first != only {
				t.Errorf("the answer to a newcomer prefers %s", first)
			}
			d.leave()
			for _, slot := range c.peer.Slots() {
				if slot.Why != "" {
					t.Errorf("%+v", slot)
				}
			}
			c.leave()
			eventually(t, "b sees a in VP9 again", func() bool { return b.lastOf("a", "VP9") && a.toldCodec() == "VP9" })
		})
	}
}

// TestNoCodecInCommonIsSaid: two who have no codec in common hear each other,
// and are told why they see nothing.
func TestNoCodecInCommonIsSaid(t *testing.T) {
	s := startSFU(t, Config{})
	a, _ := publish(t, s, clientOptions{id: "a", room: "r", slots: 1, only: "VP9"})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, only: "VP8", video: webrtc.MimeTypeVP8})
	a.waitConnected()
	b.waitConnected()
	eventually(t, "b is told", func() bool {
		return slices.ContainsFunc(b.peer.Slots(), func(x Slot) bool {
			return x.Participant == "a" && x.Kind == "video" && x.Why == whyCodec
		})
	})
	a.send(1, true)
	eventually(t, "b hears a", func() bool { a.send(2, false); return len(b.from("a", audio)) > 0 })
}

func TestCodecsAreTold(t *testing.T) {
	for codec, payload := range keyStarts {
		mime := "video/" + strings.ToLower(codec)
		if !startsKeyframe(mime, payload) || startsKeyframe(mime, deltas[codec]) {
			t.Errorf("%s: keyframe not told from others", codec)
		}
	}
	// AV1: a temporal unit's packets, the second begins amid an OBU.
	in := &inlet{ring: newRing(ringVideo)}
	for i, x := range []struct {
		payload []byte
		ts      uint32
		tid     uint8
	}{
		{[]byte{0x18, 0x0a, 0x0b, 0, 0}, 1, 0},       // sequence header
		{[]byte{0x50, 0x36, 0x20, 0, 0}, 2, 1},       // a frame of layer 1, to be continued
		{[]byte{0x90, 1, 2, 3}, 2, 1},                // its rest
		{[]byte{0x20, 0x02, 0x36, 0x40, 0x30}, 3, 2}, // two elements, with a size
	} {
		p := packet{ext: uint64(i + 1), ts: x.ts, payload: x.payload}
		in.describe(&p, "video/av1")
		in.ring.put(&p)
		if p.tid != x.tid {
			t.Errorf("AV1 packet %d is of layer %d, not %d", i, p.tid, x.tid)
		}
	}
	b := []byte{0x90, 0x80, 0x80, 0x03, 0}
	vp8Renumber(b, 5)
	if id := fmt.Sprintf("%x", b[2:4]); id != "fffe" {
		t.Errorf("3 less 5 is %s", id)
	}
}
