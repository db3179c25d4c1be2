package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom"
	"sira/storage"
	"sira/web/problem"
	"sira/web/tray"
)

func (s *Server) openTray() error {
	var err error
	s.tray, err = tray.Open(context.Background(), tray.Config{DB: s.cfg.DB, Index: s.cfg.Index, Cases: s.cfg.Cases,
		Differs: patientDiffers, Attached: s.deviceAttached, Changed: s.trayChanged, Log: s.log, Gather: s.cfg.TrayGather})
	return err
}

// DeviceSent notes an instance that a DICOM device sent and that is stored and
// indexed: it reaches its case, or the tray. A device is answered after this.
func (s *Server) DeviceSent(ctx context.Context, aet string, in dicom.Instance) error {
	return s.tray.Put(ctx, aet, in)
}

// NoteSent is DeviceSent for an object that is being indexed, in the same
// transaction; DeviceNoted is due after it.
func (s *Server) NoteSent(ctx context.Context, tx storage.Querier, aet string, in dicom.Instance) error {
	return s.tray.Note(ctx, tx, aet, in)
}

// DeviceNoted says that a transaction with NoteSent is through.
func (s *Server) DeviceNoted() { s.tray.Wake() }

// seesTray is the one place that says whose tray a device's is: that of the
// clinicians of its facility; without a facility that of dispatchers and
// administrators.
func (s *Server) seesTray(u directory.User, aet string) bool {
	facility, ok := s.cfg.Devices[aet]
	switch {
	case u.Disabled:
		return false
	case ok && facility != "":
		return u.Role == directory.Clinician && u.Facility.ID == facility
	}
	return u.Role == directory.Dispatcher || u.Role == directory.Admin
}

// ofTray is seesTray for one user; nobody else has a tray at all.
func (s *Server) ofTray(u directory.User) func(aet string) bool {
	return func(aet string) bool { return s.seesTray(u, aet) }
}

func hasTray(u directory.User) bool {
	return u.Role == directory.Clinician || u.Role == directory.Dispatcher || u.Role == directory.Admin
}

// deviceAttached journals what a device's accession number or the worklist
// decided.
func (s *Server) deviceAttached(ctx context.Context, aet, caseID, study string, _ int) {
	s.record(ctx, audit.Entry{Actor: cases.DeviceActor(aet), Action: actDevice, Case: caseID, Object: clip(study, 64), Surface: "dicom"})
}

// trayChanged tells those who see a device's tray, and are here, to read it.
func (s *Server) trayChanged(ctx context.Context, aet string) {
	var may []string
	for _, id := range s.hub.Users() {
		if u, err := s.cfg.Directory.User(ctx, id); err == nil && s.seesTray(u, aet) {
			may = append(may, id)
		}
	}
	s.push(may, map[string]any{"type": "tray"})
}

type trayPatient struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	Sex       string `json:"sex"`
	BirthDate string `json:"birthDate"`
}

type trayStudyView struct {
	StudyUID    string      `json:"studyUID"`
	Device      string      `json:"device"`
	Facility    string      `json:"facility"` // name, empty when the device has none
	Patient     trayPatient `json:"patient"`
	Modalities  []string    `json:"modalities"`
	Description string      `json:"description"`
	StudyDate   string      `json:"studyDate"`
	Accession   string      `json:"accession"`
	Instances   int         `json:"instances"`
	Size        int64       `json:"size"`
	FirstAt     time.Time   `json:"firstAt"`
	LastAt      time.Time   `json:"lastAt"`
	Reason      tray.Reason `json:"reason"`
}

// listTray answers the studies that devices sent and no case has.
func (s *Server) listTray(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), userOf(r)
	if !hasTray(u) {
		s.record(ctx, audit.Entry{Action: actTray, Outcome: "denied"})
		return problem.New("forbidden")
	}
	list, err := s.tray.Waiting(ctx, s.ofTray(u))
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	names, err := s.placeNames(ctx)
	if err != nil {
		return err
	}
	if err := s.recordRead(ctx, audit.Entry{Action: actTray}); err != nil {
		return err
	}
	out := make([]trayStudyView, 0, len(list))
	for _, x := range list {
		in := x.Sample
		out = append(out, trayStudyView{StudyUID: x.UID, Device: x.AET, Facility: names[s.cfg.Devices[x.AET]],
			Patient:    trayPatient{in.PatientName, in.PatientID, in.PatientSex, in.PatientBirthDate},
			Modalities: orEmpty(x.Modalities), Description: in.StudyDescription, StudyDate: in.StudyDate, Accession: in.AccessionNumber,
			Instances: x.Count, Size: x.Size, FirstAt: x.First, LastAt: x.Last, Reason: x.Reason})
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"studies": out})
}

// countTray answers how many studies and conflicts wait for the user: numbers
// of nobody, so the journal does not have it.
func (s *Server) countTray(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), userOf(r)
	if !hasTray(u) {
		s.record(ctx, audit.Entry{Action: actTray, Outcome: "denied"})
		return problem.New("forbidden")
	}
	n, err := s.tray.Count(ctx, s.ofTray(u))
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	out := map[string]int64{"studies": int64(n), "quarantined": 0}
	if mayQuarantine(u) {
		held, err := s.cfg.Index.Totals(ctx)
		if err != nil {
			return problem.New("unavailable").Because(err)
		}
		out["quarantined"] = held.Quarantined
	}
	return s.writeJSON(w, r, http.StatusOK, out)
}

// trayThumbnail answers a small picture of a study that waits, to whoever sees
// it in their tray.
func (s *Server) trayThumbnail(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	entry := audit.Entry{Action: actTrayView, Object: clip(r.PathValue("study"), 64)}
	in, err := s.tray.Picture(ctx, r.PathValue("study"), s.ofTray(userOf(r)))
	if errors.Is(err, tray.ErrNotFound) {
		entry.Outcome = "denied"
		return errors.Join(s.recordRead(ctx, entry), problem.New("not-found").Because(err))
	}
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	if in.Kind != "image" && in.Kind != "video" {
		return problem.New("no-preview")
	}
	if err := s.recordRead(ctx, entry); err != nil {
		return err
	}
	// Named by its study, whose picture may become another while it arrives.
	w.Header().Set("Cache-Control", "private, no-cache")
	if notModified(w, r, `"`+in.Hash+`-t"`) {
		return nil
	}
	raw, own, err := s.thumbnail(ctx, cases.Attachment{Hash: in.Hash, Kind: "dicom"})
	if err != nil {
		return err
	}
	if !own {
		w.Header().Del("ETag")
	}
	w.Header().Set("Content-Type", "image/jpeg")
	return sendBody(w, r, raw)
}

// takeFromTray attaches a study to one of the user's open cases. When the
// patients contradict each other the user has to say so.
func (s *Server) takeFromTray(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), userOf(r)
	var in struct {
		CaseID  string `json:"caseId"`
		Confirm bool   `json:"confirm"`
	}
	if err := readJSON(w, r, 1<<10, &in); err != nil {
		return err
	}
	id, err := uuid.Parse(in.CaseID)
	if err != nil {
		return problem.New("bad-request").Because(err)
	}
	entry := audit.Entry{Action: actTake, Case: id.String(), Object: clip(r.PathValue("study"), 64)}
	n, err := s.tray.Take(ctx, u, r.PathValue("study"), id.String(), in.Confirm, s.ofTray(u))
	if n > 0 {
		s.forgetState(id.String())
		s.record(ctx, entry) // even when the rest of it failed
	}
	switch {
	case errors.Is(err, tray.ErrPatientDiffers):
		return problem.New("patient-differs")
	case errors.Is(err, tray.ErrNotFound):
		entry.Case, entry.Outcome = "", "denied"
		s.record(ctx, entry)
		return problem.New("not-found").Because(err)
	case errors.Is(err, cases.ErrForbidden), errors.Is(err, cases.ErrNotFound):
		entry.Outcome = "denied"
		s.record(ctx, entry)
		return s.hide(ctx, u, id.String(), err)
	case err != nil:
		return err
	}
	v, err := s.freshCase(ctx, u, id.String())
	if err != nil {
		return err
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"case": v, "instances": n})
}

func (s *Server) discardFromTray(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), userOf(r)
	entry := audit.Entry{Action: actDiscard, Object: clip(r.PathValue("study"), 64)}
	err := s.tray.Discard(ctx, u, r.PathValue("study"), s.ofTray(u))
	if errors.Is(err, tray.ErrNotFound) {
		entry.Outcome = "denied"
		s.record(ctx, entry)
		return problem.New("not-found").Because(err)
	}
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	s.record(ctx, entry)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
