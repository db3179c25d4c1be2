package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/web/problem"
)

// maxEvents bounds the body of one POST of events.
const maxEventBytes = 1 << 20

// listCases answers "Ma liste": ?status= one or more, comma-separated, ?q=
// words of a number or name.
func (s *Server) listCases(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), userOf(r)
	f := cases.Filter{Query: clip(r.URL.Query().Get("q"), 200)}
	for st := range strings.SplitSeq(r.URL.Query().Get("status"), ",") {
		if st = strings.TrimSpace(st); st != "" {
			f.Statuses = append(f.Statuses, cases.Status(st))
		}
	}
	list, err := s.cfg.Cases.List(ctx, u, f)
	if err != nil {
		return err
	}
	if err := s.recordRead(ctx, audit.Entry{Action: actList}); err != nil {
		return err
	}
	var ids []string
	for _, c := range list {
		ids = append(append(ids, c.Clinician), c.Assignees...)
	}
	p, err := s.people(ctx, ids)
	if err != nil {
		return err
	}
	places, err := s.placeNames(ctx)
	if err != nil {
		return err
	}
	out := make([]summaryView, 0, len(list))
	for _, c := range list {
		out = append(out, summaryView{s.head(c, p, places), patientLine(c.Patient)})
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"cases": out})
}

func (s *Server) getCase(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.View, audit.Entry{Action: actView})
	if err != nil {
		return err
	}
	v, err := s.freshCase(r.Context(), userOf(r), st.ID)
	if err != nil {
		return err
	}
	return s.writeJSON(w, r, http.StatusOK, v)
}

// freshCase reads the case anew, so that its author sees what they just wrote.
func (s *Server) freshCase(ctx context.Context, u directory.User, id string) (caseView, error) {
	st, err := s.cfg.Cases.Get(ctx, u, id)
	if err != nil {
		return caseView{}, err
	}
	sum, err := s.cfg.Cases.Summary(ctx, u, id)
	if err != nil {
		return caseView{}, err
	}
	return s.viewCase(ctx, u, &st, sum)
}

// listEvents answers the log after a sequence number.
func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) error {
	after, err := number(r.URL.Query().Get("after"), 0)
	if err != nil {
		return err
	}
	st, err := s.open(r, cases.View, audit.Entry{Action: actEvents})
	if err != nil {
		return err
	}
	evs, err := s.cfg.Cases.Events(r.Context(), userOf(r), st.ID, after)
	if err != nil {
		return err
	}
	if evs == nil {
		evs = []cases.Event{}
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"events": evs})
}

// postEvents appends to a case's log, or opens it with its first event.
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), userOf(r)
	id, err := caseID(r)
	if err != nil {
		return err
	}
	raw, err := readBody(w, r, maxEventBytes)
	if err != nil {
		return err
	}
	evs, err := cases.Decode(raw)
	if err != nil {
		var ue *cases.UserError
		if errors.As(err, &ue) {
			return err
		}
		return problem.New("bad-request").Because(err)
	}
	_, added, err := s.cfg.Cases.Append(ctx, u, id, evs)
	if err != nil {
		s.recordRefused(ctx, u, id, evs, err)
		return s.hide(ctx, u, id, err)
	}
	s.forgetState(id)
	for _, ev := range added {
		s.record(ctx, audit.Entry{Action: actWrite, Case: id, Object: string(ev.Type)})
	}
	v, err := s.freshCase(ctx, u, id)
	if err != nil {
		return err
	}
	if added == nil {
		added = []cases.Event{}
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"case": v, "events": added})
}

// hide turns "forbidden" into "not found" for a case that the user may not
// even see.
func (s *Server) hide(ctx context.Context, u directory.User, id string, err error) error {
	if !errors.Is(err, cases.ErrForbidden) {
		return err
	}
	if _, gerr := s.cfg.Cases.Get(ctx, u, id); errors.Is(gerr, cases.ErrForbidden) {
		return problem.New("not-found").Because(err)
	}
	return err
}

func (s *Server) recordRefused(ctx context.Context, u directory.User, id string, evs []cases.NewEvent, err error) {
	outcome := ""
	switch {
	case errors.Is(err, cases.ErrForbidden), errors.Is(err, cases.ErrNotFound):
		outcome = "denied"
	case errors.Is(err, cases.ErrConflict):
		outcome = "conflict"
	default:
		return
	}
	object := ""
	if len(evs) > 0 {
		object = clip(string(evs[0].Type), 40)
	}
	s.record(ctx, audit.Entry{Action: actWrite, Case: id, Object: object, Outcome: outcome})
}

func (s *Server) markRead(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.View, audit.Entry{Action: actRead})
	if err != nil {
		return err
	}
	var in struct {
		Seq int64 `json:"seq"`
	}
	if err := readJSON(w, r, 1<<10, &in); err != nil {
		return err
	}
	if in.Seq < 0 {
		return problem.New("bad-request")
	}
	if err := s.cfg.Cases.MarkRead(r.Context(), userOf(r), st.ID, in.Seq); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type accessView struct {
	At      time.Time        `json:"at"`
	By      directory.Person `json:"by"`
	Action  string           `json:"action"`
	Outcome string           `json:"outcome"`
	Surface string           `json:"surface"`
	// Detail is to whom and why something left the case, or which guest of its
	// call was meant.
	Detail string `json:"detail,omitempty"`
}

// maxAccess bounds one answer of the access log.
const maxAccess = 500

// accessLog answers who saw or changed the case, newest first.
func (s *Server) accessLog(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.SeeAccessLog, audit.Entry{Action: actAccess})
	if err != nil {
		return err
	}
	entries, err := s.cfg.Audit.ByCase(r.Context(), st.ID, maxAccess)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.Actor)
	}
	p, err := s.people(r.Context(), ids)
	if err != nil {
		return err
	}
	invited, err := s.guestNames(r.Context(), st)
	if err != nil {
		return err
	}
	out := make([]accessView, 0, len(entries))
	for _, e := range entries {
		v := accessView{At: e.At.UTC(), By: p.of(e.Actor), Action: e.Action, Outcome: e.Outcome, Surface: e.Surface}
		if id, guest := cases.GuestOf(e.Actor); guest {
			v.By.Name = invited[id] + " (sur invitation)"
		} else if name, ok := invited[e.Object]; ok {
			v.Detail = name
		}
		if e.Action == actExport || e.Action == actAnon {
			v.Detail = e.Object
		}
		out = append(out, v)
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"entries": out})
}

func number(raw string, missing int64) (int64, error) {
	if raw == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n < 0 {
		return 0, problem.New("bad-request")
	}
	return n, nil
}
