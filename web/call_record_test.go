package web

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sira/signaling/record"
)

// TestCallRecord: a cart and a screen in the call of a case. Those of the case
// see the last minutes, administrators too but of nobody in particular, others
// nothing; when all have hung up the figures are in the case and at /metrics.
func TestCallRecord(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	w.want(404, w.do("clin", "GET", "/api/calls/"+id+"/record", nil))
	us, screen := w.newCart("clin", true), w.newCart("cardio", false)
	us.connect("/whip/" + id)
	screen.connect("/whep/" + id)
	screen.hears()

	var v record.View
	deadline := time.Now().Add(20 * time.Second)
	for len(v.People) != 2 || len(v.People[1].Samples.At) == 0 || v.People[1].Sign != record.Good {
		if time.Now().After(deadline) {
			t.Fatalf("no look: %+v", v)
		}
		time.Sleep(50 * time.Millisecond)
		v = record.View{}
		w.want(200, w.do("cardio", "GET", "/api/calls/"+id+"/record", nil)).json(t, &v)
	}
	if p := v.People[1]; p.Name == "" || !p.Here || p.Totals.Down["voice"] == 0 || p.Totals.Path != "udp" || p.Samples.Down["picture"][0] == 0 {
		t.Errorf("line %+v", p)
	}
	var later record.View
	w.want(200, w.do("disp", "GET", "/api/calls/"+id+"/record?after=99999999999999", nil)).json(t, &later)
	if len(later.People) != 2 || len(later.People[0].Samples.At) != 0 {
		t.Errorf("later %+v", later)
	}
	w.want(400, w.do("clin", "GET", "/api/calls/"+id+"/record?after=x", nil))
	for _, stranger := range []string{"clin2", "cardio2", "admin"} {
		w.want(404, w.do(stranger, "GET", "/api/calls/"+id+"/record", nil))
	}

	var list struct{ Calls []callLine }
	a := w.want(200, w.do("admin", "GET", "/api/admin/calls", nil))
	a.json(t, &list)
	if len(list.Calls) != 1 || list.Calls[0].EndedAt != nil || len(list.Calls[0].People) != 2 || list.Calls[0].ID != v.ID {
		t.Fatalf("list %+v", list)
	}
	b := w.want(200, w.do("admin", "GET", "/api/admin/calls/"+v.ID, nil))
	for _, raw := range []string{string(a.body), string(b.body)} {
		if strings.Contains(raw, id) || strings.Contains(raw, patientName) {
			t.Errorf("an administrator sees which case: %s", raw)
		}
	}
	w.want(404, w.do("admin", "GET", "/api/admin/calls/"+id, nil))
	w.want(403, w.do("clin", "GET", "/api/admin/calls", nil))
	w.want(403, w.do("clin", "GET", "/api/admin/calls/"+v.ID, nil))

	w.want(200, w.do("clin", "DELETE", us.at, nil))
	w.want(200, w.do("cardio", "DELETE", screen.at, nil))
	c := w.getCase("clin", id)
	i := slices.IndexFunc(c.Timeline, func(x timelineView) bool { return x.Type == "call-left" && x.By.ID == w.users["clin"].ID })
	last := c.Timeline[len(c.Timeline)-1]
	if i < 0 || c.Timeline[i].Call == nil || c.Timeline[i].Call.Own.Up["picture"] == 0 || c.Timeline[i].Call.All != nil || c.Timeline[i].Call.Call != v.ID {
		t.Fatalf("who left first: %+v", c.Timeline)
	}
	if last.Type != "call-left" || last.Call == nil || last.Call.Own.Down["picture"] == 0 || last.Call.All == nil || last.Call.All.Outages != 0 {
		t.Fatalf("who left last: %+v", last)
	}
	w.want(200, w.do("admin", "GET", "/api/admin/calls", nil)).json(t, &list)
	if len(list.Calls) != 1 || list.Calls[0].EndedAt == nil {
		t.Errorf("after the end %+v", list)
	}
	w.want(200, w.do("clin", "GET", "/api/calls/"+id+"/record", nil))
	metrics := string(w.do("admin", "GET", "/metrics", nil).body)
	for _, line := range []string{"sira_calls_total 1", "sira_call_seconds_count 1", `sira_call_paths_total{path="udp"} 2`, `sira_call_bytes_total{class="picture",direction="down"} `, "sira_call_outages_total 0"} {
		if !strings.Contains(metrics, "\n"+line) {
			t.Errorf("metrics lack %q", line)
		}
	}
	if strings.Contains(metrics, id) || strings.Contains(metrics, w.users["clin"].ID) {
		t.Error("metrics say who or which")
	}
}

// TestNameless: a guest may be the patient.
func TestNameless(t *testing.T) {
	w := newWorld(t)
	v := record.View{People: []record.PersonView{{User: w.users["clin"].ID, Name: "x", Role: "clinician"}, {User: "guest:1", Name: patientName, Role: "guest"}}}
	if err := w.srv.nameless(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	if v.People[0].Name == "" || v.People[0].Name == "x" || v.People[1].Name != "" || v.People[1].User != "" || v.People[1].Role != "guest" {
		t.Errorf("%+v", v.People)
	}
}
