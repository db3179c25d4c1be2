package estimate

import (
	"math"
	"time"
)

const (
	lossIgnored  = 0.15 // share that may be the radio's own
	lossEpoch    = time.Second
	lossMaxEpoch = 5 * time.Second
	lossPackets  = 20 // at least, to judge by
	lossMargin   = 0.02
	lossSpread   = 2.5              // standard deviations that chance may take
	lossFollow   = 0.15             // weight of the newest epoch
	lossMemory   = 30 * time.Second // after which half of what was seen counts
	lossStrikes  = 2                // epochs that must agree, without delay
	lossStays    = 0.6              // share of a loss that stays when less is sent: it is the radio's
	rungs        = 56               // of the ladder of rates
	rungRatio    = 1.15
	rungFirst    = 10_000.0 // bit/s
	rungsBelow   = 10       // how far down rates are comparable
)

type lossVerdict int

const (
	lossNothing    lossVerdict = iota // nothing new to say
	lossCongestion                    // more is lost because more is sent
	lossHeavy                         // at any rate more is lost than can be ignored
)

// lossModel tells the loss of a radio from that of a full queue. The first is
// there at any rate and any delay; it is learnt as inherent and ignored. The
// second comes with delay, or when more is sent: what each rate lost is
// remembered for a while, and a rate that loses more than those below it is
// too much. When less is sent then and as much is lost, it was the radio
// after all, which has become worse.
type lossModel struct {
	inherent float64
	spread   float64 // variance of epochs around it
	last     float64 // loss of the last epoch
	epochs   int
	rung     [rungs]rungLoss

	cutAt   float64 // loss at which the rate was cut; 0: not on trial
	strikes int     // epochs in a row
	heavy   int     // epochs in a row that lost more than can be ignored: a burst of the radio is one
	wait    int     // epochs until the cut can be seen

	from       time.Time
	sent, lost int
}

// rungLoss is what a rate lost.
type rungLoss struct {
	loss   float64
	weight float64 // packets seen, fading
	at     time.Time
}

// above says that a rate, over all that was seen of it, loses more than
// usual; spread is the variance of epochs of n packets.
func (r *rungLoss) above(usual, spread, n float64) bool {
	if r.weight < 2*n {
		return false
	}
	chance := math.Sqrt(max(usual, 0.005)/r.weight + min(spread, 0.02)*n/r.weight)
	return r.loss > usual+lossMargin+lossSpread*chance
}

func (r *rungLoss) fade(now time.Time) {
	if r.weight > 0 {
		r.weight *= math.Exp2(-now.Sub(r.at).Seconds() / lossMemory.Seconds())
	}
	r.at = now
}

func (l *lossModel) add(p Packet) {
	if l.sent == 0 {
		l.from = p.Sent
	}
	l.sent++
	if !p.Arrived {
		l.lost++
	}
}

func (l *lossModel) flush() { l.sent, l.lost = 0, 0 }

func rungOf(rate float64) int {
	if rate <= rungFirst {
		return 0
	}
	return min(int(math.Log(rate/rungFirst)/math.Log(rungRatio)), rungs-1)
}

// below is what the rates below lose, false when nothing is known of them.
func (l *lossModel) below(at int, now time.Time) (float64, bool) {
	sum, weight := 0.0, 0.0
	for i := max(0, at-rungsBelow); i < at; i++ {
		r := &l.rung[i]
		r.fade(now)
		sum += r.loss * r.weight
		weight += r.weight
	}
	if weight < lossPackets {
		return 0, false
	}
	return sum / weight, true
}

// judge closes an epoch when there is enough to judge by. rate is what is
// sent now, pressed whether there is delay.
func (l *lossModel) judge(now time.Time, rate float64, pressed bool) lossVerdict {
	age := now.Sub(l.from)
	if l.sent == 0 || age < lossEpoch || l.sent < lossPackets && age < lossMaxEpoch {
		return lossNothing
	}
	n := float64(l.sent)
	l.last = float64(l.lost) / n
	l.flush()
	at := rungOf(rate)
	usual, known := l.below(at, now)
	if !known {
		usual = l.inherent
	}
	limit := usual + lossMargin + lossSpread*math.Sqrt(max(usual, 0.005)/n+min(l.spread, 0.02))
	more := l.last > limit || l.rung[at].above(usual, l.spread, n)
	if l.cutAt > 0 {
		if l.wait--; l.wait >= 0 {
			return lossNothing
		}
		stays := l.last > lossStays*l.cutAt
		l.cutAt = 0
		if stays && !pressed {
			l.relearn(now)
			more = false
		}
	}
	if more && !pressed && known {
		// A burst of a fading radio looks like this once, a full queue again
		// and again.
		l.strikes++
	} else {
		l.strikes = 0
	}
	if more && (pressed || l.strikes >= lossStrikes) {
		l.strikes = 0
		l.note(at, n, now)
		l.cutAt, l.wait = l.last, 1
		return lossCongestion
	}
	l.note(at, n, now)
	l.learn()
	if l.last > lossIgnored+lossSpread*math.Sqrt(lossIgnored/n) {
		l.heavy++
		return lossHeavy
	}
	l.heavy = 0
	return lossNothing
}

func (l *lossModel) note(at int, n float64, now time.Time) {
	r := &l.rung[at]
	r.fade(now)
	r.loss = (r.loss*r.weight + l.last*n) / (r.weight + n)
	r.weight += n
}

func (l *lossModel) learn() {
	w := max(lossFollow, 1/float64(l.epochs+1))
	l.epochs++
	d := l.last - l.inherent
	l.spread += w * (d*d - l.spread)
	l.inherent = min(l.inherent+w*d, lossIgnored)
}

// relearn takes the present loss for that of every rate.
func (l *lossModel) relearn(now time.Time) {
	for i := range l.rung {
		l.rung[i] = rungLoss{loss: l.last, weight: min(l.rung[i].weight, 2*lossPackets), at: now}
	}
	l.inherent = min(l.last, lossIgnored)
}
