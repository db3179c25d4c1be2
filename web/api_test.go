package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom"
	"sira/dicom/phantom"
)

func TestSessions(t *testing.T) {
	w := newWorld(t)
	w.want(401, w.do("", "GET", "/api/session", nil))
	a := w.want(401, w.do("", "POST", "/api/session", map[string]string{"login": "clin", "password": "faux faux faux"}))
	if a.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(a.body), "bad-credentials") {
		t.Errorf("problem: %s", a.body)
	}
	a = w.want(200, w.do("", "POST", "/api/session", map[string]string{"login": "clin", "password": password}))
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"sira_session=", "HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	value, _, _ := strings.Cut(cookie, ";")
	a = w.want(200, w.do("", "GET", "/api/session", nil, "Cookie", value))
	if !strings.Contains(string(a.body), `"login":"clin"`) {
		t.Errorf("session: %s", a.body)
	}
	// Another site's page may carry the cookie, yet change nothing.
	w.want(403, w.do("", "DELETE", "/api/session", nil, "Cookie", value, "Origin", "https://mal.example", "Sec-Fetch-Site", "cross-site"))
	w.want(204, w.do("", "DELETE", "/api/session", nil, "Cookie", value))
	w.want(401, w.do("", "GET", "/api/session", nil, "Cookie", value))
	w.mustNotLog(password, "faux faux", strings.TrimPrefix(value, "sira_session="), w.token["clin"])
}

func TestLoginIsThrottled(t *testing.T) {
	w := newWorld(t)
	throttled := false
	for range 45 {
		a := w.do("", "POST", "/api/session", map[string]string{"login": "clin", "password": "pas le bon"})
		if a.status == http.StatusTooManyRequests {
			throttled = a.header.Get("Retry-After") != ""
			break
		}
		if a.status != http.StatusUnauthorized {
			t.Fatalf("status %d", a.status)
		}
	}
	if !throttled {
		t.Error("45 wrong passwords in a row were all looked at")
	}
}

// TestAccess is the table of who reaches which part of a case. Wanted statuses
// are for: clinician of the case, its expert, dispatcher of its specialty,
// another clinician, another expert, dispatcher of another specialty, admin,
// nobody.
func TestAccess(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	photo := w.send("clin", id, "p.jpg", phantom.Photo(1)).Files[0].AttachmentID
	w.send("clin", id, "ct.dcm", phantom.CT(1, study)[0])
	w.send("clin", id, "ecg.dcm", phantom.ECG12(study, phantom.Sinus))
	v := w.getCase("clin", id)
	var series, sop, ecgSOP string
	for _, s := range v.Series {
		if _, rest, _ := strings.Cut(s.Thumbnail, "/instances/"); s.Kind == "image" {
			series, sop = s.SeriesUID, strings.TrimSuffix(rest, "/thumbnail")
		} else {
			ecgSOP = strings.TrimSuffix(rest, "/thumbnail")
		}
	}
	users := []string{"clin", "cardio", "disp", "clin2", "cardio2", "disp-derm", "admin", ""}
	readers := []int{200, 200, 200, 404, 404, 404, 404, 401}
	base := "/api/cases/" + id
	for _, path := range []string{base, base + "/events", base + "/access", base + "/attachments/" + photo, base + "/attachments/" + photo + "/thumbnail",
		base + "/series/" + series, base + "/instances/" + sop + "/frames/1", base + "/instances/" + sop + "/thumbnail",
		base + "/instances/" + sop + "/file", base + "/instances/" + ecgSOP + "/waveform"} {
		for i, u := range users {
			a := w.do(u, "GET", path, nil)
			if a.status != readers[i] {
				t.Errorf("%s %s: %d, want %d: %.200s", u, path, a.status, readers[i], a.body)
			}
			if a.status != 200 && (bytes.Contains(a.body, []byte("Traor")) || bytes.Contains(a.body, []byte("TRAORE"))) {
				t.Errorf("%s %s: a refusal names the patient", u, path)
			}
		}
	}
	say := func() map[string]any {
		return map[string]any{"events": []cases.NewEvent{event(cases.MessagePosted, cases.TextData{Text: "bonjour"})}}
	}
	for i, u := range users {
		if got := w.do(u, "POST", base+"/events", say()).status; got != readers[i] {
			t.Errorf("message by %s: %d, want %d", u, got, readers[i])
		}
		want := readers[i]
		if want == 200 {
			want = 204
		}
		if got := w.do(u, "PUT", base+"/read", map[string]int{"seq": 1}).status; got != want {
			t.Errorf("read by %s: %d, want %d", u, got, want)
		}
		var list struct{ Cases []struct{ ID string } }
		if a := w.do(u, "GET", "/api/cases", nil); a.status == 200 {
			a.json(t, &list)
			if sees := len(list.Cases) == 1; sees != (readers[i] == 200) {
				t.Errorf("list of %s has %d cases", u, len(list.Cases))
			}
		}
	}
	opinion := func() map[string]any {
		return map[string]any{"events": []cases.NewEvent{event(cases.OpinionGiven, cases.OpinionData{Conclusion: "Rien de grave."})}}
	}
	for u, want := range map[string]int{"clin": 403, "disp": 403, "cardio2": 404, "admin": 404, "": 401, "cardio": 200} {
		if got := w.do(u, "POST", base+"/events", opinion()).status; got != want && u != "cardio" {
			t.Errorf("opinion by %q: %d, want %d", u, got, want)
		}
	}
	for u, want := range map[string]int{"admin": 200, "clin": 403, "": 401} {
		if got := w.do(u, "GET", "/api/admin/users", nil).status; got != want {
			t.Errorf("users for %q: %d, want %d", u, got, want)
		}
	}
	w.want(403, w.do("admin", "POST", "/api/cases/"+uuid.NewString()+"/events", map[string]any{"events": []cases.NewEvent{event(cases.Opened, w.request())}}))
	w.mustNotLog("Traor", "TRAORE", "Aminata", "bonjour", "Rien de grave")
}

// TestInstanceOnlyThroughItsCase asks for what exists, through a case that
// hasn't got it.
func TestInstanceOnlyThroughItsCase(t *testing.T) {
	w := newWorld(t)
	one, other := w.open("cardio"), w.open("cardio2")
	photo := w.send("clin", one, "p.jpg", phantom.Photo(1)).Files[0].AttachmentID
	w.send("clin", one, "ct.dcm", phantom.CT(1, study)[0])
	v := w.getCase("clin", one)
	for _, path := range []string{"/attachments/" + photo, "/series/" + v.Series[0].SeriesUID, strings.TrimPrefix(v.Series[0].Thumbnail, "/api/cases/"+one)} {
		w.want(200, w.do("cardio", "GET", "/api/cases/"+one+path, nil))
		w.want(404, w.do("cardio2", "GET", "/api/cases/"+other+path, nil))
		w.want(404, w.do("clin", "GET", "/api/cases/"+other+path, nil))
	}
	for _, path := range []string{"/series/1.2.3", "/instances/1.2.3/file", "/instances/%2e%2e/file", "/attachments/x", "/instances/1.2.3/frames/0", "/instances/1.2.3/frames/x"} {
		w.want(404, w.do("clin", "GET", "/api/cases/"+one+path, nil))
	}
	w.want(404, w.do("clin", "GET", "/api/cases/nonsense", nil))
}

func TestTwoOpinionsAtOnce(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio", "cardio2")
	var wg sync.WaitGroup
	got := make([]answer, 2)
	for i, u := range []string{"cardio", "cardio2"} {
		wg.Go(func() {
			got[i] = w.do(u, "POST", "/api/cases/"+id+"/events", map[string]any{"events": []cases.NewEvent{
				event(cases.OpinionGiven, cases.OpinionData{Conclusion: "Avis de " + u})}})
		})
	}
	wg.Wait()
	first, second := got[0], got[1]
	winner := "cardio"
	if first.status != 200 {
		first, second, winner = second, first, "cardio2"
	}
	w.want(200, first)
	w.want(409, second)
	var p struct {
		Code string
		By   struct{ ID, Name string }
		At   string
	}
	second.json(t, &p)
	if p.Code != "answered" || p.By.ID != w.users[winner].ID || p.By.Name == "" || p.At == "" {
		t.Errorf("conflict %s", second.body)
	}
	if n := len(w.getCase("clin", id).Opinions); n != 1 {
		t.Errorf("%d opinions", n)
	}
}

func TestEventsAreIdempotentAndChecked(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	ev := event(cases.MessagePosted, cases.TextData{Text: "une fois"})
	w.post("clin", id, ev)
	if n := len(w.post("clin", id, ev).Messages); n != 1 {
		t.Errorf("%d messages after sending one twice", n)
	}
	path := "/api/cases/" + id + "/events"
	for name, c := range map[string]struct {
		body   any
		status int
		head   []string
	}{
		"empty text":   {map[string]any{"events": []cases.NewEvent{event(cases.MessagePosted, cases.TextData{})}}, 422, nil},
		"unknown type": {map[string]any{"events": []cases.NewEvent{event("invented", struct{}{})}}, 422, nil},
		"forged file":  {map[string]any{"events": []cases.NewEvent{event(cases.AttachmentAdded, cases.AttachmentData{})}}, 422, nil},
		"no JSON":      {[]byte("{"), 422, []string{"Content-Type", "application/json"}},
		"form":         {[]byte("a=b"), 415, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		"huge":         {bytes.Repeat([]byte(" "), 2<<20), 413, []string{"Content-Type", "application/json"}},
	} {
		if a := w.do("clin", "POST", path, c.body, c.head...); a.status != c.status || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, want %d: %s", name, a.status, c.status, a.body)
		}
	}
	w.want(405, w.do("clin", "PUT", path, nil))
	w.want(404, w.do("clin", "GET", "/api/nothing", nil))
	w.want(422, w.do("cardio", "POST", "/api/cases/"+id+"/events", map[string]any{"events": []cases.NewEvent{event(cases.Closed, cases.ClosedData{})}}))
}

func TestCaseStaysSmallAndCacheable(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	in := w.send("clin", id, "série.zip", zipOf(t, copies(t, 280)))
	if len(in.Files) != 280 {
		t.Fatalf("%d files", len(in.Files))
	}
	a := w.want(200, w.do("cardio", "GET", "/api/cases/"+id, nil))
	if len(a.body) > 6<<10 {
		t.Errorf("the case of 280 slices has %d bytes", len(a.body))
	}
	var v caseView
	a.json(t, &v)
	if len(v.Series) != 1 || v.Series[0].Instances != 280 || v.Attachments != 280 || v.Series[0].Warning != "" {
		t.Errorf("series %+v", v.Series)
	}
	if got := w.do("cardio", "GET", "/api/cases/"+id, nil, "If-None-Match", a.header.Get("ETag")); got.status != 304 || len(got.body) != 0 {
		t.Errorf("unchanged case: %d, %d bytes", got.status, len(got.body))
	}
	br := w.want(200, w.do("cardio", "GET", "/api/cases/"+id, nil, "Accept-Encoding", "gzip, br"))
	if got, _ := io.ReadAll(brotli.NewReader(bytes.NewReader(br.body))); br.header.Get("Content-Encoding") != "br" || !bytes.Equal(got, a.body) {
		t.Error("brotli changes the case")
	}
	var m manifestView
	w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+v.Series[0].SeriesUID, nil)).json(t, &m)
	if len(m.Instances) != 280 || m.Instances[0].Encoding != "raw" || m.Instances[0].Spacing == nil || len(m.Instances[0].Windows) == 0 {
		t.Fatalf("manifest %+v", m.Instances[0])
	}
	frame := "/api/cases/" + id + "/instances/" + m.Instances[9].SOP + "/frames/1"
	raw := w.want(200, w.do("cardio", "GET", frame, nil))
	if want := m.Instances[9].Rows * m.Instances[9].Cols * 2; len(raw.body) != want {
		t.Errorf("frame of %d bytes, want %d", len(raw.body), want)
	}
	if !strings.Contains(raw.header.Get("Cache-Control"), "immutable") {
		t.Errorf("frame Cache-Control %q", raw.header.Get("Cache-Control"))
	}
	gz := w.want(200, w.do("cardio", "GET", frame, nil, "Accept-Encoding", "gzip"))
	zr := must[*gzip.Reader](t)(gzip.NewReader(bytes.NewReader(gz.body)))
	if got, _ := io.ReadAll(zr); !bytes.Equal(got, raw.body) {
		t.Error("gzip changes the frame")
	}
	small := w.want(200, w.do("cardio", "GET", frame+"?reduce=2", nil))
	if small.header.Get("Sira-Rows") == raw.header.Get("Sira-Rows") || len(small.body) >= len(raw.body)/8 {
		t.Errorf("reduced frame: %s rows, %d bytes", small.header.Get("Sira-Rows"), len(small.body))
	}
	w.want(400, w.do("cardio", "GET", frame+"?reduce=99", nil))
	w.want(404, w.do("cardio", "GET", strings.TrimSuffix(frame, "1")+"2", nil))
	w.want(304, w.do("cardio", "GET", frame, nil, "If-None-Match", raw.header.Get("ETag")))
	// A scrolled series is one visit in the journal.
	entries := must[[]audit.Entry](t)(w.cfg.Audit.ByCase(context.Background(), id, 1000))
	n := 0
	for _, e := range entries {
		if e.Action == actImage && e.Actor == w.users["cardio"].ID {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d entries for a scrolled series", n)
	}
}

// copies makes n objects of one series from one slice, each with its own UID.
func copies(t *testing.T, n int) map[string][]byte {
	t.Helper()
	one := phantom.CT(1, study)[0]
	f := must[*dicom.File](t)(dicom.Read(context.Background(), bytes.NewReader(one), int64(len(one)), dicom.DefaultLimits))
	sop := []byte(f.String(0x00080018))
	out := map[string][]byte{}
	for i := range n {
		own := append(bytes.Clone(sop[:len(sop)-3]), fmt.Sprintf("%03d", i)...)
		out[fmt.Sprintf("IM%03d", i)] = bytes.ReplaceAll(one, sop, own)
	}
	return out
}

func TestSlicesInScrollOrder(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	list := phantom.CT(4, study)
	for _, i := range []int{2, 0, 3, 1} {
		w.send("clin", id, "IM", list[i])
	}
	var m manifestView
	w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+w.getCase("cardio", id).Series[0].SeriesUID, nil)).json(t, &m)
	var numbers []int
	for _, x := range m.Instances {
		numbers = append(numbers, x.Number)
	}
	if len(numbers) != 4 || !slices.IsSorted(numbers) {
		t.Errorf("slices out of order: %v", numbers)
	}
}

func TestOtherPatientsFileIsMarked(t *testing.T) {
	w := newWorld(t)
	for i, c := range []struct{ name, sex, want string }{
		{"TRAORE^AMINATA", "F", ""}, {"AMINATA^Z. TRAORÉ", "", ""}, {"Traoré Aminata", "F", ""},
		{"COULIBALY^Awa", "F", "patient-differs"}, {"TRAORE^AMINATA", "M", "patient-differs"}, {"", "F", ""},
	} {
		id := w.open("cardio")
		st := study
		st.Patient.Name, st.Patient.Sex, st.Seed = c.name, c.sex, uint64(50+i)
		w.send("clin", id, "ecg.dcm", phantom.ECG12(st, phantom.Sinus))
		v := w.getCase("clin", id)
		if len(v.Series) != 1 || v.Series[0].Warning != c.want {
			t.Errorf("%q %s: %+v, want %q", c.name, c.sex, v.Series, c.want)
		}
	}
}

func TestAccessIsOnRecord(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	photo := w.send("clin", id, "p.jpg", phantom.Photo(1)).Files[0].AttachmentID
	w.getCase("cardio", id)
	w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+photo, nil))
	w.want(404, w.do("cardio2", "GET", "/api/cases/"+id, nil))
	w.want(403, w.create("disp", id, "x", 1))
	var log struct {
		Entries []struct {
			By                       struct{ ID, Name string }
			Action, Outcome, Surface string
		}
	}
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/access", nil)).json(t, &log)
	got := map[string]bool{}
	for _, e := range log.Entries {
		for login, u := range w.users {
			if u.ID == e.By.ID {
				got[login+" "+e.Action+" "+e.Outcome+" "+e.Surface] = true
			}
		}
	}
	for _, want := range []string{"clin write ok api", "clin attach ok tus", "clin upload ok tus", "cardio view ok api", "cardio download ok api",
		"cardio2 view denied api", "disp upload denied tus"} {
		if !got[want] {
			t.Errorf("the journal lacks %q: %v", want, got)
		}
	}
	if err := w.cfg.Audit.Verify(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestHeadersAndOperations(t *testing.T) {
	w := newWorld(t)
	a := w.want(200, w.do("", "GET", "/", nil, "X-Request-ID", "essai-12345678"))
	for name, want := range map[string]string{"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "no-referrer", "X-Request-ID": "essai-12345678"} {
		if !strings.Contains(a.header.Get(name), want) {
			t.Errorf("%s = %q", name, a.header.Get(name))
		}
	}
	if got := w.do("", "GET", "/healthz", nil, "X-Request-ID", "<script>").header.Get("X-Request-ID"); len(got) != 36 {
		t.Errorf("request ID %q", got)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/nouvelle": 200, "/connexion": 200,
		"/dossier/" + uuid.NewString() + "/images/1.2.3": 200, "/nothing.js": 404, "/dossier/x": 404} {
		if got := w.do("", "GET", path, nil).status; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	w.want(405, w.do("", "POST", "/", nil))
	metrics := string(w.do("", "GET", "/metrics", nil).body)
	for _, name := range []string{"sira_http_request_seconds_count", "sira_live_connections", "sira_media_packets_in_total", "go_goroutines"} {
		if !strings.Contains(metrics, name) {
			t.Errorf("metrics lack %s", name)
		}
	}
	w.want(401, w.do("", "GET", "/metrics", nil, "X-Forwarded-For", "10.0.0.1"))
	w.want(403, w.do("clin", "GET", "/metrics", nil, "X-Forwarded-For", "10.0.0.1"))
	w.want(200, w.do("admin", "GET", "/metrics", nil, "X-Forwarded-For", "10.0.0.1"))
	var problem map[string]any
	if err := json.Unmarshal(w.do("", "GET", "/api/session", nil, "X-Request-ID", "essai-12345678").body, &problem); err != nil || problem["instance"] != "essai-12345678" {
		t.Errorf("problem %v", problem)
	}
}
