package web

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/signaling"
)

// rehearsal marks rooms that belong to no case. An administrator opens them
// under any name, to try a device or to measure: they see no patient, so a
// case's room is never reached this way.
const rehearsal = "rehearsal:"

var roomName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// openRoom finds the call room of the path: that of a case in which the user
// may call, else a rehearsal.
func (s *Server) openRoom(r *http.Request) (string, error) {
	name := r.PathValue("id")
	if _, err := uuid.Parse(name); err != nil && userOf(r).Role == directory.Admin && roomName.MatchString(name) {
		return rehearsal + name, nil
	}
	st, err := s.open(r, cases.Call, audit.Entry{})
	if err != nil {
		return "", err
	}
	return st.ID, nil
}

// stillMayCall says whether a person may stay in a room: only a clear no ends a
// call that goes on, neither a busy database nor the end of the case does.
func (s *Server) stillMayCall(ctx context.Context, who signaling.User, room string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var err error
	if id, guest := cases.GuestOf(who.ID); guest {
		err = s.guestMayBeIn(ctx, who, id, room)
	} else {
		err = s.mayBeIn(ctx, who.ID, room)
	}
	var status *cases.UserError
	switch {
	case errors.Is(err, cases.ErrForbidden), errors.Is(err, cases.ErrNotFound), errors.Is(err, directory.ErrNotFound):
		return err
	case errors.As(err, &status): // the case was closed while they talk
	case err != nil:
		s.log.Warn("right to a call not checked", "user", who.ID, "err", err)
	}
	return nil
}

func (s *Server) mayBeIn(ctx context.Context, user, room string) error {
	u, err := s.cfg.Directory.User(ctx, user)
	if err != nil {
		return err
	}
	if strings.HasPrefix(room, rehearsal) {
		if u.Disabled || u.Role != directory.Admin {
			return cases.ErrForbidden
		}
		return nil
	}
	st, err := s.state(ctx, u, room)
	if err != nil {
		return err
	}
	return cases.Allow(u, cases.Call, st)
}

// caller is how the room shows the user of the request.
func caller(r *http.Request) signaling.User {
	u := userOf(r)
	return signaling.User{ID: u.ID, Name: displayName(u.Title, u.Name), Role: string(u.Role)}
}
