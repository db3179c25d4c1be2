package record

import (
	"errors"
	"time"
)

// Report is what only a browser knows, in all since it joined.
//
// A second counts as Voice when somebody else is there with the microphone on.
// It is Usable when a packet of voice came within the last two seconds and less
// than 5 % of what was played was made up for what was lost (concealedSamples
// less silentConcealedSamples of the W3C's webrtc-stats). In the E-model of
// ITU-T G.107 each lost percent that is concealed costs some 4 points of the 24
// that separate undisturbed speech (94) from the least that counts as telephone
// quality (70): at 5 % a listener begins to ask again.
type Report struct {
	Voice       int // s
	Usable      int // s
	ConcealedMs int // of speech, made up
	Freezes     int // of pictures, as webrtc-stats counts them (freezeCount)
	FrozenMs    int
	// From joining, or from the moment that somebody else was there, to the
	// first packet of voice and the first picture; 0: not yet.
	FirstAudioMs, FirstVideoMs int
	Width, Height, FPS         int // of the largest picture received now, 0 when none is
}

// Bounds of a report, whoever makes it up.
const (
	countMost  = 1 << 20
	sideMost   = 1 << 14
	timeMost   = 1 << 30 // ms
	clockSlack = 15 * time.Second
	slotsMost  = 8
)

var errReport = errors.New("figures out of range")

// Check refuses what no browser can mean.
func (r Report) Check() error {
	for _, f := range []struct{ v, most int }{
		{r.Voice, countMost}, {r.Usable, r.Voice}, {r.ConcealedMs, timeMost}, {r.Freezes, countMost}, {r.FrozenMs, timeMost},
		{r.FirstAudioMs, timeMost}, {r.FirstVideoMs, timeMost}, {r.Width, sideMost}, {r.Height, sideMost}, {r.FPS, 1000},
	} {
		if f.v < 0 || f.v > f.most {
			return errReport
		}
	}
	return nil
}

// within makes a report one that can be true after so long: figures count on
// from the last ones and not faster than time goes.
func (r Report) within(last Report, since time.Duration) Report {
	s, ms := int((since+clockSlack)/time.Second), int((since + clockSlack).Milliseconds())
	r.Voice = clamp(r.Voice, last.Voice, s)
	r.Usable = min(clamp(r.Usable, last.Usable, s), r.Voice)
	r.ConcealedMs = clamp(r.ConcealedMs, last.ConcealedMs, ms*slotsMost)
	r.Freezes = clamp(r.Freezes, last.Freezes, s*slotsMost*5)
	r.FrozenMs = clamp(r.FrozenMs, last.FrozenMs, ms*slotsMost)
	r.FirstAudioMs, r.FirstVideoMs = first(last.FirstAudioMs, r.FirstAudioMs, ms), first(last.FirstVideoMs, r.FirstVideoMs, ms)
	return r
}

func clamp(v, least, most int) int { return max(least, min(v, most)) }

// first keeps what was said first.
func first(known, said, most int) int {
	if known > 0 {
		return known
	}
	return min(said, most)
}

// Report takes what somebody's browser says. It is their word about
// themselves and touches nobody else's figures.
func (p *Person) Report(r Report, now time.Time) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	if !p.left.IsZero() || r.Check() != nil {
		return
	}
	r = r.within(p.told, now.Sub(p.entered))
	p.frozen += r.FrozenMs - p.told.FrozenMs
	p.told = r
}
