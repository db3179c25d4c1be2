package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sira/dicom/dimse"
	"sira/dicom/dimse/identifier"
)

// What one file may cost the server, whatever it is.
const (
	mostMemory = 300 << 20       // VmHWM of the process
	mostTime   = 2 * time.Second // for one answer
)

// judge holds the answers to bad input to what was promised.
type judge struct {
	*serverProcess
	stored, quarantined, refused int
	slowest                      time.Duration
	slow                         string
}

// timed runs one exchange. On a busy machine a long wait is only the server's
// when it computed that long.
func (j *judge) timed(name string, exchange func()) {
	j.t.Helper()
	cpu, start := j.cpu(), time.Now()
	exchange()
	j.alive(name)
	took := time.Since(start)
	if took > j.slowest {
		j.slowest, j.slow = took, name
	}
	if used := j.cpu() - cpu; took > mostTime && used > mostTime || took > 30*time.Second {
		j.t.Errorf("%s: answered after %v, %v of them computing", name, took.Round(time.Millisecond), used)
	}
}

func (j *judge) memoryIsKept(after string) {
	j.t.Helper()
	if runtime.GOOS != "linux" || underRace {
		return
	}
	if peak := j.memory("VmHWM"); peak > mostMemory {
		j.t.Errorf("%d MiB of memory after %s, at most %d", peak>>20, after, mostMemory>>20)
	}
}

// stow sends one object by STOW-RS and wants an answer with a word for it: it
// gives the path of the instance when it was stored.
func (j *judge) stow(name string, data []byte) (path string) {
	j.t.Helper()
	j.timed(name, func() {
		status, _, body := j.do("svc", http.MethodPost, "/dicomweb/studies", bytes.NewReader(data),
			"Content-Type", "application/dicom", "Accept", "application/dicom+json")
		var answer map[string]struct{ Value []json.RawMessage }
		err := json.Unmarshal(body, &answer)
		switch {
		case err != nil && status != http.StatusBadRequest:
			j.t.Errorf("%s: %d, %v: %.200s", name, status, err, body)
		case status == http.StatusOK && len(answer["00081199"].Value) == 1:
			j.stored++
			path = storedAs(answer["00081199"].Value[0])
		case status == http.StatusConflict && bytes.Contains(body, []byte(`"00081197"`)): // Failure Reason
			if j.refused++; bytes.Contains(body, []byte(`"Value":[273]`)) {
				j.refused--
				j.quarantined++
			}
		default:
			j.t.Errorf("%s: %d without a reason: %.300s", name, status, body)
		}
	})
	return path
}

// storedAs reads the address of a stored instance (Retrieve URL).
func storedAs(item json.RawMessage) string {
	var in map[string]struct{ Value []string }
	if json.Unmarshal(item, &in) != nil || len(in["00081190"].Value) != 1 {
		return ""
	}
	_, path, _ := strings.Cut(in["00081190"].Value[0], "/dicomweb/")
	return "/dicomweb/" + path
}

// look asks for what viewers ask for of a stored instance; damage that was not
// seen at the door shows here.
func (j *judge) look(name, at string) {
	j.t.Helper()
	if at == "" {
		return
	}
	for path, accept := range map[string]string{"/metadata": "application/dicom+json", "/rendered": "image/jpeg", "/frames/1": `multipart/related; type="application/octet-stream"; transfer-syntax=*`} {
		j.timed(name+" "+path, func() {
			status, _, body := j.do("svc", http.MethodGet, at+path, nil, "Accept", accept)
			if status >= 500 && status != http.StatusNotImplemented {
				j.t.Errorf("%s %s: %d %.200s", name, path, status, body)
			}
		})
	}
}

// cstore sends a data set by C-STORE, as what its file meta information says or,
// where it has none, as a secondary capture.
func (j *judge) cstore(name string, data []byte) {
	j.t.Helper()
	meta, file, ok := metaFor(data)
	if !ok {
		j.look(name, j.stow(name, data))
		return
	}
	j.timed(name, func() {
		c := j.dial("BAD", dimse.Proposal{SOPClass: meta.SOPClass, TransferSyntaxes: []string{meta.TransferSyntax}})
		defer c.Abort()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		status, err := c.Store(ctx, bytes.NewReader(file))
		var failed *dimse.StatusError
		switch {
		case err == nil && !dimse.StatusFailed(status):
			j.stored++
		case errors.As(err, &failed) && failed.Status == dimse.StatusDuplicateInstance:
			j.quarantined++
		case errors.As(err, &failed) && failed.Status != dimse.StatusProcessingFailure, errors.Is(err, dimse.ErrNoContext):
			j.refused++
		default:
			j.t.Errorf("C-STORE of %s: %#04x, %v", name, status, err)
		}
	})
}

// TestBadInput sends every file of the corpus, and each spoilt in several ways,
// through the three doors of a server process of its own. SIRA_MUTANTS says how
// often each way, for long runs.
func TestBadInput(t *testing.T) {
	dir := dicomCorpus(t)
	n := 1
	if s := os.Getenv("SIRA_MUTANTS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	j := &judge{serverProcess: startServer(t)}
	var box []mutant // what goes in by upload
	door, total := 0, 0
	for _, path := range corpusPaths(t, dir) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(dir, path)
		j.look(name, j.stow(name, data))
		total++
		if len(data) > 1<<20 {
			continue // their bytes are pixels
		}
		for _, m := range mutants(name, data, n) {
			total++
			switch door++; door % 4 {
			case 0:
				j.cstore(m.name, m.data)
			case 1:
				box = append(box, m)
			default:
				j.look(m.name, j.stow(m.name, m.data))
			}
		}
		j.memoryIsKept(name)
	}
	t.Logf("%d files: %d stored, %d quarantined, %d refused at the doors of devices; %d uploaded; slowest %v (%s); VmHWM %d MiB; %v of processor time",
		total, j.stored, j.quarantined, j.refused, len(box), j.slowest.Round(time.Millisecond), j.slow, j.memory("VmHWM")>>20, j.cpu())
	j.upload(box)
	j.memoryIsKept("uploads")
	if j.stored < 150 || j.refused < 50 || j.quarantined < 50 {
		t.Errorf("%d stored, %d quarantined, %d refused", j.stored, j.quarantined, j.refused)
	}
	j.well()
}

// upload files mutants into a case, as a person does with an archive.
func (j *judge) upload(box []mutant) {
	j.t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for i, m := range box {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%04d.dcm", i), Method: zip.Store})
		if err == nil {
			_, err = w.Write(m.data)
		}
		if err != nil {
			j.t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		j.t.Fatal(err)
	}
	outcomes := j.intake(j.openCase(), "essai.zip", b.Bytes())
	if len(outcomes) != len(box) {
		j.t.Errorf("%d outcomes of %d files", len(outcomes), len(box))
	}
	for i, o := range outcomes {
		if o.State != "stored" && o.State != "duplicate" && (o.Reason == "" || o.Message == "") {
			j.t.Errorf("%s is %q without a word (%s)", o.Name, o.State, box[min(i, len(box)-1)].name)
		}
	}
}

// openCase opens a case and gives its ID.
func (j *judge) openCase() string {
	j.t.Helper()
	id := uuid.NewString()
	body := fmt.Sprintf(`{"events":[{"id":%q,"type":"opened","at":%q,"data":{"patient":{"name":"Essai","sex":"F","birthDate":"1990-01-01"},
		"specialty":"cardiologie","urgency":"U1","question":"?","consent":{"how":"oral"}}}]}`, uuid.NewString(), time.Now().UTC().Format(time.RFC3339))
	status, _, answer := j.do("clin", http.MethodPost, "/api/cases/"+id+"/events", strings.NewReader(body), "Content-Type", "application/json")
	if status != http.StatusOK {
		j.t.Fatalf("opening a case: %d %.300s", status, answer)
	}
	return id
}

type fileOutcome struct{ Name, State, Reason, Message string }

// intake uploads one file (tus 1.0) and waits for what became of it.
func (j *judge) intake(caseID, name string, data []byte) []fileOutcome {
	j.t.Helper()
	text := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	status, head, body := j.do("clin", http.MethodPost, "/api/uploads/", nil, "Tus-Resumable", "1.0.0", "Upload-Length", strconv.Itoa(len(data)),
		"Upload-Metadata", "caseId "+text(caseID)+",filename "+text(name)+",filetype "+text("application/octet-stream"))
	if status != http.StatusCreated {
		j.t.Fatalf("creating an upload: %d %.300s", status, body)
	}
	at := head.Get("Location")
	if status, _, body = j.do("clin", http.MethodPatch, at, bytes.NewReader(data), "Tus-Resumable", "1.0.0", "Upload-Offset", "0",
		"Content-Type", "application/offset+octet-stream"); status != http.StatusNoContent {
		j.t.Fatalf("uploading: %d %.300s", status, body)
	}
	for range 1200 {
		var in struct {
			State string
			Files []fileOutcome
		}
		_, _, body = j.do("clin", http.MethodGet, "/api/intake/"+filepath.Base(at), nil)
		if err := json.Unmarshal(body, &in); err != nil {
			j.t.Fatalf("%v: %.300s", err, body)
		}
		if in.State == "done" {
			return in.Files
		}
		j.alive("an upload")
		time.Sleep(50 * time.Millisecond)
	}
	j.t.Fatal("the intake never ended")
	return nil
}

// well: after all that the server answers as ever, and nothing lies about.
func (j *judge) well() {
	j.t.Helper()
	for i := 0; len(j.incoming()) > 0; i++ { // it clears up after the answer
		if i == 500 {
			j.t.Errorf("left on the way: %v", j.incoming())
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if status, _, body := j.do("svc", http.MethodGet, "/dicomweb/instances?limit=10", nil, "Accept", "application/dicom+json"); status != http.StatusOK || !json.Valid(body) {
		j.t.Errorf("search: %d %.200s", status, body)
	}
	c := j.dial("WS", dimse.Proposal{SOPClass: dimse.Verification, TransferSyntaxes: []string{dimse.ImplicitVRLittleEndian}}, dimse.QueryProposal(dimse.StudyRootFind))
	defer c.Abort()
	found := 0
	if err := errors.Join(c.Echo(context.Background()), c.Find(context.Background(), dimse.Query{SOPClass: dimse.StudyRootFind, Level: dimse.LevelStudy, Keys: new(identifier.Set)},
		func(*identifier.Set) error { found++; return nil })); err != nil || found == 0 {
		j.t.Errorf("afterwards: %d studies, %v", found, err)
	}
}

// metaFor finds as what a file can be sent by C-STORE, and gives it with file
// meta information that says so; false when its own is beyond reading.
func metaFor(data []byte) (m dimse.Meta, file []byte, ok bool) {
	m, err := dimse.ReadMeta(bufio.NewReader(bytes.NewReader(data)))
	if err == nil {
		return m, data, true
	}
	if len(data) > 132 && string(data[128:132]) == "DICM" {
		return m, nil, false
	}
	m = dimse.Meta{SOPClass: "1.2.840.10008.5.1.4.1.1.7", SOPUID: "1.2.3.4", TransferSyntax: dimse.ExplicitVRLittleEndian}
	file = append(m.Encode(), data...)
	m, err = dimse.ReadMeta(bufio.NewReader(bytes.NewReader(file))) // data may begin with meta information of its own
	return m, file, err == nil
}
