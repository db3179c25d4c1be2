package estimate

import "time"

// A trial sends a little more for a moment.
const (
	trialShare  = 0.12 // of the target
	trialFast   = 0.25 // the same, after trials that passed
	trialLeast  = 6_000
	trialMost   = 60_000
	trialLast   = 500 * time.Millisecond
	trialHold   = 3 * time.Second // after one that failed; doubles
	trialAgain  = time.Second
	trialHeld   = 6 * time.Second
	trialLoss   = 3500 * time.Millisecond // after one that failed by loss only: it may be the radio's
	trialExpect = 0.55                    // share of the delay that a full path would show

	// Where the answer comes at once little can be spoilt, and thin links are
	// seldom so near: in steps of a quarter a viewer beside the server would see
	// pictures that waited for ten seconds.
	trialNear     = 60 * time.Millisecond // of round trip
	trialNearMost = 600_000               // of a step, which doubles
)

type trial struct {
	active  bool
	waiting bool // all sent, the reports not yet here
	fast    bool
	step    float64
	began   time.Time
	ends    time.Time
	queue   float64 // before
	next    time.Time
	fails   int
	wins    int
}

func (t *trial) stop() { t.active, t.waiting = false, false }

func (t *trial) restart(now time.Time) {
	t.stop()
	t.fast, t.fails, t.wins = true, 0, 0
	t.next = now.Add(trialLast)
}

// recover follows a cut: what narrowed the path may be gone again.
func (t *trial) recover(now time.Time) {
	t.stop()
	t.fast, t.fails, t.wins = true, 1, 0
	t.next = now.Add(trialAgain)
}

func (t *trial) fail(now time.Time, byLoss bool) {
	t.stop()
	t.wins = 0
	if t.fast && !byLoss && t.fails == 0 {
		t.next = now.Add(trialAgain) // one failure may be chance
		t.fails = 1
		return
	}
	t.fast = false
	if byLoss {
		t.next = now.Add(trialLoss)
		return
	}
	t.next = now.Add(min(trialHold<<min(t.fails, 4), trialHeld))
	t.fails++
}

// maybeTry begins a trial when the time has come and someone wants more.
func (e *Estimator) maybeTry(now time.Time) {
	t := &e.trial
	if t.waiting {
		e.watchTrial(now)
		return
	}
	if now.Before(t.next) || e.demand <= e.target || e.target >= e.max ||
		!e.draining.IsZero() || !e.delay.ready() || e.delay.pressed() && !e.competing(now) {
		return
	}
	share := trialShare
	if t.fast || t.wins >= 2 {
		share = trialFast
	}
	step := min(max(e.target*share, trialLeast), trialMost)
	if t.fast && t.fails == 0 && e.rtt < trialNear {
		step = min(e.target, trialNearMost)
	}
	*t = trial{
		active: true, fast: t.fast, fails: t.fails, wins: t.wins, next: t.next,
		step:  step,
		began: now, ends: now.Add(trialLast), queue: e.delay.queue,
	}
}

// watchTrial ends the sending, then waits for the reports on all of it.
func (e *Estimator) watchTrial(now time.Time) {
	t := &e.trial
	if t.active && !now.Before(t.ends) {
		t.active, t.waiting = false, true
	}
	if !t.waiting || e.covered.Before(t.ends.Add(-trialLast/10)) {
		if t.waiting && now.Sub(t.ends) > 2*time.Second+2*e.rtt {
			t.stop() // nothing was sent in it
			t.next = now.Add(trialLast)
		}
		return
	}
	t.stop()
	// Had the path been full, the step would stand in its queue now.
	full := trialLast.Seconds() * 1000 * t.step / (e.target + t.step)
	if !e.competing(now) && e.delay.after() > t.queue+max(trialExpect*full, 0.9*e.delay.noise) {
		e.failTrial(now)
		return
	}
	shown := e.rate.peak(t.began, t.ends)
	grown := e.clamp(min(e.target+t.step, max(e.target, shown*1.06)))
	won := grown > e.target
	e.target = grown
	if !won {
		t.next = now.Add(4 * trialLast) // nothing to send with it
		return
	}
	t.fails = 0
	t.wins++
	e.cuts = 0
}

// peak is the rate that was sent and arrived, but for what a radio loses,
// between two times of departure.
func (m *rateMeter) peak(from, to time.Time) float64 {
	bytes := m.besideIn(from, to)
	for _, p := range m.packets {
		if !p.Sent.Before(from) && p.Sent.Before(to) {
			bytes += p.Size
		}
	}
	return float64(bytes) * 8 / to.Sub(from).Seconds()
}
