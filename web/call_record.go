package web

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/signaling/record"
	"sira/web/problem"
)

// callRecord answers the last minutes of the call of a case that goes on, or
// of its last one, for whoever may see the case. A rehearsal's is for
// administrators.
func (s *Server) callRecord(w http.ResponseWriter, r *http.Request) error {
	after, err := number(r.URL.Query().Get("after"), 0)
	if err != nil {
		return err
	}
	room := rehearsal + r.PathValue("id")
	if _, err := uuid.Parse(r.PathValue("id")); err == nil || userOf(r).Role != directory.Admin {
		st, err := s.open(r, cases.View, audit.Entry{Action: actFigures})
		if err != nil {
			return err
		}
		room = st.ID
	}
	call := s.cfg.Signaling.Record(room)
	if call == nil {
		for _, c := range s.cfg.Signaling.Records() {
			if c.Room == room {
				call = c
			}
		}
	}
	if call == nil {
		return problem.New("not-found").Saying("Aucun appel de ce dossier n’a été mesuré depuis le démarrage du serveur.")
	}
	return s.writeJSON(w, r, http.StatusOK, call.View(after, time.Now()))
}

// callLine is a call in the administrators' list.
type callLine struct {
	ID        string        `json:"id"`
	StartedAt time.Time     `json:"startedAt"`
	EndedAt   *time.Time    `json:"endedAt,omitempty"`
	Rehearsal bool          `json:"rehearsal"`
	People    []callPerson  `json:"people"`
	Sum       cases.CallSum `json:"sum"`
}

type callPerson struct {
	Name     string      `json:"name"`
	Role     string      `json:"role"`
	Facility string      `json:"facility,omitempty"`
	Via      string      `json:"via,omitempty"`
	Sign     record.Sign `json:"sign,omitempty"`
}

// adminCalls lists the calls that go on and the last ones, newest first, for
// administrators: who spoke and how well it went, never about whom.
func (s *Server) adminCalls(w http.ResponseWriter, r *http.Request) error {
	entry := audit.Entry{Action: actCalls}
	if err := s.adminOnly(r, entry); err != nil {
		return err
	}
	if err := s.recordRead(r.Context(), entry); err != nil {
		return err
	}
	now := time.Now()
	lines := []callLine{}
	for _, c := range s.cfg.Signaling.Records() {
		v := c.View(math.MaxInt64, now)
		if err := s.nameless(r.Context(), &v); err != nil {
			return err
		}
		line := callLine{ID: v.ID, StartedAt: v.StartedAt, EndedAt: v.EndedAt, Rehearsal: strings.HasPrefix(c.Room, rehearsal), Sum: cases.CallSum(c.Sum(now)), People: []callPerson{}}
		for _, p := range v.People {
			line.People = append(line.People, callPerson{p.Name, p.Role, p.Facility, p.Via, p.Sign})
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b callLine) int {
		switch {
		case a.EndedAt == nil && b.EndedAt != nil:
			return -1
		case a.EndedAt != nil && b.EndedAt == nil:
			return 1
		}
		return b.StartedAt.Compare(a.StartedAt)
	})
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"calls": lines})
}

// adminCall answers the last minutes of one of them.
func (s *Server) adminCall(w http.ResponseWriter, r *http.Request) error {
	entry := audit.Entry{Action: actCalls, Object: clip(r.PathValue("call"), 64)}
	if err := s.adminOnly(r, entry); err != nil {
		return err
	}
	after, err := number(r.URL.Query().Get("after"), 0)
	if err != nil {
		return err
	}
	all := s.cfg.Signaling.Records()
	i := slices.IndexFunc(all, func(c *record.Call) bool { return c.ID == r.PathValue("call") })
	if i < 0 {
		return problem.New("not-found")
	}
	if err := s.recordRead(r.Context(), entry); err != nil {
		return err
	}
	v := all[i].View(after, time.Now())
	if err := s.nameless(r.Context(), &v); err != nil {
		return err
	}
	return s.writeJSON(w, r, http.StatusOK, v)
}

// nameless leaves in a view the names of people with an account only: a guest
// may be the patient.
func (s *Server) nameless(ctx context.Context, v *record.View) error {
	var ids []string
	for _, p := range v.People {
		ids = append(ids, p.User)
	}
	known, err := s.people(ctx, ids)
	if err != nil {
		return err
	}
	for i := range v.People {
		p := &v.People[i]
		who, ok := known.known[p.User]
		p.Name, p.Facility = displayName(who.Title, who.Name), who.Facility
		if !ok {
			p.User, p.Name, p.Role = "", "", "guest"
		}
	}
	return nil
}
