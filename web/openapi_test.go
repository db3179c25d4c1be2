package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/pion/webrtc/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"sira/cases"
	"sira/dicom/phantom"
	"sira/signaling/record"
	"sira/web/problem"
)

// description is the API's description with what is needed to hold answers to
// it.
type description struct {
	t        *testing.T
	doc      map[string]any
	compiler *jsonschema.Compiler
	seen     map[string]map[int]bool // operation ("GET /api/cases") → statuses met
}

func describe(t *testing.T) *description {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapiJSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("file:///openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	m, ok := doc.(map[string]any)
	if !ok {
		t.Fatal("the description is no object")
	}
	return &description{t: t, doc: m, compiler: c, seen: map[string]map[int]bool{}}
}

func at(v any, keys ...string) any {
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

func escape(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}

// check holds one answer to the description of its operation.
func (d *description) check(verb, path string, a answer) {
	d.t.Helper()
	op, ok := at(d.doc, "paths", path, strings.ToLower(verb)).(map[string]any)
	if !ok {
		d.t.Errorf("%s %s is not described", verb, path)
		return
	}
	status := strconv.Itoa(a.status)
	res, ok := at(op, "responses", status).(map[string]any)
	if !ok {
		d.t.Errorf("%s %s: status %s is not described: %.300s", verb, path, status, a.body)
		return
	}
	key := verb + " " + path
	if d.seen[key] == nil {
		d.seen[key] = map[int]bool{}
	}
	d.seen[key][a.status] = true
	pointer := "file:///openapi.json#/paths/" + escape(path) + "/" + strings.ToLower(verb) + "/responses/" + status
	if ref, ok := res["$ref"].(string); ok {
		name := ref[strings.LastIndexByte(ref, '/')+1:]
		res, _ = at(d.doc, "components", "responses", name).(map[string]any)
		pointer = "file:///openapi.json#/components/responses/" + name
	}
	content, ok := res["content"].(map[string]any)
	if !ok {
		if len(a.body) > 0 && verb != "HEAD" && a.status != 416 {
			d.t.Errorf("%s %s %s: a body where none is described: %.100s", verb, path, status, a.body)
		}
		return
	}
	mediaType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if _, ok := content[mediaType]; !ok {
		if _, any := content["*/*"]; !any {
			d.t.Errorf("%s %s %s: media type %q is not described", verb, path, status, mediaType)
		}
		return
	}
	if mediaType != "application/json" && mediaType != problem.MediaType {
		return
	}
	schema, err := d.compiler.Compile(pointer + "/content/" + escape(mediaType) + "/schema")
	if err != nil {
		d.t.Fatalf("%s %s %s: schema: %v", verb, path, status, err)
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		d.t.Errorf("%s %s %s: %v", verb, path, status, err)
		return
	}
	if err := schema.Validate(body); err != nil {
		d.t.Errorf("%s %s %s: %v\n%.600s", verb, path, status, err, a.body)
	}
}

// TestDescriptionNamesEveryRoute compares the routes with the description, both
// ways.
func TestDescriptionNamesEveryRoute(t *testing.T) {
	d := describe(t)
	s := &Server{}
	registered := map[string]bool{}
	for _, rt := range append(s.apiRoutes(), s.uploadRoutes()...) {
		verb, path, _ := strings.Cut(rt.pattern, " ")
		registered[verb+" "+strings.TrimSuffix(path, "{$}")] = true
		op := at(d.doc, "paths", strings.TrimSuffix(path, "{$}"), strings.ToLower(verb))
		if op == nil {
			t.Errorf("%s is not described", rt.pattern)
			continue
		}
		security, open := at(op, "security").([]any)
		if public := open && len(security) == 0; public != rt.public {
			t.Errorf("%s: described as public: %v, is: %v", rt.pattern, public, rt.public)
		}
	}
	paths, _ := d.doc["paths"].(map[string]any)
	for path, ops := range paths {
		m, _ := ops.(map[string]any)
		for verb := range m {
			if !registered[strings.ToUpper(verb)+" "+path] {
				t.Errorf("%s %s is described and not served", verb, path)
			}
		}
	}
}

// TestAnswersFollowTheDescription drives every operation and validates what
// comes back.
func TestAnswersFollowTheDescription(t *testing.T) {
	w := newWorld(t, withDevices)
	d := describe(t)
	do := func(user, verb, path, target string, body any, head ...string) answer {
		t.Helper()
		a := w.do(user, verb, target, body, head...)
		d.check(verb, path, a)
		return a
	}
	events := func(evs ...cases.NewEvent) map[string]any { return map[string]any{"events": evs} }
	const C = "/api/cases/{id}"
	id := uuid.NewString()
	base := "/api/cases/" + id

	do("", "POST", "/api/session", "/api/session", map[string]string{"login": "clin", "password": password})
	do("", "POST", "/api/session", "/api/session", map[string]string{"login": "clin", "password": "faux"})
	do("", "POST", "/api/session", "/api/session", map[string]int{"x": 1})
	do("", "POST", "/api/session", "/api/session", []byte("x"), "Content-Type", "text/plain")
	do("clin", "GET", "/api/session", "/api/session", nil)
	do("", "GET", "/api/session", "/api/session", nil)
	do("", "DELETE", "/api/session", "/api/session", nil)
	do("clin", "GET", "/api/directory", "/api/directory", nil)
	do("clin", "GET", "/api/cases", "/api/cases", nil)

	do("clin", "POST", C+"/events", base+"/events", events(event(cases.Opened, w.request("cardio"))))
	photo := w.send("clin", id, "p.jpg", phantom.Photo(1)).Files[0].AttachmentID
	w.send("clin", id, "us.dcm", phantom.USCine(3, study))
	w.send("clin", id, "ecg.dcm", phantom.ECG12(study, phantom.Sinus))
	w.send("clin", id, "ct.dcm", phantom.CT(1, study)[0])
	do("clin", "POST", C+"/events", base+"/events", events(event(cases.MessagePosted, cases.TextData{Text: "voici"})))
	do("cardio", "POST", C+"/events", base+"/events", events(event(cases.ClarificationAsked, cases.TextData{Text: "troponine ?"})))
	do("clin", "POST", C+"/events", base+"/events", events(event(cases.ClarificationAnswered, cases.TextData{Text: "non faite"})))
	do("disp", "POST", C+"/events", base+"/events", events(event(cases.Assigned, cases.AssignedData{To: w.users["cardio2"].ID, Note: "second avis"})))
	do("cardio", "POST", C+"/events", base+"/events", events(event(cases.OpinionGiven, cases.OpinionData{Conclusion: "Sus-décalage.", Advice: "Évacuer."})))
	do("cardio2", "POST", C+"/events", base+"/events", events(event(cases.OpinionGiven, cases.OpinionData{Conclusion: "De même."})))
	do("clin", "POST", C+"/events", base+"/events", events(event(cases.MessagePosted, cases.TextData{})))
	do("clin2", "POST", C+"/events", base+"/events", events(event(cases.MessagePosted, cases.TextData{Text: "x"})))
	do("clin", "POST", C+"/events", base+"/events", events(event(cases.OpinionGiven, cases.OpinionData{Conclusion: "x"})))
	do("clin", "POST", C+"/events", base+"/events", events(event(cases.Closed, cases.ClosedData{Outcome: "evacuated", Note: "bien arrivée"})))
	do("clin", "GET", "/api/cases", "/api/cases?status=closed&q=traore", nil)
	a := do("clin", "GET", C, base, nil)
	do("clin", "GET", C, base, nil, "If-None-Match", a.header.Get("ETag"))
	do("clin2", "GET", C, base, nil)
	do("", "GET", C, base, nil)
	do("clin", "GET", C+"/events", base+"/events?after=1", nil)
	do("clin", "GET", C+"/events", base+"/events?after=x", nil)
	do("clin", "PUT", C+"/read", base+"/read", map[string]int{"seq": 3})
	do("clin", "PUT", C+"/read", base+"/read", map[string]int{"seq": -3})
	do("clin", "GET", C+"/access", base+"/access", nil)

	do("cardio", "GET", C+"/attachments/{aid}", base+"/attachments/"+photo, nil)
	do("cardio", "GET", C+"/attachments/{aid}", base+"/attachments/"+photo+"?inline=1", nil, "Range", "bytes=0-9")
	do("cardio", "GET", C+"/attachments/{aid}", base+"/attachments/"+photo, nil, "Range", "bytes=999999999-")
	do("cardio", "GET", C+"/attachments/{aid}", base+"/attachments/none", nil)
	do("cardio", "GET", C+"/attachments/{aid}/thumbnail", base+"/attachments/"+photo+"/thumbnail", nil)
	kinds := map[string]bool{}
	for _, s := range w.getCase("cardio", id).Series {
		kinds[s.Modality] = true
		var m manifestView
		do("cardio", "GET", C+"/series/{series}", base+"/series/"+s.SeriesUID, nil).json(t, &m)
		one := base + "/instances/" + m.Instances[0].SOP
		do("cardio", "GET", C+"/instances/{sop}/frames/{frame}", one+"/frames/1", nil)
		do("cardio", "GET", C+"/instances/{sop}/frames/{frame}", one+"/frames/99", nil)
		do("cardio", "GET", C+"/instances/{sop}/frames/{frame}", one+"/frames/1?reduce=x", nil)
		do("cardio", "GET", C+"/instances/{sop}/frames/{frame}/display", one+"/frames/1/display", nil)
		do("cardio", "GET", C+"/instances/{sop}/frames/{frame}/display", one+"/frames/99/display", nil)
		do("cardio", "GET", C+"/instances/{sop}/frames/{frame}/picture", one+"/frames/1/picture?side=100", nil)
		do("cardio", "POST", C+"/events", base+"/events", events(event(cases.KeyImageMarked, cases.KeyImageData{SOP: m.Instances[0].SOP, Frame: 1})))
		do("cardio", "GET", C+"/instances/{sop}/thumbnail", one+"/thumbnail", nil)
		do("cardio", "GET", C+"/instances/{sop}/file", one+"/file", nil)
		do("cardio", "GET", C+"/instances/{sop}/waveform", one+"/waveform", nil)
		do("cardio", "GET", C+"/instances/{sop}/document", one+"/document", nil)
	}
	if !kinds["CT"] || !kinds["US"] || !kinds["ECG"] {
		t.Errorf("modalities %v", kinds)
	}

	d.exports(w, do, base)
	do("clin", "GET", "/api/intake", "/api/intake?caseId="+id, nil)
	do("clin", "GET", "/api/intake", "/api/intake", nil)
	tus := []string{"Tus-Resumable", "1.0.0"}
	do("", "OPTIONS", "/api/uploads/", "/api/uploads/", nil)
	a = do("clin", "POST", "/api/uploads/", "/api/uploads/", nil, append(tus, "Upload-Length", "20", "Upload-Metadata", meta("caseId", id, "filename", "x.pdf"))...)
	loc := a.header.Get("Location")
	do("clin", "POST", "/api/uploads/", "/api/uploads/", nil, append(tus, "Upload-Length", "20")...)
	do("clin", "POST", "/api/uploads/", "/api/uploads/", nil)
	do("clin2", "POST", "/api/uploads/", "/api/uploads/", nil, append(tus, "Upload-Length", "20", "Upload-Metadata", meta("caseId", id))...)
	do("clin", "HEAD", "/api/uploads/{upload}", loc, nil, tus...)
	do("cardio", "HEAD", "/api/uploads/{upload}", loc, nil, tus...)
	chunk := append(tus, "Content-Type", "application/offset+octet-stream", "Upload-Offset")
	do("clin", "PATCH", "/api/uploads/{upload}", loc, []byte("0123456789"), append(chunk, "0")...)
	do("clin", "PATCH", "/api/uploads/{upload}", loc, []byte("0123456789"), append(chunk, "0")...)
	do("clin", "GET", "/api/intake/{upload}", "/api/intake/"+loc[len("/api/uploads/"):], nil)
	do("clin", "DELETE", "/api/uploads/{upload}", loc, nil, tus...)
	do("clin", "DELETE", "/api/uploads/{upload}", loc, nil, tus...)
	do("clin", "GET", "/api/intake/{upload}", "/api/intake/none", nil)

	do("clin", "GET", "/api/live", "/api/live", nil)
	do("clin", "GET", "/api/calls/{id}", "/api/calls/"+uuid.NewString(), nil, "Connection", "Upgrade", "Upgrade", "websocket")
	d.check("GET", "/api/live", upgraded(w, "/api/live"))
	d.joins(w, do)
	talked := w.open("cardio")
	still := "/api/calls/" + talked + "/stills/" + uuid.NewString()
	for _, mediaType := range []string{"image/jpeg", "image/png"} {
		do("cardio", "PUT", "/api/calls/{id}/stills/{still}", still, phantom.Photo(9), "Content-Type", mediaType)
		do("clin2", "PUT", "/api/calls/{id}/stills/{still}", still, phantom.Photo(9), "Content-Type", mediaType)
	}
	do("cardio", "POST", C+"/events", "/api/cases/"+talked+"/events", events(event(cases.StillDrawn, cases.StillDrawnData{Still: still[len(still)-36:], Marks: []cases.Mark{{Kind: "arrow", Points: []int{1, 2, 3, 4}}}})))
	do("clin", "GET", C, "/api/cases/"+talked, nil)
	d.calls(w, do, talked)
	d.check("GET", "/api/calls/{id}", upgraded(w, "/api/calls/"+w.open("cardio")))
	d.devices(w, do)
	d.guests(w, do)
	do("admin", "GET", "/api/admin/users", "/api/admin/users", nil)
	do("clin", "GET", "/api/admin/users", "/api/admin/users", nil)
	close, one := "/api/admin/users/{user}/disabled", "/api/admin/users/"+w.users["clin2"].ID+"/disabled"
	for _, yes := range []bool{true, false} {
		do("admin", "PUT", close, one, map[string]any{"disabled": yes})
		do("clin", "PUT", close, one, map[string]any{"disabled": yes})
	}
	do("admin", "PUT", close, one, map[string]any{"x": 1})
	do("admin", "PUT", close, "/api/admin/users/nobody/disabled", map[string]any{"disabled": true})
	do("admin", "PUT", close, "/api/admin/users/"+w.users["admin"].ID+"/disabled", map[string]any{"disabled": true})
	do("admin", "GET", "/api/admin/node", "/api/admin/node", nil)
	do("clin", "GET", "/api/admin/node", "/api/admin/node", nil)
	do("", "GET", "/api/openapi.json", "/api/openapi.json", nil)

	for _, rt := range append(w.srv.apiRoutes(), w.srv.uploadRoutes()...) {
		key := strings.TrimSuffix(rt.pattern, "{$}")
		met := d.seen[key]
		fine := false
		for status := range met {
			fine = fine || status < 400
		}
		if !fine && !slices.Contains([]string{"GET " + C + "/instances/{sop}/document"}, key) {
			t.Errorf("%s was never answered with success: %v", key, met)
		}
	}
}

// calls drives the records of calls.
func (d *description) calls(w *world, do func(user, verb, path, target string, body any, head ...string) answer, id string) {
	d.t.Helper()
	cart := w.newCart("clin", true)
	cart.connect("/whip/" + id)
	const one, admin = "/api/calls/{id}/record", "/api/admin/calls"
	var v record.View
	do("clin", "GET", one, "/api/calls/"+id+"/record", nil).json(d.t, &v)
	do("clin", "GET", one, "/api/calls/"+id+"/record?after=-1", nil)
	do("clin2", "GET", one, "/api/calls/"+id+"/record", nil)
	do("admin", "GET", admin, admin, nil)
	do("clin", "GET", admin, admin, nil)
	do("admin", "GET", admin+"/{call}", admin+"/"+v.ID, nil)
	do("admin", "GET", admin+"/{call}", admin+"/nothing", nil)
	do("clin", "GET", admin+"/{call}", admin+"/"+v.ID, nil)
	w.want(200, w.do("clin", "DELETE", cart.at, nil))
	do("clin", "GET", "/api/cases/{id}", "/api/cases/"+id, nil)
	do("clin", "GET", "/api/cases/{id}/events", "/api/cases/"+id+"/events", nil)
	do("admin", "GET", admin, admin, nil)
	do("clin", "GET", one, "/api/calls/"+id+"/record", nil)
}

// exports drives what leaves the case.
func (d *description) exports(w *world, do func(user, verb, path, target string, body any, head ...string) answer, base string) {
	d.t.Helper()
	const C = "/api/cases/{id}"
	for _, mode := range []string{"full", "anonymous", "x"} {
		do("clin", "GET", C+"/export", base+"/export?mode="+mode, nil)
	}
	do("clin2", "GET", C+"/export", base+"/export?mode=full", nil)
	do("disp", "POST", C+"/exports", base+"/exports", map[string]string{"mode": "full", "recipient": "x"})
	do("clin", "POST", C+"/exports", base+"/exports", map[string]string{"mode": "full"})
	do("clin", "POST", C+"/exports", base+"/exports", map[string]any{"mode": "anonymous", "recipient": "x", "purpose": "y", "options": map[string]string{"dates": "kept"}})
	var made struct{ File, Status string }
	do("clin", "POST", C+"/exports", base+"/exports", map[string]string{"mode": "full", "recipient": "le patient"}).json(d.t, &made)
	do("clin", "GET", C+"/exports/{export}", made.Status, nil)
	do("clin", "GET", C+"/exports/{export}/file", made.File, nil)
	do("clin", "GET", C+"/exports/{export}", made.Status, nil)
	do("cardio", "GET", C+"/exports/{export}", made.Status, nil)
	do("clin", "GET", C+"/access", base+"/access", nil)
}

// upgraded opens a WebSocket and gives the answer that did.
// joins drives a call that is joined by one exchange, by a real offer.
func (d *description) joins(w *world, do func(user, verb, path, target string, body any, head ...string) answer) {
	w.t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer pc.Close()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		w.t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	const path = "/api/calls/{id}"
	at := "/api/calls/" + w.open("cardio")
	join := map[string]any{"type": "join", "sdp": offer.SDP, "audio": true}
	for _, c := range []struct {
		user string
		body any
		head []string
		want int
	}{
		{"cardio", join, nil, 200},
		{"cardio", packed(w.t, join), []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 200},
		{"cardio", []byte("not gzip"), []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 400},
		{"cardio", packed(w.t, map[string]string{"sdp": strings.Repeat(" ", 1<<20)}), []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 413},
		{"cardio", join, []string{"Content-Encoding", "br"}, 415},
		{"cardio", map[string]any{"type": "join"}, nil, 400},
		{"cardio", map[string]any{"type": "leave"}, nil, 400},
		{"cardio", map[string]any{"type": "join", "sdp": "v=0"}, nil, 400},
		{"cardio2", join, nil, 404},
		{"", join, nil, 401},
	} {
		if a := do(c.user, "POST", path, at, c.body, c.head...); a.status != c.want {
			w.t.Errorf("joining as %q with %v: %d, want %d", c.user, c.head, a.status, c.want)
		}
	}
}

func packed(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(z).Encode(v), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func upgraded(w *world, path string) answer {
	w.t.Helper()
	conn, res := w.dial("clin", path)
	defer conn.Close()
	return answer{status: res.StatusCode, header: res.Header}
}

// TestProblemsAreDescribed wants every problem of the catalogue to encode to
// what the description says.
func TestProblemsAreDescribed(t *testing.T) {
	d := describe(t)
	schema, err := d.compiler.Compile("file:///openapi.json#/components/schemas/Problem")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range problem.Codes() {
		var body any
		if err := json.Unmarshal(problem.New(code).JSON("x"), &body); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(body); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if p := problem.New(code); http.StatusText(p.Status) == "" || p.Detail == "" {
			t.Errorf("%s says too little", code)
		}
	}
}

// devices drives what concerns devices: worklist, tray, quarantine, ECG files.
func (d *description) devices(w *world, do func(user, verb, path, target string, body any, head ...string) answer) {
	id := w.open("cardio")
	base, list := "/api/cases/"+id, "/api/cases/{id}/worklist"
	ask := map[string]any{"modality": "CT", "at": "2026-03-04T10:00:00Z", "description": "Crâne"}
	do("clin", "PUT", list, base+"/worklist", ask)
	do("clin", "PUT", list, base+"/worklist", map[string]any{"modality": "?", "at": "2026-03-04T10:00:00Z", "description": "x"})
	do("clin", "PUT", list, base+"/worklist", map[string]any{"x": 1})
	do("cardio", "PUT", list, base+"/worklist", ask)
	do("cardio", "GET", "/api/cases/{id}", base, nil)
	do("clin", "DELETE", list, base+"/worklist", nil)
	do("cardio", "DELETE", list, base+"/worklist", nil)

	ct := phantom.CT(1, sent("", "KEITA^OUMOU", 5))[0]
	w.device("CART1", ct)
	w.eventually("the study", func() bool { return len(w.trayOf("clin")) == 1 })
	var tray struct{ Studies []trayStudyView }
	do("clin", "GET", "/api/tray", "/api/tray", nil).json(d.t, &tray)
	do("cardio", "GET", "/api/tray", "/api/tray", nil)
	one := "/api/tray/" + tray.Studies[0].StudyUID
	do("clin", "GET", "/api/tray/count", "/api/tray/count", nil)
	do("disp", "GET", "/api/tray/count", "/api/tray/count", nil)
	do("cardio", "GET", "/api/tray/count", "/api/tray/count", nil)
	for _, user := range []string{"clin", "cardio", ""} {
		do(user, "GET", "/api/tray/{study}/thumbnail", one+"/thumbnail", nil)
	}
	do("clin", "POST", "/api/tray/{study}/attach", one+"/attach", map[string]any{"caseId": id})
	do("clin", "POST", "/api/tray/{study}/attach", one+"/attach", map[string]any{"caseId": 1})
	do("clin", "POST", "/api/tray/{study}/attach", one+"/attach", map[string]any{"caseId": id, "confirm": true})
	do("clin", "GET", "/api/cases/{id}", base, nil)
	do("clin", "DELETE", "/api/tray/{study}", one, nil)
	w.device("CART1", phantom.CT(1, sent("", "KEITA^OUMOU", 6))[0])
	w.eventually("another study", func() bool { return len(w.trayOf("clin")) == 1 })
	do("clin", "DELETE", "/api/tray/{study}", "/api/tray/"+w.trayOf("clin")[0].StudyUID, nil)

	w.send("clin", id, "autre.dcm", bytes.Replace(ct, []byte("KEITA^OUMOU"), []byte("TRAORE^AWA "), 1))
	var held struct{ Entries []quarantineView }
	do("disp", "GET", "/api/quarantine", "/api/quarantine", nil).json(d.t, &held)
	do("clin", "GET", "/api/quarantine", "/api/quarantine", nil)
	for range 2 {
		do("disp", "DELETE", "/api/quarantine/{entry}", "/api/quarantine/"+held.Entries[0].ID, nil)
	}

	ecg := w.send("clin", id, "ecg.xml", aECG()).Files[0].AttachmentID
	wave := "/api/cases/{id}/attachments/{aid}/waveform"
	do("cardio", "GET", wave, base+"/attachments/"+ecg+"/waveform", nil)
	do("clin2", "GET", wave, base+"/attachments/"+ecg+"/waveform", nil)
	broken := w.send("clin", id, "vide.xml", bytes.Replace(aECG(), []byte("MDC_ECG_LEAD"), []byte("MDC_XXX_LEAD"), -1)).Files[0].AttachmentID
	do("cardio", "GET", wave, base+"/attachments/"+broken+"/waveform", nil)
}

// guests drives invitations, the door and what a guest reaches.
func (d *description) guests(w *world, do func(user, verb, path, target string, body any, head ...string) answer) {
	const G = "/api/cases/{id}/guests"
	id := w.open("cardio")
	base := "/api/cases/" + id + "/guests"
	var i invited
	do("clin", "POST", G, base, map[string]any{"kind": "patient", "hours": 24}).json(d.t, &i)
	do("clin", "POST", G, base, map[string]any{"kind": "patient", "hours": 2})
	do("clin2", "POST", G, base, map[string]any{"kind": "patient", "hours": 24})
	secret := map[string]string{"secret": i.secret()}
	do("", "POST", "/api/guest/invitation", "/api/guest/invitation", secret)
	do("", "GET", "/api/guest/session", "/api/guest/session", nil)
	set := do("", "POST", "/api/guest/session", "/api/guest/session", secret).header.Get("Set-Cookie")
	do("", "POST", "/api/guest/session", "/api/guest/session", secret)
	cookie, _, _ := strings.Cut(set, ";")
	do("", "GET", "/api/guest/session", "/api/guest/session", nil, "Cookie", cookie)
	do("", "GET", "/api/guest/call", "/api/guest/call", nil, "Connection", "Upgrade", "Upgrade", "websocket")
	conn, res := w.dial("", "/api/guest/call", "Cookie", cookie)
	defer conn.Close()
	d.check("GET", "/api/guest/call", answer{status: res.StatusCode, header: res.Header})
	hear(d.t, conn, "waiting")
	pc := must[*webrtc.PeerConnection](d.t)(webrtc.NewPeerConnection(webrtc.Configuration{}))
	d.t.Cleanup(func() { _ = pc.GracefulClose() })
	must[*webrtc.RTPTransceiver](d.t)(pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio))
	offer := map[string]any{"type": "join", "sdp": must[webrtc.SessionDescription](d.t)(pc.CreateOffer(nil)).SDP}
	do("", "POST", "/api/guest/call", "/api/guest/call", offer)
	do("", "POST", "/api/guest/call", "/api/guest/call", offer, "Cookie", cookie)
	do("clin", "GET", "/api/cases/{id}", "/api/cases/"+id, nil)
	do("clin", "GET", "/api/cases", "/api/cases", nil)
	a := do("clin", "GET", G, base, nil)
	do("clin", "GET", G, base, nil, "If-None-Match", a.header.Get("ETag"))
	one := base + "/" + i.Guest.ID
	do("clin", "PUT", G+"/{guest}/admission", one+"/admission", map[string]any{})
	do("clin", "PUT", G+"/{guest}/admission", one+"/admission", map[string]bool{"admit": true})
	hear(d.t, conn, "admitted")
	do("", "POST", "/api/guest/call", "/api/guest/call", offer, "Cookie", cookie)
	do("", "POST", "/api/guest/call", "/api/guest/call", map[string]any{"type": "join", "sdp": "v=0"}, "Cookie", cookie)
	w.join(conn)
	still := uuid.NewString()
	do("clin", "PUT", "/api/calls/{id}/stills/{still}", "/api/calls/"+id+"/stills/"+still, phantom.Photo(9), "Content-Type", "image/jpeg")
	for _, s := range []string{still, "none"} {
		do("", "GET", "/api/guest/stills/{still}", "/api/guest/stills/"+s, nil, "Cookie", cookie)
	}
	do("clin", "DELETE", G+"/{guest}", one, nil)
	do("clin", "DELETE", G+"/{guest}", base+"/none", nil)
	do("clin", "PUT", G+"/{guest}/admission", one+"/admission", map[string]bool{"admit": true})
	do("clin", "GET", "/api/cases/{id}/access", "/api/cases/"+id+"/access", nil)
}
