package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/index"
	"sira/web/problem"
)

// difference is an attribute that two objects of one UID have otherwise.
type difference struct {
	Field    string `json:"field"`
	Known    string `json:"known"`
	Received string `json:"received"`
}

type quarantineView struct {
	ID       string           `json:"id"`
	Reason   string           `json:"reason"` // "instance-conflict"
	SOPUID   string           `json:"sopUID"`
	StudyUID string           `json:"studyUID"`
	Modality string           `json:"modality"`
	Device   string           `json:"device,omitempty"`
	Remote   string           `json:"remote,omitempty"`
	By       directory.Person `json:"by"` // the sender, also when a device
	FirstAt  time.Time        `json:"firstAt"`
	LastAt   time.Time        `json:"lastAt"`
	Times    int              `json:"times"`
	// Differs is empty when only what no header says differs: the pixels.
	Differs []difference `json:"differs"`
}

// mayQuarantine: conflicts concern no case, so they are for those who look
// after all of them.
func mayQuarantine(u directory.User) bool {
	return u.Role == directory.Admin || u.Role == directory.Dispatcher
}

func (s *Server) quarantineOnly(ctx context.Context, e audit.Entry) error {
	if mayQuarantine(requestOf(ctx).user) {
		return nil
	}
	e.Outcome = "denied"
	s.record(ctx, e)
	return problem.New("forbidden")
}

// quarantineChanged tells those who look after conflicts, and are here.
func (s *Server) quarantineChanged(ctx context.Context) {
	var may []string
	for _, id := range s.hub.Users() {
		if u, err := s.cfg.Directory.User(ctx, id); err == nil && !u.Disabled && mayQuarantine(u) {
			may = append(may, id)
		}
	}
	s.push(may, map[string]any{"type": "quarantine"})
}

// listQuarantine answers the objects whose UID is taken by others, with what
// differs.
func (s *Server) listQuarantine(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	entry := audit.Entry{Action: actHeld}
	if err := s.quarantineOnly(ctx, entry); err != nil {
		return err
	}
	list, err := s.cfg.Index.InQuarantine(ctx)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	if err := s.recordRead(ctx, entry); err != nil {
		return err
	}
	var ids []string
	for _, q := range list {
		ids = append(ids, q.Sender)
	}
	p, err := s.people(ctx, ids)
	if err != nil {
		return err
	}
	out := make([]quarantineView, 0, len(list))
	for _, q := range list {
		by := p.of(q.Sender)
		if q.Device != "" {
			by = p.of(cases.DeviceActor(q.Device))
		}
		out = append(out, quarantineView{ID: q.ID, Reason: "instance-conflict", SOPUID: q.Instance.SOPUID, StudyUID: q.Instance.StudyUID,
			Modality: q.Instance.Modality, Device: q.Device, Remote: q.Remote, By: by,
			FirstAt: q.First, LastAt: q.Last, Times: q.Times, Differs: differences(q.Known, q.Instance)})
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"entries": out})
}

// differences compares two headers.
func differences(known, received dicom.Instance) []difference {
	out := []difference{}
	for _, f := range []struct {
		name string
		of   func(dicom.Instance) string
	}{
		{"patientName", func(in dicom.Instance) string { return in.PatientName }},
		{"patientId", func(in dicom.Instance) string { return in.PatientID }},
		{"patientSex", func(in dicom.Instance) string { return in.PatientSex }},
		{"patientBirthDate", func(in dicom.Instance) string { return in.PatientBirthDate }},
		{"studyUID", func(in dicom.Instance) string { return in.StudyUID }},
		{"seriesUID", func(in dicom.Instance) string { return in.SeriesUID }},
		{"studyDate", func(in dicom.Instance) string { return in.StudyDate }},
		{"studyTime", func(in dicom.Instance) string { return in.StudyTime }},
		{"accession", func(in dicom.Instance) string { return in.AccessionNumber }},
		{"modality", func(in dicom.Instance) string { return in.Modality }},
		{"sopClass", func(in dicom.Instance) string { return in.SOPClass }},
		{"transferSyntax", func(in dicom.Instance) string { return in.TransferSyntax }},
		{"rows", func(in dicom.Instance) string { return strconv.Itoa(in.Rows) }},
		{"columns", func(in dicom.Instance) string { return strconv.Itoa(in.Cols) }},
		{"frames", func(in dicom.Instance) string { return strconv.Itoa(in.Frames) }},
		{"size", func(in dicom.Instance) string { return strconv.FormatInt(in.Size, 10) }},
	} {
		if a, b := f.of(known), f.of(received); a != b {
			out = append(out, difference{f.name, a, b})
		}
	}
	return out
}

// discardQuarantined forgets one of them. To take it in as another instance
// its UID would have to change, and the bytes of an original never do.
func (s *Server) discardQuarantined(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	entry := audit.Entry{Action: actDrop, Object: clip(r.PathValue("entry"), 64)}
	if err := s.quarantineOnly(ctx, entry); err != nil {
		return err
	}
	err := s.cfg.Ingest.Discard(ctx, r.PathValue("entry"))
	if errors.Is(err, index.ErrNotFound) {
		return problem.New("not-found").Because(err)
	}
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	s.record(ctx, entry)
	s.quarantineChanged(ctx)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
