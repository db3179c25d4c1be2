package cases

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func scan(id string) Attachment {
	a := file(id)
	a.Kind, a.MediaType, a.Device = "dicom", "application/dicom", "ECHO 1"
	a.DICOM = &DICOMRef{StudyUID: "1.2", SeriesUID: "1.2.1", SOPUID: "1.2.1." + id, Modality: "US", Frames: 1}
	return a
}

func scheduled() NewEvent {
	return event(ProcedureScheduled, ScheduledData{Modality: " us", Device: "ECHO 1", At: start.Add(time.Hour), Description: "Échographie cardiaque"})
}

func TestDeviceAttaches(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		id := w.opened()
		for range 2 { // sent again, it is there once
			if _, err := w.svc.AttachFromDevice(ctx, "ECHO 1", id, []Attachment{scan("a"), scan("b")}); err != nil {
				t.Fatal(err)
			}
		}
		st, err := w.svc.Get(ctx, w.user("aminata"), id)
		must(t, err)
		if len(st.Attachments) != 2 || st.Attachments[0].AddedBy != "aet:ECHO 1" || st.Attachments[0].Device != "ECHO 1" || st.Timeline[1].By != DeviceActor("ECHO 1") {
			t.Errorf("%+v", st.Attachments)
		}
		// For the clinician it is news: they did not do it.
		list, err := w.svc.List(ctx, w.user("aminata"), Filter{})
		must(t, err)
		if len(list) != 1 || list[0].Unread != 1 {
			t.Errorf("unread %+v", list)
		}
		must(t, w.svc.Verify(ctx, id))

		if aet, ok := DeviceOf(st.Attachments[0].AddedBy); !ok || aet != "ECHO 1" {
			t.Errorf("device %q", aet)
		}
		_, err = w.svc.AttachFromDevice(ctx, "ECHO 1", "0b9f4a94-93f4-4a4e-9f5e-0f4f2bdb7f0e", []Attachment{scan("c")})
		wantErr(t, err, ErrNotFound)
		for _, aet := range []string{"", " X", `A\B`, "SEVENTEEN-LETTERS", "É"} {
			_, err = w.svc.AttachFromDevice(ctx, aet, id, []Attachment{scan("c")})
			refused(t, err, "bad-value", "device")
		}
		w.does("aminata", id, event(Cancelled, ReasonData{"erreur"}))
		_, err = w.svc.AttachFromDevice(ctx, "ECHO 1", id, []Attachment{scan("c")})
		if !errors.Is(err, ErrConflict) {
			t.Errorf("into a cancelled case: %v", err)
		}
	})
}

func TestAllowDevice(t *testing.T) {
	for _, action := range append([]Action{Create, "invented"}, Actions...) {
		for letter, status := range statusLetters {
			err := AllowDevice(action, policyCase(status))
			if want := action == Attach && strings.Contains("SACR", letter); (err == nil) != want {
				t.Errorf("%s when %s: %v", action, status, err)
			}
		}
	}
	wantErr(t, AllowDevice(Attach, nil), ErrForbidden)
}

func TestAttachStudy(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		id := w.opened("seydou")
		for name, want := range map[string]error{"aminata": nil, "assetou": nil, "seydou": ErrForbidden, "halima": ErrForbidden, "modibo": ErrForbidden} {
			_, err := w.svc.AttachStudy(ctx, w.user(name), id, []Attachment{scan(name)})
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		st, err := w.svc.ByNumber(ctx, "  "+strings.ToLower(w.number(id))+" ")
		must(t, err)
		if st.ID != id || len(st.Attachments) != 2 {
			t.Errorf("%+v", st)
		}
		for _, n := range []string{"", "KAT-1900-0001", strings.Repeat("x", 5000), "%"} {
			_, err := w.svc.ByNumber(ctx, n)
			wantErr(t, err, ErrNotFound)
		}
	})
}

func (w *world) number(id string) string {
	w.t.Helper()
	st, err := w.svc.ForDevice(w.t.Context(), id)
	must(w.t, err)
	return st.Number
}

func TestProcedure(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		id := w.opened("seydou")
		_, _, err := w.append("seydou", id, scheduled())
		wantErr(t, err, ErrForbidden)
		_, _, err = w.append("aminata", id, event(ProcedureCancelled, UnscheduledData{}))
		refused(t, err, "no-procedure", "events[0].type")

		first := scheduled()
		w.does("aminata", id, first)
		w.does("aminata", id, first) // a retry
		list, err := w.svc.Worklist(ctx)
		must(t, err)
		if len(list) != 1 || list[0].Number != w.number(id) || list[0].Patient.Name != "Moussa Doumbia" || list[0].Procedure.Modality != "US" {
			t.Fatalf("%+v", list)
		}
		p := list[0].Procedure
		if len(p.Code()) > 16 || !strings.HasPrefix(p.StudyUID(), "2.25.") || len(p.StudyUID()) > 64 {
			t.Errorf("code %q, study %q", p.Code(), p.StudyUID())
		}
		second := scheduled()
		w.does("aminata", id, second)
		if list, _ = w.svc.Worklist(ctx); len(list) != 1 || list[0].Procedure.ID != second.ID {
			t.Fatalf("a new one takes the place of the one before: %+v", list)
		}
		for _, uid := range []string{p.StudyUID(), list[0].Procedure.StudyUID()} {
			if st, err := w.svc.WorklistCase(ctx, uid); err != nil || st.ID != id {
				t.Errorf("case of %s: %v", uid, err)
			}
		}
		for _, uid := range []string{"", "1.2.3", "2.25.", "2.25.-1", "2.25.7", "2.25." + strings.Repeat("9", 60), "2.25.x"} {
			_, err := w.svc.WorklistCase(ctx, uid)
			wantErr(t, err, ErrNotFound)
		}

		// An upload by a person, or of another modality, does not fulfil it.
		byHand, other := scan("h"), scan("o")
		byHand.Device, other.DICOM.Modality = "", "CT"
		_, err = w.svc.AttachFiles(ctx, w.user("aminata"), id, []Attachment{byHand, other})
		must(t, err)
		if list, _ = w.svc.Worklist(ctx); len(list) != 1 {
			t.Fatalf("%+v", list)
		}
		_, err = w.svc.AttachFromDevice(ctx, "ECHO 1", id, []Attachment{scan("a")})
		must(t, err)
		if list, _ = w.svc.Worklist(ctx); len(list) != 0 {
			t.Fatalf("done and still asked for: %+v", list)
		}
		st, err := w.svc.Get(ctx, w.user("seydou"), id)
		must(t, err)
		if st.Procedure == nil || !st.Procedure.Done {
			t.Errorf("%+v", st.Procedure)
		}
		w.does("aminata", id, scheduled())
		st = w.does("aminata", id, event(ProcedureCancelled, UnscheduledData{"l’appareil est en panne"}))
		if list, _ = w.svc.Worklist(ctx); len(list) != 0 || st.Procedure != nil {
			t.Fatalf("cancelled and still asked for: %+v", list)
		}
		w.does("aminata", id, scheduled())
		w.does("aminata", id, event(Cancelled, ReasonData{"erreur"}))
		if list, _ = w.svc.Worklist(ctx); len(list) != 0 {
			t.Fatalf("of an ended case: %+v", list)
		}
		must(t, w.svc.Verify(ctx, id))
	})
}

func TestScheduledDataIsChecked(t *testing.T) {
	good := ScheduledData{Modality: "US", At: start, Description: "Écho"}
	for field, spoil := range map[string]func(*ScheduledData){
		"modality":    func(d *ScheduledData) { d.Modality = "us*" },
		"device":      func(d *ScheduledData) { d.Device = "ÉCHO" },
		"at":          func(d *ScheduledData) { d.At = time.Time{} },
		"description": func(d *ScheduledData) { d.Description = strings.Repeat("é", 65) },
	} {
		d := good
		spoil(&d)
		var ue *UserError
		if err := d.check(); !errors.As(err, &ue) || ue.Params["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	must(t, good.check())
}
