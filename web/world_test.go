package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/sfu"
	"sira/signaling"
	"sira/storage"
)

// logs gathers what the server logs, to look for what must not be there.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// world is a whole server on real parts, with people in it.
type world struct {
	t     *testing.T
	dir   string
	srv   *Server
	http  *httptest.Server
	db    *storage.DB
	cfg   Config
	logs  *logs
	users map[string]directory.User
	token map[string]string
	stop  func()

	deriving int // workers of the next start
}

const password = "mot de passe d'essai"

// newWorld opens a server over fresh folders. tune may change its settings.
func newWorld(t *testing.T, tune ...func(*Config)) *world {
	t.Helper()
	base := must[settlement](t)(settled())
	w := &world{t: t, dir: t.TempDir(), logs: &logs{}, users: base.users, token: base.token}
	if err := os.WriteFile(filepath.Join(w.dir, "sira.db"), base.db, 0o600); err != nil {
		t.Fatal(err)
	}
	w.start(tune...)
	t.Cleanup(func() { w.stop() })
	return w
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// start opens everything over w.dir, as a new process would.
func (w *world) start(tune ...func(*Config)) {
	w.t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.db = must[*storage.DB](w.t)(storage.OpenDB(ctx, "sqlite:"+filepath.Join(w.dir, "sira.db")))
	blobs := must[storage.Blobs](w.t)(storage.OpenBlobs(ctx, "file:"+filepath.Join(w.dir, "blobs")))
	people := must[*directory.Directory](w.t)(directory.Open(ctx, w.db))
	service := must[*cases.Service](w.t)(cases.Open(ctx, w.db, people, cases.Options{Logger: log}))
	journal := must[*audit.Journal](w.t)(audit.Open(ctx, w.db))
	idx := must[*index.Index](w.t)(index.Open(ctx, w.db))
	media := must[*sfu.SFU](w.t)(sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0", Logger: log}))
	in := ingest.New(blobs, idx, dicom.DefaultLimits)
	in.TempDir = w.t.TempDir()
	copies := must[*derive.Deriver](w.t)(derive.Open(ctx, derive.Config{DB: w.db, Blobs: blobs, Index: idx, TempDir: w.t.TempDir(), Workers: w.deriving, Log: log}))
	in.Added = func(ctx context.Context, in dicom.Instance) { copies.Added(ctx, in.Hash) }
	w.cfg = Config{DB: w.db, Blobs: blobs, Directory: people, Cases: service, Audit: journal, Index: idx, Ingest: in, Derive: copies,
		SFU: media, Signaling: signaling.New(media, signaling.Options{Logger: log}), SpoolDir: filepath.Join(w.dir, "spool"),
		MinFreeBytes: -1, Logger: log, Version: "test"}
	for _, f := range tune {
		f(&w.cfg)
	}
	w.srv = must[*Server](w.t)(New(w.cfg))
	copies.Start()
	w.http = httptest.NewServer(w.srv.Handler())
	w.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := w.srv.Close(ctx); err != nil {
			w.t.Errorf("closing: %v", err)
		}
		w.http.CloseClientConnections()
		w.http.Close()
		copies.Close()
		if err := media.Close(ctx); err != nil {
			w.t.Errorf("closing media: %v", err)
		}
		if err := w.db.Close(); err != nil {
			w.t.Errorf("closing the database: %v", err)
		}
	})
}

// restart closes and opens again over the same folders.
func (w *world) restart(tune ...func(*Config)) {
	w.t.Helper()
	w.stop()
	w.start(tune...)
	w.t.Cleanup(func() { w.stop() })
}

// settled is a database with facilities, people and their tokens, made once:
// hashing passwords is slow on purpose.
var settled = sync.OnceValues(func() (settlement, error) {
	var s settlement
	dir, err := os.MkdirTemp("", "sira-web-*")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	ctx, name := context.Background(), filepath.Join(dir, "sira.db")
	db, err := storage.OpenDB(ctx, "sqlite:"+name)
	if err != nil {
		return s, err
	}
	people, err := directory.Open(ctx, db)
	if err == nil {
		err = s.fill(ctx, people)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return s, err
	}
	s.db, err = os.ReadFile(name)
	return s, err
})

type settlement struct {
	db    []byte
	users map[string]directory.User
	token map[string]string
}

func (s *settlement) fill(ctx context.Context, d *directory.Directory) error {
	s.users, s.token = map[string]directory.User{}, map[string]string{}
	for _, f := range []directory.Facility{{ID: "kati", Name: "CSRéf de Kati", Kind: "CSRéf", Region: "Koulikoro", Code: "KAT"},
		{ID: "pointg", Name: "CHU du Point G", Kind: "CHU", Region: "Bamako", Code: "PTG"}} {
		if err := d.PutFacility(ctx, f); err != nil {
			return err
		}
	}
	kati, chu := directory.Facility{ID: "kati"}, directory.Facility{ID: "pointg"}
	for _, u := range []directory.User{
		{Login: "clin", Name: "Fatoumata Diarra", Title: "Dr", Role: directory.Clinician, Facility: kati},
		{Login: "clin2", Name: "Oumar Sidibé", Title: "Dr", Role: directory.Clinician, Facility: kati},
		{Login: "cardio", Name: "Ibrahima Konaté", Title: "Pr", Role: directory.Specialist, Facility: chu, Specialties: []string{"cardiologie"}},
		{Login: "cardio2", Name: "Aïssata Ba", Title: "Dr", Role: directory.Specialist, Facility: chu, Specialties: []string{"cardiologie"}},
		{Login: "disp", Name: "Mariam Touré", Role: directory.Dispatcher, Facility: chu, Specialties: []string{"cardiologie"}},
		{Login: "disp-derm", Name: "Ali Cissé", Role: directory.Dispatcher, Facility: chu, Specialties: []string{"dermatologie"}},
		{Login: "admin", Name: "Awa Coulibaly", Role: directory.Admin, Facility: chu},
	} {
		made, err := d.CreateUser(ctx, u, password)
		if err != nil {
			return err
		}
		s.users[u.Login] = made
		if s.token[u.Login], err = d.NewToken(ctx, made.ID, "essai"); err != nil {
			return err
		}
	}
	return nil
}

// answer is one response, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("body is no JSON: %v: %.300s", err, a.body)
	}
}

// do sends a request as a user ("" for nobody). body may be nil, bytes, or a
// value for JSON. head is name, value, …
func (w *world) do(user, method, path string, body any, head ...string) answer {
	w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	default:
		raw := must[[]byte](w.t)(json.Marshal(b))
		r = bytes.NewReader(raw)
		head = append([]string{"Content-Type", "application/json"}, head...)
	}
	req := must[*http.Request](w.t)(http.NewRequest(method, w.http.URL+path, r))
	if user != "" {
		req.Header.Set("Authorization", "Bearer "+w.token[user])
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil && method != http.MethodHead {
		w.t.Fatalf("%s %s: reading: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, raw}
}

// want fails unless the answer has the status.
func (w *world) want(status int, a answer) answer {
	w.t.Helper()
	if a.status != status {
		w.t.Fatalf("status %d, want %d: %.500s", a.status, status, a.body)
	}
	return a
}

func event(kind cases.EventType, data any) cases.NewEvent {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return cases.NewEvent{ID: uuid.NewString(), Type: kind, At: time.Now().UTC(), Data: raw}
}

const patientName = "Aminata Zoumana Traoré"

func (w *world) request(to ...string) cases.OpenedData {
	ids := []string{}
	for _, login := range to {
		ids = append(ids, w.users[login].ID)
	}
	return cases.OpenedData{Patient: cases.Patient{Name: patientName, Sex: "F", Age: &cases.Age{Value: 31, Unit: "Y"}},
		Specialty: "cardiologie", Urgency: "U1", Question: "ECG : faut-il évacuer ?", History: "Douleur depuis 3 h.",
		Consent: cases.Consent{How: "oral"}, To: ids}
}

// open makes a case of clin's for the given experts, and gives its ID.
func (w *world) open(to ...string) string {
	w.t.Helper()
	id := uuid.NewString()
	w.post("clin", id, event(cases.Opened, w.request(to...)))
	return id
}

func (w *world) post(user, id string, evs ...cases.NewEvent) caseView {
	w.t.Helper()
	a := w.want(200, w.do(user, "POST", "/api/cases/"+id+"/events", map[string]any{"events": evs}))
	var out struct {
		Case caseView `json:"case"`
	}
	a.json(w.t, &out)
	return out.Case
}

func (w *world) getCase(user, id string) caseView {
	w.t.Helper()
	var v caseView
	w.want(200, w.do(user, "GET", "/api/cases/"+id, nil)).json(w.t, &v)
	return v
}

func (w *world) mustNotLog(words ...string) {
	w.t.Helper()
	text := w.logs.String()
	for _, word := range words {
		if strings.Contains(text, word) {
			w.t.Errorf("logs hold %q", word)
		}
	}
}
