package directory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sira/cases/directory"
	"sira/storage"
	"sira/storage/storagetest"
)

func quiet(t *testing.T, d *directory.Directory) directory.User {
	t.Helper()
	must(t, d.PutFacility(t.Context(), kati))
	u, err := d.CreateUser(t.Context(), heart(), "")
	must(t, err)
	return u
}

func TestSessions(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		c := newClock()
		d, ctx := open(t, db, c), t.Context()
		u := quiet(t, d)
		token, err := d.NewSession(ctx, u.ID, "Mozilla\x00\xff "+strings.Repeat("x", 5000))
		must(t, err)
		other, err := d.NewSession(ctx, u.ID, "")
		must(t, err)
		if len(token) < 43 || token == other {
			t.Errorf("tokens %q and %q", token, other)
		}
		got, err := d.SessionUser(ctx, token)
		must(t, err)
		if got.ID != u.ID {
			t.Errorf("session of %q", got.ID)
		}
		for _, bad := range []string{"", token + "x", token[:42], "\x00"} {
			_, err := d.SessionUser(ctx, bad)
			wantErr(t, err, directory.ErrNoSession)
		}
		notKept(t, db, "directory_sessions", token)
		must(t, d.EndSession(ctx, token))
		must(t, d.EndSession(ctx, token))
		_, err = d.SessionUser(ctx, token)
		wantErr(t, err, directory.ErrNoSession)
		_, err = d.SessionUser(ctx, other)
		must(t, err)
		_, err = d.NewSession(ctx, "nobody", "")
		wantErr(t, err, directory.ErrNotFound)
	})
}

// notKept fails when a secret stands in a table of hashes.
func notKept(t *testing.T, db *storage.DB, table, secret string) {
	t.Helper()
	var n int
	must(t, db.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table+` WHERE hash = ?`, secret).Scan(&n))
	var hash string
	must(t, db.QueryRow(t.Context(), `SELECT hash FROM `+table).Scan(&hash))
	if n != 0 || len(hash) != 64 {
		t.Errorf("%s keeps %q", table, hash)
	}
}

func TestSessionEnds(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		c := newClock()
		d, ctx := open(t, db, c), t.Context()
		u := quiet(t, d)
		idle, err := d.NewSession(ctx, u.ID, "")
		must(t, err)
		used, err := d.NewSession(ctx, u.ID, "")
		must(t, err)
		for range 16 { // used every 11 hours for 7 days and 8 hours
			c.pass(11 * time.Hour)
			if c.t.After(newClock().t.Add(7 * 24 * time.Hour)) {
				_, err = d.SessionUser(ctx, used)
				wantErr(t, err, directory.ErrNoSession)
				break
			}
			_, err = d.SessionUser(ctx, used)
			must(t, err)
		}
		_, err = d.SessionUser(ctx, idle)
		wantErr(t, err, directory.ErrNoSession)
		_, err = d.NewSession(ctx, u.ID, "")
		must(t, err)
		var kept int
		must(t, db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_sessions`).Scan(&kept))
		if kept != 1 {
			t.Errorf("%d sessions kept, want the new one alone", kept)
		}
	})
}

func TestTokens(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		c := newClock()
		d, ctx := open(t, db, c), t.Context()
		u := quiet(t, d)
		token, err := d.NewToken(ctx, u.ID, "scanner de Kati")
		must(t, err)
		got, err := d.TokenUser(ctx, token)
		must(t, err)
		if got.ID != u.ID {
			t.Errorf("token of %q", got.ID)
		}
		c.pass(365 * 24 * time.Hour)
		_, err = d.TokenUser(ctx, token)
		must(t, err)
		notKept(t, db, "directory_tokens", token)
		for _, bad := range []string{"", "sira_", token + "x", strings.TrimPrefix(token, "sira_")} {
			_, err := d.TokenUser(ctx, bad)
			wantErr(t, err, directory.ErrNoSession)
		}
		_, err = d.SessionUser(ctx, token)
		wantErr(t, err, directory.ErrNoSession)
		all, err := d.Tokens(ctx, u.ID)
		must(t, err)
		if len(all) != 1 || all[0].Label != "scanner de Kati" || !all[0].LastUsed.Equal(c.t) {
			t.Errorf("tokens %+v", all)
		}
		must(t, d.RevokeToken(ctx, all[0].ID))
		_, err = d.TokenUser(ctx, token)
		wantErr(t, err, directory.ErrNoSession)
		wantErr(t, d.RevokeToken(ctx, all[0].ID), directory.ErrNotFound)
		_, err = d.NewToken(ctx, u.ID, "a\nb")
		wantErr(t, err, directory.ErrInvalid)
	})
}

// Disabling an account or changing its password ends its sessions at once, and
// they do not come back when it is enabled again.
func TestDisabledLosesAccess(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		d, ctx := open(t, db, newClock()), t.Context()
		u := quiet(t, d)
		for name, end := range map[string]func() error{
			"disabled": func() error { off := u; off.Disabled = true; return d.UpdateUser(ctx, off) },
			"password": func() error { return d.SetPassword(ctx, u.ID, password) },
		} {
			session, err := d.NewSession(ctx, u.ID, "")
			must(t, err)
			token, err := d.NewToken(ctx, u.ID, "")
			must(t, err)
			must(t, end())
			lost(t, ctx, d, name, session, token)
			must(t, d.UpdateUser(ctx, u))
			lost(t, ctx, d, name+", enabled again", session, token)
		}
		u.Disabled = true
		must(t, d.UpdateUser(ctx, u))
		_, err := d.NewSession(ctx, u.ID, "")
		wantErr(t, err, directory.ErrNotFound)
		_, err = d.NewToken(ctx, u.ID, "")
		wantErr(t, err, directory.ErrNotFound)
	})
}

func lost(t *testing.T, ctx context.Context, d *directory.Directory, when, session, token string) {
	t.Helper()
	if _, err := d.SessionUser(ctx, session); err == nil {
		t.Errorf("%s: the session lives on", when)
	}
	if _, err := d.TokenUser(ctx, token); err == nil {
		t.Errorf("%s: the token lives on", when)
	}
}
