package estimate

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// newStream is a link that carries TCP: a packet that the radio lost comes by
// a round trip later, and those behind it wait for it.
func (w *world) newStream(kbps func(time.Duration) float64) *link {
	l := w.newLink(0, 3*time.Second, 150*ms)
	l.rate, l.jitter, l.loss, l.again = kbps, 15*ms, steps(0, 0.02), 330*ms
	return l
}

// TestPathInOrder: where only TCP passes, that packets wait for lost ones is
// not taken for a queue, and a queue still is.
func TestPathInOrder(t *testing.T) {
	var b strings.Builder
	for _, c := range []struct {
		name     string
		kbps     func(time.Duration) float64
		stills   bool
		from, to int // seconds measured
		mostWait float64
	}{
		{"64 kbit/s", steps(0, 64_000), false, 20, 90, 1000},
		{"64 kbit/s, stills", steps(0, 64_000), true, 20, 90, 350},
		{"128 kbit/s", steps(0, 128_000), false, 20, 90, 500},
		{"256 kbit/s", steps(0, 256_000), false, 20, 90, 350},
		{"256 kbit/s, stills", steps(0, 256_000), true, 30, 90, 300},
		{"512 kbit/s", steps(0, 512_000), false, 30, 90, 350},
		{"256, from the 40th second 96", steps(0, 256_000, 40, 96_000), false, 50, 90, 600},
		{"96, from the 40th second 512", steps(0, 96_000, 40, 512_000), false, 80, 120, 350},
	} {
		for seed := uint64(1); seed <= 3; seed++ {
			simulate(t, seed, func(w *world) {
				l := w.newStream(c.kbps)
				f := w.newFlow(150*ms, l)
				f.e.InOrder(true)
				if c.stills {
					f.most, f.stills = 0, 24_000
				}
				f.begin()
				w.run(time.Duration(c.from) * time.Second)
				l.waits = nil
				w.run(time.Duration(c.to) * time.Second)
				share, wait := mean(f.targets[c.from:c.to])/c.kbps(time.Duration(c.to)*time.Second), pct(l.waits, 0.95)
				fmt.Fprintf(&b, "\n%-32s estimate %3.0f %% of the link, queue p95 %4.0f ms", c.name, 100*share, wait)
				if share < 0.7 || share > 1.1 || wait > c.mostWait {
					t.Errorf("%s, seed %d: an estimate of %.2f of the link, queue %.0f of %.0f ms", c.name, seed, share, wait, c.mostWait)
				}
			})
		}
	}
	t.Log(b.String())
}
