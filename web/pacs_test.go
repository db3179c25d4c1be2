package web

import (
	"bytes"
	"encoding/json"
	"testing"

	"sira/cases"
	"sira/dicom/phantom"
)

// found lists the study UIDs that a user finds by QIDO-RS.
func (w *world) found(user string) []string {
	w.t.Helper()
	a := w.do(user, "GET", "/dicomweb/studies", nil, "Accept", "application/dicom+json")
	if a.status == 204 {
		return nil
	}
	w.want(200, a)
	var rows []map[string]struct{ Value []any }
	if err := json.Unmarshal(a.body, &rows); err != nil {
		w.t.Fatalf("%v: %.200s", err, a.body)
	}
	var out []string
	for _, r := range rows {
		uid, _ := r["0020000D"].Value[0].(string)
		out = append(out, uid)
	}
	return out
}

func TestDICOMwebShowsTheUsersCases(t *testing.T) {
	w := newWorld(t, withDevices, func(c *Config) { c.DICOMWebService = []string{"disp-derm"} })
	id := w.open("cardio")
	number := w.getCase("clin", id).Number
	w.want(401, w.do("", "GET", "/dicomweb/studies", nil))
	if got := w.found("cardio"); len(got) != 0 {
		t.Fatalf("before anything came: %v", got)
	}
	w.send("clin", id, "ct.dcm", phantom.CT(1, sent(number, "TRAORE^AMINATA", 1))[0])
	w.device("CART1", phantom.DX(sent("", "KEITA^OUMOU", 2), phantom.ChestOptions{})) // in nobody's case
	study := w.getCase("clin", id).Series[0].StudyUID
	// Also for who had looked before the file came.
	for _, user := range []string{"clin", "cardio", "disp"} {
		w.eventually("the study for "+user, func() bool { got := w.found(user); return len(got) == 1 && got[0] == study })
	}
	for _, user := range []string{"clin2", "cardio2", "admin"} {
		if got := w.found(user); len(got) != 0 {
			t.Errorf("%s finds %v", user, got)
		}
		if a := w.do(user, "GET", "/dicomweb/studies/"+study+"/metadata", nil, "Accept", "application/dicom+json"); a.status != 404 {
			t.Errorf("%s reads metadata: %d", user, a.status)
		}
	}
	if got := w.found("disp-derm"); len(got) != 2 {
		t.Errorf("the service login finds %v", got)
	}
	w.want(200, w.do("cardio", "GET", "/dicomweb/studies/"+study+"/metadata", nil, "Accept", "application/dicom+json"))
	entries, err := w.cfg.Audit.ByCase(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, e := range entries {
		seen = seen || e.Action == "dicomweb-metadata" && e.Actor == w.users["cardio"].ID && e.Surface == "dicomweb" && e.Object == study
	}
	if !seen {
		t.Errorf("not in the case's access log: %+v", entries)
	}
	w.mustNotLog("TRAORE", "KEITA")
}

func TestSTOWReachesItsCase(t *testing.T) {
	w := newWorld(t, withDevices, func(c *Config) {
		c.DICOMWebService = []string{"admin"}
		c.Devices["STOW"] = "kati"
	})
	id := w.open("cardio")
	number := w.getCase("clin", id).Number
	stow := func(user string, data []byte) answer {
		return w.do(user, "POST", "/dicomweb/studies", data, "Content-Type", "application/dicom", "Accept", "application/dicom+json")
	}
	mine := phantom.CT(1, sent(number, "TRAORE^AMINATA", 1))[0]
	w.want(200, stow("clin", mine))
	if n := w.series("cardio", id); n != 1 {
		t.Errorf("%d instances", n)
	}
	stray := phantom.CT(1, sent("", "TRAORE^AMINATA", 3))[0]
	for user, data := range map[string][]byte{"clin": stray, "clin2": phantom.CT(1, sent(number, "TRAORE^AMINATA", 2))[0]} {
		if a := stow(user, data); a.status < 400 {
			t.Errorf("%s stored: %d %.300s", user, a.status, a.body)
		}
	}
	w.want(200, stow("admin", stray))
	w.eventually("the stray study in the tray", func() bool { l := w.trayOf("clin"); return len(l) == 1 && l[0].Device == "STOW" })
	w.want(409, stow("admin", bytes.Replace(stray, []byte("TRAORE^AMINATA"), []byte("KEITA^AMINATA "), 1)))
	var v struct{ Entries []quarantineView }
	w.want(200, w.do("disp", "GET", "/api/quarantine", nil)).json(t, &v)
	if len(v.Entries) != 1 || v.Entries[0].By.ID != w.users["admin"].ID {
		t.Errorf("%+v", v.Entries)
	}
	// A closed case takes files of slow links; a cancelled one does not.
	w.post("clin", id, event(cases.Cancelled, cases.ReasonData{Reason: "erreur"}))
	if a := stow("clin", phantom.DX(sent(number, "TRAORE^AMINATA", 5), phantom.ChestOptions{})); a.status < 400 {
		t.Errorf("stored into a cancelled case: %d", a.status)
	}
	// Each request is one entry of the journal, whether it stored or not.
	for user, want := range map[string]int{"clin": 3, "clin2": 1, "admin": 2} {
		var n int
		err := w.db.QueryRow(t.Context(), `SELECT count(*) FROM audit_entries WHERE action = 'dicomweb-store' AND actor = ?`, w.users[user].ID).Scan(&n)
		if err != nil || n != want {
			t.Errorf("%d entries of what %s stored, want %d, %v", n, user, want, err)
		}
	}
}
