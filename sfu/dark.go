package sfu

import (
	"sync/atomic"
	"time"
)

// darkAfter is so long nothing came, though something was asked for.
const darkAfter = 3 * time.Second

// dark is whether a camera is off: its track stays, and would keep a share that
// other pictures can use. The publisher is asked for what it was asked for last,
// so that it can begin again.
type dark struct{ atomic.Bool }

// spares says whether an outlet needs no share.
func (d *dark) spares(o *outlet) bool {
	if !d.Load() {
		return false
	}
	o.share.Store(-1)
	return true
}

// look is called by the publisher's clock.
func (in *inlet) look(now time.Time) {
	in.mu.Lock()
	last := in.rec.highAt
	in.mu.Unlock()
	asked := in.target.Kbps > 0 && !in.targetAt.IsZero() && now.Sub(in.targetAt) > darkAfter
	// A link that is cut is another matter, of which viewers are told.
	in.dark.Store(asked && in.peer.Connected() && now.Sub(last) > darkAfter)
}
