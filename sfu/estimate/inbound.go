package estimate

import "time"

const (
	inboundFast    = 1.18 // growth, until the first sign of a full path
	inboundSlow    = 1.08
	inboundFirst   = 1200 * time.Millisecond // between two growths, fast
	inboundEvery   = 2 * time.Second         // the same, slow
	inboundHold    = 3 * time.Second         // after a cut
	inboundReact   = 1500 * time.Millisecond // until a limit is told, obeyed and seen, where no queue stands
	inboundEmpties = 1.5                     // times the queue that stands, besides
	inboundPatient = 4 * time.Second         // but no longer
	inboundUsed    = 0.8                     // of the limit, for more to be worth asking
	inboundLossy   = 0.1                     // share of packets lost from which it is asked whether the radio loses them
	inboundHeavies = 3                       // epochs of heavy loss that are no chance
	inboundLess    = 0.7                     // of what came through, for the answer
	inboundAsk     = time.Minute             // between two such questions
	inboundKnows   = 3                       // epochs in a row that lose as much, for it to be asked: a burst is one or two
	inboundAhead   = 1.3                     // times what was used that a limit may be: so far it is not tried
	inboundNear    = 3.0                     // the same over a short way, where a limit that was too high is taken back at once
	inboundLeap    = 1.5                     // growth there, fast
	inboundSoon    = 600 * time.Millisecond  // between two growths there, fast
	inboundUnused  = 8_000                   // bit/s unused that are no reason not to ask for more: a voice has no more to send
	inboundRoom    = 12_000                  // beyond what was used that a limit may be in any case: a few stills
	inboundWall    = 0.8                     // of the rate at which the path was last full
	inboundForget  = 30 * time.Second        // after which that rate is tried again
	inboundStands  = 700 * time.Millisecond  // of queue: a keyframe's is gone sooner, and no reason to send less
	inboundTried   = 300 * time.Millisecond  // the same where more was just tried
	inboundDeep    = 200.0                   // ms of queue that are reason at once
	inboundFollow  = 0.1                     // weight of the newest report in the smoothed rate
)

// Inbound is the estimate of a path at its receiving end. The sender is
// someone else, with a controller of its own, and can only be told a limit:
// trials of half a second are not to be had, so the limit grows slowly as long
// as what it allows arrives in time, falls at once when a queue stands in the
// path, and stays below where that happened. Its purpose is to keep the
// sender's own controller out of the trouble from which it is slow to recover.
// It is not safe for concurrent use.
type Inbound struct {
	min, max float64
	limit    float64

	delay delayFilter
	loss  lossModel
	rate  rateMeter

	used    float64 // smoothed rate of arrival
	fast    bool
	near    bool // the sender hears at once what it is told
	cutAt   time.Time
	react   time.Duration // from then, until it shows
	lossies int           // epochs in a row that lost more than inboundLossy
	askedAt time.Time     // when less was sent to see whether less is lost
	overAt  time.Time     // since when a queue stands; zero: none does
	next    time.Time     // earliest growth
	wall    float64       // rate at which the path was last full, 0: never
	wallAt  time.Time
	wallHit shown // that it carries no more
}

// NewInbound makes an estimate; the bounds are those of an Estimator.
func NewInbound(c Config) *Inbound {
	e := New(c)
	return &Inbound{min: e.min, max: e.max, limit: e.target, fast: true}
}

// Limit is what the sender should not exceed, bit/s of IP packets.
func (e *Inbound) Limit() float64 { return e.limit }

// Full says that the path showed twice within so long that it carries no more
// than Limit.
func (e *Inbound) Full(now time.Time, within time.Duration) bool { return e.wallHit.twice(now, within) }

// QueueDelay is how long packets wait in the path beyond its usual delay.
func (e *Inbound) QueueDelay() time.Duration {
	return time.Duration(max(0, e.delay.queue) * float64(time.Millisecond))
}

// RoundTrip tells how long the sender takes to hear of a limit and to be seen
// to obey it, without queues.
func (e *Inbound) RoundTrip(d time.Duration) { e.near = d > 0 && d < trialNear }

// OnArrivals takes what came since the last call, and what did not, in the
// order of departure. Sent is by the sender's clock, moved near ours.
func (e *Inbound) OnArrivals(now time.Time, packets []Packet) {
	if len(packets) == 0 {
		return
	}
	for _, p := range packets {
		if p.Size <= 0 || p.Size > 1<<16 {
			continue
		}
		e.rate.add(p)
		e.loss.add(p)
		if p.Arrived {
			e.delay.add(p)
		}
	}
	e.used += inboundFollow * (e.carried() - e.used)
	verdict := e.loss.judge(now, e.rate.sent(), e.delay.pressed())
	switch {
	case e.loss.sent > 0: // the epoch goes on
	case e.loss.last > inboundLossy:
		e.lossies++
	default:
		e.lossies = 0
	}
	e.decide(now, verdict)
}

// Beside takes bytes that came through the path and are in no packet of
// OnArrivals: they say how much is used, not how long it waited.
func (e *Inbound) Beside(now time.Time, arrival time.Duration, size int) {
	e.rate.add(Packet{Sent: now, Size: size, Arrived: true, Arrival: arrival})
}

// carried is what came through the bottleneck: what arrived, and what the
// radio lost behind it.
func (e *Inbound) carried() float64 { return e.rate.delivered() / (1 - e.loss.inherent) }

func (e *Inbound) decide(now time.Time, loss lossVerdict) {
	settled := now.Sub(e.cutAt) > e.react
	switch {
	case e.loss.inherent > inboundLossy && e.lossies >= inboundKnows && now.Sub(e.askedAt) > inboundAsk:
		// A radio loses as much when less is sent, a full queue does not: the
		// loss model is shown both.
		e.askedAt = now
		e.cut(now, min(e.limit, max(e.used, inboundLess*e.limit))*inboundLess)
	case loss == lossHeavy && e.loss.heavy >= inboundHeavies:
		e.cut(now, max(min(e.limit*(1-(e.loss.last-lossIgnored)/4), e.rate.delivered()), e.limit*inboundLess))
	case loss == lossCongestion && settled:
		fast := e.fast && e.used < usedUp*e.limit
		e.cut(now, e.lower(e.limit, lossCutTo))
		e.fast = fast
	case e.queued(now) && settled:
		e.full(now)
	case e.delay.pressed() || e.lossies >= inboundKnows || now.Before(e.next) || !e.wanted():
	default:
		e.grow(now)
	}
}

// wanted says that what is allowed is used, so that more is worth asking. Over a
// short way more is asked before: see trialNear.
func (e *Inbound) wanted() bool {
	return e.near || e.used >= min(inboundUsed*e.limit, e.limit-inboundUnused)
}

// lower is a rate, or what came through when that is less; of a sender who
// leaves part of its limit, what came says nothing of the path.
func (e *Inbound) lower(to, share float64) float64 {
	if e.used < usedUp*e.limit {
		return to
	}
	return max(min(to, e.used*share), to*inboundLess)
}

// queued says that a queue stands in the path, and not for a moment only.
func (e *Inbound) queued(now time.Time) bool {
	if !e.delay.over() {
		if !now.Before(e.overAt) {
			e.overAt = time.Time{}
		}
		return false
	}
	if e.overAt.IsZero() {
		e.overAt = now
	}
	if now.Before(e.overAt) {
		return false
	}
	stands := inboundStands
	if e.fast {
		stands = inboundTried
	}
	return now.Sub(e.overAt) >= stands || e.delay.queue > inboundDeep
}

// full answers a queue: less than what came through, so that it empties.
func (e *Inbound) full(now time.Time) {
	got := e.carried()
	if e.used < usedUp*e.limit {
		// What came says little of what the path carries, of a sender who has no
		// more or whose encoder lags.
		less, fast := max(min(e.limit, got)*cutTo, e.limit*inboundLess), e.fast
		if e.used >= inboundLess*e.limit {
			e.wall, e.wallAt = e.limit, now
			fast = false
		}
		e.cut(now, less)
		e.fast = fast // a keyframe was it, perhaps
		return
	}
	e.wall, e.wallAt = got, now
	e.cut(now, min(e.limit, got)*cutTo)
}

func (e *Inbound) cut(now time.Time, to float64) {
	e.limit = min(max(to, e.min), e.max)
	e.wallHit.note(now)
	e.cutAt, e.next, e.fast = now, now.Add(inboundHold), false
	e.react = inboundReact + min(time.Duration(inboundEmpties*float64(e.QueueDelay())), inboundPatient)
	e.overAt = now.Add(e.react) // what stands until then is of before
	e.used = min(e.used, e.limit)
}

func (e *Inbound) grow(now time.Time) {
	known := e.wall > 0 && now.Sub(e.wallAt) < inboundForget
	by, wait := inboundSlow, inboundEvery
	if e.fast || known && e.limit < e.wall*inboundWall {
		by, wait = inboundFast, inboundFirst // new ground, or ground that carried before
	}
	ahead := inboundAhead
	if e.near {
		ahead = inboundNear
		if e.fast {
			by, wait = inboundLeap, inboundSoon
		}
	}
	to := min(e.limit*by, max(e.used*ahead, e.used+inboundRoom))
	if known {
		to = min(to, e.wall*inboundWall)
	}
	e.limit, e.next = min(max(to, e.limit), e.max), now.Add(wait)
}

// InherentLoss is the share that the path loses whatever is sent, 0 to 1.
func (e *Inbound) InherentLoss() float64 { return e.loss.inherent }
