package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/signaling"
)

// call opens a room to a user who may call there.
func (s *Server) call(w http.ResponseWriter, r *http.Request) error {
	if err := s.websocketOnly(r); err != nil {
		return err
	}
	room, err := s.openRoom(r)
	if err != nil {
		return err
	}
	s.cfg.Signaling.ServeRoom(w, r, room, caller(r))
	return nil
}

func displayName(title, name string) string {
	if title == "" {
		return name
	}
	return title + " " + name
}

// leaveGrace is how long someone may be away before they are said to have
// left: on a bad link a call breaks and comes back all the time.
const leaveGrace = 90 * time.Second

// attendance turns presence into journal entries and events of the case, one
// for each person coming and one for leaving for good.
//
// Whoever is parked has not left: they are there until the room says that they
// are gone. Then they left when their link was cut.
type attendance struct {
	mu    sync.Mutex
	rooms map[string]map[string]*attendee // room, user
	came  func(room, user string)
	left  func(room, user string, at time.Time)
	grace time.Duration
}

type attendee struct {
	cut   time.Time   // since when the link is cut; zero: it is not
	timer *time.Timer // runs while gone
}

func newAttendance(came func(room, user string), left func(room, user string, at time.Time)) *attendance {
	return &attendance{rooms: map[string]map[string]*attendee{}, came: came, left: left, grace: leaveGrace}
}

func (a *attendance) changed(room string, ps []signaling.Participant) {
	here := map[string]bool{} // user; true: on a link that holds
	for _, p := range ps {
		here[p.UserID] = here[p.UserID] || !p.Away
	}
	var came []string
	a.mu.Lock()
	known := a.rooms[room]
	if known == nil {
		known = map[string]*attendee{}
		a.rooms[room] = known
	}
	now := time.Now()
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
		if holds {
			p.cut = time.Time{}
		} else if p.cut.IsZero() {
			p.cut = now
		}
	}
	for id, p := range known {
		if _, there := here[id]; !there && p.timer == nil {
			at := now
			if !p.cut.IsZero() {
				at = p.cut
			}
			p.timer = time.AfterFunc(a.grace, func() { a.gone(room, id, at) })
		}
	}
	a.mu.Unlock()
	for _, id := range came {
		a.came(room, id)
	}
}

func (a *attendance) gone(room, user string, at time.Time) {
	a.mu.Lock()
	p := a.rooms[room][user]
	if p == nil || p.timer == nil { // came back in the meantime
		a.mu.Unlock()
		return
	}
	delete(a.rooms[room], user)
	if len(a.rooms[room]) == 0 {
		delete(a.rooms, room)
	}
	a.mu.Unlock()
	a.left(room, user, at)
}

// close says goodbye for everyone.
func (a *attendance) close() {
	type leaver struct {
		room, user string
		at         time.Time
	}
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
			all = append(all, leaver{room, id, at})
		}
	}
	clear(a.rooms)
	a.mu.Unlock()
	for _, l := range all {
		a.left(l.room, l.user, l.at)
	}
}

func (s *Server) callJoined(room, user string) {
	s.noteCall(room, user, actJoin, cases.CallJoined, time.Now())
}

func (s *Server) callLeft(room, user string, at time.Time) {
	s.guestLeft(user)
	s.noteCall(room, user, actLeave, cases.CallLeft, at)
}

// noteCall journals a coming or going, and writes it into the case's log; a
// rehearsal has no case.
func (s *Server) noteCall(room, user, act string, kind cases.EventType, at time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	entry := audit.Entry{Actor: user, Action: act, Case: room, Outcome: "ok", Surface: "call"}
	name, free := strings.CutPrefix(room, rehearsal)
	if free {
		entry.Case, entry.Object = "", name
	}
	if err := s.cfg.Audit.Record(ctx, entry); err != nil {
		s.log.Error("journal entry lost", "action", act, "err", err)
	}
	_, guest := cases.GuestOf(user)
	if guest {
		s.metrics.guest(act)
	}
	if free || guest { // the case's log is of people with an account
		return
	}
	u, err := s.cfg.Directory.User(ctx, user)
	if err != nil {
		s.log.Warn("unknown person in a call", "user", user, "err", err)
		return
	}
	ev := cases.NewEvent{ID: uuid.NewString(), Type: kind, At: at.UTC(), Data: json.RawMessage(`{}`)}
	if _, _, err := s.cfg.Cases.Append(ctx, u, room, []cases.NewEvent{ev}); err != nil {
		s.log.Warn("call not written into the case", "case", room, "event", string(kind), "err", err)
	}
}
