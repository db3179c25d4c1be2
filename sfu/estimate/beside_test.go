package estimate

import (
	"math"
	"testing"
	"time"
)

// stillsOver simulates somebody who is heard, and seen in stills, for a minute
// over a link, at first believed to carry start. It returns the estimate at the
// end and the queue that most packets met, ms.
func stillsOver(t *testing.T, seed uint64, kbps, start float64) (target, queue float64) {
	t.Helper()
	simulate(t, seed, func(w *world) {
		path := w.newLink(kbps, 2*time.Second, 150*time.Millisecond)
		path.jitter = 15 * time.Millisecond
		path.loss = steps(0, 0.02)
		f := w.newFlow(150*time.Millisecond, path)
		f.e = New(Config{Start: start})
		f.most, f.stills = 0, 24_000
		f.begin()
		w.run(time.Minute)
		target, queue = mean(f.targets[40:]), pct(path.waits, 0.95)
	})
	return target, queue
}

// TestStillsAreUse: what goes by data channel fills the path. If the estimator
// were not told of it, a trial of which stills are a third would show less than
// was known before, and a link that would carry video stay in stills for ever.
func TestStillsAreUse(t *testing.T) {
	for seed := uint64(1); seed <= 8; seed++ {
		if got, _ := stillsOver(t, seed, 128, 45_000); got < 85_000 {
			t.Errorf("seed %d: a path of 128 kbit/s was found to carry %.0f", seed, got)
		}
		if got, queue := stillsOver(t, seed, 64, 64_000); got < 45_000 || got > 70_000 || queue > 350 {
			t.Errorf("seed %d: a path of 64 kbit/s was taken for %.0f, with a queue of %.0f ms", seed, got, queue)
		}
	}
}

// TestBesideIsBounded: whatever leaves beside, and however odd its size, little
// of it is kept.
func TestBesideIsBounded(t *testing.T) {
	e := New(Config{})
	now := time.Unix(1000, 0)
	for range 10 * besideMost {
		e.Beside(now, 1000)
		e.Beside(now, -1)
		e.Beside(now, math.MaxInt)
	}
	if n := len(e.rate.beside); n > besideMost {
		t.Errorf("%d kept", n)
	}
	e.Beside(now.Add(time.Minute), 1000)
	if n := len(e.rate.beside); n != 1 {
		t.Errorf("%d kept after a minute", n)
	}
}
