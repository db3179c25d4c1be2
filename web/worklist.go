package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
)

// procedureView is an examination asked of a device.
type procedureView struct {
	Modality    string           `json:"modality"`
	Device      string           `json:"device,omitempty"`
	At          time.Time        `json:"at"`
	Description string           `json:"description"`
	By          directory.Person `json:"by"`
	Accession   string           `json:"accession"` // to be typed on a device without worklist
	Done        bool             `json:"done"`
}

func viewProcedure(st *cases.State, p people) *procedureView {
	x := st.Procedure
	if x == nil {
		return nil
	}
	return &procedureView{Modality: x.Modality, Device: x.Device, At: x.At.UTC(), Description: x.Description,
		By: p.of(x.By), Accession: st.Number, Done: x.Done}
}

// schedule asks a device for an examination, in place of what was asked before.
// The same again is no new event.
func (s *Server) schedule(w http.ResponseWriter, r *http.Request) error {
	var in cases.ScheduledData
	if err := readJSON(w, r, 8<<10, &in); err != nil {
		return err
	}
	st, err := s.open(r, cases.Schedule, audit.Entry{})
	if err != nil {
		return err
	}
	if p := st.Procedure; p != nil && !p.Done && p.At.Equal(in.At) && p.Modality == in.Modality && p.Device == in.Device && p.Description == in.Description {
		return s.answerCase(w, r, st.ID)
	}
	return s.appendOne(w, r, st.ID, cases.ProcedureScheduled, in)
}

// unschedule takes the examination back.
func (s *Server) unschedule(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.Schedule, audit.Entry{})
	if err != nil {
		return err
	}
	if st.Procedure == nil {
		return s.answerCase(w, r, st.ID)
	}
	return s.appendOne(w, r, st.ID, cases.ProcedureCancelled, cases.UnscheduledData{})
}

// appendOne adds an event that the request stands for, and answers the case.
func (s *Server) appendOne(w http.ResponseWriter, r *http.Request, id string, t cases.EventType, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	u := userOf(r)
	ev := cases.NewEvent{ID: uuid.NewString(), Type: t, Data: raw}
	if _, _, err := s.cfg.Cases.Append(r.Context(), u, id, []cases.NewEvent{ev}); err != nil {
		s.recordRefused(r.Context(), u, id, []cases.NewEvent{ev}, err)
		return s.hide(r.Context(), u, id, err)
	}
	s.forgetState(id)
	s.record(r.Context(), audit.Entry{Action: actWrite, Case: id, Object: string(t)})
	return s.answerCase(w, r, id)
}

func (s *Server) answerCase(w http.ResponseWriter, r *http.Request, id string) error {
	v, err := s.freshCase(r.Context(), userOf(r), id)
	if err != nil {
		return err
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"case": v})
}
