package web

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"sira/cases"
	"sira/cases/directory"
	"sira/dicom/ingest"
	"sira/dicom/phantom"
)

// withDevices has a cart at Kati and one that nobody has told where it stands.
func withDevices(c *Config) {
	c.Devices = map[string]string{"CART1": "kati"}
	c.TrayGather = time.Millisecond
}

// device stores objects as a device's C-STORE does.
func (w *world) device(aet string, objects ...[]byte) {
	w.t.Helper()
	ctx := ingest.From(w.t.Context(), ingest.Source{Device: aet, Remote: "10.0.0.7"})
	for _, data := range objects {
		res := must[ingest.Result](w.t)(w.cfg.Ingest.Stream(ctx, bytes.NewReader(data)))
		if err := w.srv.DeviceSent(ctx, aet, res.Instance); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	for range 1500 {
		if is() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.t.Fatalf("%s did not come; logs:\n%s", what, w.logs.String())
}

func (w *world) trayOf(user string) []trayStudyView {
	w.t.Helper()
	var v struct{ Studies []trayStudyView }
	w.want(200, w.do(user, "GET", "/api/tray", nil)).json(w.t, &v)
	return v.Studies
}

func (w *world) series(user, id string) int {
	w.t.Helper()
	n := 0
	for _, s := range w.getCase(user, id).Series {
		n += s.Instances
	}
	return n
}

func sent(accession, name string, seed uint64) phantom.Study {
	return phantom.Study{Patient: phantom.Patient{Name: name, ID: "K-77", Sex: "F", BirthDate: "19950101"},
		Date: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC), Seed: seed, Accession: accession}
}

func TestDeviceReachesTheCaseOfItsAccessionNumber(t *testing.T) {
	w := newWorld(t, withDevices)
	id := w.open("cardio")
	number := w.getCase("clin", id).Number
	slices := phantom.CT(4, sent(" "+strings.ToLower(number), "TRAORE^AMINATA", 1))
	conn, _ := w.dial("cardio", "/api/live")
	defer conn.Close()
	next(t, conn, "hello")
	w.device("CART1", slices[:2]...)
	if n := next(t, conn, "case"); n.ID != id {
		t.Errorf("notice of %s", n.ID)
	}
	w.device("CART1", slices...) // the rest, and the first two again
	w.eventually("all slices in the case", func() bool { return w.series("cardio", id) == 4 })
	v := w.getCase("clin", id)
	if len(v.Series) != 1 || v.Series[0].Device != "CART1" || v.Series[0].Warning != "" || v.Unread == 0 {
		t.Errorf("%+v, unread %d", v.Series, v.Unread)
	}
	last := v.Timeline[len(v.Timeline)-1]
	if last.Type != cases.AttachmentAdded || last.By.Name != "Appareil CART1" || last.Count != 4 {
		t.Errorf("timeline %+v", last)
	}
	if list := w.trayOf("clin"); len(list) != 0 {
		t.Errorf("still in the tray: %+v", list)
	}
	var log struct{ Entries []accessView }
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/access", nil)).json(t, &log)
	journalled := false
	for _, e := range log.Entries {
		journalled = journalled || e.Action == actDevice && e.By.ID == "aet:CART1" && e.Surface == "dicom"
	}
	if !journalled {
		t.Errorf("not in the access log: %+v", log.Entries)
	}
	if err := w.cfg.Cases.Verify(t.Context(), id); err != nil {
		t.Error(err)
	}
	w.mustNotLog("TRAORE", "AMINATA")
}

func TestTrayOfAFacility(t *testing.T) {
	w := newWorld(t, withDevices)
	id := w.open("cardio")
	number := w.getCase("clin", id).Number
	conn, _ := w.dial("clin2", "/api/live")
	defer conn.Close()
	next(t, conn, "hello")
	other := phantom.CT(3, sent(number, "KEITA^OUMOU", 2)) // somebody else's number, typed by mistake
	w.device("CART1", other[:2]...)
	next(t, conn, "tray")
	w.device("CART1", phantom.ECG12(sent("", "TRAORE^AMINATA", 3), phantom.Sinus))
	w.device("CART1", phantom.DX(sent("KAT-1999-0001", "TRAORE^AMINATA", 4), phantom.ChestOptions{}))
	w.eventually("three studies", func() bool { return len(w.trayOf("clin")) == 3 })
	reasons := map[string]trayStudyView{}
	for _, s := range w.trayOf("clin2") {
		reasons[string(s.Reason)] = s
	}
	ct := reasons["patient-differs"]
	if len(reasons) != 3 || reasons["no-accession"].Modalities[0] != "ECG" || reasons["unknown-accession"].Accession != "KAT-1999-0001" ||
		ct.Instances != 2 || ct.Patient.Name != "KEITA^OUMOU" || ct.Device != "CART1" || ct.Facility != "CSRéf de Kati" || ct.Size == 0 {
		t.Errorf("%+v", reasons)
	}
	for _, user := range []string{"disp", "admin"} {
		if list := w.trayOf(user); len(list) != 0 {
			t.Errorf("%s sees the tray of Kati: %+v", user, list)
		}
	}
	w.want(403, w.do("cardio", "GET", "/api/tray", nil))

	take := func(user, study, caseID string, confirm bool) answer {
		return w.do(user, "POST", "/api/tray/"+study+"/attach", map[string]any{"caseId": caseID, "confirm": confirm})
	}
	w.want(404, take("disp", ct.StudyUID, id, true))
	w.want(404, take("clin2", ct.StudyUID, id, true)) // not their case
	w.want(404, take("clin", "1.2.3", id, true))
	w.want(400, w.do("clin", "POST", "/api/tray/"+ct.StudyUID+"/attach", map[string]any{"caseId": "x"}))
	if a := w.want(409, take("clin", ct.StudyUID, id, false)); !bytes.Contains(a.body, []byte("patient-differs")) {
		t.Errorf("%s", a.body)
	}
	if n := w.series("clin", id); n != 0 {
		t.Fatalf("%d instances attached against the warning", n)
	}
	w.want(200, take("clin", ct.StudyUID, id, true))
	v := w.getCase("cardio", id)
	if w.series("cardio", id) != 2 || v.Series[0].Warning != "patient-differs" || v.Timeline[len(v.Timeline)-1].By.ID != w.users["clin"].ID {
		t.Errorf("%+v", v.Series)
	}
	// What the device still sends of the study follows the person's decision.
	w.device("CART1", other...)
	w.eventually("the third slice", func() bool { return w.series("cardio", id) == 3 })

	w.want(404, w.do("admin", "DELETE", "/api/tray/"+reasons["no-accession"].StudyUID, nil))
	w.want(204, w.do("clin2", "DELETE", "/api/tray/"+reasons["no-accession"].StudyUID, nil))
	w.want(404, w.do("clin2", "DELETE", "/api/tray/"+reasons["no-accession"].StudyUID, nil))
	if list := w.trayOf("clin"); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	w.device("CART1", phantom.ECG12(sent("", "TRAORE^AMINATA", 3), phantom.Sinus)) // sent again
	w.eventually("the discarded study again", func() bool { return len(w.trayOf("clin")) == 2 })
}

func TestTrayOfNobodysDevice(t *testing.T) {
	w := newWorld(t, withDevices)
	id := w.open("cardio")
	ct := phantom.CT(2, sent("", "TRAORE^AMINATA", 2))
	w.device("STRANGER", ct[0])
	w.eventually("the study", func() bool { return len(w.trayOf("disp")) == 1 })
	study := w.trayOf("admin")[0].StudyUID
	if list := w.trayOf("clin"); len(list) != 0 {
		t.Errorf("a clinician sees it: %+v", list)
	}
	body := map[string]any{"caseId": id}
	w.want(404, w.do("admin", "POST", "/api/tray/"+study+"/attach", body)) // sees no case
	w.want(404, w.do("disp-derm", "POST", "/api/tray/"+study+"/attach", body))
	w.want(200, w.do("disp", "POST", "/api/tray/"+study+"/attach", body))
	if n := w.series("cardio", id); n != 1 {
		t.Errorf("%d instances", n)
	}
	// An ended case takes nothing more.
	w.post("clin", id, event(cases.Cancelled, cases.ReasonData{Reason: "erreur"}))
	w.device("STRANGER", ct...)
	w.eventually("the rest", func() bool { l := w.trayOf("disp"); return len(l) == 1 && l[0].Reason == "case-closed" })
	if a := w.do("disp", "POST", "/api/tray/"+study+"/attach", body); a.status != 409 && a.status != 422 {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

// TestTraySurvivesARestart: what was noted and not tried is tried later.
func TestTraySurvivesARestart(t *testing.T) {
	slow := func(c *Config) { withDevices(c); c.TrayGather = time.Hour }
	w := newWorld(t, slow)
	id := w.open("cardio")
	w.device("CART1", phantom.CT(2, sent(w.getCase("clin", id).Number, "TRAORE^AMINATA", 1))...)
	if n := w.series("clin", id); n != 0 {
		t.Fatalf("%d attached too early for this test", n)
	}
	w.restart(withDevices)
	w.eventually("the images", func() bool { return w.series("clin", id) == 2 })
}

func TestProcedureOfACase(t *testing.T) {
	w := newWorld(t, withDevices)
	id := w.open("cardio")
	path := "/api/cases/" + id + "/worklist"
	ask := map[string]any{"modality": "ECG", "device": "CART1", "at": "2026-03-04T10:00:00Z", "description": "ECG 12 dérivations"}
	w.want(403, w.do("cardio", "PUT", path, ask))
	w.want(404, w.do("clin2", "PUT", path, ask))
	w.want(422, w.do("clin", "PUT", path, map[string]any{"modality": "?", "at": "2026-03-04T10:00:00Z", "description": "x"}))
	var out struct{ Case caseView }
	for range 2 {
		w.want(200, w.do("clin", "PUT", path, ask)).json(t, &out)
	}
	p := out.Case.Procedure
	if p == nil || p.Device != "CART1" || p.Accession != out.Case.Number || p.Done || out.Case.Seq != 2 {
		t.Fatalf("%+v after %d events", p, out.Case.Seq)
	}
	w.want(200, w.do("clin", "DELETE", path, nil)).json(t, &out)
	w.want(200, w.do("clin", "DELETE", path, nil)).json(t, &out)
	if out.Case.Seq != 3 {
		t.Errorf("%d events", out.Case.Seq)
	}
	w.want(200, w.do("clin", "PUT", path, ask))
	// The device keeps the study UID and loses the accession number.
	list, err := w.cfg.Cases.Worklist(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	w.device("CART1", phantom.ECG12(sent(list[0].Number, "TRAORE^AMINATA", 9), phantom.Sinus))
	w.eventually("the tracing", func() bool { return w.getCase("clin", id).Procedure.Done })
}

func TestQuarantineIsShown(t *testing.T) {
	w := newWorld(t, withDevices)
	id := w.open("cardio")
	data := phantom.CT(1, sent("", "TRAORE^AMINATA", 1))[0]
	other := bytes.Replace(data, []byte("TRAORE^AMINATA"), []byte("KEITA^OUMOU   "), 1)
	w.device("CART1", data)
	in := w.send("clin", id, "autre.dcm", other)
	if in.Files[0].Reason != "instance-conflict" {
		t.Fatalf("%+v", in)
	}
	same := append(bytes.Repeat([]byte{1}, 128), data[128:]...) // another preamble
	if in := w.send("clin", id, "meme.dcm", same); in.Files[0].State != "stored" {
		t.Fatalf("%+v", in)
	}
	w.want(403, w.do("clin", "GET", "/api/quarantine", nil))
	w.want(403, w.do("clin", "DELETE", "/api/quarantine/x", nil))
	var v struct{ Entries []quarantineView }
	w.want(200, w.do("disp", "GET", "/api/quarantine", nil)).json(t, &v)
	if len(v.Entries) != 1 || v.Entries[0].By.ID != w.users["clin"].ID || v.Entries[0].Reason != "instance-conflict" {
		t.Fatalf("%+v", v.Entries)
	}
	if d := v.Entries[0].Differs; len(d) != 1 || d[0] != (difference{"patientName", "TRAORE^AMINATA", "KEITA^OUMOU"}) {
		t.Errorf("%+v", d)
	}
	w.want(204, w.do("admin", "DELETE", "/api/quarantine/"+v.Entries[0].ID, nil))
	w.want(404, w.do("admin", "DELETE", "/api/quarantine/"+v.Entries[0].ID, nil))
	w.mustNotLog("TRAORE", "KEITA")
}

func TestSeesTray(t *testing.T) {
	s := &Server{cfg: Config{Devices: map[string]string{"A": "kati", "B": ""}}}
	kati := directory.Facility{ID: "kati"}
	for _, tc := range []struct {
		u    directory.User
		aet  string
		want bool
	}{
		{directory.User{Role: directory.Clinician, Facility: kati}, "A", true},
		{directory.User{Role: directory.Clinician, Facility: kati, Disabled: true}, "A", false},
		{directory.User{Role: directory.Clinician, Facility: directory.Facility{ID: "gao"}}, "A", false},
		{directory.User{Role: directory.Clinician}, "B", false},
		{directory.User{Role: directory.Specialist, Facility: kati}, "A", false},
		{directory.User{Role: directory.Dispatcher, Facility: kati}, "A", false},
		{directory.User{Role: directory.Dispatcher}, "B", true},
		{directory.User{Role: directory.Admin}, "C", true},
		{directory.User{Role: directory.Radiologist}, "C", false},
	} {
		if got := s.seesTray(tc.u, tc.aet); got != tc.want {
			t.Errorf("%s of %q sees %s: %v", tc.u.Role, tc.u.Facility.ID, tc.aet, got)
		}
	}
}
