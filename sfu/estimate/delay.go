package estimate

import (
	"math"
	"slices"
	"time"
)

const (
	groupSpan     = 100 * time.Millisecond // of departures judged together
	groupsKept    = 200                    // 20 s
	groupsBase    = 0.1                    // quantile taken for the empty path
	baseBelow     = 1.28                   // standard deviations that quantile lies below the mean
	groupsNoise   = 60                     // 6 s
	stepSigma     = 1.05                   // standard deviation of a group for a median step of 1
	delayLeast    = 30.0                   // ms of queue that are never too much
	delayNoise    = 1.4                    // times the path's own jitter, on top
	delayMost     = 150.0                  // ms that are always too much
	queueFollow   = 0.35                   // weight of the newest group
	trendGroups   = 6
	inOrderGroups = 7 // longer than it takes to send a packet again
	inOrderTrial  = 3 // the end of a trial, and nothing from before it
)

// delayFilter finds the delay of the queue in the delay of packets: how much
// longer they take than when the path was empty, and whether that grows. What
// a radio link adds by itself from one moment to the next is measured too,
// and what is within it is not called a queue.
type delayFilter struct {
	groups  []float64 // mean transit of each, ms, oldest first
	sorted  ordered   // the same
	steps   ordered   // from each of the last groupsNoise groups to the next
	sum     float64
	least   float64
	n       int
	inOrder bool // packets come in order, each lost one after it was sent again
	from    time.Time
	origin  time.Time // of transit times
	known   bool

	base  float64 // transit of the empty path
	queue float64 // smoothed transit beyond base
	noise float64 // standard deviation of a group on the empty path
	slope float64 // ms a group
}

func (d *delayFilter) add(p Packet) {
	if !d.known {
		d.known, d.origin, d.from = true, p.Sent, p.Sent
	}
	transit := float64(p.Arrival-p.Sent.Sub(d.origin)) / float64(time.Millisecond)
	if len(d.groups) > 0 && math.Abs(transit-d.groups[len(d.groups)-1]) > 60_000 {
		*d = delayFilter{inOrder: d.inOrder} // the receiver's clock was set
		d.add(p)
		return
	}
	if age := p.Sent.Sub(d.from); d.n > 0 && (age > groupSpan || age < -groupSpan) {
		d.close()
	}
	if d.n == 0 {
		d.from, d.least = p.Sent, transit
	}
	d.sum += transit
	d.least = min(d.least, transit)
	d.n++
}

func (d *delayFilter) close() {
	g := d.sum / float64(d.n)
	if d.inOrder {
		g = d.least
	}
	d.sum, d.n = 0, 0
	if len(d.groups) == groupsKept {
		d.sorted.drop(d.groups[0])
		d.groups = append(d.groups[:0], d.groups[1:]...)
	}
	d.groups = append(d.groups, g)
	d.sorted.add(g)
	d.spread()
	d.base = d.empty()
	if d.inOrder {
		d.queue = d.quickest(inOrderGroups)
		return
	}
	d.queue += queueFollow * (g - d.base - d.queue)
	d.slope = trend(d.groups[max(0, len(d.groups)-trendGroups):])
}

// empty is the transit of the empty path.
func (d *delayFilter) empty() float64 {
	low := d.sorted.quantile(groupsBase)
	if d.inOrder {
		return low // groups are their quickest packets already
	}
	return low + baseBelow*d.noise
}

// quickest is what even the quickest of the last groups met: of a path where
// packets wait for one that was lost, that is what stands in its queue.
func (d *delayFilter) quickest(groups int) float64 {
	if len(d.groups) == 0 {
		return 0
	}
	return slices.Min(d.groups[max(0, len(d.groups)-groups):]) - d.base
}

// after is the queue that a trial left, whose last packets were just seen.
func (d *delayFilter) after() float64 {
	if d.inOrder {
		return d.quickest(inOrderTrial)
	}
	return d.queue
}

// spread measures the jitter of groups by the median step between
// neighbours, which a queue that builds for a second does not move.
func (d *delayFilter) spread() {
	n := len(d.groups)
	if n > 1 {
		d.steps.add(d.step(n - 1))
	}
	if n > groupsNoise {
		d.steps.drop(d.step(n - groupsNoise))
	}
	if n >= 8 {
		d.noise = stepSigma * d.steps.v[len(d.steps.v)/2]
	}
}

// step is from one group to that of an index.
func (d *delayFilter) step(i int) float64 { return math.Abs(d.groups[i] - d.groups[i-1]) }

// again sorts anew, after groups were left out.
func (d *delayFilter) again() {
	d.sorted.fill(d.groups)
	d.steps.v = d.steps.v[:0]
	for i := max(1, len(d.groups)-groupsNoise+1); i < len(d.groups); i++ {
		d.steps.add(d.step(i))
	}
}

// ready says that enough was seen to judge.
func (d *delayFilter) ready() bool { return len(d.groups) >= 10 }

// limit is how much delay is too much, ms.
func (d *delayFilter) limit() float64 {
	return min(delayLeast+delayNoise*d.noise, delayMost)
}

// over says that a queue stands in the path, or is surely coming.
func (d *delayFilter) over() bool {
	if !d.ready() {
		return false
	}
	l := d.limit()
	return d.queue > l || d.queue > l/2 && d.slope*3 > l
}

// pressed says that there is some queue.
func (d *delayFilter) pressed() bool { return d.queue > d.limit()*0.5 }

// calm says that the queue is gone.
func (d *delayFilter) calm() bool { return d.queue < d.limit()*0.35 && d.slope < delayLeast/3 }

// falling says that a queue empties, over the last second.
func (d *delayFilter) falling() bool {
	return trend(d.groups[max(0, len(d.groups)-10):]) < -max(3, d.noise/6)
}

// rebase takes the delay of the last two seconds for that of the empty path.
func (d *delayFilter) rebase() {
	d.groups = append(d.groups[:0], d.groups[max(0, len(d.groups)-20):]...)
	d.again()
	if len(d.groups) > 0 {
		d.base = d.empty()
	}
	d.queue, d.slope = 0, 0
}

// flush forgets the present but not what the path is like.
func (d *delayFilter) flush() { d.sum, d.n, d.queue, d.slope = 0, 0, 0, 0 }

// trend is the least-squares slope, a step.
func trend(y []float64) float64 {
	n := float64(len(y))
	if n < 3 {
		return 0
	}
	mx := (n - 1) / 2
	var my, num, den float64
	for _, v := range y {
		my += v / n
	}
	for i, v := range y {
		dx := float64(i) - mx
		num += dx * (v - my)
		den += dx * dx
	}
	return num / den
}
