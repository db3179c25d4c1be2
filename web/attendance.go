package web

import (
	"strings"
	"sync"
	"time"

	"sira/signaling"
)

// leaveGrace is how long someone may be away before they are said to have
// left: on a bad link a call breaks and comes back all the time.
const leaveGrace = 90 * time.Second

// attendance turns presence into journal entries and events of the case, one
// for each person coming and one for leaving for good.
//
// Whoever is parked has not left: they are there until the room says that they
// are gone. Then they left when their link was cut. Who hung up left at once.
type attendance struct {
	mu    sync.Mutex
	rooms map[string]map[string]*attendee // room, user
	came  func(room, user string)
	left  func(leaver)
	grace time.Duration
}

type attendee struct {
	cut   time.Time   // since when the link is cut; zero: it is not
	bye   bool        // hung up
	timer *time.Timer // runs while gone
}

// leaver is somebody who left a call for good.
type leaver struct {
	room, user string
	at         time.Time
	last       bool // nobody with an account is left
	over       bool // nobody at all is
}

func newAttendance(came func(room, user string), left func(leaver)) *attendance {
	return &attendance{rooms: map[string]map[string]*attendee{}, came: came, left: left, grace: leaveGrace}
}

// farewell says that somebody hung up; a change of presence follows.
func (a *attendance) farewell(room, user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.rooms[room][user]; p != nil {
		p.bye = true
	}
}

func (a *attendance) changed(room string, ps []signaling.Participant) {
	here := map[string]bool{} // user; true: on a link that holds
	for _, p := range ps {
		here[p.UserID] = here[p.UserID] || !p.Away
	}
	now := time.Now()
	a.mu.Lock()
	came := a.arrive(room, here, now)
	gone := a.miss(room, here, now)
	a.mu.Unlock()
	for _, id := range came {
		a.came(room, id)
	}
	for _, l := range gone {
		a.left(l)
	}
}

// arrive notes who is there and gives those who were not. The lock is held.
func (a *attendance) arrive(room string, here map[string]bool, now time.Time) (came []string) {
	known := a.rooms[room]
	if known == nil && len(here) > 0 {
		known = map[string]*attendee{}
		a.rooms[room] = known
	}
	for id, holds := range here {
		p := known[id]
		if p == nil {
			came = append(came, id)
			p = &attendee{}
			known[id] = p
		} else if p.timer != nil {
			p.timer.Stop()
			p.timer = nil
		}
		p.bye = false // of one device; the other is there
		if holds {
			p.cut = time.Time{}
		} else if p.cut.IsZero() {
			p.cut = now
		}
	}
	return came
}

// miss waits for those who are not there any more, and gives those who hung
// up. The lock is held.
func (a *attendance) miss(room string, here map[string]bool, now time.Time) (gone []leaver) {
	for id, p := range a.rooms[room] {
		if _, there := here[id]; there || p.timer != nil {
			continue
		}
		at := now
		if !p.cut.IsZero() {
			at = p.cut
		}
		if p.bye {
			gone = append(gone, a.strike(room, id, at))
			continue
		}
		p.timer = time.AfterFunc(a.grace, func() { a.gone(room, id, at) })
	}
	return gone
}

// strike takes somebody off the list. The lock is held.
func (a *attendance) strike(room, user string, at time.Time) leaver {
	delete(a.rooms[room], user)
	l := leaver{room: room, user: user, at: at, last: true, over: len(a.rooms[room]) == 0}
	for id := range a.rooms[room] {
		if !strings.Contains(id, ":") { // no user ID has a colon
			l.last = false
		}
	}
	if l.over {
		delete(a.rooms, room)
	}
	return l
}

func (a *attendance) gone(room, user string, at time.Time) {
	a.mu.Lock()
	p := a.rooms[room][user]
	if p == nil || p.timer == nil { // came back in the meantime
		a.mu.Unlock()
		return
	}
	l := a.strike(room, user, at)
	a.mu.Unlock()
	a.left(l)
}

// close says goodbye for everyone.
func (a *attendance) close() {
	var all []leaver
	a.mu.Lock()
	for room, users := range a.rooms {
		for id, p := range users {
			if p.timer != nil {
				p.timer.Stop()
			}
			at := p.cut
			if at.IsZero() {
				at = time.Now()
			}
			all = append(all, a.strike(room, id, at))
		}
	}
	a.mu.Unlock()
	for _, l := range all {
		a.left(l)
	}
}
