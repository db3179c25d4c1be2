package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
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

func (s *Server) callJoined(room, user string) {
	s.noteCall(room, user, actJoin, cases.CallJoined, time.Now(), noFigures)
}

// callLeft writes what the call was like with the leaving.
func (s *Server) callLeft(l leaver) {
	s.guestLeft(l.user)
	s.noteCall(l.room, l.user, actLeave, cases.CallLeft, l.at, s.callFigures(l))
	if l.over {
		s.endCall(l.room)
	}
}

// noteCall journals a coming or going, and writes it into the case's log; a
// rehearsal has no case.
func (s *Server) noteCall(room, user, act string, kind cases.EventType, at time.Time, data json.RawMessage) {
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
	ev := cases.NewEvent{ID: uuid.NewString(), Type: kind, At: at.UTC(), Data: data}
	if _, _, err := s.cfg.Cases.Append(ctx, u, room, []cases.NewEvent{ev}); err != nil {
		s.log.Warn("call not written into the case", "case", room, "event", string(kind), "err", err)
	}
}
