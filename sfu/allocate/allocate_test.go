package allocate

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawStreams(t *rapid.T) []Stream {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Stream {
		least := rapid.Float64Range(0, 200_000).Draw(t, "least")
		return Stream{
			Class: Class(rapid.IntRange(0, int(Classes)-1).Draw(t, "class")),
			Least: least, Most: least + rapid.Float64Range(0, 2e6).Draw(t, "more"),
		}
	}), 0, 12).Draw(t, "streams")
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		streams := drawStreams(t)
		capacity := rapid.Float64Range(0, 3e6).Draw(t, "capacity")
		got := Plan(capacity, streams)
		sum, voices, inFirst := 0.0, 0.0, 0.0
		for i, s := range streams {
			sum += got[i]
			if got[i] < 0 || got[i] > s.Most+1 {
				t.Fatalf("share %v of %+v", got[i], s)
			}
			if got[i] > 0 && got[i] < s.Least {
				t.Fatalf("%v is of no use to %+v", got[i], s)
			}
			if s.Class == Voice {
				voices += s.Least
				inFirst += got[i]
			}
		}
		if sum > capacity+0.01 {
			t.Fatalf("%v given of %v", sum, capacity)
		}
		if voices <= capacity-1 && inFirst < voices-0.01 {
			t.Fatalf("voice has %v of its %v, with %v there", inFirst, voices, capacity)
		}
		more := Plan(capacity+rapid.Float64Range(0, 1e6).Draw(t, "added"), streams)
		for i := range streams {
			if more[i] < got[i]-2 {
				t.Fatalf("%+v has %v of more and %v of less", streams[i], more[i], got[i])
			}
		}
		// A class gets more than its least only when those before have all.
		for i, a := range streams {
			for j, b := range streams {
				if a.Class < b.Class && got[j] > b.Least+2 && got[i] < a.Most-2 {
					t.Fatalf("%+v waits with %v while %+v has %v", a, got[i], b, got[j])
				}
			}
		}
	})
}

func TestRiserProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := []float64{30_000, 50_000, 90_000}
		var r Riser
		r.Start(2)
		now := time.Unix(0, 0)
		lastUp := now.Add(-time.Hour)
		for range 60 {
			now = now.Add(time.Duration(rapid.IntRange(50, 2000).Draw(t, "ms")) * time.Millisecond)
			share := rapid.Float64Range(0, 150_000).Draw(t, "share")
			was := r.Level()
			is := r.Next(now, share, rates)
			if is > Level(share, rates) {
				t.Fatalf("level %d does not fit into %v", is, share)
			}
			if is > was {
				if is != was+1 || now.Sub(lastUp) < riseAfter {
					t.Fatalf("from %d to %d after %s", was, is, now.Sub(lastUp))
				}
				lastUp = now
			}
		}
	})
}

func TestVoiceBeforeAll(t *testing.T) {
	got := Plan(60_000, []Stream{
		{Face, 30_000, 300_000}, {Voice, 33_000, 33_000}, {Asked, 40_000, 400_000}, {Bulk, 0, 1e9},
	})
	if got[1] != 33_000 || got[2] != 0 || got[0] != 0 {
		t.Errorf("%v", got)
	}
	got = Plan(500_000, []Stream{
		{Face, 30_000, 300_000}, {Voice, 33_000, 33_000}, {Asked, 40_000, 350_000}, {Bulk, 0, 1e9},
	})
	if got[2] != 350_000 || got[0] < 110_000 || got[3] > 1 {
		t.Errorf("%v", got)
	}
}
