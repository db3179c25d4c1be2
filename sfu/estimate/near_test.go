package estimate

import (
	"testing"
	"time"
)

// TestNearPath: a viewer beside the server is not kept waiting for steps that
// are made for thin links; a thin link that is as near is found out in time.
func TestNearPath(t *testing.T) {
	simulate(t, 11, func(w *world) {
		l := w.newLink(4000, 300*ms, 10*ms)
		f := w.newFlow(10*ms, l)
		f.begin()
		w.run(6 * time.Second)
		if got := f.e.Target(); got < 700_000 {
			t.Errorf("%.0f kbit/s after 6 s", got/1000)
		}
	})
	simulate(t, 11, func(w *world) {
		l := w.newLink(128, 2*time.Second, 10*ms)
		f := w.newFlow(10*ms, l)
		f.begin()
		w.run(20 * time.Second)
		if got := pct(l.waits, 1); got > 450 {
			t.Errorf("%.0f ms of queue", got)
		}
		if got := f.e.Target(); got > 128_000 || got < 90_000 {
			t.Errorf("%.0f kbit/s of 128", got/1000)
		}
	})
}
