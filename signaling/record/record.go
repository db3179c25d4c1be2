// Package record keeps what a call was like for its people: each one's link
// every two seconds for the last minutes, and what it came to in all. It owns
// the definitions of those figures. It must not know WebSockets, cases or
// patients; its memory is bounded, whatever happens in a call.
package record

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"sira/sfu"
)

// Bounds of one call.
const (
	Every       = 2 * time.Second // between samples
	samplesKept = 300             // ten minutes
	outagesKept = 50              // of a person; more are counted
	peopleKept  = 32              // later ones are not recorded
)

// Key says who somebody is who may leave and come back.
type Key struct {
	User string
	Via  string // "" for a browser, the way of a device
	Seat string // tells apart several devices of one user; else ""
}

// Who is how somebody is shown.
type Who struct{ Name, Role string }

// Call is the record of one call.
type Call struct {
	ID      string // says nothing of the room
	Room    string
	Started time.Time

	mu     sync.Mutex
	ended  time.Time // zero: it goes on
	people []*Person // in order of coming
}

// New begins a record.
func New(room string, now time.Time) *Call {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return &Call{ID: hex.EncodeToString(id[:]), Room: room, Started: now}
}

// Enter gives somebody who came, or came back, their line.
func (c *Call) Enter(k Key, who Who, now time.Time) *Person {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.people {
		if p.key == k {
			p.who = who
			p.begin(now)
			return p
		}
	}
	p := &Person{call: c, key: k, who: who, joined: now}
	p.begin(now)
	if len(c.people) < peopleKept {
		c.people = append(c.people, p)
	}
	return p
}

// End closes the record; what comes later changes nothing.
func (c *Call) End(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended.IsZero() {
		return
	}
	for _, p := range c.people {
		p.leave(now)
	}
	c.ended = now
}

// Person is one participant's line.
type Person struct {
	call *Call
	key  Key
	who  Who

	// Guarded by call.mu, as all below.
	joined  time.Time // first
	left    time.Time // last; zero: is there
	entered time.Time // this time

	up    bool      // media can flow
	back  time.Time // since when, after an outage
	met   bool      // media did flow, this time
	cutAt time.Time // since when it does not; zero: it does
	knock time.Time // when the browser was heard of again, during a cut

	sums    sums
	before  sfu.Observation // at the last sample
	sampled time.Time
	told    Report   // by the browser, this time
	frozen  int      // ms told since the last sample
	samples []sample // a ring once it is full
	next    int      // of the ring
	outages []Outage // the newest
	mood    mood
}

// Outage is a time in which no media passed to or from somebody.
type Outage struct {
	At     time.Time
	Length time.Duration
	Resume time.Duration // from when the browser was heard again until media passed; 0: at once

	knock time.Time
}

func (p *Person) begin(now time.Time) {
	if !p.left.IsZero() {
		p.sums.keep(p.told)
	}
	p.left, p.entered = time.Time{}, now
	p.up, p.met = false, false
	p.before, p.told, p.frozen, p.sampled = sfu.Observation{}, Report{}, 0, now
}

// Link says that media can flow, or cannot any more.
func (p *Person) Link(up bool, now time.Time) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	p.link(up, now)
}

func (p *Person) link(up bool, now time.Time) {
	if p.up == up || !p.left.IsZero() {
		return
	}
	p.up = up
	if !up {
		// It was silent already when it counted as cut.
		p.cutAt, p.knock = latest(p.entered, now.Add(-sfu.Silence)), time.Time{}
		if n := len(p.outages); n > 0 && !p.back.Before(p.cutAt) {
			// It was not back: a packet or two had passed.
			last := p.outages[n-1]
			p.cutAt, p.knock = last.At, last.knock
			p.outages = p.outages[:n-1]
			p.sums.undo(last)
		}
		return
	}
	p.met = true
	if p.cutAt.IsZero() {
		return
	}
	p.back = now
	o := Outage{At: p.cutAt, Length: max(now.Sub(p.cutAt), 0), knock: p.knock}
	if !p.knock.IsZero() {
		o.Resume = max(now.Sub(p.knock), 0)
	}
	p.cutAt = time.Time{}
	p.sums.outage(o)
	if len(p.outages) == outagesKept {
		p.outages = append(p.outages[:0], p.outages[1:]...)
	}
	p.outages = append(p.outages, o)
}

// Knock says that the browser of somebody whose media was cut was heard again.
func (p *Person) Knock(now time.Time) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	if !p.cutAt.IsZero() && p.knock.IsZero() {
		p.knock = now
	}
}

// Leave says that somebody left. Cut off, they left when it began; should they
// come back, it was an outage.
func (p *Person) Leave(now time.Time) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	p.leave(now)
}

func (p *Person) leave(now time.Time) {
	if !p.left.IsZero() {
		return
	}
	if !p.cutAt.IsZero() {
		now = p.cutAt
	}
	p.left, p.up = now, false
	p.sums.present += max(now.Sub(p.entered), 0)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
