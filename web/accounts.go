package web

import (
	"errors"
	"net/http"

	"sira/cases/audit"
	"sira/cases/directory"
	"sira/web/problem"
)

// adminUsers lists the accounts, for administrators.
func (s *Server) adminUsers(w http.ResponseWriter, r *http.Request) error {
	entry := audit.Entry{Action: actUsers}
	if err := s.adminOnly(r, entry); err != nil {
		return err
	}
	users, err := s.cfg.Directory.Users(r.Context())
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	if err := s.recordRead(r.Context(), entry); err != nil {
		return err
	}
	for i := range users {
		users[i].Specialties = orEmpty(users[i].Specialties)
	}
	if users == nil {
		users = []directory.User{}
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"users": users})
}

// setDisabled closes an account, which ends its sessions and tokens, or opens
// it again. Nobody closes their own, so one administrator always remains.
func (s *Server) setDisabled(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("user")
	entry := audit.Entry{Action: actEnable, Object: clip(id, 64)}
	var in struct {
		Disabled *bool `json:"disabled"`
	}
	if err := s.adminOnly(r, entry); err != nil {
		return err
	}
	if err := readJSON(w, r, 1<<10, &in); err != nil {
		return err
	}
	if in.Disabled == nil {
		return problem.New("bad-request")
	}
	if *in.Disabled {
		entry.Action = actDisable
	}
	// One after the other: of two administrators who close each other's account
	// the second is no longer one.
	s.accounts.Lock()
	defer s.accounts.Unlock()
	if me, err := s.cfg.Directory.User(ctx, userOf(r).ID); err != nil || me.Disabled || me.Role != directory.Admin {
		return problem.New("forbidden").Because(err)
	}
	u, err := s.cfg.Directory.User(ctx, id)
	if errors.Is(err, directory.ErrNotFound) {
		return problem.New("not-found").Because(err)
	}
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	if *in.Disabled && u.ID == userOf(r).ID {
		return problem.New("own-account")
	}
	if u.Disabled != *in.Disabled {
		u.Disabled = *in.Disabled
		if err := s.cfg.Directory.UpdateUser(ctx, u); err != nil {
			return problem.New("unavailable").Because(err)
		}
		s.record(ctx, entry)
	}
	u.Specialties = orEmpty(u.Specialties)
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"user": u})
}
