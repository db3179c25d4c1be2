package dicomweb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/dicom/phantom"
	"sira/storage"
	"sira/storage/storagetest"
	"sira/web/dicomweb"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // suyashkumar/dicom's
	os.Exit(m.Run())
}

// house is a whole service over real stores.
type house struct {
	*httptest.Server
	handler http.Handler
	index   *index.Index
	ingest  *ingest.Ingest
	blobs   storage.Blobs
	derive  *derive.Deriver // starts when a test starts it

	mu      sync.Mutex
	visible *index.Visible
	refuse  error
	log     []dicomweb.Access
	stored  []ingest.Result
}

func build(t testing.TB, db *storage.DB) *house {
	t.Helper()
	idx, err := index.Open(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	blobs := storagetest.NewBlobs(t)
	h := &house{index: idx, blobs: blobs, ingest: ingest.New(blobs, idx, dicom.Limits{})}
	if h.derive, err = derive.Open(context.Background(), derive.Config{DB: db, Blobs: blobs, Index: idx, TempDir: t.TempDir(), Workers: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.derive.Close)
	h.ingest.TempDir = t.TempDir()
	h.ingest.MaxBytes = 64 << 20
	service := dicomweb.New(dicomweb.Config{
		Index: idx, Blobs: blobs, Ingest: h.ingest, Derive: h.derive, MaxParts: 500,
		Scope: func(context.Context) (*index.Visible, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.visible, h.refuse
		},
		Audit: func(_ context.Context, a dicomweb.Access) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.log = append(h.log, a)
			return nil
		},
		MayStore: func(_ context.Context, in dicom.Instance) error {
			if in.PatientID == "FORBIDDEN" {
				return dicomweb.ErrForbidden
			}
			return nil
		},
		Stored: func(_ context.Context, r ingest.Result) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.stored = append(h.stored, r)
			return nil
		},
	})
	h.handler = service
	h.Server = httptest.NewServer(service)
	t.Cleanup(h.Server.Close)
	return h
}

func (h *house) set(v *index.Visible, refuse error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.visible, h.refuse = v, refuse
}

func (h *house) last() dicomweb.Access {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.log) == 0 {
		return dicomweb.Access{}
	}
	return h.log[len(h.log)-1]
}

// put stores objects by the front door.
func (h *house) put(t testing.TB, objects ...[]byte) []dicom.Instance {
	t.Helper()
	var out []dicom.Instance
	for _, data := range objects {
		res, err := h.ingest.File(context.Background(), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, res.Instance)
	}
	return out
}

// answer is one response, read.
type answer struct {
	*http.Response
	body []byte
}

func (h *house) do(t testing.TB, method, path, accept string, body io.Reader, contentType string) answer {
	t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = h.URL + "/dicomweb" + path
	}
	req, err := http.NewRequest(method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return answer{res, data}
}

func (h *house) get(t testing.TB, path, accept string) answer {
	t.Helper()
	return h.do(t, http.MethodGet, path, accept, nil, "")
}

// expect fails the test on another status.
func (a answer) expect(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s: %d, want %d: %.300s", a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	if status >= 400 && a.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("error as %s: %.200s", a.Header.Get("Content-Type"), a.body)
	}
	return a
}

func (a answer) list(t testing.TB) []map[string]any {
	t.Helper()
	if a.StatusCode == http.StatusNoContent {
		return nil
	}
	if a.Header.Get("Content-Type") != "application/dicom+json" {
		t.Errorf("answered as %s", a.Header.Get("Content-Type"))
	}
	var out []map[string]any
	if err := json.Unmarshal(a.body, &out); err != nil {
		t.Fatalf("%v in %.300s", err, a.body)
	}
	return out
}

type piece struct {
	header textproto.MIMEHeader
	body   []byte
}

func (a answer) parts(t testing.TB) []piece {
	t.Helper()
	kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" {
		t.Fatalf("%s, %v", a.Header.Get("Content-Type"), err)
	}
	m := multipart.NewReader(bytes.NewReader(a.body), params["boundary"])
	var out []piece
	for {
		p, err := m.NextRawPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, piece{p.Header, body})
	}
}

func value(m map[string]any, tag string) string {
	a, _ := m[tag].(map[string]any)
	list, _ := a["Value"].([]any)
	var out []string
	for _, v := range list {
		if name, ok := v.(map[string]any); ok && name["Alphabetic"] != nil {
			v = name["Alphabetic"]
		}
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, `\`)
}

func study(seed uint64, name, id string, day int) phantom.Study {
	return phantom.Study{Patient: phantom.Patient{Name: name, ID: id, Sex: "F", BirthDate: "19900101"},
		Date: time.Date(2026, 3, day, 9, 15, 0, 0, time.UTC), Seed: seed, Accession: fmt.Sprint("ACC", seed)}
}

// corpus is the folder of real files.
func corpus(t testing.TB) string {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared")
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join(root, "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(root); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	return dir
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func at(in dicom.Instance) string {
	return "/studies/" + in.StudyUID + "/series/" + in.SeriesUID + "/instances/" + in.SOPUID
}

const (
	anyDICOM = `multipart/related; type="application/dicom"; transfer-syntax=*`
	allBytes = `multipart/related; type="application/octet-stream"; transfer-syntax=*`
	jsonType = "application/dicom+json"
)
