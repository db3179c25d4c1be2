package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/dicom/phantom"
	"sira/storage"
	"sira/web/uploads"
)

var study = phantom.Study{Patient: phantom.Patient{Name: "TRAORE^Aminata", ID: "K-77", Sex: "F", BirthDate: "19950101"},
	Date: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC), Seed: 7}

func meta(kv ...string) string {
	var parts []string
	for i := 0; i+1 < len(kv); i += 2 {
		parts = append(parts, kv[i]+" "+base64.StdEncoding.EncodeToString([]byte(kv[i+1])))
	}
	return strings.Join(parts, ",")
}

func (w *world) create(user, caseID, name string, size int64) answer {
	w.t.Helper()
	return w.do(user, "POST", "/api/uploads/", nil, "Tus-Resumable", "1.0.0", "Upload-Length", strconv.FormatInt(size, 10),
		"Upload-Metadata", meta("caseId", caseID, "filename", name, "filetype", "application/octet-stream"))
}

func (w *world) patch(user, location string, offset int64, data []byte) answer {
	w.t.Helper()
	return w.do(user, "PATCH", location, data, "Tus-Resumable", "1.0.0", "Upload-Offset", strconv.FormatInt(offset, 10),
		"Content-Type", "application/offset+octet-stream")
}

func (w *world) offset(user, location string) int64 {
	w.t.Helper()
	a := w.want(200, w.do(user, "HEAD", location, nil, "Tus-Resumable", "1.0.0"))
	return must[int64](w.t)(strconv.ParseInt(a.header.Get("Upload-Offset"), 10, 64))
}

// send uploads a file whole and waits for its intake.
func (w *world) send(user, caseID, name string, data []byte) uploads.Intake {
	w.t.Helper()
	a := w.want(201, w.create(user, caseID, name, int64(len(data))))
	loc := a.header.Get("Location")
	if len(data) > 0 {
		w.want(204, w.patch(user, loc, 0, data))
	}
	return w.done(user, loc)
}

func (w *world) done(user, location string) uploads.Intake {
	w.t.Helper()
	id := filepath.Base(location)
	for range 600 {
		var in uploads.Intake
		w.want(200, w.do(user, "GET", "/api/intake/"+id, nil)).json(w.t, &in)
		if in.State == uploads.StateDone {
			return in
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatalf("intake of %s never ended; logs:\n%s", id, w.logs.String())
	return uploads.Intake{}
}

func zipOf(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := must[interface {
			Write([]byte) (int, error)
		}](t)(zw.CreateHeader(&zip.FileHeader{Name: name, Method: methodOf(files[name])}))
		if _, err := f.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// methodOf compresses what is worth it: deflating images takes a test's time.
func methodOf(data []byte) uint16 {
	if len(data) > 1<<10 && data[len(data)/2] == 0 && len(data) > 32<<20 {
		return zip.Deflate
	}
	return zip.Store
}

func TestUploadCutAndResumed(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	photo := phantom.Photo(3)
	loc := w.want(201, w.create("clin", id, "plaie.jpg", int64(len(photo)))).header.Get("Location")
	if !strings.HasPrefix(loc, "/api/uploads/") {
		t.Fatalf("Location %q", loc)
	}
	half := int64(len(photo) / 2)
	w.want(204, w.patch("clin", loc, 0, photo[:half]))
	if got := w.offset("clin", loc); got != half {
		t.Fatalf("offset %d, want %d", got, half)
	}
	w.restart()
	if got := w.offset("clin", loc); got != half {
		t.Fatalf("offset after restart %d, want %d", got, half)
	}
	a := w.want(409, w.patch("clin", loc, 0, photo))
	if !strings.Contains(string(a.body), "upload-offset") {
		t.Errorf("problem %s", a.body)
	}
	w.want(204, w.patch("clin", loc, half, photo[half:]))
	in := w.done("clin", loc)
	if len(in.Files) != 1 || in.Files[0].State != "stored" {
		t.Fatalf("intake %+v", in)
	}
	// The answer to the last PATCH may get lost: asking again must say "done".
	if got := w.offset("clin", loc); got != int64(len(photo)) {
		t.Errorf("offset after intake %d", got)
	}
	w.want(409, w.do("clin", "DELETE", loc, nil, "Tus-Resumable", "1.0.0"))
	v := w.getCase("cardio", id)
	if len(v.Files) != 1 || v.Files[0].Name != "plaie.jpg" || v.Files[0].Kind != "photo" {
		t.Fatalf("files %+v", v.Files)
	}
	got := w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+v.Files[0].ID, nil))
	if !bytes.Equal(got.body, photo) {
		t.Error("the file came back changed")
	}
	part := w.want(206, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+v.Files[0].ID, nil, "Range", "bytes=10-19"))
	if !bytes.Equal(part.body, photo[10:20]) {
		t.Error("the range is wrong")
	}
	th := w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+v.Files[0].ID+"/thumbnail", nil))
	if th.header.Get("Content-Type") != "image/jpeg" || !bytes.HasPrefix(th.body, []byte{0xFF, 0xD8}) {
		t.Error("the thumbnail is no JPEG")
	}
}

func TestUploadBelongsToItsSender(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	loc := w.want(201, w.create("clin", id, "a.jpg", 100)).header.Get("Location")
	for _, user := range []string{"cardio", "admin", "clin2"} {
		w.want(404, w.do(user, "HEAD", loc, nil, "Tus-Resumable", "1.0.0"))
		w.want(404, w.patch(user, loc, 0, make([]byte, 100)))
		w.want(404, w.do(user, "DELETE", loc, nil, "Tus-Resumable", "1.0.0"))
		w.want(405, w.do(user, "POST", loc, nil, "Tus-Resumable", "1.0.0", "X-HTTP-Method-Override", "DELETE"))
		w.want(404, w.do(user, "GET", "/api/intake/"+filepath.Base(loc), nil))
	}
	w.want(405, w.do("clin", "GET", loc, nil))
	w.want(401, w.do("", "HEAD", loc, nil, "Tus-Resumable", "1.0.0"))
	w.want(204, w.do("clin", "DELETE", loc, nil, "Tus-Resumable", "1.0.0"))
	w.want(404, w.do("clin", "HEAD", loc, nil, "Tus-Resumable", "1.0.0"))
}

func TestWhoMayUpload(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	for user, want := range map[string]int{"clin": 201, "cardio": 201, "disp": 403, "clin2": 404, "cardio2": 404, "admin": 404, "disp-derm": 404} {
		if got := w.create(user, id, "x.jpg", 10).status; got != want {
			t.Errorf("%s: %d, want %d", user, got, want)
		}
	}
	draft := uuid.NewString()
	for user, want := range map[string]int{"clin": 201, "clin2": 201, "cardio": 403, "admin": 403} {
		if got := w.create(user, draft, "x.jpg", 10).status; got != want {
			t.Errorf("draft, %s: %d, want %d", user, got, want)
		}
	}
	if got := w.create("clin", "../../etc", "x.jpg", 10).status; got != 400 {
		t.Errorf("case ID that is none: %d", got)
	}
}

func TestUploadLimits(t *testing.T) {
	var free atomic.Int64
	free.Store(10 << 20)
	w := newWorld(t, func(c *Config) {
		c.MaxUploadBytes, c.MinFreeBytes = 4<<30, 1<<20
		c.FreeSpace = func(string) (int64, error) { return free.Load(), nil }
	})
	id := w.open()
	a := w.want(507, w.create("clin", id, "gros.zip", 4<<30))
	if !strings.Contains(string(a.body), "disk-full") || !strings.Contains(string(a.body), "4,3 Go") {
		t.Errorf("problem %s", a.body)
	}
	w.want(413, w.create("clin", id, "enorme.zip", 4<<30+1))
	loc := w.want(201, w.create("clin", id, "petit.bin", 100)).header.Get("Location")
	free.Store(0) // the disk fills up while the file comes in
	a = w.want(507, w.patch("clin", loc, 0, make([]byte, 100)))
	if a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("no problem: %s", a.body)
	}
	free.Store(10 << 20)
	w.want(204, w.patch("clin", loc, w.offset("clin", loc), make([]byte, 100)))
}

func TestUploadBeforeTheCase(t *testing.T) {
	w := newWorld(t)
	id := uuid.NewString()
	in := w.send("clin", id, "ecg.dcm", phantom.ECG12(study, phantom.Sinus))
	if in.Files[0].State != "stored" {
		t.Fatalf("intake %+v", in)
	}
	w.want(404, w.do("clin", "GET", "/api/cases/"+id, nil))
	w.post("clin", id, event(cases.Opened, w.request("cardio")))
	v := w.getCase("cardio", id)
	if len(v.Series) != 1 || v.Series[0].Kind != "waveform" {
		t.Fatalf("series %+v", v.Series)
	}
	var list struct{ Uploads []uploads.Intake }
	w.want(200, w.do("clin", "GET", "/api/intake?caseId="+id, nil)).json(t, &list)
	if len(list.Uploads) != 1 {
		t.Errorf("uploads %+v", list)
	}
	w.want(200, w.do("cardio", "GET", "/api/intake?caseId="+id, nil)).json(t, &list)
	if len(list.Uploads) != 0 {
		t.Error("another user's uploads are told")
	}
}

func TestDuplicateUpload(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	pdf := phantom.PDF("Compte rendu", []string{"Rien à signaler."})
	first := w.send("clin", id, "cr.pdf", pdf)
	second := w.send("cardio", id, "cr (1).pdf", pdf)
	if first.Files[0].State != "stored" || second.Files[0].State != "duplicate" || second.Files[0].AttachmentID != first.Files[0].AttachmentID {
		t.Fatalf("%+v, %+v", first, second)
	}
	if n := len(w.getCase("clin", id).Files); n != 1 {
		t.Errorf("%d files", n)
	}
	other := w.open("cardio")
	if third := w.send("clin", other, "cr.pdf", pdf); third.Files[0].State != "stored" {
		t.Errorf("in another case: %+v", third)
	}
}

func TestNamesOfAnyScript(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	for i, c := range []struct{ name, want string }{
		{"écho Ɛ ɲ ŋ – n° 2.jpg", "écho Ɛ ɲ ŋ – n° 2.jpg"},
		{"../../etc/passwd", "passwd"},
		{`C:\Users\x\photo.jpg`, "photo.jpg"},
		{"صورة.jpg", "صورة.jpg"},
		{"🩺\u202Egpj.exe", "🩺gpj.exe"},
		{"a\x00b\r\nSet-Cookie: x=1.jpg", "abSet-Cookie: x=1.jpg"},
		{"\xff\xfe.jpg", "\uFFFD.jpg"},
		{"", "fichier"},
		{strings.Repeat("é", 300) + ".jpg", strings.Repeat("é", 127)},
	} {
		in := w.send("clin", id, c.name, phantom.PDF(strconv.Itoa(i), nil))
		if in.Name != c.want {
			t.Errorf("%q is shown as %q, want %q", c.name, in.Name, c.want)
			continue
		}
		a := w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+in.Files[0].AttachmentID, nil))
		if d := a.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename") || strings.ContainsAny(d, "\r\n") {
			t.Errorf("disposition %q", d)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	photo, pdf, dcm := phantom.Photo(1), phantom.PDF("x", nil), phantom.ECG12(study, phantom.Sinus)
	for _, c := range []struct {
		name, reason string
		data         []byte
	}{
		{"vide", "empty", nil},
		{"virus.exe", "unsupported-type", []byte("MZ\x90\x00 this is no picture")},
		{"page.html", "unsupported-type", []byte("<html><script>alert(1)</script></html>")},
		{"image.svg", "unsupported-type", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
		{"coupée.jpg", "broken-image", photo[:len(photo)/2]},
		{"coupé.pdf", "truncated-pdf", pdf[:len(pdf)/2]},
		{"coupé.dcm", "truncated", dcm[:len(dcm)/2]},
		{"faux.dcm", "", append(make([]byte, 128), []byte("DICM is not all that it takes")...)},
		{"faux.zip", "broken-zip", []byte("PK\x03\x04 and then nothing of the kind")},
		{"coupé.mp4", "truncated-video", []byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2\x00\x0f\xff\xffmdat")},
		{"photo.heic", "heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1")},
		{"grande.png", "image-too-large", hugePNG()},
	} {
		in := w.send("clin", id, c.name, c.data)
		if len(in.Files) != 1 || in.Files[0].State != "refused" || in.Files[0].Message == "" || (c.reason != "" && in.Files[0].Reason != c.reason) {
			t.Errorf("%s: %+v", c.name, in.Files)
		}
	}
	if v := w.getCase("clin", id); len(v.Files)+len(v.Series) != 0 {
		t.Error("something refused was attached")
	}
}

// hugePNG declares 60,000 × 60,000 pixels.
func hugePNG() []byte {
	head := []byte("IHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x00\x00\x00\x00")
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\r"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestArchive(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	slices := phantom.CT(6, study)
	files := map[string][]byte{"CD/DICOM/IM1": slices[0], "../../../tmp/evil.dcm": slices[1], "CD/autorun.exe": []byte("MZ"),
		"CD/compte rendu.pdf": phantom.PDF("x", nil), "CD/dedans.zip": zipOf(t, map[string][]byte{"a": []byte("b")}),
		"CD/": nil, "__MACOSX/._IM1": []byte("x"), "CD/coupé.dcm": slices[2][:2000]}
	for i, s := range slices[3:] {
		files[fmt.Sprintf("CD/DICOM/IM%d", i+4)] = s
	}
	in := w.send("clin", id, "cd.zip", zipOf(t, files))
	got := map[string]string{}
	for _, f := range in.Files {
		got[f.Name] = f.State + " " + f.Reason
	}
	want := map[string]string{"IM1": "stored ", "evil.dcm": "stored ", "autorun.exe": "refused unsupported-type", "compte rendu.pdf": "stored ",
		"dedans.zip": "refused nested-zip", "coupé.dcm": "refused truncated", "IM4": "stored ", "IM5": "stored ", "IM6": "stored "}
	for name, state := range want {
		if got[name] != state {
			t.Errorf("%s: %q, want %q", name, got[name], state)
		}
	}
	if len(got) != len(want) {
		t.Errorf("outcomes %v", got)
	}
	v := w.getCase("cardio", id)
	if len(v.Series) != 1 || v.Series[0].Instances != 5 || len(v.Files) != 1 {
		t.Errorf("series %+v, files %+v", v.Series, v.Files)
	}
	if _, err := os.Stat("/tmp/evil.dcm"); err == nil {
		t.Error("an entry's name was used as a path")
	}
	left := must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(w.cfg.SpoolDir, "tmp")))
	if len(left) != 0 {
		t.Errorf("%d temporary files left", len(left))
	}
}

func TestZipBombs(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	bomb := zipOf(t, map[string][]byte{"zeros.dcm": make([]byte, 64<<20)})
	many := map[string][]byte{}
	for i := range 5001 {
		many[strconv.Itoa(i)] = []byte("x")
	}
	// An entry that declares a small size and unpacks to a large one.
	liar := bytes.Clone(bomb)
	for _, sig := range []struct {
		mark string
		at   int
	}{{"PK\x01\x02", 24}, {"PK\x07\x08", 12}} {
		if i := bytes.LastIndex(liar, []byte(sig.mark)); i >= 0 {
			copy(liar[i+sig.at:], "\x00\x04\x00\x00")
		}
	}
	for name, c := range map[string]struct {
		data   []byte
		reason []string
	}{
		"bomb": {bomb, []string{"zip-bomb"}}, "many": {zipOf(t, many), []string{"zip-too-many"}},
		"liar": {liar, []string{"zip-bomb", "broken-zip"}}, "empty": {zipOf(t, nil), []string{"empty-zip"}},
	} {
		in := w.send("clin", id, name+".zip", c.data)
		if len(in.Files) != 1 || in.Files[0].State != "refused" || !slices.Contains(c.reason, in.Files[0].Reason) {
			t.Errorf("%s: %+v", name, in.Files)
		}
	}
	if got := w.send("clin", id, "après.jpg", phantom.Photo(5)).Files[0].State; got != "stored" {
		t.Errorf("after the bombs a photo is %s", got)
	}
}

// awayBlobs is a blob store that can't be reached.
type awayBlobs struct{ storage.Blobs }

func (awayBlobs) Put(context.Context, io.Reader) (storage.Info, error) {
	return storage.Info{}, errors.New("store is away")
}

// TestKilledBeforeIntake stops the server between the last PATCH and the
// intake, and between the last byte and its record.
func TestKilledBeforeIntake(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Blobs = awayBlobs{c.Blobs} })
	id := w.open("cardio")
	photo, pdf := phantom.Photo(9), phantom.PDF("y", nil)
	loc := w.want(201, w.create("clin", id, "a.jpg", int64(len(photo)))).header.Get("Location")
	w.want(204, w.patch("clin", loc, 0, photo))
	loc2 := w.want(201, w.create("clin", id, "b.pdf", int64(len(pdf)))).header.Get("Location")
	if err := os.WriteFile(filepath.Join(w.cfg.SpoolDir, filepath.Base(loc2)), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	w.restart()
	for _, l := range []string{loc, loc2} {
		if in := w.done("clin", l); in.Files[0].State != "stored" {
			t.Errorf("%+v", in)
		}
	}
	if n := len(w.getCase("cardio", id).Files); n != 2 {
		t.Errorf("%d files", n)
	}
	// Once more: nothing doubles.
	w.restart()
	if n := len(w.getCase("cardio", id).Files); n != 2 {
		t.Errorf("%d files after another restart", n)
	}
}

func TestTusDiscovery(t *testing.T) {
	w := newWorld(t)
	a := w.want(200, w.do("", "OPTIONS", "/api/uploads/", nil))
	for _, ext := range []string{"creation", "termination", "expiration"} {
		if !strings.Contains(a.header.Get("Tus-Extension"), ext) {
			t.Errorf("extensions %q lack %s", a.header.Get("Tus-Extension"), ext)
		}
	}
	if a.header.Get("Tus-Version") != "1.0.0" || a.header.Get("Tus-Max-Size") != strconv.Itoa(DefaultMaxUploadBytes) {
		t.Errorf("headers %v", a.header)
	}
	if got := w.do("clin", "POST", "/api/uploads/", nil, "Upload-Length", "1").status; got != http.StatusPreconditionFailed {
		t.Errorf("without Tus-Resumable: %d", got)
	}
}
