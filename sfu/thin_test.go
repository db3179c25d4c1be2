package sfu

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// TestThinUplink: seconds of too little lead to stills; from there video is
// tried, less and less often, and stays when there is enough.
func TestThinUplink(t *testing.T) {
	var u thin
	now := time.Unix(1000, 0)
	step := func(kbps int, d time.Duration) {
		t.Helper()
		for end := now.Add(d); now.Before(end); now = now.Add(200 * time.Millisecond) {
			u.judge(kbps, now)
		}
	}
	expect := func(stills bool, what string) {
		t.Helper()
		if u.stills.Load() != stills {
			t.Fatalf("%s: stills %v", what, !stills)
		}
	}
	step(thinBelow, time.Minute)
	expect(false, "enough")
	step(thinBelow-1, thinSince-time.Second)
	step(thinBelow, time.Second)
	step(thinBelow-1, thinSince-time.Second)
	expect(false, "too little for a moment, twice")
	step(thinBelow-1, 2*time.Second)
	expect(true, "too little")
	for _, wait := range []time.Duration{thinWait, 2 * thinWait, 4 * thinWait} {
		step(thinBelow-1, wait-5*time.Second)
		expect(true, "before the trial")
		step(thinBelow-1, 6*time.Second)
		expect(false, "the trial")
		if !u.both.Load() || !u.trying(now) {
			t.Fatal("a trial begins without stills")
		}
		step(thinBelow-1, thinBoth)
		if u.both.Load() || !u.trying(now) {
			t.Fatal("a trial goes on with stills")
		}
		step(thinBelow-1, thinTrial+thinSince-thinBoth)
		expect(true, "it failed")
	}
	step(2*thinBelow, 8*thinWait+5*time.Second)
	expect(false, "the next trial")
	step(2*thinBelow, 5*time.Minute)
	expect(false, "it carries video")
	step(10, thinSince+time.Second)
	expect(true, "no more")
	step(10, thinWait+time.Second)
	expect(false, "soon tried again")
}

// TestThinUplinkSendsStills: a publisher whose own uplink carries no video is
// asked for stills, in place of a picture, and no viewer's link is blamed.
func TestThinUplinkSendsStills(t *testing.T) {
	s := startSFU(t, Config{})
	var mu sync.Mutex
	var wanted Stills
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9, stills: true, part: Participant{
		OnStills: func(w Stills) { mu.Lock(); wanted = w; mu.Unlock() },
	}})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, stills: true})
	for _, c := range []*client{a, b} {
		c.waitConnected()
		eventually(t, c.id+"'s channel", func() bool { return c.peer.stills.open.Load() })
	}
	a.film(300)
	eventually(t, "video first", func() bool { return len(b.from("a", video)) > 10 })
	// This client does not tell when its packets leave: its link is what we say.
	const beside = 30_000
	thinly := func() { a.peer.congestion.up.limit.Store(int64(a.voice() + beside)) }
	eventually(t, "stills, and no video", func() bool {
		thinly()
		mu.Lock()
		defer mu.Unlock()
		a.mu.Lock()
		defer a.mu.Unlock()
		return wanted.Bytes >= stillFrom && a.target.Kbps == 0
	})
	mu.Lock()
	if bps := float64(wanted.Bytes) * 8 / wanted.Every.Seconds(); bps > beside {
		t.Errorf("stills of %.0f bit/s where %d are left beside the voice", bps, beside)
	}
	mu.Unlock()
	a.album.send(t, 1, webp(3000, 5))
	eventually(t, "b shows it", func() bool { thinly(); return len(b.album.got()) == 1 })
	if q := b.peer.Quality(); q.Picture != "" {
		t.Errorf("quality %+v: the link of b is not to blame", q)
	}
}
