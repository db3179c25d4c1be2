package web

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/web/problem"
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

// maxJoin bounds a request to join; an offer has some 6 kB.
const maxJoin = 64 << 10

// joinCall lets the user into the case's call by one exchange: the answer goes
// out before any WebSocket is open.
func (s *Server) joinCall(w http.ResponseWriter, r *http.Request) error {
	room, err := s.openRoom(r)
	if err != nil {
		return err
	}
	raw, err := readPacked(w, r, maxJoin)
	if err != nil {
		return err
	}
	joined, err := s.cfg.Signaling.Join(r, room, caller(r), raw)
	if err != nil {
		return endpointProblem(err)
	}
	return s.writeJSON(w, r, http.StatusOK, joined)
}

// readPacked reads a JSON body that may be compressed by gzip (RFC 9110, 8.4):
// an offer shrinks to a quarter, half a second of a link of 64 kbit/s.
func readPacked(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			return nil, problem.New("bad-request").Because(err)
		}
		r.Body = z
	default:
		return nil, problem.New("media-type").Saying("Envoyez le texte tel quel, ou comprimé par gzip.")
	}
	return readBody(w, r, limit)
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
