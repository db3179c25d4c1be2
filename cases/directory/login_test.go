package directory_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sira/cases/directory"
	"sira/storage"
	"sira/storage/storagetest"
)

func account(t *testing.T, d *directory.Directory) directory.User {
	t.Helper()
	must(t, d.PutFacility(t.Context(), kati))
	u, err := d.CreateUser(t.Context(), heart(), password)
	must(t, err)
	return u
}

// throttled fails unless err is ErrThrottled, and gives how long to wait.
func throttled(t *testing.T, err error) time.Duration {
	t.Helper()
	var th directory.ErrThrottled
	if !errors.As(err, &th) {
		t.Fatalf("got %v, want ErrThrottled", err)
	}
	return th.RetryAfter
}

func TestLogin(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		d, ctx := open(t, db, newClock()), t.Context()
		u := account(t, d)
		got, err := d.Login(ctx, "s.TRAORE", password, "10.0.0.1")
		must(t, err)
		if got.ID != u.ID || len(got.Specialties) != 2 {
			t.Errorf("logged in as %+v", got)
		}
		var kept string
		must(t, db.QueryRow(ctx, `SELECT password FROM directory_users`).Scan(&kept))
		if !strings.HasPrefix(kept, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(kept, password) {
			t.Errorf("password kept as %q", kept)
		}
		for name, try := range map[string][2]string{
			"wrong":     {"s.traore", "autre mot"},
			"empty":     {"s.traore", ""},
			"unknown":   {"nobody", password},
			"NUL":       {"s.traore\x00", password},
			"very long": {"t.traore", strings.Repeat("x", 1<<20)},
		} {
			if _, err := d.Login(ctx, try[0], try[1], "10.0.0.2"); !errors.Is(err, directory.ErrBadCredentials) {
				t.Errorf("%s: got %v, want ErrBadCredentials", name, err)
			}
		}
		u.Disabled = true
		must(t, d.UpdateUser(ctx, u))
		_, err = d.Login(ctx, "s.traore", password, "10.0.0.1")
		wantErr(t, err, directory.ErrBadCredentials)
	})
}

func TestLoginWithoutPassword(t *testing.T) {
	d, ctx := open(t, storagetest.NewDB(t), newClock()), t.Context()
	must(t, d.PutFacility(ctx, kati))
	u, err := d.CreateUser(ctx, heart(), "")
	must(t, err)
	_, err = d.Login(ctx, u.Login, "", "")
	wantErr(t, err, directory.ErrBadCredentials)
	must(t, d.SetPassword(ctx, u.ID, password))
	_, err = d.Login(ctx, u.Login, password, "")
	must(t, err)
	wantErr(t, d.SetPassword(ctx, u.ID, "court"), directory.ErrWeakPassword)
	wantErr(t, d.SetPassword(ctx, "nobody", password), directory.ErrNotFound)
}

func TestThrottlePerLogin(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		c := newClock()
		d, ctx := open(t, db, c), t.Context()
		account(t, d)
		fail := func(ip string) error { _, err := d.Login(ctx, "s.traore", "faux mot de passe", ip); return err }
		for i := range 5 {
			if err := fail(string(rune('a' + i))); !errors.Is(err, directory.ErrBadCredentials) {
				t.Fatalf("attempt %d: %v", i+1, err)
			}
		}
		// From anywhere, in any spelling, even with the right password, and after a restart.
		d = open(t, db, c)
		_, err := d.Login(ctx, " S.Traore", password, "elsewhere")
		if wait := throttled(t, err); wait != 30*time.Second {
			t.Errorf("wait %s, want 30s", wait)
		}
		c.pass(31 * time.Second)
		wantErr(t, fail("x"), directory.ErrBadCredentials)
		if wait := throttled(t, fail("x")); wait != time.Minute {
			t.Errorf("wait after one more failure %s, want 1m", wait)
		}
		c.pass(61 * time.Second)
		_, err = d.Login(ctx, "s.traore", password, "x")
		must(t, err)
		for range 4 { // success forgave the earlier ones
			wantErr(t, fail("y"), directory.ErrBadCredentials)
		}
		_, err = d.Login(ctx, "s.traore", password, "y")
		must(t, err)
		var keys int
		must(t, db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_attempts WHERE subject LIKE '%traore%'`).Scan(&keys))
		if keys != 0 {
			t.Error("a login is readable in the table of attempts")
		}
	})
}

func TestThrottlePerIP(t *testing.T) {
	db := storagetest.NewDB(t) // 33 hashes are enough once
	c := newClock()
	d, ctx := open(t, db, c), t.Context()
	account(t, d)
	for i := range 30 {
		_, err := d.Login(ctx, "guess"+string(rune('a'+i)), "x", "10.0.0.9")
		wantErr(t, err, directory.ErrBadCredentials)
	}
	_, err := d.Login(ctx, "s.traore", password, "10.0.0.9")
	throttled(t, err)
	_, err = d.Login(ctx, "s.traore", password, "10.0.0.8")
	must(t, err)
	c.pass(2 * time.Hour)
	_, err = d.Login(ctx, "guess", "x", "10.0.0.9")
	wantErr(t, err, directory.ErrBadCredentials)
	var kept int
	must(t, db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_attempts`).Scan(&kept))
	if kept != 2 { // that login and that address
		t.Errorf("%d rows of attempts after two hours, want 2", kept)
	}
}

// Guessing in parallel gains at most one look: two hashes run at once.
func TestThrottleParallel(t *testing.T) {
	d, ctx := open(t, storagetest.NewDB(t), newClock()), t.Context()
	account(t, d)
	var mu sync.Mutex
	looked := 0
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := d.Login(ctx, "s.traore", "x", "10.0.0.1")
			mu.Lock()
			defer mu.Unlock()
			var th directory.ErrThrottled
			switch {
			case errors.Is(err, directory.ErrBadCredentials):
				looked++
			case !errors.As(err, &th):
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if looked < 5 || looked > 6 {
		t.Errorf("%d guesses were looked at, want 5 or 6", looked)
	}
}
