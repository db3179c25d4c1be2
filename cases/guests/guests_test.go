package guests_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"sira/cases/guests"
	"sira/storage"
	"sira/storage/storagetest"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// world is invitations with a clock, and what was written beside them.
type world struct {
	*guests.Guests
	t     *testing.T
	db    *storage.DB
	clock *clock
	notes int
}

func each(t *testing.T, run func(t *testing.T, w *world)) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		w := &world{t: t, db: db, clock: &clock{time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}}
		var err error
		if w.Guests, err = guests.Open(t.Context(), db, w.clock.now); err != nil {
			t.Fatal(err)
		}
		run(t, w)
	})
}

func (w *world) note(storage.Querier) error { w.notes++; return nil }

func (w *world) invite(caseID string) (guests.Invitation, string) {
	w.t.Helper()
	i, secret, err := w.Invite(w.t.Context(), guests.Invitation{ID: guests.NewID(), Case: caseID, Kind: guests.Other, Name: "Moussa, le mari", By: "aminata"}, 24*time.Hour, w.note)
	if err != nil {
		w.t.Fatal(err)
	}
	return i, secret
}

func (w *world) redeem(secret string) string {
	w.t.Helper()
	_, token, err := w.Redeem(w.t.Context(), secret, w.note)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func want(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("got %v, want %v", err, target)
	}
}

func TestALinkIsUsedByOneBrowser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		i, secret := w.invite("c1")
		if len(secret) < 43 || strings.Contains(i.ID, secret) {
			t.Errorf("secret %q", secret)
		}
		seen, mine, err := w.Look(ctx, secret, "")
		if err != nil || mine || seen != i {
			t.Errorf("looked at: %+v, %v, %v; made: %+v", seen, mine, err, i)
		}
		token := w.redeem(secret)
		_, mine, err = w.Look(ctx, secret, token)
		if err != nil || !mine {
			t.Errorf("its own browser: %v, %v", mine, err)
		}
		_, _, err = w.Look(ctx, secret, "")
		want(t, err, guests.ErrUsed)
		_, _, err = w.Redeem(ctx, secret, w.note)
		want(t, err, guests.ErrUsed)
		_, other := w.invite("c1")
		_, mine, err = w.Look(ctx, secret, w.redeem(other))
		if mine {
			t.Error("the session of another link counts")
		}
		want(t, err, guests.ErrUsed)
		got, err := w.Session(ctx, token)
		if err != nil || got.ID != i.ID || got.Case != "c1" || got.By != "aminata" || got.Name != "Moussa, le mari" {
			t.Errorf("session: %+v, %v", got, err)
		}
		for _, s := range []string{"", "x", secret} {
			_, err = w.Session(ctx, s)
			want(t, err, guests.ErrUnknown)
		}
		_, _, err = w.Look(ctx, token, "")
		want(t, err, guests.ErrUnknown)
	})
}

func TestSecretsAreKeptAsHashes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, secret := w.invite("c1")
		token := w.redeem(secret)
		var hash, session string
		err := w.db.QueryRow(t.Context(), `SELECT hash, session FROM guest_invitations`).Scan(&hash, &session)
		if err != nil || len(hash) != 64 || len(session) != 64 {
			t.Fatalf("%q, %q, %v", hash, session, err)
		}
		for _, kept := range []string{hash, session} {
			if strings.Contains(kept, secret) || strings.Contains(kept, token) {
				t.Error("a secret is in the database")
			}
		}
	})
}

func TestTwoBrowsersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, secret := w.invite("c1")
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				_, _, errs[i] = w.Redeem(t.Context(), secret, func(storage.Querier) error { return nil })
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				want(t, err, guests.ErrUsed)
			}
		}
		if won != 1 {
			t.Errorf("%d browsers used the link", won)
		}
	})
}

func TestTimes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, early := w.invite("c1")
		_, late := w.invite("c1")
		w.clock.t = w.clock.t.Add(24*time.Hour - time.Second)
		token := w.redeem(early)
		w.clock.t = w.clock.t.Add(time.Second)
		_, _, err := w.Redeem(ctx, late, w.note)
		want(t, err, guests.ErrExpired)
		if _, err = w.Session(ctx, token); err != nil {
			t.Errorf("the session ends with the link: %v", err)
		}
		w.clock.t = w.clock.t.Add(guests.SessionLife)
		_, err = w.Session(ctx, token)
		want(t, err, guests.ErrExpired)
		_, _, err = w.Look(ctx, early, token)
		want(t, err, guests.ErrExpired)
	})
}

func TestEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for how, target := range map[guests.How]error{guests.Withdrawn: guests.ErrWithdrawn, guests.Refused: guests.ErrPutOut, guests.PutOut: guests.ErrPutOut} {
			i, secret := w.invite("c1")
			token := w.redeem(secret)
			_, fresh := w.invite("c1")
			want(t, w.End(ctx, "c2", i.ID, how, w.note), guests.ErrUnknown)
			if err := w.End(ctx, "c1", i.ID, how, w.note); err != nil {
				t.Fatal(err)
			}
			_, err := w.Session(ctx, token)
			want(t, err, target)
			_, _, err = w.Look(ctx, secret, token)
			want(t, err, target)
			want(t, w.End(ctx, "c1", i.ID, guests.Withdrawn, w.note), target)
			if got, err := w.Get(ctx, i.ID); err != nil || got.How != how || got.Ended.IsZero() {
				t.Errorf("%+v, %v", got, err)
			}
			w.redeem(fresh) // another invitation is not touched
		}
	})
}

func TestLimitAndNames(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var first guests.Invitation
		for n := range guests.Most {
			i, secret := w.invite("c1")
			if n == 0 {
				first = i
			}
			if n%2 == 0 {
				w.redeem(secret)
			}
		}
		notes := w.notes
		patient := guests.Invitation{ID: guests.NewID(), Case: "c1", Kind: guests.Patient, By: "aminata"}
		_, _, err := w.Invite(ctx, patient, time.Hour, w.note)
		want(t, err, guests.ErrFull)
		if w.notes != notes {
			t.Error("a refused invitation is in the journal")
		}
		w.invite("c2")
		if err := w.End(ctx, "c1", first.ID, guests.Withdrawn, w.note); err != nil {
			t.Fatal(err)
		}
		if _, _, err = w.Invite(ctx, patient, time.Hour, w.note); err != nil {
			t.Errorf("one is over, and still: %v", err)
		}
		all, err := w.ByCase(ctx, "c1")
		if err != nil || len(all) != guests.Most+1 {
			t.Errorf("%d invitations, %v", len(all), err)
		}
		for _, i := range []guests.Invitation{{Kind: guests.Patient, Name: "x"}, {Kind: guests.Other}, {Kind: guests.Other, Name: " "},
			{Kind: guests.Other, Name: "a\nb"}, {Kind: guests.Other, Name: "a\u202eb"}, {Kind: guests.Other, Name: strings.Repeat("é", 81)}, {Kind: "x", Name: "y"}, {Kind: guests.Other, Name: "\xff"}} {
			i.ID, i.Case = uuid.NewString(), "c3"
			_, _, err := w.Invite(ctx, i, time.Hour, w.note)
			want(t, err, guests.ErrInvalid)
		}
	})
}

// What is not in the journal did not happen.
func TestTheJournalFails(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		full := errors.New("no journal")
		refuse := func(storage.Querier) error { return full }
		_, _, err := w.Invite(ctx, guests.Invitation{ID: guests.NewID(), Case: "c1", Kind: guests.Patient, By: "aminata"}, time.Hour, refuse)
		want(t, err, full)
		i, secret := w.invite("c1")
		_, _, err = w.Redeem(ctx, secret, refuse)
		want(t, err, full)
		want(t, w.End(ctx, "c1", i.ID, guests.Withdrawn, refuse), full)
		w.redeem(secret)
		if all, err := w.ByCase(context.WithoutCancel(ctx), "c1"); err != nil || len(all) != 1 {
			t.Errorf("%d invitations, %v", len(all), err)
		}
	})
}
