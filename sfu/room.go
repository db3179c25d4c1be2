package sfu

import (
	"log/slog"
	"slices"
	"time"

	"sira/sfu/batch"
)

// room owns who feeds whom. Its fields below the line are touched only by
// its goroutine, to which others speak by do.
type room struct {
	name  string
	users int // guarded by SFU.mu
	cmds  chan func()
	quit  chan struct{}
	done  chan struct{}
	clock clock
	box   *batch.Writer // by which its media leaves

	// ----
	limit int
	log   *slog.Logger
	peers []*Peer // in order of joining
	ahead []*Peer // prepared, not in the room yet
}

func newRoom(limit int, log *slog.Logger) *room {
	return &room{
		cmds: make(chan func()), quit: make(chan struct{}), done: make(chan struct{}),
		clock: clock{ended: make(chan struct{})},
		limit: limit, log: log,
	}
}

func (r *room) run() {
	defer close(r.done)
	for {
		select {
		case f := <-r.cmds:
			f()
		case <-r.quit:
			return
		}
	}
}

// do runs f in the room's goroutine and waits for it; nothing happens when
// the room is over.
func (r *room) do(f func()) {
	ran := make(chan struct{})
	select {
	case r.cmds <- func() { defer close(ran); f() }:
		<-ran
	case <-r.done:
	}
}

// add lets a peer in, unless the room is full.
func (r *room) add(p *Peer) bool {
	if len(r.peers) >= r.limit {
		return false
	}
	r.ahead = slices.DeleteFunc(r.ahead, func(q *Peer) bool { return q == p })
	r.peers = append(r.peers, p)
	r.arrange()
	return true
}

// remove takes a peer out and frees what it held.
func (r *room) remove(p *Peer) {
	r.peers = slices.DeleteFunc(r.peers, func(q *Peer) bool { return q == p })
	r.ahead = slices.DeleteFunc(r.ahead, func(q *Peer) bool { return q == p })
	for _, list := range p.outlets {
		for _, o := range list {
			o.feed(nil, time.Now())
		}
	}
	p.inlets, p.rung = [kinds]*inlet{}, nil
	r.arrange()
}

// publish adds a peer's track; a second one of a kind, or of a rung, is not for
// anybody.
func (r *room) publish(p *Peer, in *inlet) bool {
	place := p.placeOf(in)
	if *place != nil || !slices.Contains(r.peers, p) {
		return false
	}
	*place = in
	p.pair()
	r.arrange()
	return true
}

func (r *room) unpublish(p *Peer, in *inlet) {
	if place := p.placeOf(in); *place == in {
		*place = nil
		p.pair()
		r.arrange()
	}
}

// arrange gives seats to those who have none and feeds outlets by seats.
func (r *room) arrange() {
	now := time.Now()
	r.agree()
	for _, p := range r.peers {
		unseated := r.seat(p)
		slots := r.feed(p, now)
		if !slices.Equal(slots, p.slots) {
			p.slots = slots
			if p.part.OnSlots != nil {
				p.part.OnSlots(slices.Clone(slots))
			}
		}
		r.askForMore(p, unseated)
	}
}

// seat keeps a peer's seats: seat i is the person shown in its i-th audio
// and i-th video outlet, in order of joining, stable while both stay. It
// returns how many found none.
func (r *room) seat(p *Peer) (unseated int) {
	for len(p.seats) < max(len(p.outlets[audio]), len(p.outlets[video])) {
		p.seats = append(p.seats, nil)
	}
	for i, q := range p.seats {
		if q != nil && !slices.Contains(r.peers, q) {
			p.seats[i] = nil
		}
	}
	for _, q := range r.peers {
		if q == p || slices.Contains(p.seats, q) {
			continue
		}
		if i := slices.Index(p.seats, nil); i >= 0 {
			p.seats[i] = q
		} else {
			unseated++
		}
	}
	return unseated
}

// feed binds outlets to the seats' inlets and lists what is shown where.
func (r *room) feed(p *Peer, now time.Time) []Slot {
	var slots []Slot
	for i, q := range p.seats {
		for k := range kinds {
			if i >= len(p.outlets[k]) {
				continue
			}
			o := p.outlets[k][i]
			var in *inlet
			if q != nil {
				in = o.rungOf(q.inlets[k])
			}
			if !o.feed(in, now) {
				r.log.Info("no common codec, slot stays empty",
					"room", r.name, "subscriber", p.part.ID, "publisher", q.part.ID, "codec", in.currentFormat().id)
				if k == video && p.hopeless(q) {
					slots = append(slots, Slot{Mid: o.mid, Participant: q.part.ID, Kind: k.String(), Why: whyCodec})
				}
				continue
			}
			if in != nil {
				slots = append(slots, Slot{Mid: o.mid, Participant: q.part.ID, Kind: k.String()})
			}
		}
	}
	return slots
}

// askForMore asks for a new offer, once for each number of people, when
// some of them have no seat.
func (r *room) askForMore(p *Peer, unseated int) {
	if unseated == 0 || !p.negotiated {
		return
	}
	want := len(p.seats) + unseated
	if want <= p.asked {
		return
	}
	p.asked = want
	if p.part.OnRenegotiate != nil {
		p.part.OnRenegotiate(want, want)
	}
}
