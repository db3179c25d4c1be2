package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"sira/cases/audit"
	"sira/cases/directory"
	"sira/web/problem"
)

// cookieName is the session's cookie. Its value is random and says nothing.
const cookieName = "sira_session"

// cookieAge is the absolute life of a session.
const cookieAge = 7 * 24 * time.Hour

// authenticate finds the user by token or session, or fails.
func (s *Server) authenticate(r *http.Request) error {
	q := requestOf(r.Context())
	var u directory.User
	var err error
	if token, ok := bearer(r); ok {
		u, err = s.cfg.Directory.TokenUser(r.Context(), token)
	} else if c, cerr := r.Cookie(cookieName); cerr == nil && c.Value != "" && len(c.Value) <= 512 {
		u, err = s.cfg.Directory.SessionUser(r.Context(), c.Value)
		q.session = c.Value
	} else {
		return problem.New("unauthenticated")
	}
	switch {
	case errors.Is(err, directory.ErrNoSession), errors.Is(err, directory.ErrNotFound):
		return problem.New("unauthenticated")
	case err != nil:
		return problem.New("unavailable").Because(err)
	case u.Disabled:
		return problem.New("unauthenticated")
	}
	q.user = u
	return nil
}

type meView struct {
	ID          string             `json:"id"`
	Login       string             `json:"login"`
	Name        string             `json:"name"`
	Title       string             `json:"title"`
	Role        directory.Role     `json:"role"`
	Facility    directory.Facility `json:"facility"`
	Specialties []string           `json:"specialties"`
}

func viewMe(u directory.User) meView {
	if u.Specialties == nil {
		u.Specialties = []string{}
	}
	return meView{u.ID, u.Login, u.Name, u.Title, u.Role, u.Facility, u.Specialties}
}

// login makes a session. It is limited by address here, and by login and
// address in the directory, which outlives a restart.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	q := requestOf(r.Context())
	if !s.logins.allow(q.remote) {
		p := problem.New("throttled")
		p.RetryAfter = 10 * time.Second
		return p
	}
	var in struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}
	if err := readJSON(w, r, 8<<10, &in); err != nil {
		return err
	}
	u, err := s.cfg.Directory.Login(r.Context(), strings.TrimSpace(in.Login), in.Password, q.remote)
	var throttled directory.ErrThrottled
	switch {
	case errors.As(err, &throttled):
		s.record(r.Context(), audit.Entry{Action: "login", Outcome: "throttled"})
		p := problem.New("throttled")
		p.Detail = "Attendez " + seconds(throttled.RetryAfter) + " secondes avant de recommencer."
		p.RetryAfter = max(throttled.RetryAfter, time.Second)
		return p
	case errors.Is(err, directory.ErrBadCredentials):
		s.record(r.Context(), audit.Entry{Action: "login", Outcome: "denied"})
		return problem.New("bad-credentials")
	case err != nil:
		return problem.New("unavailable").Because(err)
	}
	token, err := s.cfg.Directory.NewSession(r.Context(), u.ID, clip(r.UserAgent(), 200))
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	q.user = u
	s.record(r.Context(), audit.Entry{Action: "login", Outcome: "ok"})
	http.SetCookie(w, s.cookie(token, cookieAge))
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"user": viewMe(u)})
}

func (s *Server) cookie(value string, age time.Duration) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: int(age / time.Second),
		HttpOnly: true, Secure: s.cfg.TLS, SameSite: http.SameSiteStrictMode}
}

func (s *Server) whoAmI(w http.ResponseWriter, r *http.Request) error {
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"user": viewMe(userOf(r))})
}

// logout ends the session; without one there is nothing to end, which is fine.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(cookieName); err == nil && c.Value != "" {
		if err := s.cfg.Directory.EndSession(r.Context(), c.Value); err != nil && !errors.Is(err, directory.ErrNoSession) {
			return problem.New("unavailable").Because(err)
		}
		s.hub.EndSession(sessionKey(c.Value))
	}
	gone := s.cookie("", 0)
	gone.MaxAge = -1
	// What the browser kept for the last user isn't the next one's to see.
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.SetCookie(w, gone)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	for len(s) > n {
		r := []rune(s)
		s = string(r[:len(r)-1-(len(s)-n)/4])
	}
	return s
}
