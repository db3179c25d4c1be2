package estimate

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// scenario is one row, or one phase of one row, of the table.
type scenario struct {
	name string
	run  func(w *world) []outcome
}

type outcome struct {
	what     string
	use      float64 // share of the capacity that useful bytes took
	wait     float64 // 95th percentile of the queue, ms
	drop     float64 // share that the queue dropped
	note     string
	leastUse float64 // what must be
	mostWait float64
	mostDrop float64
}

const ms = time.Millisecond

// measure one flow between two seconds against the capacity.
func between(f *flow, from, to int, capacity float64) float64 {
	return mean(f.carried[from:to]) / capacity
}

// alone is one call over one link, steady from the 20th second to the 90th.
func alone(kbps float64, queue time.Duration, shape func(*link), leastUse, mostWait float64) func(*world) []outcome {
	return func(w *world) []outcome {
		l := w.newLink(kbps, queue, 150*ms)
		shape(l)
		f := w.newFlow(150*ms, l)
		f.begin()
		w.run(20 * time.Second)
		l.waits, l.in, l.dropped = nil, 0, 0
		w.run(90 * time.Second)
		return []outcome{{
			use: between(f, 20, 90, kbps*1000), wait: pct(l.waits, 0.95), drop: float64(l.dropped) / float64(l.in),
			note:     fmt.Sprintf("inherent %.1f %%", 100*f.e.InherentLoss()),
			leastUse: leastUse, mostWait: mostWait, mostDrop: 0.04,
		}}
	}
}

// thrifty is a call whose encoder leaves a quarter of its allowance: what it
// does not send must not be taken for what the path does not carry. The use is
// the estimate's.
func thrifty(kbps float64, shape func(*link)) func(*world) []outcome {
	return func(w *world) []outcome {
		l := w.newLink(kbps, 600*ms, 150*ms)
		shape(l)
		f := w.newFlow(150*ms, l)
		f.leaves = 0.25
		f.begin()
		w.run(20 * time.Second)
		l.waits, l.in, l.dropped = nil, 0, 0
		w.run(90 * time.Second)
		return []outcome{{
			use: mean(f.targets[20:]) / (kbps * 1000), wait: pct(l.waits, 0.95), drop: float64(l.dropped) / float64(l.in),
			note: "the estimate", leastUse: 0.6, mostWait: 400, mostDrop: 0.04,
		}}
	}
}

func random(p float64) func(*link) {
	return func(l *link) {
		l.jitter = 40 * ms
		l.loss = func(time.Duration) float64 { return p }
	}
}

func jain(v []float64) float64 {
	s, q := 0.0, 0.0
	for _, x := range v {
		s += x
		q += x * x
	}
	return s * s / float64(len(v)) / q
}

// TestTable simulates calls over rural links and the cases of RFC 8867, and
// prints what came of them: go test ./sfu/estimate -run Table -v
func TestTable(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-46s %6s %9s %7s  %s\n", "case", "use", "queue p95", "dropped", "note")
	for _, s := range append(rural(), rfc8867()...) {
		var got []outcome
		simulate(t, 11, func(w *world) { got = s.run(w) })
		for _, o := range got {
			name := strings.TrimSpace(s.name + " " + o.what)
			fmt.Fprintf(&b, "%-46s %5.0f%% %6.0f ms %6.1f%%  %s\n", name, 100*o.use, o.wait, 100*o.drop, o.note)
			if o.use < o.leastUse || math.IsNaN(o.use) {
				t.Errorf("%s: %.0f %% of the link used, at least %.0f wanted", name, 100*o.use, 100*o.leastUse)
			}
			if o.mostWait > 0 && o.wait > o.mostWait {
				t.Errorf("%s: %.0f ms of queue, at most %.0f wanted", name, o.wait, o.mostWait)
			}
			if o.mostDrop > 0 && o.drop > o.mostDrop {
				t.Errorf("%s: the queue dropped %.1f %%, at most %.1f wanted", name, 100*o.drop, 100*o.mostDrop)
			}
		}
	}
	t.Log(b.String())
}

func rural() []scenario {
	return []scenario{
		{"256 kbit/s, no loss", alone(256, 400*ms, random(0), 0.8, 200)},
		{"256 kbit/s, 1 % random", alone(256, 400*ms, random(0.01), 0.8, 200)},
		{"256 kbit/s, 2 % random", alone(256, 400*ms, random(0.02), 0.8, 200)},
		{"256 kbit/s, 4 % random", alone(256, 400*ms, random(0.04), 0.8, 200)},
		{"256 kbit/s, 8 % random", alone(256, 400*ms, random(0.08), 0.72, 200)},
		{"128 kbit/s, 2 % random", alone(128, 600*ms, random(0.02), 0.8, 250)},
		{"64 kbit/s, 2 % random", alone(64, 900*ms, random(0.02), 0.75, 400)},
		{"512 kbit/s, 2 % random", alone(512, 400*ms, random(0.02), 0.8, 200)},
		{"256 kbit/s, 5 % in bursts of 6", alone(256, 400*ms, func(l *link) { l.jitter, l.burst, l.burstLen = 40*ms, 0.05, 6 }, 0.68, 200)},
		{"256 kbit/s, 5 % in bursts, a thrifty encoder", thrifty(256, func(l *link) { l.jitter, l.burst, l.burstLen = 40*ms, 0.05, 6 })},
		{"128 kbit/s, 2 % random, a thrifty encoder", thrifty(128, random(0.02))},
		{"64 kbit/s, 2 % random, a thrifty encoder", thrifty(64, random(0.02))},
		{"256 kbit/s, 3 s of buffer", alone(256, 3000*ms, random(0), 0.8, 250)},
		{"256 kbit/s, 90 ms of buffer, 1 %", alone(256, 90*ms, random(0.01), 0.7, 100)},
		{"step 512, 96, 512 kbit/s, 2 %", stepped},
		{"outage of 30 s at 512 kbit/s", outage},
		{"mobile trace", mobile},
	}
}

func stepped(w *world) []outcome {
	l := w.newLink(512, 400*ms, 150*ms)
	l.rate = steps(0, 512e3, 40, 96e3, 80, 512e3)
	random(0.02)(l)
	f := w.newFlow(150*ms, l)
	f.begin()
	w.run(40 * time.Second)
	w.run(44 * time.Second)
	l.waits, l.in, l.dropped = nil, 0, 0
	w.run(80 * time.Second)
	narrow := outcome{
		what: "narrow part", use: between(f, 45, 80, 96e3), wait: pct(l.waits, 0.95), drop: float64(l.dropped) / float64(l.in),
		leastUse: 0.7, mostWait: 350, mostDrop: 0.03,
	}
	l.waits, l.in, l.dropped = nil, 0, 0
	w.run(120 * time.Second)
	back := "never"
	for i := 80; i < 120; i++ {
		if mean(f.carried[i:i+2]) > 0.8*512e3 {
			back = fmt.Sprintf("80 %% of it after %d s", i-80)
			break
		}
	}
	return []outcome{narrow, {
		what: "wide again", use: between(f, 95, 120, 512e3), wait: pct(l.waits, 0.95), drop: float64(l.dropped) / float64(l.in),
		note: back, leastUse: 0.8, mostWait: 200, mostDrop: 0.02,
	}}
}

func outage(w *world) []outcome {
	l := w.newLink(512, 400*ms, 150*ms)
	random(0.01)(l)
	l.down = func(t time.Duration) bool { return t > 40*time.Second && t < 70*time.Second }
	f := w.newFlow(150*ms, l)
	f.begin()
	w.run(70 * time.Second)
	low := f.e.Target()
	l.waits, l.in, l.dropped = nil, 0, 0
	w.run(100 * time.Second)
	return []outcome{{
		what: "after it", use: between(f, 75, 100, 512e3), wait: pct(l.waits, 0.95), drop: float64(l.dropped) / float64(l.in),
		note: fmt.Sprintf("%.0f kbit/s at its end", low/1000), leastUse: 0.55, mostWait: 200, mostDrop: 0.03,
	}}
}

// mobile wanders between 60 and 600 kbit/s, a new rate each two seconds, as
// seen from a car on a 3G network.
func mobile(w *world) []outcome {
	rates := []float64{250, 310, 180, 90, 60, 120, 240, 420, 600, 520, 380, 300, 340, 200, 110, 160, 290, 480, 350, 270,
		150, 80, 130, 210, 330, 450, 560, 400, 260, 190, 230, 310, 170, 100, 70, 140, 250, 370, 300, 280}
	l := w.newLink(0, 600*ms, 120*ms)
	l.rate = func(t time.Duration) float64 { return 1000 * rates[int(t.Seconds()/2)%len(rates)] }
	random(0.02)(l)
	f := w.newFlow(120*ms, l)
	f.begin()
	w.run(160 * time.Second)
	return []outcome{{
		use: between(f, 10, 160, 1000*mean(rates)), wait: pct(l.waits, 0.95), drop: float64(l.dropped) / float64(l.in),
		leastUse: 0.4, mostWait: 610, mostDrop: 0.12,
	}}
}
