package sfu

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"sira/sfu/allocate"
	"sira/sfu/bulk"
)

// voiceRate is what a voice takes here, bit/s.
const voiceRate = 36_000

// filesPeer is a peer whose transport is up, without any network.
func filesPeer(user string) (*Peer, *bulk.Book) {
	book := &bulk.Book{}
	p := &Peer{part: Participant{Files: book.Join(user)}, down: newDownlink(startBps), congestion: newCongestion(1, uplinkStart)}
	p.connected.Store(true)
	return p, book
}

// filesRate is what a transfer that takes all it can gets, bit/s.
func filesRate(book *bulk.Book, w bulk.Way, k bulk.Class, now time.Time) float64 {
	sum := 0
	for end := now.Add(30 * time.Second); now.Before(end); now = now.Add(20 * time.Millisecond) {
		n, _ := book.Take("u", w, k, 1<<20, now)
		sum += n
	}
	return float64(sum) * 8 / 30
}

func TestFilesTakeATenthBesideACallThatNeedsTheRest(t *testing.T) {
	call := []allocate.Stream{
		{Class: allocate.Voice, Least: voiceRate, Most: voiceRate},
		{Class: allocate.Face, Least: faceLeast, Most: faceMost},
	}
	for _, bps := range []float64{64_000, 128_000, 256_000, 512_000} {
		for _, w := range []bulk.Way{bulk.Up, bulk.Down} {
			p, book := filesPeer("u")
			now := time.Unix(1000, 0)
			book.Take("u", w, bulk.Files, 1, now)
			shares := p.divide(w, bps, voiceRate+faceMost, call, now)
			if shares[0] != voiceRate {
				t.Errorf("%.0f: voice has %v", bps, shares[0])
			}
			if got := filesRate(book, w, bulk.Files, now); got < 0.09*bps || got > 0.11*bps {
				t.Errorf("%.0f: files take %.0f", bps, got)
			}
			if shares[1] > bps-voiceRate-bps*filesShare+1 {
				t.Errorf("%.0f: the picture has %v", bps, shares[1])
			}
			// Who transfers nothing leaves the picture everything.
			later := now.Add(time.Minute)
			if idle := p.divide(w, bps, voiceRate+faceMost, call, later); idle[1] < min(bps-voiceRate, faceMost)-1 {
				t.Errorf("%.0f: the picture has %v beside no transfer", bps, idle[1])
			}
		}
	}
}

func TestFilesYieldToVoiceAndGoFreeWithoutACall(t *testing.T) {
	p, book := filesPeer("u")
	now := time.Unix(1000, 0)
	voice := []allocate.Stream{{Class: allocate.Voice, Least: voiceRate, Most: voiceRate}}
	// Less than voice takes: a trickle, that nothing dies of.
	p.divide(bulk.Up, 30_000, voiceRate, voice, now)
	p.files.met = now
	if got := filesRate(book, bulk.Up, bulk.Files, now); got > 2*filesTrickle {
		t.Errorf("%.0f beside a voice that lacks room", got)
	}
	// Nobody to talk to: everything.
	p.divide(bulk.Up, 30_000, 0, nil, now)
	if got := filesRate(book, bulk.Up, bulk.Files, now); got < filesFree {
		t.Errorf("%.0f with nobody to talk to", got)
	}
	// The wish to send first leaves voice its floor.
	p.FilesFirst(true)
	now = now.Add(time.Minute)
	book.Take("u", bulk.Up, bulk.Files, 1, now)
	call := append(voice, allocate.Stream{Class: allocate.Face, Least: faceLeast, Most: faceMost})
	shares := p.divide(bulk.Up, 256_000, voiceRate+faceMost, call, now)
	if shares[0] != voiceRate || shares[1] != faceLeast {
		t.Errorf("shares %v", shares)
	}
	if got := filesRate(book, bulk.Up, bulk.Files, now); got < 195_000 || got > 215_000 {
		t.Errorf("%.0f when they come first", got)
	}
}

func TestAStillThatAllWaitForComesBeforeFaces(t *testing.T) {
	p, book := filesPeer("u")
	now := time.Unix(1000, 0)
	call := []allocate.Stream{
		{Class: allocate.Voice, Least: voiceRate, Most: voiceRate},
		{Class: allocate.Face, Least: faceLeast, Most: faceMost},
	}
	book.Take("u", bulk.Down, bulk.Asked, 1, now)
	shares := p.divide(bulk.Down, 256_000, voiceRate+faceMost, call, now)
	if shares[0] != voiceRate || shares[1] > faceLeast+1 {
		t.Errorf("shares %v", shares)
	}
	if got := filesRate(book, bulk.Down, bulk.Asked, now); got < 190_000 {
		t.Errorf("%.0f", got)
	}
}

func TestAFallingUplinkIsPressed(t *testing.T) {
	p, _ := filesPeer("u")
	now := time.Unix(1000, 0)
	p.files.met = now.Add(-time.Minute)
	voice := []allocate.Stream{{Class: allocate.Voice, Least: voiceRate, Most: voiceRate}}
	grants := func(bps float64, seconds int) int {
		for range seconds {
			now = now.Add(time.Second)
			p.congestion.up.limit.Store(int64(bps))
			p.divide(bulk.Up, p.uplink(now), voiceRate, voice, now)
		}
		return p.files.now.Up
	}
	first := grants(300_000, 2)
	if first < 200 {
		t.Fatalf("%d of 300 beside a voice", first)
	}
	if got := grants(100_000, 2); got > 70 {
		t.Errorf("%d of 100 beside a voice", got)
	}
	if p.files.fellAt.IsZero() {
		t.Error("the fall was not noticed")
	}
	p.HearUplink(50_000) // the sender knows better, when it is less
	if got := grants(100_000, 2); got > 20 {
		t.Errorf("%d of 50 beside a voice", got)
	}
}

// TestGrantsInACall: real peers. Alone a person's transfers are free; from the
// moment there is somebody to hear they are held, both ways, and free again
// when the other leaves.
func TestGrantsInACall(t *testing.T) {
	s := startSFU(t, Config{})
	var book bulk.Book
	var mu sync.Mutex
	var last Grant
	told := 0
	call := book.Join("u")
	o := clientOptions{id: "b", room: "r", slots: 1, twcc: true, part: Participant{Files: call, OnGrant: func(g Grant) {
		mu.Lock()
		last, told = g, told+1
		mu.Unlock()
	}}}
	granted := func(ok func(Grant) bool) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return told > 0 && ok(last) }
	}
	b := join(t, s, o)
	eventually(t, "held while joining, or free because alone", granted(func(g Grant) bool { return g.Up < 12 || g.Up < 0 }))
	b.waitConnected()
	b.speak()
	eventually(t, "free while alone", granted(func(g Grant) bool { return g.Up < 0 && g.Down < 0 }))
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9})
	a.waitConnected()
	a.film(1100)
	eventually(t, "held both ways", granted(func(g Grant) bool { return g.Up >= 0 && g.Down >= 0 && g.Down < 1000 }))
	a.leave()
	eventually(t, "free again", granted(func(g Grant) bool { return g.Up < 0 && g.Down < 0 }))
}
