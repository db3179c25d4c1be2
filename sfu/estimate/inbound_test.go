package estimate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// told is a sender that follows a limit which it is told with the delay of the
// way back, and lags as encoders do.
type told struct {
	w       *world
	path    *link
	e       *Inbound
	limit   float64 // as it knows it
	most    float64 // of its camera, bit/s
	share   float64 // of what it may that it sends
	back    time.Duration
	rate    float64
	sent    []Packet
	taken   int
	arrived int
	carried []float64
	limits  []float64
}

func (s *told) begin() {
	s.carried = []float64{0}
	s.rate = s.limit / 2
	frames := 0
	s.w.each(time.Second/12, func() {
		s.rate += 0.2 * (min(s.limit*s.share, s.most) - s.rate)
		size := s.rate / 12 / 8 * math.Exp(0.25*s.w.rng.NormFloat64())
		if frames%360 == 0 {
			size *= 6 // a keyframe, sent at once
		}
		frames++
		for left := int(size); left > 0; left -= 1100 {
			s.send(min(left, 1100) + overhead)
		}
	})
	s.w.each(100*ms, s.report)
	s.w.each(time.Second, func() { s.carried, s.limits = append(s.carried, 0), append(s.limits, s.e.Limit()) })
}

func (s *told) send(size int) {
	n := len(s.sent)
	s.sent = append(s.sent, Packet{Sent: time.Now(), Size: size})
	s.path.send(size, func(bool) {
		s.sent[n].Arrived, s.sent[n].Arrival = true, s.w.since()
		s.arrived = max(s.arrived, n+1)
		s.carried[len(s.carried)-1] += float64(size) * 8
	})
}

func (s *told) report() {
	s.e.OnArrivals(time.Now(), s.sent[s.taken:s.arrived])
	s.taken = s.arrived
	limit := s.e.Limit()
	s.w.after(s.back, func() { s.limit = limit })
}

// TestInbound: a sender that is told a limit uses most of the path, does not
// fill its queue, and finds its way after a change.
func TestInbound(t *testing.T) {
	cases := []struct {
		name     string
		kbps     func(time.Duration) float64
		loss     float64 // below 0: of that share, in bursts of 6
		most     float64
		from, to int     // seconds measured
		least    float64 // share of the rate in that time
		mostWait float64 // ms, 90th percentile
	}{
		{"256 kbit/s, 2 % lost", steps(0, 256_000), 0.02, 1e6, 20, 90, 0.75, 250},
		{"128 kbit/s, 2 % lost", steps(0, 128_000), 0.02, 1e6, 20, 90, 0.75, 320},
		{"512 kbit/s, 2 % lost", steps(0, 512_000), 0.02, 1e6, 20, 90, 0.75, 280},
		{"64 kbit/s, 2 % lost", steps(0, 64_000), 0.02, 1e6, 20, 90, 0.65, 400},
		{"256 kbit/s, 8 % lost", steps(0, 256_000), 0.08, 1e6, 20, 90, 0.65, 300},
		{"256 kbit/s, 5 % lost in bursts", steps(0, 256_000), -0.05, 1e6, 20, 90, 0.6, 320},
		{"256, from the 40th second 128", steps(0, 256_000, 40, 128_000), 0.02, 1e6, 50, 90, 0.7, 320},
		{"128, from the 40th second 512", steps(0, 128_000, 40, 512_000), 0.02, 1e6, 100, 140, 0.65, 280},
		{"a camera that needs 90", steps(0, 256_000), 0.02, 90_000, 20, 90, 0.28, 60},
	}
	var b strings.Builder
	for _, c := range cases {
		simulate(t, 11, func(w *world) {
			l := w.newLink(0, 400*ms, 150*ms)
			l.rate, l.jitter, l.loss = c.kbps, 40*ms, func(time.Duration) float64 { return max(0, c.loss) }
			l.burst, l.burstLen = max(0, -c.loss), 6
			s := &told{w: w, path: l, e: NewInbound(Config{Start: 95_000}), limit: 95_000, most: c.most, share: 1, back: 150 * ms}
			s.begin()
			w.run(time.Duration(c.from) * time.Second)
			l.waits, l.in, l.dropped = nil, 0, 0
			w.run(time.Duration(c.to) * time.Second)
			use := mean(s.carried[c.from:c.to]) / c.kbps(time.Duration(c.to)*time.Second)
			fmt.Fprintf(&b, "\n%-32s use %3.0f %%, queue p90 %3.0f ms, dropped %.1f %%", c.name, 100*use, pct(l.waits, 0.9), 100*float64(l.dropped)/float64(l.in))
			if use < c.least || pct(l.waits, 0.9) > c.mostWait {
				t.Errorf("%s: use %.2f of %.2f, queue %.0f of %.0f ms; limits %.0f", c.name, use, c.least, pct(l.waits, 0.9), c.mostWait, s.limits)
			}
		})
	}
	t.Log(b.String())
}

// TestInboundBounds: whatever it is told, the limit stays within its bounds.
func TestInboundBounds(t *testing.T) {
	e := NewInbound(Config{Start: 50_000, Min: 20_000, Max: 200_000})
	now := time.Now()
	for i := range 2000 {
		now = now.Add(100 * ms)
		p := Packet{Sent: now, Size: i % 70_000, Arrived: i%7 > i/400, Arrival: time.Duration(i*i) * ms}
		e.OnArrivals(now, []Packet{p, {}, {Sent: now.Add(time.Hour), Size: -5, Arrived: true}})
		if l := e.Limit(); math.IsNaN(l) || l < 20_000 || l > 200_000 {
			t.Fatalf("limit %f", l)
		}
	}
}

// TestInboundHeavyLoss: a path that loses four in ten, whatever the delay, is
// sent less and less.
func TestInboundHeavyLoss(t *testing.T) {
	e := NewInbound(Config{Start: 200_000, Min: 20_000})
	from := time.Now()
	for i := range 300 { // half a minute
		var pkts []Packet
		for j := range 5 {
			at := time.Duration(i)*100*ms + time.Duration(j)*20*ms
			pkts = append(pkts, Packet{Sent: from.Add(at), Size: 500, Arrived: (i*5+j)%5 > 1, Arrival: at + 50*ms})
		}
		e.OnArrivals(from.Add(time.Duration(i+1)*100*ms), pkts)
	}
	// The question of the loss alone takes three tenths, once.
	if got := e.Limit(); got > 100_000 {
		t.Errorf("limit %.0f", got)
	}
}

// TestInboundUnused: of a sender who leaves part of its limit, what came says
// nothing of the path; of one who does not, it does, down to seven tenths.
func TestInboundUnused(t *testing.T) {
	for _, c := range []struct{ used, want float64 }{{50_000, 100_000}, {84_000, 100_000}, {90_000, 87_300}, {100_000, 97_000}} {
		e := NewInbound(Config{Start: 100_000})
		e.used = c.used
		if got := e.lower(100_000, lossCutTo); math.Abs(got-c.want) > 1 {
			t.Errorf("%.0f used of 100,000: lowered to %.0f, want %.0f", c.used, got, c.want)
		}
	}
	e := NewInbound(Config{Start: 100_000})
	e.used = 100_000
	if got := e.lower(300_000, lossCutTo); got != 300_000*inboundLess {
		t.Errorf("lowered to %.0f at once", got)
	}
}

// TestInboundCountsBeside: who sends stills by data channel beside a voice uses
// its limit, which grows.
func TestInboundCountsBeside(t *testing.T) {
	if got := voiceAnd(900, 30_000, 30*time.Second); got < 38_000 {
		t.Errorf("with stills a limit of %.0f", got)
	}
}

// TestInboundLeavesRoom: a voice alone, whose limit fell to what it sends and
// little more, gets room for some stills beside it, by which more can be
// found; not more than that.
func TestInboundLeavesRoom(t *testing.T) {
	for start, want := range map[float64][2]float64{20_000: {25_000, 31_000}, 24_000: {25_000, 31_000}, 60_000: {60_000, 60_000}} {
		if got := voiceAnd(0, start, time.Minute); got < want[0] || got > want[1] {
			t.Errorf("of %.0f became a limit of %.0f, want %.0f to %.0f", start, got, want[0], want[1])
		}
	}
}

// voiceAnd is the limit after a voice of 17 kbit/s and so many bytes beside it
// each 0.6 s.
func voiceAnd(beside int, start float64, lasts time.Duration) float64 {
	e := NewInbound(Config{Start: start})
	origin, seq := time.Unix(1000, 0), 0
	for at := time.Duration(0); at < lasts; at += 60 * time.Millisecond {
		now := origin.Add(at)
		e.OnArrivals(now, []Packet{{Sent: now, Size: 128, Arrived: true, Arrival: at}})
		if seq++; beside > 0 && seq%10 == 0 {
			e.Beside(now, at, beside)
		}
	}
	return e.Limit()
}

// TestInboundNear: who is beside us and was asked for little may send much as
// soon as it is asked for; where a short way is thin after all, that shows.
func TestInboundNear(t *testing.T) {
	for _, c := range []struct {
		kbps, least, most float64 // of the path and of the limit
	}{{10_000_000, 180_000, 300_000}, {128_000, 80_000, 300_000}} {
		simulate(t, 5, func(w *world) {
			l := w.newLink(c.kbps/1000, 400*ms, 5*ms)
			s := &told{w: w, path: l, e: NewInbound(Config{Start: 95_000}), limit: 95_000, most: 60_000, share: 1, back: 5 * ms}
			s.e.RoundTrip(10 * ms)
			s.begin()
			w.run(6 * time.Second)
			if got := s.e.Limit(); got < c.least || got > c.most {
				t.Errorf("%.0f kbit/s, 60 used: a limit of %.0f, want %.0f to %.0f", c.kbps/1000, got/1000, c.least/1000, c.most/1000)
			}
			s.most = 1e6
			l.waits = nil
			w.run(40 * time.Second)
			if use, wait := mean(s.carried[8:40])/min(c.kbps, 1e6), pct(l.waits, 0.9); use < 0.6 || wait > 370 {
				t.Errorf("%.0f kbit/s: used %.2f, queue p90 %.0f ms", c.kbps/1000, use, wait)
			}
		})
	}
}

// TestInboundBurst: a radio that loses in bursts is not asked by sending a half
// whether it does; that would be stills for a minute.
func TestInboundBurst(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		simulate(t, seed, func(w *world) {
			l := w.newLink(256, 400*ms, 150*ms)
			l.jitter, l.burst, l.burstLen = 40*ms, 0.05, 6
			s := &told{w: w, path: l, e: NewInbound(Config{Start: 95_000}), limit: 95_000, most: 1e6, share: 0.9, back: 150 * ms}
			s.begin()
			w.run(50 * time.Second)
			if low := slices.Min(s.limits); low < 60_000 {
				t.Errorf("seed %d: a limit of %.0f of 256,000", seed, low)
			}
		})
	}
}

// TestInboundLeavesSome: a sender who leaves a sixth of each limit, as encoders
// do, finds most of a path within 12 seconds, and once its queue showed where
// the path ends, stays below.
func TestInboundLeavesSome(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		simulate(t, seed, func(w *world) {
			l := w.newLink(256, 3*time.Second, 80*ms)
			l.jitter, l.loss = 10*ms, func(time.Duration) float64 { return 0.002 }
			s := &told{w: w, path: l, e: NewInbound(Config{Start: 95_000}), limit: 95_000, most: 1e6, share: 0.84, back: 150 * ms}
			s.begin()
			w.run(12 * time.Second)
			if got := s.e.Limit(); got < 200_000 {
				t.Errorf("seed %d: after 12 s a limit of %.0f of 256,000", seed, got)
			}
			w.run(30 * time.Second)
			l.waits = nil
			w.run(60 * time.Second)
			if use, wait := mean(s.carried[30:60])/256_000, pct(l.waits, 0.9); use < 0.65 || wait > 250 {
				t.Errorf("seed %d: used %.2f, queue p90 %.0f ms; limits %.0f", seed, use, wait, s.limits)
			}
		})
	}
}

// TestInboundFirstKeyframe: the picture with which a sender begins may stand in
// the queue before anything is known. That is no reason to take the path for
// thin, and none to go on slowly; the same queue of a sender who uses most of
// what it may is one.
func TestInboundFirstKeyframe(t *testing.T) {
	for _, c := range []struct {
		used float64
		thin bool
	}{{30_000, false}, {75_000, true}} {
		now := time.Now()
		e := NewInbound(Config{Start: 95_000})
		e.used = c.used
		e.full(now)
		if e.limit < 95_000*inboundLess || e.limit > 90_000 {
			t.Errorf("%.0f used of 95,000: a limit of %.0f after a queue", c.used, e.limit)
		}
		e.used = e.limit
		for range 6 {
			now = now.Add(inboundHold)
			e.grow(now)
			e.used = e.limit
		}
		if thin := e.limit < 80_000; thin != c.thin {
			t.Errorf("%.0f used of 95,000: a limit of %.0f a little later", c.used, e.limit)
		}
	}
}
