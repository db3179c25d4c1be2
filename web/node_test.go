package web

import (
	"bytes"
	"image/jpeg"
	"reflect"
	"testing"

	"sira/cases/directory"
	"sira/dicom/phantom"
)

// actions lists what the journal has of a user beside cases, newest last.
func (w *world) actions(user string) []string {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), `SELECT action, outcome FROM audit_entries WHERE actor = ? AND case_id = '' ORDER BY seq`, w.users[user].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var action, outcome string
		if err := rows.Scan(&action, &outcome); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, action+":"+outcome)
	}
	return out
}

func TestNodeForAdministrators(t *testing.T) {
	w := newWorld(t, withDevices, func(c *Config) {
		c.BlobKind = "file"
		c.Devices["OLD"] = "nowhere"
		c.DICOM = DICOMSettings{Listen: ":11112", AET: "SIRA", TLS: "mutual", Peers: []DICOMPeer{
			{AET: "WS", Network: "10.0.0.9", Query: true}, {AET: "CART1", Network: "10.0.0.0/24", Send: true}},
			Destinations: []DICOMDestination{{AET: "PACS", Address: "10.0.0.5:104"}}}
	})
	w.open("cardio")
	w.device("CART1", phantom.CT(2, sent("", "KEITA^OUMOU", 1))...)
	w.eventually("the study", func() bool { return len(w.trayOf("clin")) == 1 })
	var v nodeView
	w.want(200, w.do("admin", "GET", "/api/admin/node", nil)).json(t, &v)
	want := map[string]int64{"users": 7, "facilities": 2, "studies": 1, "instances": 2, "tray": 1, "quarantined": 0, "cases": 1, "openCases": 1, "live": 0, "calls": 0}
	for k, n := range want {
		if v.Counts[k] != n {
			t.Errorf("%s: %d, want %d", k, v.Counts[k], n)
		}
	}
	if v.Counts["imageBytes"] == 0 || v.FreeBytes <= 0 || !v.Database.Ready || v.Database.Kind != "sqlite" || !v.Blobs.Ready || v.Blobs.Kind != "file" || v.StartedAt.IsZero() {
		t.Errorf("%+v", v)
	}
	peers := []peerView{{AET: "CART1", Address: "10.0.0.0/24", Store: true, Worklist: true, Facility: "CSRéf de Kati"},
		{AET: "OLD", Facility: "nowhere", Unknown: true}, {AET: "WS", Address: "10.0.0.9", Worklist: true, Query: true}}
	if !reflect.DeepEqual(v.DICOM.Peers, peers) || v.DICOM.TLS != "mutual" || len(v.DICOM.Destinations) != 1 {
		t.Errorf("%+v", v.DICOM)
	}
	for _, user := range []string{"clin", "disp", "cardio"} {
		w.want(403, w.do(user, "GET", "/api/admin/node", nil))
	}
	if got := w.actions("disp"); !reflect.DeepEqual(got, []string{"view-node:denied"}) {
		t.Errorf("journal of the dispatcher: %v", got)
	}
}

func TestAccountsAreClosedAndOpened(t *testing.T) {
	w := newWorld(t)
	set := func(user, whom string, disabled bool) answer {
		return w.do(user, "PUT", "/api/admin/users/"+w.users[whom].ID+"/disabled", map[string]any{"disabled": disabled})
	}
	w.want(403, set("disp", "clin", true))
	w.want(409, set("admin", "admin", true))
	w.want(200, w.do("clin", "GET", "/api/session", nil))
	w.want(200, set("admin", "clin", true))
	w.want(200, set("admin", "clin", true)) // again: nothing happens
	w.want(401, w.do("clin", "GET", "/api/session", nil))
	login := map[string]string{"login": "clin", "password": password}
	w.want(401, w.do("", "POST", "/api/session", login))
	var v struct{ User directory.User }
	w.want(200, set("admin", "clin", false)).json(t, &v)
	if v.User.Disabled || v.User.Name != w.users["clin"].Name || v.User.Facility.ID != "kati" {
		t.Errorf("%+v", v.User)
	}
	w.want(200, w.do("", "POST", "/api/session", login))
	if got := w.actions("admin"); !reflect.DeepEqual(got, []string{"disable-user:ok", "enable-user:ok"}) {
		t.Errorf("journal: %v", got)
	}
}

func TestTrayPicture(t *testing.T) {
	w := newWorld(t, withDevices)
	w.device("CART1", phantom.CT(3, sent("", "KEITA^OUMOU", 2))...)
	w.device("CART1", phantom.ECG12(sent("", "TRAORE^AMINATA", 3), phantom.Sinus))
	w.eventually("two studies", func() bool { return len(w.trayOf("clin")) == 2 })
	for _, s := range w.trayOf("clin") {
		path := "/api/tray/" + s.StudyUID + "/thumbnail"
		for _, user := range []string{"disp", "admin", "cardio"} {
			w.want(404, w.do(user, "GET", path, nil))
		}
		if s.Modalities[0] == "ECG" {
			w.want(404, w.do("clin", "GET", path, nil))
			continue
		}
		a := w.want(200, w.do("clin", "GET", path, nil))
		if img, err := jpeg.Decode(bytes.NewReader(a.body)); err != nil || img.Bounds().Dx() < 32 {
			t.Errorf("%v", err)
		}
		w.want(304, w.do("clin", "GET", path, nil, "If-None-Match", a.header.Get("ETag")))
	}
	if got := w.actions("clin"); !reflect.DeepEqual(got, []string{"list-tray:ok", "view-tray-image:ok"}) {
		t.Errorf("journal: %v", got)
	}
	if got := w.actions("admin"); len(got) != 2 || got[0] != "view-tray-image:denied" {
		t.Errorf("journal of the administrator: %v", got)
	}
	var n struct{ Studies, Quarantined int }
	w.want(200, w.do("clin", "GET", "/api/tray/count", nil)).json(t, &n)
	if n.Studies != 2 {
		t.Errorf("%+v", n)
	}
	w.want(403, w.do("cardio", "GET", "/api/tray/count", nil))
}

func TestQuarantineIsTold(t *testing.T) {
	w := newWorld(t, withDevices)
	id := w.open("cardio")
	ct := phantom.CT(1, sent("", "KEITA^OUMOU", 5))[0]
	w.device("CART1", ct)
	conn, _ := w.dial("disp", "/api/live")
	defer conn.Close()
	next(t, conn, "hello")
	w.send("clin", id, "autre.dcm", bytes.Replace(ct, []byte("KEITA^OUMOU"), []byte("TRAORE^AWA "), 1))
	next(t, conn, "quarantine")
	var n struct{ Quarantined int }
	w.want(200, w.do("disp", "GET", "/api/tray/count", nil)).json(t, &n)
	if n.Quarantined != 1 {
		t.Errorf("%+v", n)
	}
}
