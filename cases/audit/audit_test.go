package audit_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sira/cases/audit"
	"sira/storage"
	"sira/storage/storagetest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, db *storage.DB) *audit.Journal {
	t.Helper()
	j, err := audit.Open(t.Context(), db)
	must(t, err)
	return j
}

func TestRecord(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		j, ctx := open(t, db), t.Context()
		must(t, j.Verify(ctx))
		at := time.Date(2026, 3, 2, 8, 0, 0, 123456789, time.FixedZone("", 3600))
		must(t, j.Record(ctx, audit.Entry{At: at, Actor: "u1", Action: "view", Case: "c1", Object: "a1",
			Outcome: "ok", Surface: "api", RequestID: "r1", Remote: "10.0.0.1"}))
		must(t, j.Record(ctx, audit.Entry{Action: "view", Case: "c2"}))
		must(t, j.Record(ctx, audit.Entry{Action: "write", Case: "c1", Remote: "bad\x00\xff" + strings.Repeat("é", 600)}))
		got, err := j.ByCase(ctx, "c1", 10)
		must(t, err)
		if len(got) != 2 || got[0].Action != "write" || got[1].Object != "a1" {
			t.Fatalf("entries of c1: %+v", got)
		}
		if want := at.UTC().Truncate(time.Millisecond); !got[1].At.Equal(want) || got[0].At.IsZero() {
			t.Errorf("times %s and %s", got[1].At, got[0].At)
		}
		if n := len([]rune(got[0].Remote)); n != 500 || got[0].ID == "" {
			t.Errorf("%d runes kept of a long text, ID %q", n, got[0].ID)
		}
		last, err := j.ByCase(ctx, "c1", 1)
		must(t, err)
		if len(last) != 1 || last[0].ID != got[0].ID {
			t.Errorf("the last entry is %+v", last)
		}
		must(t, j.Verify(ctx))
	})
}

// Writers of one process and of several make one chain.
func TestRecordConcurrently(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		journals := []*audit.Journal{open(t, db), open(t, db)}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if err := journals[i%2].Record(ctx, audit.Entry{Action: "view", Case: "c"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := journals[0].ByCase(ctx, "c", 100)
		must(t, err)
		if len(got) != 20 {
			t.Errorf("%d entries, want 20", len(got))
		}
		must(t, journals[0].Verify(ctx))
	})
}

func TestOnlyGrows(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		j, ctx := open(t, db), t.Context()
		must(t, j.Record(ctx, audit.Entry{Action: "view"}))
		for _, stmt := range []string{`UPDATE audit_entries SET actor = 'x'`, `DELETE FROM audit_entries`} {
			if _, err := db.Exec(ctx, stmt); err == nil {
				t.Errorf("%s was carried out", stmt)
			}
		}
		must(t, j.Verify(ctx))
	})
}

// Whoever gets past the triggers is still seen.
func TestVerifyFindsTampering(t *testing.T) {
	for name, stmt := range map[string]string{
		"altered":       `UPDATE audit_entries SET actor = 'x' WHERE seq = 2`,
		"dropped":       `DELETE FROM audit_entries WHERE seq = 2`,
		"end cut":       `DELETE FROM audit_entries WHERE seq = 3`,
		"all dropped":   `DELETE FROM audit_entries`,
		"back-dated":    `UPDATE audit_entries SET at = at - 1 WHERE seq = 3`,
		"field shifted": `UPDATE audit_entries SET actor = 'u1v', action = 'iew' WHERE seq = 1`,
		"swapped":       `UPDATE audit_entries SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq > 1`,
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
				j, ctx := open(t, db), t.Context()
				for _, actor := range []string{"u1", "u2", "u3"} {
					must(t, j.Record(ctx, audit.Entry{Actor: actor, Action: "view"}))
				}
				disarm(t, db)
				_, err := db.Exec(ctx, stmt)
				must(t, err)
				_, err = db.Exec(ctx, `UPDATE audit_entries SET seq = -seq WHERE seq < 0`)
				must(t, err)
				if err := j.Verify(ctx); !errors.Is(err, audit.ErrBroken) {
					t.Errorf("got %v, want ErrBroken", err)
				}
			})
		})
	}
}

func disarm(t *testing.T, db *storage.DB) {
	t.Helper()
	drop := []string{`DROP TRIGGER audit_entries_no_update`, `DROP TRIGGER audit_entries_no_delete`}
	if db.Dialect() == "postgres" {
		drop = []string{`DROP TRIGGER audit_entries_no_change ON audit_entries`}
	}
	for _, stmt := range drop {
		_, err := db.Exec(t.Context(), stmt)
		must(t, err)
	}
}

// An entry written with what it tells stands or falls with it.
func TestWith(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		j, ctx := open(t, db), t.Context()
		_, err := db.Exec(ctx, `CREATE TABLE told (n BIGINT NOT NULL)`)
		must(t, err)
		broken := errors.New("broken")
		write := func(fail error) error {
			return j.With(ctx, audit.Entry{Action: "store", Case: "c"}, func(record func(storage.Querier) error) error {
				return db.Tx(ctx, func(tx storage.Querier) error {
					if _, err := tx.Exec(ctx, `INSERT INTO told (n) VALUES (1)`); err != nil {
						return err
					}
					return errors.Join(record(tx), fail)
				})
			})
		}
		must(t, write(nil))
		if err := write(broken); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		must(t, j.Record(ctx, audit.Entry{Action: "view", Case: "c"}))
		must(t, write(nil))
		got, err := j.ByCase(ctx, "c", 10)
		must(t, err)
		var rows int
		must(t, db.QueryRow(ctx, `SELECT count(*) FROM told`).Scan(&rows))
		if len(got) != 3 || rows != 2 {
			t.Errorf("%d entries and %d rows", len(got), rows)
		}
		must(t, j.Verify(ctx))
	})
}
