package directory_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sira/cases/directory"
	"sira/storage"
	"sira/storage/storagetest"
)

// clock is a time that tests set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }
func newClock() *clock                { return &clock{time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)} }
func must(t *testing.T, err error)    { t.Helper(); wantErr(t, err, nil) }
func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func open(t *testing.T, db *storage.DB, c *clock) *directory.Directory {
	t.Helper()
	d, err := directory.Open(t.Context(), db, directory.WithClock(c.now))
	must(t, err)
	return d
}

var kati = directory.Facility{ID: "csref-kati", Name: "CSRéf de Kati", Kind: "CSRéf", Region: "Koulikoro", Code: "KAT", Phone: "+223 1"}

func heart() directory.User {
	return directory.User{Login: "S.Traore", Name: "Seydou Traoré", Title: "Pr", Role: directory.Specialist,
		Facility: kati, Specialties: []string{"radiologie", "cardiologie"}, Phone: "+223 2"}
}

const password = "mot de passe ɛɔ"

func TestFacilities(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		d, ctx := open(t, db, newClock()), t.Context()
		must(t, d.PutFacility(ctx, kati))
		gao := directory.Facility{ID: "hr-gao", Name: "Hôpital de Gao"}
		must(t, d.PutFacility(ctx, gao))
		moved := kati
		moved.Phone = "+223 9"
		must(t, d.PutFacility(ctx, moved))
		got, err := d.Facilities(ctx)
		must(t, err)
		if diff := cmp.Diff([]directory.Facility{moved, gao}, got); diff != "" {
			t.Error(diff)
		}
		wantErr(t, d.PutFacility(ctx, directory.Facility{ID: "a b", Name: "x"}), directory.ErrInvalid)
		wantErr(t, d.PutFacility(ctx, directory.Facility{ID: "a", Name: "x\x00"}), directory.ErrInvalid)
		wantErr(t, d.PutFacility(ctx, directory.Facility{ID: "a"}), directory.ErrInvalid)
	})
}

func TestUsers(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		d, ctx := open(t, db, newClock()), t.Context()
		must(t, d.PutFacility(ctx, kati))
		u, err := d.CreateUser(ctx, heart(), "")
		must(t, err)
		want := heart()
		want.ID = u.ID
		if diff := cmp.Diff(want, u); diff != "" || u.ID == "" {
			t.Error("as created:", diff)
		}
		for _, login := range []string{"s.traore", "S.TRAORE", " s.traore "} {
			if got, err := d.UserByLogin(ctx, login); err != nil || got.ID != u.ID {
				t.Errorf("login %q: %v, %v", login, got.ID, err)
			}
		}
		_, err = d.UserByLogin(ctx, "nobody\x00")
		wantErr(t, err, directory.ErrNotFound)
		_, err = d.User(ctx, "nobody")
		wantErr(t, err, directory.ErrNotFound)

		again := heart()
		again.Login = "s.traore"
		_, err = d.CreateUser(ctx, again, "")
		wantErr(t, err, directory.ErrLoginTaken)

		u.Name, u.Specialties, u.Facility = "Seydou B. Traoré", []string{"noma"}, directory.Facility{}
		must(t, d.UpdateUser(ctx, u))
		got, err := d.User(ctx, u.ID)
		must(t, err)
		if diff := cmp.Diff(u, got); diff != "" {
			t.Error("as updated:", diff)
		}
		gone := u
		gone.ID = "gone"
		gone.Login = "gone"
		wantErr(t, d.UpdateUser(ctx, gone), directory.ErrNotFound)
		all, err := d.Users(ctx)
		must(t, err)
		if len(all) != 1 {
			t.Errorf("%d users, want 1", len(all))
		}
	})
}

func TestCreateUserRefuses(t *testing.T) {
	d, ctx := open(t, storagetest.NewDB(t), newClock()), t.Context()
	must(t, d.PutFacility(ctx, kati))
	for name, c := range map[string]struct {
		change   func(*directory.User)
		password string
		want     error
	}{
		"short password":    {func(u *directory.User) {}, "sept...", directory.ErrWeakPassword},
		"long password":     {func(u *directory.User) {}, strings.Repeat("x", 257), directory.ErrWeakPassword},
		"no login":          {func(u *directory.User) { u.Login = "" }, "", directory.ErrInvalid},
		"space in login":    {func(u *directory.User) { u.Login = "a b" }, "", directory.ErrInvalid},
		"no name":           {func(u *directory.User) { u.Name = "" }, "", directory.ErrInvalid},
		"line in name":      {func(u *directory.User) { u.Name = "a\nb" }, "", directory.ErrInvalid},
		"role":              {func(u *directory.User) { u.Role = "root" }, "", directory.ErrInvalid},
		"specialty":         {func(u *directory.User) { u.Specialties = []string{"magie"} }, "", directory.ErrInvalid},
		"specialty twice":   {func(u *directory.User) { u.Specialties = []string{"noma", "noma"} }, "", directory.ErrInvalid},
		"unknown facility":  {func(u *directory.User) { u.Facility.ID = "ailleurs" }, "", directory.ErrNotFound},
		"ID not for a path": {func(u *directory.User) { u.ID = "../x" }, "", directory.ErrInvalid},
	} {
		u := heart()
		c.change(&u)
		if _, err := d.CreateUser(ctx, u, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if all, err := d.Users(ctx); err != nil || len(all) != 0 {
		t.Errorf("refused users are there: %v, %v", all, err)
	}
}

func TestPersons(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		d, ctx := open(t, db, newClock()), t.Context()
		must(t, d.PutFacility(ctx, kati))
		add := func(login string, role directory.Role, specialties ...string) directory.User {
			u, err := d.CreateUser(ctx, directory.User{ID: login, Login: login, Name: login, Role: role, Facility: kati, Specialties: specialties}, "")
			must(t, err)
			return u
		}
		a := add("a", directory.Specialist, "cardiologie")
		add("b", directory.Radiologist, "cardiologie", "radiologie")
		add("c", directory.Specialist, "noma")
		add("d", directory.Dispatcher, "cardiologie")
		off := add("e", directory.Specialist, "cardiologie")
		off.Disabled = true
		must(t, d.UpdateUser(ctx, off))

		experts, err := d.SpecialistsOf(ctx, "cardiologie")
		must(t, err)
		if len(experts) != 2 || experts[0].ID != "a" || experts[1].ID != "b" {
			t.Errorf("experts %v, want a and b", experts)
		}
		dispatchers, err := d.DispatchersOf(ctx, "cardiologie")
		must(t, err)
		if diff := cmp.Diff([]string{"d"}, dispatchers); diff != "" {
			t.Error(diff)
		}
		ids := []string{"a", "e", "nobody", "bad\x01"}
		for range 1200 {
			ids = append(ids, "filler")
		}
		persons, err := d.Persons(ctx, ids)
		must(t, err)
		if len(persons) != 2 || persons["a"] != a.Person() || persons["e"].Name != "e" {
			t.Errorf("persons %v, want a and the disabled e", persons)
		}
		if p := persons["a"]; p.Facility != kati.Name {
			t.Errorf("facility %q, want its name", p.Facility)
		}
		none, err := d.Persons(ctx, nil)
		must(t, err)
		if len(none) != 0 {
			t.Errorf("persons of nobody: %v", none)
		}
	})
}
