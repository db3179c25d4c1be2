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
type attendance struct {
	mu    sync.Mutex
	rooms map[string]map[string]*time.Timer // room, user; a timer runs while away
	came  func(room, user string)
	left  func(room, user string, at time.Time)
	grace time.Duration
}

func newAttendance(came func(room, user string), left func(room, user string, at time.Time)) *attendance {
	return &attendance{rooms: map[string]map[string]*time.Timer{}, came: came, left: left, grace: leaveGrace}
}

func (a *attendance) changed(room string, ps []signaling.Participant) {
	here := map[string]bool{}
	for _, p := range ps {
		here[p.UserID] = true
	}
	var came []string
	a.mu.Lock()
	known := a.rooms[room]
	if known == nil {
		known = map[string]*time.Timer{}
		a.rooms[room] = known
	}
	for id := range here {
		timer, ok := known[id]
		if !ok {
			came = append(came, id)
		} else if timer != nil {
			timer.Stop()
		}
		known[id] = nil
	}
	for id, timer := range known {
		if !here[id] && timer == nil {
			at := time.Now()
			known[id] = time.AfterFunc(a.grace, func() { a.gone(room, id, at) })
		}
	}
	a.mu.Unlock()
	for _, id := range came {
		a.came(room, id)
	}
}

func (a *attendance) gone(room, user string, at time.Time) {
	a.mu.Lock()
	timer, ok := a.rooms[room][user]
	if !ok || timer == nil { // came back in the meantime
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
	type leaver struct{ room, user string }
	var all []leaver
	a.mu.Lock()
	for room, users := range a.rooms {
		for id, timer := range users {
			if timer != nil {
				timer.Stop()
			}
			all = append(all, leaver{room, id})
		}
	}
	clear(a.rooms)
	a.mu.Unlock()
	for _, l := range all {
		a.left(l.room, l.user, time.Now())
	}
}

func (s *Server) callJoined(room, user string) {
	s.noteCall(room, user, actJoin, cases.CallJoined, time.Now())
}

func (s *Server) callLeft(room, user string, at time.Time) {
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
	if free {
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
