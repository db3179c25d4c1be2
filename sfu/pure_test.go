package sfu

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// TestRewriterIsContinuous feeds a rewriter with sources that begin
// anywhere, lose packets, are switched and have packets left out: what goes
// out has each number once, without a gap but for what was lost.
func TestRewriterIsContinuous(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	w := rewriter{clock: 90000, high: 1<<32 | 65530}
	now := time.Unix(1000, 0)
	used := map[uint64]bool{}
	next := w.high + 1
	for range 200 {
		ext, ts := 1<<32|uint64(rnd.Uint32()), rnd.Uint32()
		w.begin(ext, ts, now)
		lastTS := w.highTS
		var late []uint64
		for i := range uint64(20 + rnd.IntN(300)) {
			e := ext + i
			now = now.Add(10 * time.Millisecond)
			switch {
			case i > 0 && rnd.IntN(10) == 0: // left out
				if !w.skip(e) {
					t.Fatalf("cannot skip %d ahead of %d", e, w.top)
				}
				continue
			case i > 0 && rnd.IntN(10) == 0 && len(late) < cutsKept/2: // comes later
				late = append(late, e)
				next++
				continue
			}
			seq, outTS, ok := w.place(e, ts+uint32(i)*900, now)
			if !ok || seq != next || used[seq] {
				t.Fatalf("packet %d of a source: number %d (%v), want %d", i, seq, ok, next)
			}
			if len(used) > 0 && int32(outTS-lastTS) < 0 {
				t.Fatalf("timestamp goes back by %d", lastTS-outTS)
			}
			used[seq], lastTS = true, outTS
			next++
		}
		for _, e := range late {
			seq, _, ok := w.place(e, 0, now)
			if !ok {
				continue // too many cuts since
			}
			if used[seq] || seq >= next {
				t.Fatalf("late packet got number %d, used %v, next %d", seq, used[seq], next)
			}
			used[seq] = true
		}
		if _, _, ok := w.place(ext-1, 0, now); ok {
			t.Fatal("a packet from before the source began was placed")
		}
		next = w.high + 1
	}
}

// TestReceptionAsksTwice: over a long way each request goes twice, and the next
// pair when an answer to the first could have come.
func TestReceptionAsksTwice(t *testing.T) {
	const rtt = 400 * time.Millisecond
	began := time.Unix(1000, 0)
	r := reception{clock: 90000}
	for _, seq := range []uint16{1, 2, 4, 5, 6} {
		r.arrive(seq, 0, false, began)
	}
	var at []time.Duration
	for d := time.Duration(0); d < 3*time.Second; d += 10 * time.Millisecond {
		for range r.ask(began.Add(d), rtt) {
			at = append(at, d/time.Millisecond)
		}
	}
	want := []time.Duration{0, 60, 450, 510, 900, 960, 1350, 1410, 1800, 1860}
	if !slices.Equal(at, want) {
		t.Errorf("asked after %d ms, want %d", at, want)
	}
}

func TestReceptionAsksForHoles(t *testing.T) {
	now := time.Unix(1000, 0)
	r := reception{clock: 90000}
	arrive := func(seq uint16, again bool) arrival {
		_, a, _ := r.arrive(seq, uint32(seq)*900, again, now)
		return a
	}
	for _, seq := range []uint16{65533, 65534, 1} { // 65535 and 0 are missing
		if arrive(seq, false) != arrivedNew {
			t.Fatalf("%d is not new", seq)
		}
	}
	if got := r.ask(now, 100*time.Millisecond); len(got) != 1 || got[0] != 65535 {
		t.Fatalf("asked at once for %v, want 65535 alone: 0 may be reordered", got)
	}
	now = now.Add(nackAfter)
	if got := r.ask(now, 100*time.Millisecond); len(got) != 1 || got[0] != 0 {
		t.Fatalf("asked for %v, want 0", got)
	}
	now = now.Add(100 * time.Millisecond)
	if got := r.ask(now, 100*time.Millisecond); len(got) != 0 {
		t.Fatalf("asked again within a round trip: %v", got)
	}
	now = now.Add(50 * time.Millisecond)
	if got := r.ask(now, 100*time.Millisecond); len(got) != 2 {
		t.Fatalf("asked again for %v, want both", got)
	}
	if arrive(0, true) != arrivedLate || r.repaired != 1 {
		t.Fatal("the repair is not known as one")
	}
	now = now.Add(nackGiveUp)
	if got := r.ask(now, 100*time.Millisecond); len(got) != 0 || len(r.holes) != 0 {
		t.Fatalf("still asking for %v", got)
	}
	if f, lost := r.report(); lost != 2 || f != 2*256/5 {
		t.Errorf("report: fraction %d/256, %d lost; want %d, 2", f, lost, 2*256/5)
	}
}

func TestReceptionSurvivesJumps(t *testing.T) {
	now := time.Unix(1000, 0)
	r := reception{clock: 90000}
	r.arrive(100, 0, false, now)
	if _, a, _ := r.arrive(40000, 0, false, now); a != arrivedDup {
		t.Fatal("one stray packet moved the stream")
	}
	if _, a, _ := r.arrive(101, 0, false, now); a != arrivedNew {
		t.Fatal("the stream did not go on")
	}
	r.arrive(40000, 0, false, now)
	if ext, a, many := r.arrive(40001, 0, false, now); a != arrivedNew || !many || uint16(ext) != 40001 {
		t.Fatal("two in a row did not restart the stream")
	}
	before := r.high
	if ext, _, many := r.arrive(40001+nackHoles+10, 0, false, now); !many || ext <= before || len(r.holes) != 0 {
		t.Error("an outage is asked for packet by packet")
	}
	now = now.Add(2 * outageSilence)
	if _, _, many := r.arrive(uint16(r.high)+outageHoles+2, 0, false, now); !many || len(r.holes) != 0 {
		t.Error("a short outage is asked for packet by packet")
	}
}

func TestRing(t *testing.T) {
	r := newRing(4)
	for e := uint64(10); e < 17; e++ {
		r.put(&packet{ext: e, payload: []byte{byte(e)}})
	}
	r.put(&packet{ext: 12, payload: []byte{99}}) // a ring older than 16
	if _, ok := r.get(12); ok {
		t.Error("an old packet replaced a newer one")
	}
	for e := uint64(13); e < 17; e++ {
		if p, ok := r.get(e); !ok || p.payload[0] != byte(e) {
			t.Errorf("packet %d: %v %v", e, p, ok)
		}
	}
	r.grow(10)
	if len(r.slots) != 16 {
		t.Errorf("grown to %d", len(r.slots))
	}
	if p, ok := r.get(14); !ok || p.payload[0] != 14 {
		t.Error("lost when growing")
	}
	r.grow(1 << 30)
	if len(r.slots) != ringMost {
		t.Errorf("grown to %d", len(r.slots))
	}
}

// TestHistoryOfVoice: it is shorter than that of a picture, and goes round.
func TestHistoryOfVoice(t *testing.T) {
	h := &newOutlet(&Peer{}, audio, 0).sent
	now := time.Unix(1000, 0)
	for seq := range uint16(3 * ringAudio) {
		h.note(seq, 1, uint64(seq), now).final = true
	}
	if len(h.slots) != ringAudio {
		t.Errorf("%d places", len(h.slots))
	}
	if _, ok := h.get(ringAudio); ok {
		t.Error("one that is two rounds old is known")
	}
	if s, ok := h.get(3*ringAudio - 1); !ok || !s.final {
		t.Errorf("the newest: %+v", s)
	}
}

// TestHistoryGrows with the rate: what may still be asked for is known, at a
// few packets a second as at many, and no more room is taken.
func TestHistoryGrows(t *testing.T) {
	for _, tc := range []struct{ perSecond, places int }{{5, 32}, {50, 256}, {2000, ringVideo}} {
		var h history
		now := time.Unix(1000, 0)
		for seq := range uint16(6 * ringVideo) {
			h.note(seq, 1, 1000+uint64(seq), now)
			now = now.Add(time.Second / time.Duration(tc.perSecond))
		}
		if len(h.slots) != tc.places {
			t.Errorf("%d a second: %d places, want %d", tc.perSecond, len(h.slots), tc.places)
		}
		for back := range min(5*tc.perSecond, ringVideo) {
			seq := uint16(6*ringVideo - 1 - back)
			if s, ok := h.get(seq); !ok || s.ext != 1000+uint64(seq) {
				t.Fatalf("%d a second: the one %d back is not known", tc.perSecond, back)
			}
		}
	}
}

func TestHistoryLimits(t *testing.T) {
	var h history
	now := time.Unix(1000, 0)
	rtt := 50 * time.Millisecond
	h.note(7, 1, 1007, now)
	check := func(what string, seq uint16, era uint32, after time.Duration, want verdict) {
		t.Helper()
		if ext, v := h.again(seq, era, rtt, now.Add(after)); v != want || v == resendNow && ext != uint64(seq)+1000 {
			t.Errorf("%s: %v (packet %d), want %v", what, v, ext, want)
		}
	}
	check("asked at once", 7, 1, 0, resendNow)
	check("asked within a round trip", 7, 1, rtt/2, resendNot)
	for i := 1; i < resendTries; i++ {
		check("asked again", 7, 1, time.Duration(i)*rtt, resendNow)
	}
	check("asked too often", 7, 1, resendTries*rtt, resendNot)
	h.note(8, 1, 1008, now)
	check("of the former source", 8, 2, 0, resendGone)
	check("never sent", 8+ringVideo, 1, 0, resendNot)
	check("asked late", 8, 1, rtt+resendAge+1, resendGone)
}

func TestRED(t *testing.T) {
	// Two redundant blocks of 3 and 2 bytes, then the primary one.
	b := []byte{0x80 | 111, 0, 0, 3, 0x80 | 111, 0, 0, 2, 111, 'a', 'a', 'a', 'b', 'b', 'n', 'e', 'w'}
	got, err := redPrimary(b)
	if err != nil || string(got) != "new" {
		t.Fatalf("%q, %v", got, err)
	}
	if err := redRenumber(b, 109); err != nil {
		t.Fatal(err)
	}
	if want := []byte{0x80 | 109, 0, 0, 3, 0x80 | 109, 0, 0, 2, 109}; !bytes.Equal(b[:9], want) {
		t.Errorf("% x", b[:9])
	}
}

func TestKeyRequestSpacing(t *testing.T) {
	var k keyRequest
	now := time.Unix(1000, 0)
	if !k.want(now) || k.want(now.Add(keyRequestSpacing/2)) {
		t.Fatal("first at once, second not")
	}
	if k.due(now.Add(keyRequestSpacing / 2)) {
		t.Error("due too early")
	}
	if !k.due(now.Add(keyRequestSpacing)) || k.due(now.Add(2*keyRequestSpacing)) {
		t.Error("the remembered wish is sent once")
	}
}

func TestKeyframeStarts(t *testing.T) {
	for _, tc := range []struct {
		mime string
		b    []byte
		want bool
	}{
		{"video/vp8", []byte{0x10, 0x00}, true},
		{"video/vp8", []byte{0x10, 0x01}, false},
		{"video/vp8", []byte{0x00, 0x00}, false},                               // not the first packet
		{"video/vp8", []byte{0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 0x00}, true},  // all of the extension
		{"video/vp8", []byte{0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 0x01}, false}, //
		{"video/vp9", []byte{0x88, 0x01}, true},
		{"video/vp9", []byte{0xc8, 0x01}, false}, // predicted
		{"video/vp9", []byte{0x80, 0x01}, false}, // not the first packet
		{"video/vp9", []byte{0xa8, 0x81, 0x02, 0x00}, true},
		{"video/vp9", []byte{0xa8, 0x81, 0x02, 0x02}, false}, // upper layer
		{"video/h264", []byte{0x67, 0x42}, true},
		{"video/h264", []byte{0x61, 0x42}, false},
		{"video/h264", []byte{0x18, 0, 1, 0x09, 0, 2, 0x67, 0x42}, true},
		{"video/h264", []byte{0x18, 0xff, 0xff, 0x09}, false},
		{"video/unknown", []byte{0x10, 0x00}, false},
		{"video/vp8", nil, false}, {"video/vp9", nil, false}, {"video/h264", nil, false},
	} {
		if got := startsKeyframe(tc.mime, tc.b); got != tc.want {
			t.Errorf("%s % x: %v", tc.mime, tc.b, got)
		}
	}
}

func TestFormatsAndRoutes(t *testing.T) {
	c := func(mime, fmtp string, pt webrtc.PayloadType) webrtc.RTPCodecParameters {
		return webrtc.RTPCodecParameters{PayloadType: pt,
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, SDPFmtpLine: fmtp, ClockRate: 90000}}
	}
	theirs := formats([]webrtc.RTPCodecParameters{
		c("video/H264", "packetization-mode=1;profile-level-id=42e01f", 102), c("video/rtx", "apt=102", 103),
		c("audio/opus", "", 111), c("audio/red", "111/111", 63),
	})
	ours := formats([]webrtc.RTPCodecParameters{
		c("video/H264", "profile-level-id=42C034;packetization-mode=1", 126), c("video/rtx", "apt=126", 127),
		c("audio/opus", "", 109), c("audio/red", "109/109", 64),
	})
	o := &outlet{formats: ours}
	if r := o.routeOf(theirs[0], theirs); !r.ok || r.pt != 126 || r.rtx != 127 {
		t.Errorf("constrained baseline in two spellings: %+v", r)
	}
	red, _ := findFormat(theirs, idRED)
	if r := o.routeOf(red, theirs); !r.ok || r.pt != 64 || r.renum != 109 {
		t.Errorf("redundant audio: %+v", r)
	}
	o.formats = ours[:1]
	if r := o.routeOf(red, theirs); r.ok {
		t.Errorf("audio to who has none: %+v", r)
	}
	o.formats = formats([]webrtc.RTPCodecParameters{c("audio/opus", "", 109)})
	if r := o.routeOf(red, theirs); !r.ok || r.pt != 109 || !r.strip {
		t.Errorf("redundant audio to who has only Opus: %+v", r)
	}
}
