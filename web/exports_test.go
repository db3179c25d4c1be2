package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sira/cases"
	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
	"sira/storage"
	"sira/web/export"
)

// exported is an archive as whoever gets it reads it.
type exported struct {
	t    *testing.T
	name string
	raw  []byte
	z    *zip.Reader
}

func (w *world) order(user, id string, o map[string]any) (status int, file, state string, body []byte) {
	w.t.Helper()
	a := w.do(user, "POST", "/api/cases/"+id+"/exports", o)
	var v struct{ File, Status string }
	_ = json.Unmarshal(a.body, &v) // a problem has no such members
	return a.status, v.File, v.Status, a.body
}

func (w *world) export(user, id string, o map[string]any) exported {
	w.t.Helper()
	status, file, _, body := w.order(user, id, o)
	if status != http.StatusCreated {
		w.t.Fatalf("status %d: %s", status, body)
	}
	a := w.want(200, w.do(user, "GET", file, nil))
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	if err != nil {
		w.t.Fatal(err)
	}
	return exported{w.t, a.header.Get("Content-Disposition"), a.body, z}
}

// objects reads all DICOM objects of the archive, by SOP class.
func (x exported) objects() map[string][]*dicom.File {
	x.t.Helper()
	out := map[string][]*dicom.File{}
	for _, f := range x.z.File {
		if !strings.HasPrefix(f.Name, "DICOM/") {
			continue
		}
		raw := x.read(f)
		d, err := dicom.Read(context.Background(), bytes.NewReader(raw), int64(len(raw)), dicom.DefaultLimits)
		if err != nil {
			x.t.Fatalf("%s: %v", f.Name, err)
		}
		class := d.String(0x00080016)
		out[class] = append(out[class], d)
	}
	return out
}

func (x exported) read(f *zip.File) []byte {
	x.t.Helper()
	r, err := f.Open()
	if err != nil {
		x.t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		x.t.Fatal(err)
	}
	return raw
}

// text finds a string in any file of the archive, in its bytes as they are.
func (x exported) holds(words ...string) []string {
	x.t.Helper()
	var found []string
	for _, f := range x.z.File {
		raw := bytes.ToLower(append(x.read(f), f.Name...))
		for _, word := range words {
			if bytes.Contains(raw, []byte(strings.ToLower(word))) {
				found = append(found, f.Name+": "+word)
			}
		}
	}
	return found
}

const (
	classUS = "1.2.840.10008.5.1.4.1.1.3.1"
	classSR = "1.2.840.10008.5.1.4.1.1.88.11"
	classKO = "1.2.840.10008.5.1.4.1.1.88.59"
)

// leaving is a case with a cine, a CT, an ECG, a photo, key images and an
// opinion.
func leaving(w *world) (id, cine string) {
	w.t.Helper()
	id = w.open("cardio")
	w.send("clin", id, "us.dcm", phantom.USCine(3, study))
	w.send("clin", id, "ct.dcm", phantom.CT(1, study)[0])
	w.send("clin", id, "ecg.dcm", phantom.ECG12(study, phantom.Sinus))
	w.send("clin", id, "Traoré Aminata.jpg", phantom.Photo(1))
	for _, s := range w.getCase("cardio", id).Series {
		if s.Modality == "US" {
			var m manifestView
			w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+s.SeriesUID, nil)).json(w.t, &m)
			cine = m.Instances[0].SOP
		}
	}
	w.post("cardio", id, event(cases.KeyImageMarked, cases.KeyImageData{SOP: cine, Frame: 2}),
		event(cases.OpinionGiven, cases.OpinionData{Findings: "FEVG conservée.", Conclusion: "Pas d’épanchement chez Mme Traoré.", Advice: "Contrôle."}))
	return id, cine
}

func anonymousOrder(recipient string, looked []export.Looked) map[string]any {
	return map[string]any{"mode": "anonymous", "recipient": recipient, "purpose": "enseignement",
		"options": map[string]any{"dates": "shifted", "descriptions": true}, "looked": looked}
}

// TestExportFull: the whole case with the identity, the opinion as a report,
// the key image as a selection, and who took it out in the journal.
func TestExportFull(t *testing.T) {
	w := newWorld(t)
	id, cine := leaving(w)
	var survey surveyView
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/export?mode=full", nil)).json(t, &survey)
	if survey.Objects != 3 || survey.Others != 1 || survey.Opinions != 1 || survey.KeyImages != 1 || len(survey.Look)+len(survey.Left) != 0 || survey.Bytes < 1000 {
		t.Errorf("%+v", survey)
	}
	order := map[string]any{"mode": "full", "recipient": "Hôpital Gabriel Touré"}
	status, file, state, _ := w.order("clin", id, order)
	if status != 201 {
		t.Fatal(status)
	}
	w.want(404, w.do("cardio", "GET", file, nil)) // somebody else's, though of the case
	x := w.export("clin", id, order)
	objects := x.objects()
	if len(objects) != 5 || len(objects[classSR]) != 1 || len(objects[classKO]) != 1 {
		t.Fatalf("%d classes", len(objects))
	}
	ko := objects[classKO][0]
	ref := ko.Sequence(0x0040A375)[0].Sequence(0x00081115)[0].Sequence(0x00081199)[0]
	if ref.String(0x00081155) != cine {
		t.Errorf("key image %s", ref.String(0x00081155))
	}
	if n := x.holds("Pas d’épanchement"); len(n) < 3 { // report, page, text
		t.Errorf("opinion only in %v", n)
	}
	if !strings.Contains(x.name, ".zip") || strings.Contains(strings.ToLower(x.name), "traor") {
		t.Errorf("name %s", x.name)
	}
	again := w.export("clin", id, order).objects()
	if a, b := objects[classSR][0].String(0x00080018), again[classSR][0].String(0x00080018); a != b {
		t.Errorf("one opinion is two objects: %s %s", a, b)
	}
	var progress struct {
		State       string
		Sent        int64
		Done, Total int
	}
	w.want(200, w.do("clin", "GET", state, nil)).json(t, &progress)
	if progress.State != "waiting" {
		t.Errorf("%+v", progress)
	}
	w.want(200, w.do("clin", "GET", file, nil))
	w.want(200, w.do("clin", "GET", state, nil)).json(t, &progress)
	if progress.State != "done" || progress.Done != 6 || progress.Total != 6 || progress.Sent < survey.Bytes/4 {
		t.Errorf("%+v", progress)
	}
	var log struct{ Entries []accessView }
	w.want(200, w.do("disp", "GET", "/api/cases/"+id+"/access", nil)).json(t, &log)
	told := map[string]string{}
	for _, e := range log.Entries {
		if e.By.ID == w.users["clin"].ID {
			told[e.Action+" "+e.Outcome] = e.Detail
		}
	}
	if told["export ok"] != "Hôpital Gabriel Touré" || told["export prepared"] == "" {
		t.Errorf("journal: %v", told)
	}
	w.mustNotLog("Traor", "TRAOR", "Gabriel")
	valid(t, x)
}

// valid asks dciodvfy of the documents and dcmtk of the directory.
func valid(t *testing.T, x exported) {
	t.Helper()
	for _, tool := range []string{"dciodvfy", "dcmdump"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("SIRA_TEST_STRICT") == "1" {
				t.Fatal(err)
			}
			t.Logf("NOT RUN: no %s on this machine", tool)
			return
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, x.z); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("dcmdump", "-q", "+P", "DirectoryRecordType", filepath.Join(dir, "DICOMDIR")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "KEY OBJECT DOC") {
		t.Errorf("dcmdump: %v %s", err, out)
	}
	documents := 0
	for _, f := range x.z.File {
		raw := x.read(f)
		if !strings.HasPrefix(f.Name, "DICOM/") || !bytes.Contains(raw[:min(len(raw), 1000)], []byte("1.2.840.10008.5.1.4.1.1.88.")) {
			continue
		}
		documents++
		out, _ := exec.Command("dciodvfy", filepath.Join(dir, f.Name)).CombinedOutput()
		for line := range strings.SplitSeq(string(out), "\n") {
			if strings.HasPrefix(line, "Error") {
				t.Errorf("%s: %s", f.Name, line)
			}
		}
	}
	if documents == 0 {
		t.Error("no document in the archive")
	}
}

// TestExportAnonymous: only what a person looked at leaves, masked as they
// said, without a word of the case; the same recipient gets the same UIDs.
func TestExportAnonymous(t *testing.T) {
	w := newWorld(t)
	id, cine := leaving(w)
	var survey surveyView
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/export?mode=anonymous", nil)).json(t, &survey)
	if survey.Objects != 3 || survey.Opinions != 0 || len(survey.Look) != 1 || len(survey.Left) != 1 || survey.Left[0].Reason != export.NotDICOM {
		t.Fatalf("%+v", survey)
	}
	look := survey.Look[0]
	if look.SOP != cine || look.Frames != 3 || len(look.Masks) == 0 || look.Rows < 10 {
		t.Errorf("%+v", look)
	}
	if status, _, _, body := w.order("clin", id, anonymousOrder("Faculté", nil)); status != 422 || !strings.Contains(string(body), "export-look") {
		t.Errorf("unseen pixels leave: %d %s", status, body)
	}
	mine := [4]int{40, 60, 50, 30}
	looked := []export.Looked{{SOP: cine, Masks: append(look.Masks, mine)}}
	x := w.export("clin", id, anonymousOrder("Faculté de médecine", looked))
	if found := x.holds("traor", "aminata", "diarra", "konat", "évacuer", "épanchement", "KAT-20", cine); len(found) > 0 {
		t.Errorf("left: %v", found)
	}
	objects := x.objects()
	if len(objects) != 4 || len(objects[classSR]) != 0 || len(objects[classKO]) != 1 || len(objects[classUS]) != 0 && objects[classUS][0].String(0x00080018) == cine {
		t.Errorf("%d classes", len(objects))
	}
	us := cineOf(t, x)
	ref := objects[classKO][0].Sequence(0x0040A375)[0].Sequence(0x00081115)[0].Sequence(0x00081199)[0]
	if got := ref.String(0x00081155); got != us.sop {
		t.Errorf("the selection names %s, the cine is %s", got, us.sop)
	}
	for n := 1; n <= 3; n++ {
		us.black(t, n, append(look.Masks, mine))
	}
	valid(t, x)
	same := cineOf(t, w.export("clin", id, anonymousOrder("  faculte de MÉDECINE ", looked)))
	other := cineOf(t, w.export("clin", id, anonymousOrder("Institut Pasteur", looked)))
	if same.sop != us.sop || same.patient != us.patient || other.sop == us.sop || other.patient == us.patient {
		t.Errorf("same %s, first %s, other %s", same.sop, us.sop, other.sop)
	}
	// What is taken out is out, and then nothing refers to it.
	o := anonymousOrder("Faculté", nil)
	o["exclude"] = []string{cine}
	without := w.export("clin", id, o).objects()
	if len(without) != 2 || len(without[classKO]) != 0 {
		t.Errorf("%d classes without the cine", len(without))
	}
	var again surveyView
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/export?mode=anonymous", nil)).json(t, &again)
	if len(again.Recipients) != 3 {
		t.Errorf("recipients %v", again.Recipients)
	}
	w.mustNotLog("Traor", "TRAOR")
}

type gone struct {
	sop, patient string
	src          *pixel.Source
}

func cineOf(t *testing.T, x exported) gone {
	t.Helper()
	for _, f := range x.z.File {
		if !strings.HasPrefix(f.Name, "DICOM/") {
			continue
		}
		raw := x.read(f)
		d, err := dicom.Read(context.Background(), bytes.NewReader(raw), int64(len(raw)), dicom.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if d.String(0x00080060) != "US" || d.Pixel == nil {
			continue
		}
		src, err := pixel.Open(d, bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return gone{d.String(0x00080018), d.String(0x00100020), src}
	}
	t.Fatal("no ultrasound in the archive")
	return gone{}
}

// black wants masks black and the rest not all black. A lossy frame may ring by
// a few levels at the edge.
func (s gone) black(t *testing.T, n int, masks [][4]int) {
	t.Helper()
	px, err := s.src.Frame(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	img, _ := s.src.FrameInfo(n)
	m := pixel.Render(px, img, pixel.Window{})
	inside, outside := 0, 0
	for y := range img.Rows {
		for x := range img.Cols {
			covered, deep := false, false
			for _, b := range masks {
				r := image.Rect(b[0], b[1], b[0]+b[2], b[1]+b[3])
				covered = covered || image.Pt(x, y).In(r)
				deep = deep || image.Pt(x, y).In(r.Inset(8))
			}
			r, g, b, _ := m.At(x, y).RGBA()
			light := int(max(r, g, b) >> 8)
			if deep {
				inside = max(inside, light)
			} else if !covered {
				outside = max(outside, light)
			}
		}
	}
	if inside > 6 || outside < 60 {
		t.Errorf("frame %d: lightest %d under the masks, %d elsewhere", n, inside, outside)
	}
}

// TestExportWho: who takes part may, others don't even learn that there is a
// case; a dispatcher sees it and may not.
func TestExportWho(t *testing.T) {
	w := newWorld(t)
	id, _ := leaving(w)
	full := map[string]any{"mode": "full", "recipient": "le patient"}
	for user, want := range map[string]int{"clin": 201, "cardio": 201, "disp": 403, "clin2": 404, "cardio2": 404, "admin": 404, "": 401} {
		if status, _, _, body := w.order(user, id, full); status != want {
			t.Errorf("%q: %d, want %d: %s", user, status, want, body)
		}
		for _, mode := range []string{"full", "anonymous"} {
			if a := w.do(user, "GET", "/api/cases/"+id+"/export?mode="+mode, nil); a.status != want && (want != 201 || a.status != 200) {
				t.Errorf("%q surveys %s: %d, want %d", user, mode, a.status, want)
			}
		}
	}
	for _, o := range []map[string]any{{"mode": "full", "recipient": " "}, {"mode": "anonymous", "recipient": "x"},
		{"mode": "anonymous", "recipient": "…", "purpose": "y", "options": map[string]any{"dates": "kept"}, "exclude": []string{}}} {
		if status, _, _, body := w.order("clin", id, o); status != 422 {
			t.Errorf("%v: %d %s", o, status, body)
		}
	}
	for _, o := range []map[string]any{{"mode": "x", "recipient": "y"}, {"mode": "full", "recipient": "y", "zzz": 1},
		{"mode": "anonymous", "recipient": "y", "purpose": "z", "options": map[string]any{"dates": "later"}},
		{"mode": "anonymous", "recipient": "y", "purpose": "z", "options": map[string]any{"dates": "kept"}, "looked": []export.Looked{{SOP: "1", Masks: [][4]int{{-1, 0, 1, 1}}}}}} {
		if status, _, _, body := w.order("clin", id, o); status != 400 {
			t.Errorf("%v: %d %s", o, status, body)
		}
	}
	base := "/api/cases/" + id
	w.want(400, w.do("clin", "GET", base+"/export?mode=all", nil))
	w.want(404, w.do("clin", "GET", base+"/exports/none/file", nil))
	// An order of one case opens no other, and none after the right is gone.
	_, file, _, _ := w.order("clin", id, full)
	other := w.open("cardio")
	w.want(404, w.do("clin", "GET", strings.Replace(file, id, other, 1), nil))
	w.restart() // an order outlives the process
	w.want(200, w.do("clin", "GET", file, nil))
}

// TestExportMissing: an object that the store lost is told and left out; the
// rest leaves whole. One lost between order and fetch, too.
func TestExportMissing(t *testing.T) {
	w := newWorld(t)
	id, _ := leaving(w)
	full := map[string]any{"mode": "full", "recipient": "le patient"}
	_, file, _, _ := w.order("clin", id, full)
	st, err := w.cfg.Cases.Get(context.Background(), w.users["clin"], id)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range st.Attachments {
		if a.DICOM != nil && a.DICOM.Modality == "CT" {
			h, _ := storage.ParseHash(a.Hash)
			if err := w.cfg.Blobs.Delete(context.Background(), h); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, mode := range []string{"full", "anonymous"} {
		var survey surveyView
		w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/export?mode="+mode, nil)).json(t, &survey)
		missing := 0
		for _, l := range survey.Left {
			if l.Reason == export.Missing && l.Modality == "CT" {
				missing++
			}
		}
		if missing != 1 || survey.Objects != 2 {
			t.Errorf("%s: %+v", mode, survey)
		}
	}
	a := w.want(200, w.do("clin", "GET", file, nil))
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	x := exported{t, "", a.body, z}
	if n := len(x.objects()); n != 4 { // US, ECG, SR, KO
		t.Errorf("%d kinds of objects", n)
	}
	if len(x.holds("absent du stockage")) == 0 {
		t.Error("the archive does not tell what is missing")
	}
}

// TestExportCancelled: a client that goes away is noticed, the journal says
// that not all left, nothing is left behind, and it can be fetched again.
func TestExportCancelled(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	for i := range 6 {
		s := study
		s.Seed = uint64(100 + i)
		w.send("clin", id, fmt.Sprintf("us%d.dcm", i), phantom.USCine(12, s))
	}
	_, file, state, _ := w.order("clin", id, map[string]any{"mode": "full", "recipient": "le patient"})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", w.http.URL+file, nil)
	req.Header.Set("Authorization", "Bearer "+w.token["clin"])
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = res.Body.Close()
	var progress struct{ State string }
	for range 200 {
		w.want(200, w.do("clin", "GET", state, nil)).json(t, &progress)
		if progress.State != "running" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if progress.State == "running" {
		t.Fatal("goes on without anybody there")
	}
	if progress.State == "interrupted" { // a small archive may have fitted into the socket
		entries, err := w.cfg.Audit.ByCase(context.Background(), id, 5)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, e := range entries {
			found = found || e.Action == actExport && e.Outcome == "interrupted"
		}
		if !found {
			t.Error("the journal does not say that it broke off")
		}
	} else {
		t.Log("the whole archive fitted into the socket")
	}
	left, err := os.ReadDir(filepath.Join(w.cfg.SpoolDir, "exports"))
	if err != nil || len(left) > 0 {
		t.Errorf("%d files left behind, %v", len(left), err)
	}
	w.want(200, w.do("clin", "GET", file, nil))
}

// TestPicture: a frame as a picture of the size asked for.
func TestPicture(t *testing.T) {
	w := newWorld(t)
	id, cine := leaving(w)
	base := "/api/cases/" + id + "/instances/" + cine + "/frames/"
	a := w.want(200, w.do("cardio", "GET", base+"2/picture?side=200", nil))
	m, _, err := image.Decode(bytes.NewReader(a.body))
	if err != nil || max(m.Bounds().Dx(), m.Bounds().Dy()) != 200 {
		t.Fatal(err)
	}
	w.want(304, w.do("cardio", "GET", base+"2/picture?side=200", nil, "If-None-Match", a.header.Get("ETag")))
	w.want(404, w.do("cardio", "GET", base+"9/picture", nil))
	w.want(400, w.do("cardio", "GET", base+"1/picture?side=9", nil))
	w.want(404, w.do("clin2", "GET", base+"1/picture", nil))
	keys := w.getCase("clin", id).KeyImages
	if len(keys) != 1 || keys[0].Frame != 2 || keys[0].By.Name != "Ibrahima Konaté" {
		t.Fatalf("%+v", keys)
	}
	w.want(200, w.do("clin", "GET", keys[0].Picture+"?side=160", nil))
	w.post("clin", id, event(cases.KeyImageUnmarked, cases.KeyImageData{SOP: cine, Frame: 2}))
	if keys := w.getCase("cardio", id).KeyImages; len(keys) != 0 {
		t.Errorf("%+v", keys)
	}
}
