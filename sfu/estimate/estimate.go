// Package estimate finds how much one path can carry, from reports on which
// packets arrived when. It owns the judgement only: it sends nothing, reads
// no clock and knows neither RTP nor pion. Its answer is a function of the
// reports and times it is given, so that a minute on a bad link is simulated
// in a few milliseconds.
//
// Rates are bit/s of IP packets, delays are relative: the clocks of sender
// and receiver need not agree.
//
// The method, from the top: the path carries Target. To learn whether it
// carries more, a trial sends a little more for half a second; when neither
// delay nor loss answers, Target grows by what was shown to pass. When delay
// rises Target falls at once below what was delivered, and Pace below that
// until the queue is empty. Loss alone moves nothing as long as it looks like
// the radio's own: see lossModel.
package estimate

import (
	"math"
	"time"
)

// Config bounds an estimate. The zero value is usable.
type Config struct {
	Start float64 // first guess, bit/s; 0 is DefaultStart
	Min   float64 // never less; 0 is DefaultMin
	Max   float64 // never more; 0 is DefaultMax
}

// Bounds when nothing else is said.
const (
	DefaultStart = 96_000
	DefaultMin   = 20_000 // voice with its headers: the path is never silent
	DefaultMax   = 20_000_000
)

// Packet is one packet that was sent, and what the receiver said of it.
type Packet struct {
	Sent    time.Time
	Size    int // bytes with all headers
	Arrived bool
	Arrival time.Duration // by the receiver's clock, from any origin
	CE      bool          // marked by a router that is filling up (RFC 3168)
}

const (
	cutTo      = 0.85                   // of what was delivered, on overuse
	lossCutTo  = 0.97                   // of what was delivered, when more is lost
	drainTo    = 0.7                    // of the target, while a queue empties
	drainMost  = 3 * time.Second        // longest, whatever the delay says
	usedUp     = 0.85                   // of the target: less sent is a sender who has no more
	cutSpacing = 250 * time.Millisecond // beyond a round trip: a cut needs time to be seen
	drainGrace = 700 * time.Millisecond // the same while a queue empties, which takes its time

	heavies = 2 // epochs of heavy loss that are no burst of the radio's

	deepQueue   = 400.0 // ms
	deepSpacing = time.Second

	deafFor  = 10 * time.Second
	deafMost = 200.0 // ms of queue

	silenceAfter = 1200 * time.Millisecond // beyond a round trip, without reports on what is sent
	silenceCut   = time.Second             // between two cuts of a silent path
	resumeTo     = 0.6                     // of what there was before the silence
	resumeWithin = time.Minute
)

// Estimator is the estimate of one path. It is not safe for concurrent use.
type Estimator struct {
	min, max float64
	target   float64
	demand   float64

	delay delayFilter
	loss  lossModel
	rate  rateMeter
	trial trial

	rtt        time.Duration
	reported   time.Time // of the last report
	covered    time.Time // newest departure reported on
	lastCut    time.Time
	full       shown     // that it carries no more
	draining   time.Time // until when at most; zero: not
	cuts       int       // in a row, without a trial won between
	cutsFrom   float64   // target before the first of them
	cutsSince  time.Time
	silent     time.Time // since when the path says nothing; zero: it does
	silentAt   time.Time // last cut for that
	before     float64   // target before the silence
	deaf       time.Time // until when delay is not listened to
	ignoreTill time.Time // departures up to here say nothing about delay
}

// New makes an estimator.
func New(c Config) *Estimator {
	or := func(v, def float64) float64 {
		if v > 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
			return v
		}
		return def
	}
	e := &Estimator{min: or(c.Min, DefaultMin), max: or(c.Max, DefaultMax), demand: math.Inf(1)}
	e.max = max(e.max, e.min)
	e.target = e.clamp(or(c.Start, DefaultStart))
	e.trial.fast = true
	return e
}

func (e *Estimator) clamp(v float64) float64 {
	if math.IsNaN(v) {
		return e.min
	}
	return min(max(v, e.min), e.max)
}

// Target is what the path is believed to carry, bit/s: what may be allotted.
func (e *Estimator) Target() float64 { return e.target }

// Pace is the rate at which packets may leave now, bit/s: Target, more
// during a trial, less while a queue empties.
func (e *Estimator) Pace() float64 {
	switch {
	case !e.draining.IsZero():
		return max(e.min, e.target*drainTo)
	case e.trial.active:
		return e.target + e.trial.step
	}
	return e.target
}

// Trying says whether a trial wants packets now: when there is nothing
// better to send, a copy of something useful.
func (e *Estimator) Trying() bool { return e.trial.active && e.draining.IsZero() }

// Demand tells how much would be sent if the path were endless, bit/s. No
// trial is made for what nobody asks for.
func (e *Estimator) Demand(bps float64) {
	if !math.IsNaN(bps) {
		e.demand = bps
	}
}

// Full says that the path showed twice within so long that it carries no more
// than Target. False: it may carry more, or less was asked of it.
func (e *Estimator) Full(now time.Time, within time.Duration) bool { return e.full.twice(now, within) }

// QueueDelay is how long packets wait in the path beyond its usual delay.
func (e *Estimator) QueueDelay() time.Duration {
	return time.Duration(max(0, e.delay.queue) * float64(time.Millisecond))
}

// InherentLoss is the share that the path loses whatever is sent, 0 to 1.
func (e *Estimator) InherentLoss() float64 { return e.loss.inherent }

// Delivered is the rate at which packets lately arrived, bit/s.
func (e *Estimator) Delivered() float64 { return e.rate.delivered() }

// InOrder says whether the path is one of TCP: nothing is lost there and nothing
// overtakes. A packet that the radio lost comes later, and those behind it wait
// for it, which is no queue.
func (e *Estimator) InOrder(yes bool) { e.delay.inOrder = yes }

// Beside takes bytes, with all headers, that leave now and that no report will
// speak of: what goes by a data channel fills the path like any other.
func (e *Estimator) Beside(now time.Time, size int) {
	if size > 0 && size <= 1<<16 {
		e.rate.addBeside(now, size)
	}
}

// OnReport takes the packets that one feedback message speaks of, in the
// order in which they were sent. now is when the message arrived.
func (e *Estimator) OnReport(now time.Time, packets []Packet) {
	if len(packets) == 0 {
		return
	}
	e.wake(now, packets)
	marked := false
	for _, p := range packets {
		if p.Sent.After(now) || p.Size <= 0 || p.Size > 1<<16 {
			continue // not from this world
		}
		e.rate.add(p)
		e.loss.add(p)
		marked = marked || p.CE
		if p.Arrived && p.Sent.After(e.ignoreTill) {
			e.delay.add(p)
		}
		if p.Sent.After(e.covered) {
			e.covered = p.Sent
		}
	}
	if d := now.Sub(packets[len(packets)-1].Sent); d > 0 && d < 10*time.Second {
		if e.rtt == 0 {
			e.rtt = d
		}
		e.rtt += (d - e.rtt) / 8
	}
	e.reported = now
	verdict := e.loss.judge(now, e.rate.sent(), e.delay.pressed())
	e.decide(now, marked, verdict)
}

// decide moves the target. One report changes it at most once.
func (e *Estimator) decide(now time.Time, marked bool, loss lossVerdict) {
	if !e.draining.IsZero() && (now.After(e.draining) || e.delay.calm()) {
		e.draining = time.Time{}
	}
	over := e.delay.over() && !e.competing(now) || marked
	switch {
	case e.standing() && now.Sub(e.lastCut) > deepSpacing:
		e.cut(now)
	case loss == lossHeavy && e.loss.heavy < heavies:
	case loss == lossHeavy:
		// Beyond what any radio loses by itself: less, in proportion.
		e.trial.fail(now, true)
		e.full.note(now)
		e.target = e.clamp(e.target * (1 - (e.loss.last-lossIgnored)/4))
	case loss == lossCongestion:
		// Down to where a queue that is too short would lose nothing: then
		// the loss that stays is the radio's.
		e.trial.fail(now, true)
		e.lastCut = now
		e.full.note(now)
		next := min(e.target, e.rate.delivered()*lossCutTo)
		if e.rate.sent() < usedUp*e.target {
			next = max(next, usedUp*e.target) // or each loss would take what was not used besides
		}
		e.target = e.clamp(next)
	case over && (e.trial.active || e.trial.waiting):
		e.failTrial(now)
	case over && now.Sub(e.lastCut) > e.rtt+e.spacing():
		e.cut(now)
	case over:
	case e.trial.active:
		e.watchTrial(now)
	default:
		e.maybeTry(now)
	}
}

// cut answers a queue that grew without a trial: the path became narrower,
// or others came.
func (e *Estimator) cut(now time.Time) {
	if e.cuts == 0 {
		e.cutsFrom, e.cutsSince = e.target, now
	}
	e.cuts++
	e.lastCut = now
	e.full.note(now)
	got := e.carried()
	next := min(e.target, got) * cutTo
	switch sent := e.rate.sent(); {
	case sent < 0.6*e.target:
		// Little is known of a path that little was sent into.
		next = max(next, 0.7*e.target)
	case sent < usedUp*e.target:
		next = max(next, 0.8*e.target)
	}
	e.target = e.clamp(next)
	e.draining = now.Add(e.drainTime())
	if e.target < 0.7*e.cutsFrom {
		e.trial.recover(now)
	} else {
		e.trial.fail(now, false)
	}
	if !e.delay.inOrder && e.cuts >= 4 && now.Sub(e.cutsSince) > 3*time.Second && e.target < 0.65*e.cutsFrom && !e.delay.falling() {
		// Sending much less did not help: the delay is not of our making.
		// The way became longer, or someone else fills the queue: then who
		// yields gets nothing, and for a while only loss is listened to.
		e.delay.rebase()
		e.draining = time.Time{}
		e.cuts = 0
		e.deaf = now.Add(deafFor)
		e.target = e.clamp(e.cutsFrom / 2)
		e.trial.restart(now)
	}
}

// standing says that far more waits in a path of TCP than a trial could leave
// there. It is seen late, and a round trip through it takes as long as it is deep.
func (e *Estimator) standing() bool { return e.delay.inOrder && e.delay.queue > deepQueue }

// carried is what came through the bottleneck: what arrived, and what the
// radio lost behind it.
func (e *Estimator) carried() float64 { return e.rate.delivered() / (1 - e.loss.inherent) }

func (e *Estimator) spacing() time.Duration {
	if !e.draining.IsZero() {
		return drainGrace
	}
	return cutSpacing
}

// competing says that someone else's queue is in the way.
func (e *Estimator) competing(now time.Time) bool {
	return now.Before(e.deaf) && e.delay.queue < deafMost
}

// drainTime is how long the queue takes to empty at the draining rate.
func (e *Estimator) drainTime() time.Duration {
	d := e.QueueDelay()*2 + e.rtt
	return min(d, drainMost)
}

func (e *Estimator) failTrial(now time.Time) {
	got := e.carried()
	// Of a path into which less was sent than it carried before, this says
	// nothing but that it does not carry more.
	if got > 0 && got*0.95 < e.target && e.rate.sent() > usedUp*e.target {
		e.target = e.clamp(max(got*0.95, e.target*0.9))
	}
	e.lastCut = now
	e.full.note(now)
	e.draining = now.Add(e.drainTime())
	e.trial.fail(now, false)
}

// Tick is called some ten times a second; lastSent is when the last packet
// left. A path that is sent into and says nothing is taken for dead.
func (e *Estimator) Tick(now, lastSent time.Time) {
	if e.reported.IsZero() || now.Before(e.reported) {
		return
	}
	if e.trial.active {
		e.watchTrial(now)
	}
	// A single packet that nobody spoke of may just have been the last of
	// somebody who went away: the path is silent when it was sent into for long.
	quiet := lastSent.Sub(e.reported) > silenceAfter+e.rtt
	if !quiet {
		return
	}
	if e.silent.IsZero() {
		e.silent, e.before = e.reported, e.target
		e.trial.stop()
	}
	if now.Sub(e.silentAt) > silenceCut {
		e.silentAt = now
		e.target = e.clamp(e.target / 2)
	}
}

// wake ends a silence: what was known before it is worth something still.
func (e *Estimator) wake(now time.Time, packets []Packet) {
	if e.silent.IsZero() {
		return
	}
	any := false
	for _, p := range packets {
		any = any || p.Arrived
	}
	if !any {
		return
	}
	if now.Sub(e.silent) < resumeWithin {
		e.target = e.clamp(max(e.target, e.before*resumeTo))
	}
	// What waited out the silence in a queue would be taken for a delay.
	e.ignoreTill = now.Add(-e.rtt / 2)
	e.delay.flush()
	e.loss.flush()
	e.rate = rateMeter{beside: e.rate.beside}
	e.silent, e.draining = time.Time{}, time.Time{}
	e.cuts = 0
	e.trial.restart(now)
}
