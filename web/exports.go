package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom/deid"
	"sira/storage"
	"sira/web/export"
	"sira/web/problem"
)

// Actions of the journal about what leaves a case. Their object says to whom
// and why; its outcome "interrupted" that not all of it left.
const (
	actSurvey = "prepare-export"
	actExport = "export"
	actAnon   = "export-anonymous"
)

// exportsAtOnce bounds the archives that are being written.
const exportsAtOnce = 4

// exporting is how far the archives are that are being fetched, by order.
type exporting struct {
	mu   sync.Mutex
	runs map[string]*run
	gate gate
}

type run struct {
	sent        atomic.Int64
	done, total atomic.Int64
	state       atomic.Value // "running", "done" or "interrupted"
	at          time.Time
}

func (s *Server) openExports() error {
	var err error
	s.running = exporting{runs: map[string]*run{}, gate: make(gate, exportsAtOnce)}
	s.exports, err = export.Open(context.Background(), export.Config{DB: s.cfg.DB, Blobs: s.cfg.Blobs, Persons: s.cfg.Directory.Persons,
		Dir: filepath.Join(s.cfg.SpoolDir, "exports"), Log: s.log})
	return err
}

func (e *exporting) begin(id string) *run {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, old := range e.runs {
		if time.Since(old.at) > time.Hour && old.state.Load() != "running" {
			delete(e.runs, k)
		}
	}
	r := &run{at: time.Now()}
	r.state.Store("running")
	e.runs[id] = r
	return r
}

func (e *exporting) get(id string) *run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.runs[id]
}

// exportAction is what a mode needs to be allowed.
func exportAction(mode export.Mode) (cases.Action, string, error) {
	switch mode {
	case export.Full:
		return cases.Export, actExport, nil
	case export.Anonymous:
		return cases.ExportAnonymous, actAnon, nil
	}
	return "", "", problem.New("bad-request")
}

type leftView struct {
	Attachment string        `json:"attachment"`
	SOP        string        `json:"sop,omitempty"`
	Name       string        `json:"name"`
	Modality   string        `json:"modality,omitempty"`
	Reason     export.Reason `json:"reason"`
}

type sightView struct {
	SOP       string         `json:"sop"`
	SeriesUID string         `json:"seriesUID"`
	Modality  string         `json:"modality"`
	Rows      int            `json:"rows"`
	Cols      int            `json:"cols"`
	Frames    int            `json:"frames"`
	Masks     [][4]int       `json:"masks"`
	Warnings  []deid.Warning `json:"warnings"`
}

type surveyView struct {
	Mode       export.Mode `json:"mode"`
	Objects    int         `json:"objects"`
	Others     int         `json:"others"`
	Bytes      int64       `json:"bytes"`
	Opinions   int         `json:"opinions"`
	KeyImages  int         `json:"keyImages"`
	Faces      int         `json:"faces"`
	Left       []leftView  `json:"left"`
	Look       []sightView `json:"look"`
	Recipients []string    `json:"recipients"`
}

func viewSurvey(st *cases.State, mode export.Mode, v *export.Survey, recipients []string) surveyView {
	names := map[string]string{}
	for _, a := range st.Attachments {
		names[a.ID] = a.Name
	}
	out := surveyView{Mode: mode, Objects: v.Objects, Others: v.Others, Bytes: v.Bytes, Opinions: v.Opinions, KeyImages: v.KeyImages,
		Faces: v.Faces, Left: []leftView{}, Look: []sightView{}, Recipients: orEmpty(recipients)}
	for _, l := range v.Left {
		out.Left = append(out.Left, leftView{l.Attachment, l.SOP, names[l.Attachment], l.Modality, l.Reason})
	}
	for _, x := range v.Sights {
		if x.Warnings == nil {
			x.Warnings = []deid.Warning{}
		}
		out.Look = append(out.Look, sightView(x))
	}
	return out
}

// surveyExport answers what an export would hold, what stays behind and why,
// and what a person must look at first.
func (s *Server) surveyExport(w http.ResponseWriter, r *http.Request) error {
	mode := export.Mode(r.URL.Query().Get("mode"))
	action, _, err := exportAction(mode)
	if err != nil {
		return err
	}
	st, err := s.open(r, action, audit.Entry{Action: actSurvey})
	if err != nil {
		return err
	}
	survey, err := s.exports.Survey(r.Context(), st, mode)
	if err != nil {
		return exportProblem(err)
	}
	recipients, err := s.exports.Recipients(r.Context(), userOf(r).ID)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	return s.writeJSON(w, r, http.StatusOK, viewSurvey(st, mode, survey, recipients))
}

// maxOrderBytes bounds the body of an order.
const maxOrderBytes = 2 << 20

// orderExport keeps an export to be fetched within a day, when all that a
// person must look at was looked at.
func (s *Server) orderExport(w http.ResponseWriter, r *http.Request) error {
	var o export.Order
	// The survey of thousands of slices may take its time, the body may not.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(requestTimeout))
	if err := readJSON(w, r, maxOrderBytes, &o); err != nil {
		return err
	}
	_ = control.SetReadDeadline(time.Time{})
	action, act, err := exportAction(o.Mode)
	if err != nil {
		return err
	}
	st, err := s.open(r, action, audit.Entry{Action: actSurvey})
	if err != nil {
		return err
	}
	o.User = userOf(r).ID
	survey, err := s.exports.Prepare(r.Context(), st, &o)
	if err != nil {
		return exportProblem(err)
	}
	err = s.journal(r.Context(), audit.Entry{Action: act, Case: st.ID, Object: toWhom(&o), Outcome: "prepared"})
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	base := "/api/cases/" + st.ID + "/exports/" + o.ID
	return s.writeJSON(w, r, http.StatusCreated, map[string]any{"id": o.ID, "file": base + "/file", "status": base,
		"objects": survey.Objects, "others": survey.Others, "bytes": survey.Bytes})
}

// toWhom is an order as the journal tells it.
func toWhom(o *export.Order) string {
	if o.Purpose == "" {
		return o.Recipient
	}
	return o.Recipient + " · " + o.Purpose
}

// openOrder finds the path's order for the one who gave it, who must still be
// allowed to export.
func (s *Server) openOrder(r *http.Request, read bool) (*cases.State, *export.Order, error) {
	o, err := s.exports.Order(r.Context(), clip(r.PathValue("export"), 64))
	if err != nil {
		return nil, nil, exportProblem(err)
	}
	id, err := caseID(r)
	if err != nil {
		return nil, nil, err
	}
	if o.Case != id || o.User != userOf(r).ID {
		return nil, nil, problem.New("not-found")
	}
	action, act, err := exportAction(o.Mode)
	if err != nil {
		return nil, nil, err
	}
	entry := audit.Entry{}
	if read {
		entry = audit.Entry{Action: act, Object: toWhom(o)}
	}
	st, err := s.open(r, action, audit.Entry{})
	if err != nil {
		return nil, nil, err
	}
	if read {
		entry.Case = st.ID
		if err := s.journal(r.Context(), entry); err != nil { // each time, not once in a while: it leaves
			return nil, nil, problem.New("unavailable").Because(err)
		}
	}
	return st, o, nil
}

// exportStatus answers how far the fetch of an order is.
func (s *Server) exportStatus(w http.ResponseWriter, r *http.Request) error {
	_, o, err := s.openOrder(r, false)
	if err != nil {
		return err
	}
	out := map[string]any{"state": "waiting", "sent": int64(0), "done": int64(0), "total": int64(0)}
	if x := s.running.get(o.ID); x != nil {
		out = map[string]any{"state": x.state.Load(), "sent": x.sent.Load(), "done": x.done.Load(), "total": x.total.Load()}
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.writeJSON(w, r, http.StatusOK, out)
}

// counting counts what went out, and stops when the request ends.
type counting struct {
	w   io.Writer
	ctx context.Context
	x   *run
}

func (c counting) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	c.x.sent.Add(int64(n))
	return n, err
}

// fetchExport streams the archive. It may be fetched again after a cut.
func (s *Server) fetchExport(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := s.running.gate.acquire(ctx); err != nil {
		return err
	}
	defer s.running.gate.release()
	st, o, err := s.openOrder(r, true)
	if err != nil {
		return err
	}
	// The state may be seconds old; what leaves is as of now.
	fresh, err := s.cfg.Cases.Get(ctx, userOf(r), st.ID)
	if err != nil {
		return err
	}
	x := s.running.begin(o.ID)
	name := "sira-" + st.Number + ".zip"
	if o.Mode == export.Anonymous {
		name = "sira-sans-identite-" + o.ID[:8] + ".zip"
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", disposition(name, false))
	h.Set("Cache-Control", "no-store")
	result, err := s.exports.Write(ctx, counting{w, ctx, x}, &fresh, o, func(done, total int) {
		x.done.Store(int64(done))
		x.total.Store(int64(total))
	})
	if err == nil {
		x.state.Store("done")
		s.log.Info("export sent", "request", requestOf(ctx).id, "mode", o.Mode, "objects", result.Objects, "others", result.Others,
			"left", result.LeftOut, "bytes", result.Bytes)
		return nil
	}
	_, act, _ := exportAction(o.Mode)
	s.record(ctx, audit.Entry{Action: act, Case: st.ID, Object: toWhom(o), Outcome: "interrupted"})
	x.state.Store("interrupted") // on record before anybody is told
	if x.sent.Load() == 0 && ctx.Err() == nil {
		h.Del("Content-Disposition")
		return exportProblem(err)
	}
	if ctx.Err() == nil {
		s.log.Error("export broke off", "request", requestOf(ctx).id, "err", err)
	}
	panic(http.ErrAbortHandler) // an archive without its end must not look whole
}

// exportProblem finds the words for what export refuses.
func exportProblem(err error) error {
	switch {
	case errors.Is(err, export.ErrNotFound):
		return problem.New("not-found").Because(err)
	case errors.Is(err, export.ErrReview):
		return problem.New("export-look").Because(err)
	case errors.Is(err, export.ErrRecipient):
		return problem.New("export-recipient").Because(err)
	case errors.Is(err, export.ErrNothing):
		return problem.New("export-nothing").Because(err)
	case errors.Is(err, export.ErrOrder):
		return problem.New("bad-request").Because(err)
	case errors.Is(err, storage.ErrDenied):
		return problem.New("unavailable").Because(err)
	}
	return fmt.Errorf("exporting: %w", err)
}
