package cases

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"sira/cases/directory"
	"sira/storage"
	"sira/storage/storagetest"
)

// testClock is a time that tests set.
type testClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *testClock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *testClock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// people are the cast of the tests; their IDs are their names here.
var people = map[string]directory.User{
	"aminata":  {Role: directory.Clinician, Facility: katiFacility},
	"halima":   {Role: directory.Clinician, Facility: directory.Facility{ID: "hr-gao"}},
	"seydou":   {Role: directory.Specialist, Specialties: []string{"cardiologie"}},
	"mariam":   {Role: directory.Specialist, Specialties: []string{"cardiologie"}},
	"kone":     {Role: directory.Radiologist, Specialties: []string{"radiologie"}},
	"assetou":  {Role: directory.Dispatcher, Specialties: []string{"cardiologie", "noma"}},
	"oumar":    {Role: directory.Dispatcher, Specialties: []string{"radiologie"}},
	"modibo":   {Role: directory.Admin, Specialties: []string{"cardiologie"}},
	"disabled": {Role: directory.Specialist, Specialties: []string{"cardiologie"}, Disabled: true},
}

var katiFacility = directory.Facility{ID: "csref-kati", Name: "CSRéf de Kati", Kind: "CSRéf", Region: "Koulikoro", Code: "ML-02-0003"}

// person is one of the cast without a database.
func person(name string) directory.User {
	u, ok := people[name]
	if !ok {
		panic("no such person: " + name)
	}
	u.ID, u.Login, u.Name = name, name, name
	return u
}

// world is a service with its people.
type world struct {
	t     *testing.T
	db    *storage.DB
	dir   *directory.Directory
	svc   *Service
	clock *testClock
}

func eachWorld(t *testing.T, fn func(t *testing.T, w *world)) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) { fn(t, newWorld(t, db)) })
}

func newWorld(t *testing.T, db *storage.DB) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, db: db, clock: &testClock{t: start}}
	var err error
	w.dir, err = directory.Open(ctx, db, directory.WithClock(w.clock.now))
	must(t, err)
	must(t, w.dir.PutFacility(ctx, katiFacility))
	must(t, w.dir.PutFacility(ctx, directory.Facility{ID: "hr-gao", Name: "Hôpital régional de Gao"}))
	for name := range people {
		_, err := w.dir.CreateUser(ctx, person(name), "")
		must(t, err)
	}
	w.svc = w.open()
	return w
}

// open gives a further service over the same database, as another process would.
func (w *world) open() *Service {
	w.t.Helper()
	svc, err := Open(w.t.Context(), w.db, w.dir, Options{Clock: w.clock.now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(w.t, err)
	return svc
}

func (w *world) user(name string) directory.User {
	w.t.Helper()
	u, err := w.dir.User(w.t.Context(), name)
	must(w.t, err)
	return u
}

// append does it as name and gives what Append gives.
func (w *world) append(name, caseID string, evs ...NewEvent) (State, []Event, error) {
	w.t.Helper()
	return w.svc.Append(w.t.Context(), w.user(name), caseID, evs)
}

// does is append that must succeed.
func (w *world) does(name, caseID string, evs ...NewEvent) State {
	w.t.Helper()
	st, _, err := w.append(name, caseID, evs...)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return st
}

// opened makes a case of aminata's in cardiology.
func (w *world) opened(to ...string) (caseID string) {
	w.t.Helper()
	caseID = uuid.NewString()
	w.does("aminata", caseID, event(Opened, request(to...)))
	return caseID
}

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	must(w.t, w.db.QueryRow(w.t.Context(), query, args...).Scan(&n))
	return n
}

// request is a complete request.
func request(to ...string) OpenedData {
	return OpenedData{
		Patient:   Patient{Name: "Moussa Doumbia", Sex: "M", Age: &Age{58, "Y"}, Village: "Kati Koko"},
		Specialty: "cardiologie", Urgency: "U2", Question: "Sus-décalage ?", History: "Douleur depuis 3 h.",
		Consent: Consent{How: "oral", By: "le patient"}, To: to,
	}
}

func event(t EventType, data any) NewEvent {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return NewEvent{ID: uuid.NewString(), Type: t, At: start, Data: raw}
}

func message(text string) NewEvent { return event(MessagePosted, TextData{text}) }
func opinion(text string) NewEvent { return event(OpinionGiven, OpinionData{Conclusion: text}) }

func file(id string) Attachment {
	return Attachment{ID: id, Name: id + ".jpg", Kind: "photo", MediaType: "image/jpeg", Size: 10, Hash: fmt.Sprintf("%064x", []byte(id))}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// refused fails unless err is a UserError of that code (and field, if any).
func refused(t testing.TB, err error, code, field string) {
	t.Helper()
	var ue *UserError
	if !errors.As(err, &ue) || ue.Code != code || ue.Params["field"] != field {
		t.Errorf("got %v, want %s at %q", err, code, field)
	}
}
