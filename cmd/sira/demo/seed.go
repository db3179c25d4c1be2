package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/directory"
	"sira/dicom/ingest"
	"sira/storage"
)

// Account is how a person of the demo gets in.
type Account struct {
	Role     directory.Role `json:"role"`
	Login    string         `json:"login"`
	Password string         `json:"password"`
	Token    string         `json:"token"`
}

// Parts is what the seed works with.
type Parts struct {
	DB        *storage.DB
	Blobs     storage.Blobs
	Directory *directory.Directory
	Ingest    *ingest.Ingest
	Log       *slog.Logger
}

// namespace makes the demo's event and case IDs the same at every start, so
// that a seed cut by a power failure goes on where it stopped, once.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:sira:demo"))

func id(parts ...any) string {
	return uuid.NewSHA1(namespace, []byte(fmt.Sprintln(parts...))).String()
}

// Seed puts the country in small into the database and blobs, and answers the
// accounts with fresh passwords and tokens. It may be run again after a cut.
func Seed(ctx context.Context, p Parts) ([]Account, error) {
	users, accounts, err := seedPeople(ctx, p.Directory)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	for n, s := range stories {
		if err := seedCase(ctx, p, users, now, n, s); err != nil {
			return nil, fmt.Errorf("seeding case %d: %w", n+1, err)
		}
		p.Log.Info("demo case ready", "case", n+1, "of", len(stories))
	}
	return accounts, nil
}

func seedPeople(ctx context.Context, dir *directory.Directory) (map[string]directory.User, []Account, error) {
	for _, f := range facilities {
		if err := dir.PutFacility(ctx, f); err != nil {
			return nil, nil, fmt.Errorf("seeding facility %s: %w", f.ID, err)
		}
	}
	users := map[string]directory.User{}
	var accounts []Account
	for _, p := range people {
		u, a, err := seedPerson(ctx, dir, p)
		if err != nil {
			return nil, nil, fmt.Errorf("seeding %s: %w", p.login, err)
		}
		users[p.login] = u
		accounts = append(accounts, a)
	}
	return users, accounts, nil
}

func seedPerson(ctx context.Context, dir *directory.Directory, p person) (directory.User, Account, error) {
	a := Account{Role: p.role, Login: p.login, Password: newPassword()}
	u, err := dir.UserByLogin(ctx, p.login)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		u, err = dir.CreateUser(ctx, directory.User{Login: p.login, Name: p.name, Title: p.title, Role: p.role,
			Facility: directory.Facility{ID: p.facility}, Specialties: p.specialties, Phone: p.phone}, a.Password)
	case err == nil:
		err = dir.SetPassword(ctx, u.ID, a.Password)
	}
	if err != nil {
		return u, a, err
	}
	a.Token, err = dir.NewToken(ctx, u.ID, "démonstration")
	return u, a, err
}

// seedCase replays one story at the times at which it is said to have happened.
// One that an earlier start had begun keeps its times: its images carry them.
func seedCase(ctx context.Context, p Parts, users map[string]directory.User, now time.Time, n int, s story) error {
	opened := now.Add(-s.ago).Truncate(time.Second)
	at := opened
	svc, err := cases.Open(ctx, p.DB, p.Directory, cases.Options{Clock: func() time.Time { return at }, Logger: p.Log})
	if err != nil {
		return err
	}
	caseID, clinician := id("case", n), users[s.by]
	if begun, err := svc.Get(ctx, clinician, caseID); err == nil {
		opened = begun.OpenedAt
	}
	at = opened
	if err := add(ctx, svc, clinician, caseID, id("opened", n), cases.Opened, at, s.opened(users)); err != nil {
		return err
	}
	for i, f := range s.files {
		at = opened.Add(time.Duration(i+1) * time.Minute)
		if err := attach(ctx, p, svc, clinician, caseID, uint64(n+1), s, f, at); err != nil {
			return fmt.Errorf("attaching %s: %w", f, err)
		}
	}
	for i, st := range s.steps {
		at = opened.Add(st.after)
		if err := add(ctx, svc, users[st.by], caseID, id("step", n, i), st.kind, at, st.data(users)); err != nil {
			return fmt.Errorf("step %d (%s): %w", i+1, st.kind, err)
		}
	}
	return nil
}

func add(ctx context.Context, svc *cases.Service, u directory.User, caseID, eventID string, kind cases.EventType, at time.Time, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", kind, err)
	}
	_, _, err = svc.Append(ctx, u, caseID, []cases.NewEvent{{ID: eventID, Type: kind, At: at, Data: raw}})
	return err
}

func (s story) opened(users map[string]directory.User) cases.OpenedData {
	d := cases.OpenedData{Patient: s.patient, Specialty: s.specialty, Urgency: s.urgency, Question: s.question,
		History: s.history, Consent: cases.Consent{How: s.consent}, Facility: users[s.by].Facility.ID}
	if s.consent == "representative" {
		d.Consent.By = "Membre de la famille"
	}
	if s.to != "" {
		d.To = []string{users[s.to].ID}
	}
	return d
}

func (st step) data(users map[string]directory.User) any {
	switch st.kind {
	case cases.Assigned:
		return cases.AssignedData{To: users[st.to].ID, Note: st.text}
	case cases.OpinionGiven:
		return cases.OpinionData{Findings: st.findings, Conclusion: st.conclusion, Advice: st.advice}
	case cases.Closed:
		return cases.ClosedData{Outcome: st.outcome, Note: st.text}
	case cases.Reopened, cases.Cancelled:
		return cases.ReasonData{Reason: st.text}
	}
	return cases.TextData{Text: st.text}
}

// attach makes the objects of one file, takes them in and adds them to the case.
func attach(ctx context.Context, p Parts, svc *cases.Service, u directory.User, caseID string, seed uint64, s story, f file, at time.Time) error {
	var list []cases.Attachment
	for i, o := range generate(f, seed, s, at) {
		a := cases.Attachment{ID: id("attachment", seed, f, i), Name: o.name, Kind: o.kind, MediaType: o.mediaType,
			Size: int64(len(o.data)), AddedAt: at, AddedBy: u.ID}
		if o.kind == "dicom" {
			r, err := p.Ingest.File(ctx, bytes.NewReader(o.data), int64(len(o.data)))
			if err != nil {
				return fmt.Errorf("taking in %s: %w", o.name, err)
			}
			in := r.Instance
			a.Hash = string(r.Info.Hash)
			a.DICOM = &cases.DICOMRef{StudyUID: in.StudyUID, SeriesUID: in.SeriesUID, SOPUID: in.SOPUID, Modality: in.Modality, Frames: in.Frames}
		} else {
			info, err := p.Blobs.Put(ctx, bytes.NewReader(o.data))
			if err != nil {
				return fmt.Errorf("storing %s: %w", o.name, err)
			}
			a.Hash = string(info.Hash)
		}
		list = append(list, a)
	}
	_, err := svc.AttachFiles(ctx, u, caseID, list)
	return err
}

// Words a person can read out over the phone and type on a tablet.
var words = []string{"baobab", "karite", "fleuve", "sahel", "acacia", "pirogue", "savane", "mangue", "calebasse", "harmattan", "balafon", "etoile", "dune", "tamarin", "djembe", "niger"}

func newPassword() string {
	return fmt.Sprintf("%s-%s-%03d", words[pick(len(words))], words[pick(len(words))], pick(1000))
}

func pick(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the system has no randomness: nothing safe can be done
	}
	return int(i.Int64())
}
