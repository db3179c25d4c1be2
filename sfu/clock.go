package sfu

import (
	"slices"
	"sync"
	"time"

	"sira/sfu/batch"
)

// clock keeps all peers of a room going: repeated requests, feedback, reports,
// what waits at gates. There is one for a room, since waking a thread for each
// of sixty viewers, fifty times a second, costs more than forwarding to them.
type clock struct {
	mu    sync.Mutex
	peers []*Peer // replaced, never changed
	ended chan struct{}
}

func (c *clock) run(quit <-chan struct{}, box *batch.Writer) {
	defer close(c.ended)
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-quit:
			return
		case <-t.C:
			c.mu.Lock()
			peers := c.peers
			c.mu.Unlock()
			box.Hold()
			for _, p := range peers {
				p.clocked(time.Now())
			}
			box.Release()
		}
	}
}

func (c *clock) add(p *Peer) {
	c.mu.Lock()
	c.peers = append(slices.Clone(c.peers), p)
	c.mu.Unlock()
}

// drop takes a peer off. Its turn is over when drop returns, and no other
// comes.
func (c *clock) drop(p *Peer) {
	c.mu.Lock()
	c.peers = slices.DeleteFunc(slices.Clone(c.peers), func(q *Peer) bool { return q == p })
	c.mu.Unlock()
	p.turn.Lock()
	p.stopped = true
	p.turn.Unlock()
}

// clocked is a peer's turn. The first one does everything, so that what is due
// seldom falls to other turns for each.
func (p *Peer) clocked(now time.Time) {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.stopped {
		return
	}
	n := p.turns
	p.turns++
	if n%ticksFeedback != 0 && p.rests() {
		return
	}
	every := ticksFeedback
	if p.thinUplink(now) {
		every = ticksThin
	}
	p.tick(now, n%every == 0, n%ticksReport == 0)
	if n%ticksAllot == 0 {
		p.allot(now)
		p.retarget(now)
		p.allotUp(now)
		p.restill()
	}
}

// rests says whether nothing waits for a turn, which is so for most of those
// who only watch: they publish nothing, nothing is held for them at the gate,
// no still and no second repair, and they hear all who speak.
func (p *Peer) rests() bool {
	return len(p.ticked) == 0 && !p.down.busy.Load() && p.echoes.none() && p.stills.none() && len(p.speakers.outs) <= p.speakers.most
}
