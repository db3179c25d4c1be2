package estimate

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// TestApplicationLimited: what was never sent is not believed in.
func TestApplicationLimited(t *testing.T) {
	simulate(t, 3, func(w *world) {
		l := w.newLink(5000, 300*ms, 100*ms)
		f := w.newFlow(100*ms, l)
		f.most, f.noFiller = 100_000, true
		f.begin()
		w.run(60 * time.Second)
		if got := f.e.Target(); got > 400_000 {
			t.Errorf("%.0f kbit/s after sending 100", got/1000)
		}
		if got := f.e.Target(); got < 110_000 {
			t.Errorf("%.0f kbit/s is less than what was sent and arrived", got/1000)
		}
	})
}

// TestNobodyAsks: without demand no trial is made.
func TestNobodyAsks(t *testing.T) {
	simulate(t, 3, func(w *world) {
		l := w.newLink(5000, 300*ms, 100*ms)
		f := w.newFlow(100*ms, l)
		f.e.Demand(90_000)
		f.begin()
		w.run(30 * time.Second)
		if got := f.e.Target(); got != DefaultStart {
			t.Errorf("%.0f bit/s, though nobody wanted more than the start", got)
		}
	})
}

// TestRememberedStart: a good start is used from the first second, a start
// far too high costs little time.
func TestRememberedStart(t *testing.T) {
	for _, start := range []float64{220_000, 2_000_000} {
		simulate(t, 5, func(w *world) {
			l := w.newLink(256, 400*ms, 150*ms)
			random(0.02)(l)
			f := w.newFlow(150*ms, l)
			f.e = New(Config{Start: start})
			f.begin()
			w.run(20 * time.Second)
			if got := mean(f.carried[1:6]); start < 256_000 && got < 150_000 {
				t.Errorf("%.0f kbit/s in the first seconds with a start of %.0f", got/1000, start/1000)
			}
			if got := mean(f.carried[10:20]); got < 130_000 {
				t.Errorf("%.0f kbit/s after ten seconds with a start of %.0f", got/1000, start/1000)
			}
		})
	}
}

// TestNeverSilent: at the end of a minute without a word the floor is left.
func TestNeverSilent(t *testing.T) {
	e := New(Config{})
	now := time.Unix(1_700_000_000, 0)
	e.OnReport(now.Add(100*time.Millisecond), []Packet{{Sent: now, Size: 100, Arrived: true}})
	for range 1200 {
		now = now.Add(50 * time.Millisecond)
		e.Tick(now, now)
	}
	if e.Target() != DefaultMin || e.Pace() < DefaultMin {
		t.Errorf("target %v, pace %v", e.Target(), e.Pace())
	}
}

// FuzzReports: whatever a receiver claims, the estimate stays within its
// bounds and the memory too.
func FuzzReports(f *testing.F) {
	f.Add([]byte("\x10\x00\x01\x20\x03\x40\x10\x00\x01\x20\x03\x40\x10\x00\x01\x20\x03\x40"))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := New(Config{Start: 200_000, Max: 3e6})
		now := time.Unix(1_700_000_000, 0)
		for round := range 40 {
			var pkts []Packet
			for i := 0; i+6 <= len(b) && len(pkts) < 3000; i += 6 {
				v := binary.BigEndian.Uint32(b[i:])
				pkts = append(pkts, Packet{
					Sent: now.Add(-time.Duration(v&0xfff) * time.Millisecond), Size: int(b[i+4]) * 8,
					Arrived: v&0x1000 != 0, CE: v&0x4000 != 0 && b[i+5] == 7,
					Arrival: time.Duration(int64(v)<<(b[i+5]%40)) + time.Duration(round)*100*time.Millisecond,
				})
			}
			now = now.Add(time.Duration(1+len(b)%300) * time.Millisecond)
			e.OnReport(now, pkts)
			e.Tick(now, now)
			for _, v := range []float64{e.Target(), e.Pace()} {
				if math.IsNaN(v) || v < DefaultMin || v > 3e6+trialMost {
					t.Fatalf("target %v, pace %v", e.Target(), e.Pace())
				}
			}
			if l := e.InherentLoss(); math.IsNaN(l) || l < 0 || l > lossIgnored {
				t.Fatalf("inherent loss %v", l)
			}
			if len(e.rate.packets) > meterMost+1 || len(e.delay.groups) > groupsKept {
				t.Fatal("memory grows")
			}
		}
	})
}

// TestNobodyToReportOn: a path into which nobody sends any more is not dead,
// also when its last packet was lost; one that was sent into is.
func TestNobodyToReportOn(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, x := range map[string]struct {
		last time.Duration // until when is sent, after the last report
		less bool
	}{
		"the last packet was lost": {100 * time.Millisecond, false},
		"sent into for long":       {4 * time.Second, true},
	} {
		e, now := New(Config{Start: 200_000}), begin
		for i := range 100 {
			now = begin.Add(time.Duration(i) * 20 * time.Millisecond)
			e.OnReport(now.Add(40*time.Millisecond), []Packet{{Sent: now, Size: 300, Arrived: true, Arrival: time.Duration(i) * 20 * time.Millisecond}})
		}
		was, reported := e.Target(), now.Add(40*time.Millisecond)
		for d := time.Duration(0); d < 3*time.Minute; d += 100 * time.Millisecond {
			e.Tick(reported.Add(d), reported.Add(min(d, x.last)))
		}
		if less := e.Target() < was/2; less != x.less {
			t.Errorf("%s: %.0f of %.0f bit/s", name, e.Target(), was)
		}
	}
}

// TestFullIsShownTwice: a path is not called full for one moment, and not for
// ever.
func TestFullIsShownTwice(t *testing.T) {
	var s shown
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.note(now)
	s.note(now.Add(time.Second)) // the same queue
	if s.twice(now.Add(2*time.Second), time.Minute) {
		t.Error("after one moment")
	}
	s.note(now.Add(10 * time.Second))
	if !s.twice(now.Add(11*time.Second), time.Minute) {
		t.Error("not after two")
	}
	if s.twice(now.Add(2*time.Minute), time.Minute) {
		t.Error("for ever")
	}
}
