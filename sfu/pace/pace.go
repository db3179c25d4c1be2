// Package pace lets packets leave one path at the rate that it carries. It
// owns the waiting: who waits behind whom, and what has waited too long. It
// sends nothing itself and reads no clock. What must not wait (voice,
// repairs) does not come here: it leaves and is told with Sent.
package pace

import "time"

// Fate is what becomes of an item.
type Fate int

// Fates.
const (
	Wait  Fate = iota // nothing may leave now
	Send              // send it
	Leave             // too late, nothing depends on it: leave the packet out
	Stale             // so late that its stream had better begin anew
)

// Item is one packet that waits.
type Item[T any] struct {
	Value   T
	Size    int    // bytes
	Stream  int    // whose
	Frame   uint64 // which frame of the stream
	Free    bool   // no other frame needs this one
	arrived time.Time
}

const (
	burst = 40 * time.Millisecond  // of the rate, that may leave at once
	debt  = 500 * time.Millisecond // of the rate, that voice may leave behind
	mtu   = 1500

	late  = 300 * time.Millisecond  // for a frame that nothing depends on
	stale = 1500 * time.Millisecond // for any
)

// queueMost bounds a queue, in packets.
const queueMost = 2048

// Pacer is the gate of one path. It is not safe for concurrent use.
type Pacer[T any] struct {
	rate   float64 // bit/s; 0: everything leaves at once
	tokens float64 // bytes
	at     time.Time
	queues []line[T] // by class

	leaving map[int]uint64 // the frame that is being left out, by stream
	started map[int]uint64 // the frame of which something was sent
	waiting int            // bytes
}

// New makes a pacer of so many classes.
func New[T any](classes int) *Pacer[T] {
	return &Pacer[T]{queues: make([]line[T], classes), leaving: map[int]uint64{}, started: map[int]uint64{}}
}

// Rate sets how fast packets may leave, bit/s; 0 is without limit.
func (p *Pacer[T]) Rate(now time.Time, bps float64) {
	p.refill(now)
	p.rate = bps
}

func (p *Pacer[T]) refill(now time.Time) {
	if d := now.Sub(p.at); d > 0 {
		p.at = now // never back: what passed since would count twice
		p.tokens += p.rate / 8 * min(d, time.Second).Seconds()
	}
	p.tokens = min(p.tokens, p.rate/8*burst.Seconds()+mtu)
}

// Sent tells of a packet that left without waiting.
func (p *Pacer[T]) Sent(now time.Time, size int) {
	p.refill(now)
	p.tokens = max(p.tokens-float64(size), -p.rate/8*debt.Seconds())
}

// Idle says whether something may leave and nothing waits.
func (p *Pacer[T]) Idle(now time.Time) bool {
	p.refill(now)
	return p.waiting == 0 && p.tokens > 0
}

// Waiting is the number of bytes in the queues.
func (p *Pacer[T]) Waiting() int { return p.waiting }

// Empty says whether no item waits, of whatever size.
func (p *Pacer[T]) Empty() bool {
	for c := range p.queues {
		if p.queues[c].len() > 0 {
			return false
		}
	}
	return true
}

// Push adds an item to its class.
func (p *Pacer[T]) Push(now time.Time, class int, it Item[T]) {
	it.arrived = now
	p.queues[class].push(it)
	p.waiting += it.Size
}

// Pop takes the next item, with what is to become of it.
func (p *Pacer[T]) Pop(now time.Time) (it Item[T], f Fate) {
	p.refill(now)
	for c := range p.queues {
		q := &p.queues[c]
		if q.len() == 0 {
			continue
		}
		f = p.judge(now, q.first(), q.len())
		if f == Wait {
			return it, Wait
		}
		it = q.pop()
		p.waiting -= it.Size
		if f == Send {
			p.started[it.Stream] = it.Frame
			if p.rate > 0 {
				p.tokens -= float64(it.Size)
			}
		}
		return it, f
	}
	return it, Wait
}

func (p *Pacer[T]) judge(now time.Time, it *Item[T], behind int) Fate {
	if left, ok := p.leaving[it.Stream]; ok {
		if left == it.Frame {
			return Leave
		}
		delete(p.leaving, it.Stream)
	}
	waited := now.Sub(it.arrived)
	if waited > stale || behind > queueMost {
		return Stale
	}
	begun, any := p.started[it.Stream]
	if it.Free && waited > late && !(any && begun == it.Frame) {
		p.leaving[it.Stream] = it.Frame
		return Leave
	}
	if p.rate > 0 && p.tokens <= 0 {
		return Wait
	}
	return Send
}

// Drop forgets what waits of a stream, because it ends or begins anew.
func (p *Pacer[T]) Drop(stream int) {
	for c := range p.queues {
		p.queues[c].delete(func(it *Item[T]) bool {
			if it.Stream == stream {
				p.waiting -= it.Size
			}
			return it.Stream == stream
		})
	}
	delete(p.leaving, stream)
	delete(p.started, stream)
}
