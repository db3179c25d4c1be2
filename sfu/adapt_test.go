package sfu

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// vp9 is a payload descriptor: one packet of one frame of a temporal layer
// that may be gone up to.
func vp9(tid int, key bool) []byte {
	first := byte(0x80 | 0x20 | 0x08 | 0x04) // I, L, B, E
	if !key {
		first |= 0x40
	}
	return []byte{first, 0x01, byte(tid)<<5 | 0x10, 0}
}

// layered is the descriptor of the n-th picture, in the client's codec.
func (c *client) layered(n uint32, key bool) []byte {
	if c.sends[video].Codec().MimeType != webrtc.MimeTypeVP8 {
		return vp9(int(n%2), key)
	}
	last := byte(1)
	if key {
		last = 0
	}
	// X, S; I, L, T; 15 bits of number; TL0PICIDX; TID, Y; the frame.
	return []byte{0x90, 0xe0, 0x80 | byte(n>>8), byte(n), byte(n / 2), byte(n%2)<<6 | 0x20, last}
}

// publish sends pictures until the test ends: the n-th of them, a keyframe at
// first and when asked for one, at an even number.
func (c *client) publish(each time.Duration, send func(n uint32, key bool)) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(each)
		defer tick.Stop()
		asked := 0
		for n := uint32(0); ; n++ {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			key := n == 0
			if now := c.keyframesAsked(); now > asked && n%2 == 0 {
				asked, key = now, true
			}
			send(n, key)
		}
	})
	c.t.Cleanup(sync.OnceFunc(func() { close(quit); wg.Wait() }))
}

// film publishes a VP9 (or VP8) picture of two layers, bytes a packet, every few
// milliseconds, a keyframe when asked; voice too.
func (c *client) film(bytes int) { c.filmAndSpeak(bytes, 1) }

// filmAndSpeak is film with a packet of voice for each so many of the picture.
func (c *client) filmAndSpeak(bytes int, every uint32) {
	c.publish(10*time.Millisecond, func(n uint32, key bool) {
		if n%every == 0 {
			_ = c.sends[audio].WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n / every), Timestamp: n * 480},
				Payload: content(nil, n),
			})
		}
		if c.dim.Load() {
			return
		}
		_ = c.sends[video].WriteRTP(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 900, Marker: true},
			Payload: append(c.layered(n, key), make([]byte, bytes)...),
		})
	})
}

func continuous(t *testing.T, pkts []rtp.Packet) {
	t.Helper()
	seen := map[uint16]bool{}
	for _, p := range pkts {
		seen[p.SequenceNumber] = true
	}
	for s := pkts[0].SequenceNumber; s != pkts[len(pkts)-1].SequenceNumber; s++ {
		if !seen[s] {
			t.Fatalf("number %d is missing", s)
		}
	}
}

// TestEstimateFromFeedback: the peer's feedback reaches the estimate, and a
// good link is found to be one.
func TestEstimateFromFeedback(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true})
	a.waitConnected()
	b.waitConnected()
	a.film(200)
	eventually(t, "the estimate grows", func() bool {
		bps, heard := b.peer.down.known()
		return heard && bps > 1.1*startBps
	})
	eventually(t, "the publisher is told", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.targets > 0 && a.target.Kbps > 30 && a.target.Height > 0 && a.target.FPS > 0
	})
	if q := b.peer.Quality(); q.KbpsPath < 90 {
		t.Errorf("quality %+v", q)
	}
}

// TestThinLinkGetsVoiceFirst: a publisher sends ten times what the link of a
// subscriber is believed to carry. Its voice arrives whole, its picture in a
// lower layer or not at all, without a hole in the numbers.
func TestThinLinkGetsVoiceFirst(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true})
	a.waitConnected()
	b.waitConnected()
	begin := time.Now()
	a.film(1100)
	eventually(t, "300 packets of voice", func() bool { return len(b.from("a", audio)) > 300 })
	spent := time.Since(begin)
	voice := b.from("a", audio)
	continuous(t, voice)
	pkts := b.from("a", video)
	if len(pkts) > 1 {
		continuous(t, pkts)
	}
	bps, _ := b.peer.down.known()
	got := 0
	for _, p := range pkts {
		got += len(p.Payload) + wireOverhead
	}
	// Ten packets of 1100 bytes in 100 ms are 900 kbit/s.
	if most := (max(bps, startBps)*spent.Seconds()*1.3)/8 + 40_000; float64(got) > most {
		t.Errorf("%d bytes of picture in %s over %.0f bit/s", got, spent, bps)
	}
}

// TestLayersAreLeftOut: the subscriber has only the lower layer, with
// numbers that follow each other.
func TestLayersAreLeftOut(t *testing.T) {
	for _, mime := range []string{webrtc.MimeTypeVP9, webrtc.MimeTypeVP8} {
		t.Run(mime, func(t *testing.T) { leaveOutLayers(t, mime) })
	}
}

func leaveOutLayers(t *testing.T, mime string) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: mime})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true})
	a.waitConnected()
	b.waitConnected()
	var o *outlet
	a.film(200) // 41 kbit/s of which half is the upper layer, and 60 kbit/s of numbers and headers
	eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 20 })
	b.peer.room.do(func() { o = b.peer.outlets[video][0] })
	o.mu.Lock()
	in := o.in
	o.mu.Unlock()
	eventually(t, "both layers are measured", func() bool {
		l := in.levels()
		return len(l) == 2 && l[1] > l[0] && l[0] > 0
	})
	upper := func(pkts []rtp.Packet) int {
		n := 0
		for _, p := range pkts {
			tid, _, _, _ := vp9Layer(p.Payload)
			if mime == webrtc.MimeTypeVP8 {
				tid, _, _ = vp8Layer(p.Payload)
			}
			if tid > 0 {
				n++
			}
		}
		return n
	}
	// The clock of the peer allots anew 5 times a second: here the test does.
	p := b.peer
	p.mu.Lock()
	p.link.outlets = nil
	p.mu.Unlock()
	time.Sleep(2 * ticksAllot * tickEvery)
	p.mu.Lock() // what the clock did before is done
	left := len(p.link.outlets)
	p.mu.Unlock()
	if left != 0 {
		t.Fatalf("%d outlets left to the clock", left)
	}
	eventually(t, "only the lower layer comes", func() bool {
		// Less than any rate of the lower layer: the lowest there is.
		o.give(faceLeast+1000, 1, false, time.Now())
		pkts := b.from("a", video)
		return len(pkts) > 20 && upper(pkts[len(pkts)-20:]) == 0
	})
	pkts := b.from("a", video)
	continuous(t, pkts)
	if mime != webrtc.MimeTypeVP8 {
		return
	}
	slices.SortFunc(pkts, func(x, y rtp.Packet) int { return int(int16(x.SequenceNumber - y.SequenceNumber)) })
	numbers := map[uint32]uint16{} // of pictures, by time
	for i, p := range pkts {
		if len(p.Payload) < 4 {
			continue
		}
		n := uint16(p.Payload[2]&0x7f)<<8 | uint16(p.Payload[3])
		numbers[p.Timestamp] = n
		if was, ok := numbers[pkts[max(i-1, 0)].Timestamp]; ok && i > 0 && n != was && n != was+1 && !startsKeyframe("video/vp8", p.Payload) {
			t.Fatalf("picture %d after %d", n, was)
		}
	}
}

// TestSoundOnly: who asks for no picture gets none, and gets it back from a
// keyframe on; a publisher whom nobody sees is told to encode nothing.
func TestSoundOnly(t *testing.T) {
	for _, twcc := range []bool{true, false} {
		t.Run(fmt.Sprintf("twcc=%v", twcc), func(t *testing.T) {
			s := startSFU(t, Config{})
			a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
			b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: twcc})
			a.waitConnected()
			b.waitConnected()
			a.speak()
			eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 20 })
			eventually(t, "a encodes", func() bool { // at first b's link may be thought to carry the voice only
				a.mu.Lock()
				defer a.mu.Unlock()
				return a.target.Kbps > 0
			})
			b.peer.ReceiveVideo(false)
			eventually(t, "a is told", func() bool {
				a.mu.Lock()
				defer a.mu.Unlock()
				return a.targets > 0 && a.target.Kbps == 0
			})
			if q := b.peer.Quality(); q.Picture != "unwanted" {
				t.Errorf("quality %+v", q)
			}
			n := len(b.from("a", video))
			heard := len(b.from("a", audio))
			eventually(t, "b still hears a", func() bool { return len(b.from("a", audio)) > heard+40 })
			if now := len(b.from("a", video)); now > n+4 {
				t.Errorf("%d packets of picture to someone who wants none", now-n)
			}
			n = len(b.from("a", video))
			b.peer.ReceiveVideo(true)
			eventually(t, "b sees a again", func() bool { return len(b.from("a", video)) > n+20 })
			if p := b.from("a", video)[n]; !startsKeyframe("video/vp8", p.Payload) {
				t.Errorf("the picture comes back with % x", p.Payload[:2])
			}
			continuous(t, b.from("a", video))
		})
	}
}

func TestLadder(t *testing.T) {
	last := onLadder(130, Target{}, true)
	if last != (Target{Kbps: 130, Height: 240, FPS: 15}) {
		t.Errorf("%+v", last)
	}
	if got := onLadder(250, last, false); got != (Target{Kbps: 250, Height: 240, FPS: 15}) {
		t.Errorf("climbed too soon: %+v", got)
	}
	if got := onLadder(320, last, false); got != (Target{Kbps: 320, Height: 480, FPS: 15}) {
		t.Errorf("%+v", got)
	}
	if got := onLadder(60, last, false); got != (Target{Kbps: 60, Height: 240, FPS: 8}) {
		t.Errorf("%+v", got)
	}
	if got := onLadder(68, Target{Kbps: 60, Height: 240, FPS: 8}, false); got != (Target{Kbps: 68, Height: 240, FPS: 8}) {
		t.Errorf("sooner by a breath of the link: %+v", got)
	}
	if got := onLadder(72, Target{Kbps: 60, Height: 240, FPS: 8}, false); got != (Target{Kbps: 72, Height: 240, FPS: 12}) {
		t.Errorf("pictures of the same size do not come sooner: %+v", got)
	}
	if got := onLadder(20, last, false); got != (Target{Kbps: 20, Height: 160, FPS: 4}) {
		t.Errorf("%+v", got)
	}
}

func TestPlaces(t *testing.T) {
	var p places
	now := time.Unix(0, 0)
	p.learn("x", 400_000, now)
	if got := p.start("x", startBps, now); got < 300_000 {
		t.Errorf("%v", got)
	}
	if got := p.start("x", startBps, now.Add(30*24*time.Hour)); got > 110_000 {
		t.Errorf("a month later %v", got)
	}
	if got := p.start("other", startBps, now); got != startBps {
		t.Errorf("%v", got)
	}
	for i := range placesMost + 10 {
		p.learn(fmt.Sprint(i), 1e6, now.Add(time.Duration(i)))
	}
	if len(p.list) > placesMost {
		t.Errorf("%d places", len(p.list))
	}
}

// TestFeedbackLongerThanItsPackets: a run-length chunk that claims more
// packets than the message has times for.
func TestFeedbackLongerThanItsPackets(t *testing.T) {
	var l sentLog
	now := time.Unix(0, 0)
	for range 10 {
		l.note(100, now)
	}
	got := l.take([]byte{
		0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, // of whom
		0, 0, 0, 1, 0, 0, 0, 0, // one packet, from number 0 on
		0x3f, 0xff, 1, 0, // a run of 8191, and one time
	}, nil)
	if len(got) != 1 || !got[0].Arrived || slices.ContainsFunc(l.slots[1:10], func(e sentEntry) bool { return !e.open }) {
		t.Errorf("%+v", got)
	}
}

// TestSentLogGrows while what left is not told of, and keeps it.
func TestSentLogGrows(t *testing.T) {
	var l sentLog
	now := time.Unix(1000, 0)
	tell := func(base uint16, packets int) int {
		return len(l.take([]byte{
			0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2,
			byte(base >> 8), byte(base), byte(packets >> 8), byte(packets), 0, 0, 0, 0,
			byte(packets >> 8), byte(packets), 0, 0, // none of them arrived
		}, nil))
	}
	l.next = 1<<16 - 200 // the numbers begin anew on the way
	for n := 0; n < 3000; n += 50 {
		base := l.next
		for range 50 {
			l.note(100, now)
		}
		if got := tell(base, 50); got != 50 {
			t.Fatalf("%d of 50 known", got)
		}
	}
	if len(l.slots) != sentLeast {
		t.Errorf("%d places where 50 are on their way", len(l.slots))
	}
	base := l.next
	for range sentMost {
		l.note(100, now)
		now = now.Add(time.Millisecond)
	}
	if got := tell(base, sentMost); got != sentMost || len(l.slots) != sentMost {
		t.Errorf("%d of %d known, %d places", got, sentMost, len(l.slots))
	}
}

// TestSentLogOfTheDead: where nothing is ever told of, what is older than any
// feedback makes no room.
func TestSentLogOfTheDead(t *testing.T) {
	var l sentLog
	now := time.Unix(1000, 0)
	for range 3000 {
		l.note(100, now)
		now = now.Add(200 * time.Millisecond)
	}
	if len(l.slots) != sentLeast {
		t.Errorf("%d places at five packets a second", len(l.slots))
	}
}
