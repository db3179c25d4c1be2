package web

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/guests"
	"sira/signaling"
	"sira/web/problem"
)

// guestCookie is the session of a guest's browser. It is read below guestRoot
// only, and nothing else is read there: a guest reaches no other endpoint.
const (
	guestCookie = "sira_guest"
	guestRoot   = "/api/guest"
)

var linkSecret = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// invitationView is what a guest sees of an invitation: who invites, nothing of
// the case.
type invitationView struct {
	By       string    `json:"by"`
	Facility string    `json:"facility"`
	Name     string    `json:"name"`
	Until    time.Time `json:"until"`
	Open     bool      `json:"open"` // this browser used the link
}

// lookAtLink answers whom a link is from, without using it up.
func (s *Server) lookAtLink(w http.ResponseWriter, r *http.Request) error {
	secret, err := s.linkOf(w, r)
	if err != nil {
		return err
	}
	i, mine, err := s.guests.Look(r.Context(), secret, guestToken(r))
	if err != nil {
		return s.badLink(r, i, err)
	}
	return s.answerGuest(w, r, i, mine)
}

// useLink gives the browser a session, the first one that asks.
func (s *Server) useLink(w http.ResponseWriter, r *http.Request) error {
	secret, err := s.linkOf(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	i, mine, err := s.guests.Look(ctx, secret, guestToken(r))
	if err != nil {
		return s.badLink(r, i, err)
	}
	if mine { // the answer was lost on the way
		return s.answerGuest(w, r, i, true)
	}
	if _, err := s.guestCase(ctx, i, cases.Wait); err != nil {
		return err
	}
	var token string
	err = s.onRecord(ctx, audit.Entry{Actor: cases.GuestActor(i.ID), Action: actUseLink, Case: i.Case, Object: i.ID, Surface: "guest"}, func(also guests.Also) (err error) {
		i, token, err = s.guests.Redeem(ctx, secret, also)
		return err
	})
	if err != nil {
		return s.badLink(r, i, err)
	}
	s.metrics.guest(actUseLink)
	http.SetCookie(w, &http.Cookie{Name: guestCookie, Value: token, Path: guestRoot, MaxAge: int(guests.SessionLife / time.Second),
		HttpOnly: true, Secure: s.cfg.TLS, SameSite: http.SameSiteStrictMode})
	return s.answerGuest(w, r, i, true)
}

// guestSession answers the guest of the cookie: a WebSocket that is refused
// does not say why.
func (s *Server) guestSession(w http.ResponseWriter, r *http.Request) error {
	i, err := s.guestOf(r)
	if err != nil {
		return err
	}
	return s.answerGuest(w, r, i, true)
}

func (s *Server) answerGuest(w http.ResponseWriter, r *http.Request, i guests.Invitation, mine bool) error {
	st, err := s.guestCase(r.Context(), i, cases.Wait)
	if err != nil {
		return err
	}
	by, err := s.cfg.Directory.User(r.Context(), i.By)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	v := invitationView{displayName(by.Title, by.Name), by.Facility.Name, guestName(i, st), i.Expires, mine}
	if mine {
		v.Until = i.SessionEnds
	}
	return s.writeJSON(w, r, http.StatusOK, v)
}

// linkOf reads the secret of a link, at a rate that makes guessing absurd and
// old links no burden.
func (s *Server) linkOf(w http.ResponseWriter, r *http.Request) (string, error) {
	if !s.links.allow(requestOf(r.Context()).remote) {
		p := problem.New("throttled")
		p.RetryAfter = 10 * time.Second
		return "", p
	}
	var in struct {
		Secret string `json:"secret"`
	}
	if err := readJSON(w, r, 1<<10, &in); err != nil {
		return "", err
	}
	if !linkSecret.MatchString(in.Secret) {
		return "", problem.New("invitation-unknown")
	}
	return in.Secret, nil
}

// badLink journals that a link of a case was tried in vain.
func (s *Server) badLink(r *http.Request, i guests.Invitation, err error) error {
	p := guestProblem(err)
	if i.Case != "" && !errors.Is(err, guests.ErrUnknown) {
		entry := audit.Entry{Actor: cases.GuestActor(i.ID), Action: actUseLink, Case: i.Case, Object: i.ID, Outcome: "denied", Surface: "guest"}
		if s.seen.fresh("link|"+i.ID+"|"+requestOf(r.Context()).remote, time.Now()) {
			s.record(r.Context(), entry)
		}
		s.metrics.guest("bad-link")
	}
	return p
}

func guestToken(r *http.Request) string {
	c, err := r.Cookie(guestCookie)
	if err != nil || !linkSecret.MatchString(c.Value) {
		return ""
	}
	return c.Value
}

// guestOf finds the guest of the cookie.
func (s *Server) guestOf(r *http.Request) (guests.Invitation, error) {
	token := guestToken(r)
	if token == "" {
		return guests.Invitation{}, problem.New("guest-session")
	}
	i, err := s.guests.Session(r.Context(), token)
	if errors.Is(err, guests.ErrUnknown) {
		return i, problem.New("guest-session")
	}
	if err != nil {
		return i, s.badLink(r, i, err)
	}
	return i, nil
}

// guestAllowed is cases.AllowGuest for an invitation, and gives its case.
func (s *Server) guestAllowed(ctx context.Context, i guests.Invitation, action cases.Action) (*cases.State, error) {
	by, err := s.cfg.Directory.User(ctx, i.By)
	if err != nil {
		return nil, err
	}
	st, err := s.state(ctx, by, i.Case)
	if err != nil {
		return nil, err
	}
	until := i.SessionEnds
	if i.Used.IsZero() {
		until = i.Expires
	}
	g := cases.Guest{Case: i.Case, By: by, Until: until, Admitted: s.admitted.has(i.ID)}
	return st, cases.AllowGuest(g, action, st, s.guests.Now())
}

// guestCase is guestAllowed with words for the guest.
func (s *Server) guestCase(ctx context.Context, i guests.Invitation, action cases.Action) (*cases.State, error) {
	st, err := s.guestAllowed(ctx, i, action)
	var status *cases.UserError
	switch {
	case errors.Is(err, cases.ErrForbidden), errors.Is(err, cases.ErrNotFound), errors.As(err, &status):
		return nil, problem.New("guest-closed").Because(err)
	case err != nil:
		return nil, problem.New("unavailable").Because(err)
	}
	return st, nil
}

// guestCall is the WebSocket of a guest: the door, then the call.
func (s *Server) guestCall(w http.ResponseWriter, r *http.Request) error {
	if err := s.websocketOnly(r); err != nil {
		return err
	}
	i, err := s.guestOf(r)
	if err != nil {
		return err
	}
	st, err := s.guestCase(r.Context(), i, cases.Wait)
	if err != nil {
		return err
	}
	actor, in := cases.GuestActor(i.ID), s.admitted.has(i.ID)
	if !in && s.seen.fresh("door|"+i.ID, time.Now()) {
		if err := s.journal(r.Context(), audit.Entry{Actor: actor, Action: actWait, Case: st.ID, Object: i.ID, Surface: "guest"}); err != nil {
			return problem.New("unavailable").Because(err)
		}
		s.metrics.guest(actWait)
	}
	s.cfg.Signaling.ServeRoom(w, r, st.ID, guestCaller(i, st, !in))
	return nil
}

func guestCaller(i guests.Invitation, st *cases.State, waits bool) signaling.User {
	return signaling.User{ID: cases.GuestActor(i.ID), Name: guestName(i, st), Role: "guest", Guest: true, Waiting: waits}
}

// guestJoin lets a guest who was let in already into the call by one exchange,
// as joinCall does. Who was not is told to wait, which they do by WebSocket:
// nothing is looked at of what they sent, and nothing of the call is said.
func (s *Server) guestJoin(w http.ResponseWriter, r *http.Request) error {
	i, err := s.guestOf(r)
	if err != nil {
		return err
	}
	if !s.knocks.allow(i.ID) {
		p := problem.New("throttled")
		p.RetryAfter = 3 * time.Second
		return p
	}
	st, err := s.guestCase(r.Context(), i, cases.Wait)
	if err != nil {
		return err
	}
	raw, err := readPacked(w, r, maxJoin)
	if err != nil {
		return err
	}
	if !s.admitted.has(i.ID) {
		return s.writeJSON(w, r, http.StatusAccepted, map[string]string{"type": "waiting"})
	}
	joined, err := s.cfg.Signaling.Join(r, st.ID, guestCaller(i, st, false), raw)
	if errors.Is(err, cases.ErrForbidden) {
		return problem.New("guest-closed").Because(err)
	}
	if err != nil {
		return endpointProblem(err)
	}
	return s.writeJSON(w, r, http.StatusOK, joined)
}

// guestMayBeIn says whether a guest may stay where they are.
func (s *Server) guestMayBeIn(ctx context.Context, who signaling.User, id, room string) error {
	i, err := s.guests.Get(ctx, id)
	if errors.Is(err, guests.ErrUnknown) || err == nil && (i.Case != room || i.Good(s.guests.Now()) != nil) {
		return cases.ErrForbidden
	}
	if err != nil {
		return err
	}
	action := cases.Call
	if who.Waiting {
		action = cases.Wait
	}
	_, err = s.guestAllowed(ctx, i, action)
	return err
}

// guestStill gives a guest in the call the picture that all there look at, and
// no other file of the case.
func (s *Server) guestStill(w http.ResponseWriter, r *http.Request) error {
	i, err := s.guestOf(r)
	if err != nil {
		return err
	}
	st, err := s.guestCase(r.Context(), i, cases.Call)
	if err != nil {
		return err
	}
	id, actor := clip(r.PathValue("still"), 64), cases.GuestActor(i.ID)
	a, err := attachmentOf(st, id)
	if err != nil || a.Still == nil || !s.cfg.Signaling.Sees(st.ID, actor, id) {
		return problem.New("not-found").Because(err)
	}
	if s.seen.fresh("still|"+i.ID+"|"+id, time.Now()) {
		if err := s.journal(r.Context(), audit.Entry{Actor: actor, Action: actImage, Case: st.ID, Object: id, Surface: "guest"}); err != nil {
			return problem.New("unavailable").Because(err)
		}
	}
	blob, err := s.blob(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer blob.Close()
	w.Header().Set("Content-Type", a.MediaType) // and not to be kept, unlike what people of the case fetch
	http.ServeContent(w, r, "", time.Time{}, blob)
	return nil
}

// guestLeft takes the place of a guest who was gone from the room for a while:
// they wait again.
func (s *Server) guestLeft(actor string) {
	if id, ok := cases.GuestOf(actor); ok {
		s.admitted.set(id, false)
	}
}
