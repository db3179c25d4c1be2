package sfu

import (
	"sync"
	"sync/atomic"
	"time"

	"sira/sfu/estimate"
	"sira/sfu/pace"
)

// downlink is the way to one peer: what it carries, and the gate through
// which pictures leave. Voice and repairs do not wait at the gate but are
// counted by it. Whoever finds the gate open sends, be it the goroutine of a
// publisher or of the peer's clock; nobody writes under the lock.
type downlink struct {
	gated atomic.Bool // the peer says what became of packets: there is an estimate
	told  told
	busy  atomic.Bool // something waits, or a trial wants packets: each turn of the clock counts

	mu       sync.Mutex
	est      *estimate.Estimator
	log      sentLog
	reports  []estimate.Packet // of one feedback
	acks     ackLog
	gate     *pace.Pacer[queued]
	draining bool
	lastSent time.Time
	heard    bool // feedback came
	rows     lossRows
	buf      []byte // of whoever drains

	ticked time.Time // of the clock
}

// idleTick is how often the estimate looks at the time while nothing waits. A
// little less than five turns of the clock, which come early or late.
const idleTick = 90 * time.Millisecond

// pressedBy is how long packets wait in a path that others feel.
const pressedBy = 80 * time.Millisecond

// queued is a packet that waits, in its inlet's ring.
type queued struct {
	o     *outlet
	in    *inlet
	ext   uint64
	leave bool // of a layer that is not for this subscriber
	last  bool // of the picture, as this subscriber gets it
}

func newDownlink(start float64) *downlink {
	return &downlink{
		est:  estimate.New(estimate.Config{Start: start}),
		gate: pace.New[queued](1),
		buf:  make([]byte, 0, 1600),
	}
}

// open turns the estimate on; the peer reads transport-wide numbers, or reports by
// RFC 8888.
func (d *downlink) open(now time.Time) {
	d.mu.Lock()
	if !d.gated.Load() {
		d.gate.Rate(now, d.est.Pace())
		d.gated.Store(true)
	}
	d.mu.Unlock()
}

// depart counts a packet that leaves now and gives it its number. waited is
// whether it came through the gate.
func (d *downlink) depart(size int, waited bool, now time.Time) uint16 {
	size += wireOverhead
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastSent = now
	if !waited {
		d.gate.Sent(now, size)
	}
	return d.log.note(size, now)
}

// left counts what leaves beside media.
func (d *downlink) left(size int, now time.Time) {
	d.mu.Lock()
	d.gate.Sent(now, size+wireOverhead)
	d.est.Beside(now, size+wireOverhead)
	d.mu.Unlock()
}

// hear takes the peer's feedback, an RTCP packet.
func (d *downlink) hear(fb []byte, now time.Time) {
	d.mu.Lock()
	d.reports = d.log.take(fb, d.reports[:0])
	d.learn(d.reports, now)
	d.mu.Unlock()
	d.drain(now)
}

// learn takes what became of packets. The lock is held.
func (d *downlink) learn(pkts []estimate.Packet, now time.Time) {
	if len(pkts) == 0 {
		return
	}
	d.est.OnReport(now, pkts)
	d.rows.add(pkts)
	d.told.hear(pkts)
	d.heard = true
	d.gate.Rate(now, d.est.Pace())
}

// tick keeps the estimate and the gate going. It returns whether a trial
// could use packets.
func (d *downlink) tick(now time.Time) (filler bool) {
	if !d.gated.Load() || !d.busy.Load() && now.Sub(d.ticked) < idleTick {
		return false
	}
	d.ticked = now
	d.mu.Lock()
	d.est.Tick(now, d.lastSent)
	d.gate.Rate(now, d.est.Pace())
	d.mu.Unlock()
	d.drain(now)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.est.Trying() && d.gate.Idle(now)
}

// room says whether one more packet of filler may leave.
func (d *downlink) room(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gate.Idle(now)
}

// known is the estimate, bit/s, and whether it rests on anything heard.
func (d *downlink) known() (bps float64, heard bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.est.Target(), d.heard
}

// loss is the share that the path loses by itself, 0 to 1.
func (d *downlink) loss() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.est.InherentLoss()
}

// pressed says that something waits in the path.
func (d *downlink) pressed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.est.QueueDelay() > pressedBy
}

// lossInRows is the same where packets are lost in rows, else 0.
func (d *downlink) lossInRows() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rows.of(d.est.InherentLoss())
}

// demand tells the estimate how much is worth finding out.
func (d *downlink) demand(bps float64) {
	d.mu.Lock()
	d.est.Demand(bps)
	d.mu.Unlock()
}

func (d *downlink) push(now time.Time, items ...pace.Item[queued]) {
	d.queue(now, items)
	d.drain(now)
}

// queue is push for who holds the lock of an outlet, and drains later.
func (d *downlink) queue(now time.Time, items []pace.Item[queued]) {
	d.mu.Lock()
	for _, it := range items {
		d.gate.Push(now, 0, it)
	}
	d.mu.Unlock()
}

// pass is push for a packet that is at hand still: when it need not wait it is
// not fetched from its ring.
func (d *downlink) pass(now time.Time, it pace.Item[queued], p *packet) {
	d.mu.Lock()
	d.gate.Push(now, 0, it)
	d.mu.Unlock()
	d.drainWith(now, it.Value.in, p)
}

// drop forgets what waits for an outlet.
func (d *downlink) drop(o *outlet) {
	d.mu.Lock()
	d.gate.Drop(o.index)
	d.mu.Unlock()
}

// drain sends what the gate lets through, unless someone does already.
func (d *downlink) drain(now time.Time) { d.drainWith(now, nil, nil) }

func (d *downlink) drainWith(now time.Time, in *inlet, hand *packet) {
	d.mu.Lock()
	if d.draining {
		d.mu.Unlock()
		return
	}
	d.draining = true
	for {
		it, fate := d.gate.Pop(now)
		if fate == pace.Wait {
			break
		}
		q := it.Value
		if fate == pace.Stale {
			d.gate.Drop(it.Stream)
		}
		d.mu.Unlock()
		switch {
		case fate == pace.Stale:
			q.o.beginAnew(q.in, now)
		case fate == pace.Leave || q.leave:
			q.o.leaveOut(q.in, q.ext, now)
		case q.in == in && q.ext == hand.ext:
			if q.last && !hand.marker {
				p := *hand // it is others' too
				p.marker = true
				q.o.deliver(q.in, &p, true, now)
			} else {
				q.o.deliver(q.in, hand, true, now)
			}
		default:
			if p, ok := q.in.fetch(q.ext, d.buf); ok {
				d.buf = p.payload[:0]
				p.marker = p.marker || q.last
				q.o.deliver(q.in, &p, true, now)
			}
		}
		d.mu.Lock()
	}
	d.draining = false
	d.busy.Store(!d.gate.Empty() || d.est.Trying())
	d.mu.Unlock()
}
