package allocate

import "time"

// Finder learns how much a path carries beside a call that has all it needs:
// more is let through step by step, until the path answers with a queue. The
// zero value is ready.
type Finder struct {
	rate    float64 // bit/s; 0: nothing was found yet
	ceiling float64 // where the path last answered; 0: never
	stepped time.Time
	cut     time.Time
	hold    time.Duration // after that cut
}

const (
	findLeast = 4_000 // bit/s
	findMost  = 200_000_000
	findEvery = time.Second
	findFast  = 1.5 // times, below the ceiling
	findSlow  = 1.1
	findBack  = 0.5                    // but no less than is known to be left
	findApart = 500 * time.Millisecond // between two cuts: a queue takes its time to empty
	findHold  = 3 * time.Second        // after a cut, twice that after the next, up to
	findRare  = time.Minute            // where each attempt ends in a queue
	findCalm  = 20 * time.Second       // beyond the hold, without a queue: the path has room
	findUsed  = 0.6                    // of the rate must be used for more to be believed
	findUnder = 0.8                    // of the ceiling is gone up to quickly
)

// Found is what a Finder is told of the path.
type Found struct {
	Short   bool    // the call lacks something
	Pressed bool    // a queue stands in the path
	Rest    float64 // bit/s that are known to be left, to begin with
	Used    float64 // bit/s that transfers took since the last step
}

// Next is what may be taken now, bit/s; at most one step a second.
func (f *Finder) Next(now time.Time, p Found) float64 {
	if p.Short {
		*f = Finder{ceiling: f.ceiling, cut: f.cut, hold: f.hold}
		return 0
	}
	if f.rate == 0 {
		f.rate, f.stepped = max(p.Rest, findLeast), now
	}
	if p.Pressed {
		if since := now.Sub(f.cut); since > findApart {
			switch {
			case since > f.hold+findCalm:
				f.hold, f.ceiling = findHold, f.rate
			case since > f.hold:
				f.hold, f.ceiling = min(2*f.hold, findRare), f.rate
			}
			f.rate = min(f.rate, max(f.rate*findBack, p.Rest, findLeast))
			f.cut = now
		}
		f.stepped = now
		return f.rate
	}
	if now.Sub(f.stepped) < findEvery || now.Sub(f.cut) < f.hold {
		return f.rate
	}
	f.stepped = now
	if p.Used < findUsed*f.rate {
		return f.rate
	}
	if f.ceiling == 0 || f.rate*findFast < findUnder*f.ceiling {
		f.rate *= findFast
	} else {
		f.rate *= findSlow
	}
	f.rate = min(f.rate, findMost)
	return f.rate
}

// Due says whether Next would take a step now, for which Used is measured.
func (f *Finder) Due(now time.Time) bool { return now.Sub(f.stepped) >= findEvery }
