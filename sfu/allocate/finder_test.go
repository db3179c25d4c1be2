package allocate

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestFinderSettles simulates a path with a queue: what is let through ends
// near what the path has left, and the queue stays short.
func TestFinderSettles(t *testing.T) {
	for _, left := range []float64{60_000, 220_000, 2e6, 40e6} {
		var f Finder
		now := time.Unix(0, 0)
		queue, worst, sum, n := 0.0, 0.0, 0.0, 0 // queue in seconds
		rate := 0.0
		for i := range 6000 { // five minutes of 50 ms
			queue = max(0, queue+(rate-left)/left*0.05)
			rate = f.Next(now, Found{Pressed: queue > 0.08, Used: rate, Rest: left / 4})
			now = now.Add(50 * time.Millisecond)
			if i > 1200 {
				worst = max(worst, queue)
				sum += min(rate, left)
				n++
			}
		}
		if worst > 0.3 || sum/float64(n) < 0.4*left {
			t.Errorf("of %.0f %.0f used, %.2f s of queue", left, sum/float64(n), worst)
		}
	}
}

// TestFinderLeavesAFullPathAlone: where nothing is left beyond what is known,
// attempts become rare.
func TestFinderLeavesAFullPathAlone(t *testing.T) {
	var f Finder
	now := time.Unix(0, 0)
	const left = 25_000
	queue, rate, over := 0.0, 0.0, 0
	for i := range 12_000 { // ten minutes
		queue = max(0, queue+(rate-left)/256_000*0.05)
		rate = f.Next(now, Found{Pressed: queue > 0.08, Used: rate, Rest: left})
		now = now.Add(50 * time.Millisecond)
		if i > 6000 && rate > 1.05*left {
			over++
		}
	}
	if share := float64(over) / 6000; share > 0.15 {
		t.Errorf("above what is left for %.0f %% of the time", 100*share)
	}
}

func TestFinderProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f Finder
		now := time.Unix(0, 0)
		last := 0.0
		for range 100 {
			now = now.Add(time.Duration(rapid.IntRange(10, 1500).Draw(t, "ms")) * time.Millisecond)
			p := Found{
				Short: rapid.IntRange(0, 9).Draw(t, "short") == 0, Pressed: rapid.IntRange(0, 3).Draw(t, "pressed") == 0,
				Used: rapid.Float64Range(0, 1e9).Draw(t, "used"),
			}
			got := f.Next(now, p)
			switch {
			case p.Short && got != 0:
				t.Fatalf("%v beside a call that lacks something", got)
			case !p.Short && got < findLeast, got > findMost:
				t.Fatalf("%v", got)
			case p.Pressed && got > max(last, findLeast):
				t.Fatalf("from %v to %v into a queue", last, got)
			case last > 0 && got > last && p.Used < findUsed*last:
				t.Fatalf("from %v to %v unused", last, got)
			}
			last = got
		}
	})
}
