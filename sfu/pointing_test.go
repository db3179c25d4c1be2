package sfu

import (
	"testing"
	"time"

	"sira/sfu/allocate"
	"sira/sfu/bulk"
)

func TestPointerPace(t *testing.T) {
	for share, want := range map[int64]time.Duration{
		pointerMost: pointerEvery, 100_000: pointerEvery, pointerLeast: 320 * time.Millisecond, 1_000: 960 * time.Millisecond, 1: pointerRare, 0: pointerRare,
	} {
		if got := pointerPace(share); got != want {
			t.Errorf("%d bit/s: a place each %s, want %s", share, got, want)
		}
	}
}

// TestPointerAfterVoiceBeforePictures: on thin links voice keeps all of its
// part while somebody points, and what is taken is taken from pictures.
func TestPointerAfterVoiceBeforePictures(t *testing.T) {
	now := time.Now()
	var quiet, busy pointing
	busy.at[bulk.Down].Store(now.Add(-pointerFor / 2).UnixNano())
	if s := busy.stream(bulk.Down, now.Add(pointerFor)); s.Most != 0 {
		t.Errorf("kept for ever: %+v", s)
	}
	if s := busy.stream(bulk.Up, now); s.Most != 0 {
		t.Errorf("kept of the other way: %+v", s)
	}
	const voice = 33_000
	for _, x := range []struct{ path, pointer, face float64 }{
		{30_000, 0, 0},
		{35_000, 0, 0},     // less than vectors are of use with
		{40_000, 3_000, 0}, // a face fits no more, and who comes first gets no more than its least for that
		{64_000, 8_000, 23_000},
		{128_000, 8_000, 87_000},
	} {
		plan := func(p *pointing) []float64 {
			return allocate.Plan(x.path, []allocate.Stream{
				{Class: allocate.Voice, Least: voice, Most: voice},
				{Class: allocate.Face, Least: faceLeast, Most: faceMost},
				p.stream(bulk.Down, now),
			})
		}
		with, without := plan(&busy), plan(&quiet)
		if with[0] != min(without[0], voice) || with[0] < min(voice, x.path)-1 && x.path >= voice {
			t.Errorf("%.0f: voice has %.0f while somebody points, %.0f else", x.path, with[0], without[0])
		}
		if diff := with[2] - x.pointer; diff < -2 || diff > 2 {
			t.Errorf("%.0f: pointing has %.0f, want %.0f", x.path, with[2], x.pointer)
		}
		if diff := with[1] - x.face; diff < -2 || diff > 2 || without[2] != 0 {
			t.Errorf("%.0f: a face has %.0f, want %.0f", x.path, with[1], x.face)
		}
	}
}

// TestPointingIsOfTheBudget: who points takes a share of their way up and of
// the others' ways down, is told to point less often where there is little, and
// gives it back.
func TestPointingIsOfTheBudget(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true})
	a.waitConnected()
	b.waitConnected()
	stop := a.speak()
	defer stop()
	share := func(c *client, w bulk.Way) int64 { return c.peer.pointing.share[w].Load() }
	eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 20 })
	if share(a, bulk.Up) != 0 || share(b, bulk.Down) != 0 {
		t.Fatal("kept though nobody points")
	}
	a.peer.congestion.up.limit.Store(500_000) // the test's voice is a wide one
	begin := time.Now()
	a.peer.Point()
	eventually(t, "a's way up and b's way down keep a share", func() bool {
		if time.Since(begin) > pointerFor/2 {
			begin = time.Now()
			a.peer.Point()
		}
		return share(a, bulk.Up) >= pointerLeast && share(b, bulk.Down) >= pointerLeast
	})
	if share(b, bulk.Up) != 0 || share(a, bulk.Down) != 0 {
		t.Error("ways that no vector takes keep a share")
	}
	eventually(t, "they are given back", func() bool { return share(a, bulk.Up) == 0 && share(b, bulk.Down) == 0 })
}

// TestPointerIsToldItsPace: the least of the ways it takes.
func TestPointerIsToldItsPace(t *testing.T) {
	var told []time.Duration
	p := &Peer{part: Participant{OnPointer: func(d time.Duration) { told = append(told, d) }}}
	viewer := &Peer{}
	in := &inlet{peer: p}
	in.outlets.Store(&[]*outlet{{peer: viewer}})
	p.ticked = []*inlet{in}
	for _, x := range []struct{ up, down int64 }{
		{0, 3_000},       // nobody points
		{8_000, 8_000},   // as often as it does by itself
		{8_000, 3_000},   // the viewer's way
		{8_000, 3_200},   // hardly more
		{1_000, 3_200},   // their own
		{8_000, 0},       // the viewer sees none
		{100_000, 9_000}, // and as before
	} {
		p.pointing.share[bulk.Up].Store(x.up)
		viewer.pointing.share[bulk.Down].Store(x.down)
		p.repoint()
	}
	want := []time.Duration{320 * time.Millisecond, 960 * time.Millisecond, pointerEvery}
	if len(told) != len(want) || told[0] != want[0] || told[1] != want[1] || told[2] != want[2] {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestPointingTakesFromThePicture: what vectors take of a way up is not there
// for the picture.
func TestPointingTakesFromThePicture(t *testing.T) {
	p := &Peer{congestion: newCongestion(1, uplinkStart)}
	p.congestion.up.limit.Store(100_000)
	all, _ := p.uplinkKbps()
	p.pointing.share[bulk.Up].Store(pointerMost)
	if got, _ := p.uplinkKbps(); all == 0 || got != payloadKbps(100_000-pointerMost) || got >= all {
		t.Errorf("%d kbit/s of picture beside pointing, %d without", got, all)
	}
}
