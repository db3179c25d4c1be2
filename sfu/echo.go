package sfu

import (
	"sync"
	"time"
)

// A repair over a long way is sent twice. When it is lost as well, the picture
// stands for another round trip, and one of that length is what people notice:
// at 2 % of loss each fiftieth repair goes. The second costs that share of what
// is sent. It leaves a little later, since losses come in rows.
const (
	echoFrom  = 120 * time.Millisecond // of round trip
	echoLoss  = 0.005                  // share lost
	echoAfter = 60 * time.Millisecond
	echoMost  = 256 // that wait
)

// echoes are a peer's repairs to be sent once more.
type echoes struct {
	mu   sync.Mutex
	list []echo // in order of due
}

type echo struct {
	o   *outlet
	seq uint16
	due time.Time
}

// echoWorth says whether repairs to the peer are sent twice.
func (p *Peer) echoWorth(rtt time.Duration) bool {
	return rtt >= echoFrom && p.down.loss() >= echoLoss
}

func (e *echoes) add(o *outlet, seq uint16, now time.Time) {
	e.mu.Lock()
	if len(e.list) < echoMost {
		e.list = append(e.list, echo{o, seq, now.Add(echoAfter)})
	}
	e.mu.Unlock()
}

// none says whether nothing waits.
func (e *echoes) none() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.list) == 0
}

// take returns what is due.
func (e *echoes) take(now time.Time) (due []echo) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for n < len(e.list) && !e.list[n].due.After(now) {
		n++
	}
	if n == 0 {
		return nil
	}
	due = append(due, e.list[:n]...)
	e.list = append(e.list[:0], e.list[n:]...)
	return due
}

// echo sends what is due. It is called by the peer's clock.
func (p *Peer) echo(now time.Time) {
	for _, e := range p.echoes.take(now) {
		e.o.repeat(e.seq, now)
	}
}

// repeat sends a packet again that was sent again a moment ago.
func (o *outlet) repeat(seq uint16, now time.Time) {
	o.again(seq, func() (uint64, verdict) {
		s, ok := o.sent.get(seq)
		if !ok || s.era != o.era || !o.live {
			return 0, resendNot
		}
		return s.ext, resendNow
	}, now)
}
