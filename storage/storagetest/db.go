package storagetest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"sira/storage"
)

const personTable = `-- +goose Up
CREATE TABLE person (id TEXT PRIMARY KEY, code TEXT NOT NULL UNIQUE, points BIGINT NOT NULL, body TEXT);
CREATE TABLE visit (id TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES person(id), at BIGINT NOT NULL);
-- +goose Down
DROP TABLE visit;
DROP TABLE person;
`

func firstMigration() fstest.MapFS {
	return fstest.MapFS{"00001_person.sql": {Data: []byte(personTable)}}
}

// DB is the conformance suite of storage.DB. open gives a DB on a fresh, empty
// database and closes it at the end of the test.
func DB(t *testing.T, open func(t *testing.T) *storage.DB) {
	t.Helper()
	migrated := func(fn func(*testing.T, *storage.DB)) func(*testing.T) {
		return func(t *testing.T) {
			db := open(t)
			if err := db.Migrate(t.Context(), "suite", firstMigration()); err != nil {
				t.Fatal(err)
			}
			fn(t, db)
		}
	}
	t.Run("Ready", func(t *testing.T) {
		if err := open(t).Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("Placeholders", migrated(testPlaceholders))
	t.Run("ArgumentKinds", migrated(testArgumentKinds))
	t.Run("ReadsOwnWrites", migrated(testReadsOwnWrites))
	t.Run("TxCommits", migrated(testTxCommits))
	t.Run("TxRollsBack", migrated(testTxRollsBack))
	t.Run("TxFailedStatement", migrated(testTxFailedStatement))
	t.Run("TxSerialisable", migrated(testTxSerialisable))
	t.Run("TxWriteSkew", migrated(testTxWriteSkew))
	t.Run("TxCancelled", migrated(testTxCancelled))
	t.Run("ReadsDuringTx", migrated(testReadsDuringTx))
	t.Run("IsUnique", migrated(testIsUnique))
	t.Run("ForeignKeys", migrated(testForeignKeys))
	t.Run("Migrate", func(t *testing.T) { testMigrate(t, open(t)) })
	t.Run("MigrateConcurrently", func(t *testing.T) { testMigrateConcurrently(t, open(t)) })
	t.Run("MigrateBroken", func(t *testing.T) { testMigrateBroken(t, open(t)) })
	t.Run("MigrateSetsApart", func(t *testing.T) { testMigrateSetsApart(t, open(t)) })
}

func mustExec(t *testing.T, q storage.Querier, query string, args ...any) {
	t.Helper()
	if _, err := q.Exec(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func points(t *testing.T, q storage.Querier, id string) int64 {
	t.Helper()
	var n int64
	if err := q.QueryRow(t.Context(), "SELECT points FROM person WHERE id = ?", id).Scan(&n); err != nil {
		t.Fatalf("points of %s: %v", id, err)
	}
	return n
}

func testPlaceholders(t *testing.T, db *storage.DB) {
	mustExec(t, db, `INSERT INTO person (id, code, points, body) VALUES (?, 'what? it''s "?"', ?, ?) -- why?`, "a", 7, "b?")
	var code, body string
	err := db.QueryRow(t.Context(), `SELECT code, /* ? */ body AS "b?" FROM person WHERE id = ? AND points = ? AND code LIKE '%?%'`, "a", 7).Scan(&code, &body)
	if err != nil {
		t.Fatal(err)
	}
	if code != `what? it's "?"` || body != "b?" {
		t.Fatalf("got %q, %q", code, body)
	}
}

type named string

func testArgumentKinds(t *testing.T, db *storage.DB) {
	at := time.UnixMilli(1_800_000_000_123)
	raw := json.RawMessage(`{"é":"ɛɔɲŋ"}`)
	mustExec(t, db, "INSERT INTO person (id, code, points, body) VALUES (?, ?, ?, ?)", named("raw"), []byte("bytes"), at, raw)
	mustExec(t, db, "INSERT INTO person (id, code, points, body) VALUES (?, ?, ?, ?)", "nil", "n", true, json.RawMessage(nil))
	var body string
	var ms int64
	// Equality with text fails if bytes were kept as another type than text.
	err := db.QueryRow(t.Context(), "SELECT body, points FROM person WHERE id = ? AND code = ? AND body = ?", "raw", "bytes", string(raw)).Scan(&body, &ms)
	if err != nil {
		t.Fatal(err)
	}
	if body != string(raw) || ms != at.UnixMilli() {
		t.Errorf("got %q, %d", body, ms)
	}
	var null sql.NullString
	if err := db.QueryRow(t.Context(), "SELECT body, points FROM person WHERE id = ?", "nil").Scan(&null, &ms); err != nil {
		t.Fatal(err)
	}
	if null.Valid || ms != 1 {
		t.Errorf("nil JSON and true were stored as %v, %d", null, ms)
	}
}

func testReadsOwnWrites(t *testing.T, db *storage.DB) {
	for i := range 20 {
		id := fmt.Sprint("p", i)
		mustExec(t, db, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", id, id, i)
		if got := points(t, db, id); got != int64(i) {
			t.Fatalf("%s has %d points, want %d", id, got, i)
		}
	}
	rows, err := db.Query(t.Context(), "SELECT id FROM person WHERE points >= ? ORDER BY id LIMIT ?", 5, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if rows.Err() != nil || n != 15 {
		t.Fatalf("%d rows, %v; want 15", n, rows.Err())
	}
	err = db.QueryRow(t.Context(), "SELECT id FROM person WHERE id = ?", "nobody").Scan(new(string))
	if !errors.Is(err, sql.ErrNoRows) {
		t.Fatalf("got %v, want sql.ErrNoRows", err)
	}
}

func testTxCommits(t *testing.T, db *storage.DB) {
	err := db.Tx(t.Context(), func(tx storage.Querier) error {
		mustExec(t, tx, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "a", 1)
		if got := points(t, tx, "a"); got != 1 {
			t.Errorf("inside its transaction a row has %d points, want 1", got)
		}
		mustExec(t, tx, "INSERT INTO person (id, code, points) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", "a", "a", 2)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := points(t, db, "a"); got != 1 {
		t.Fatalf("%d points, want 1", got)
	}
}

func countPersons(t *testing.T, db *storage.DB) (n int64) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "SELECT count(*) FROM person").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func testTxRollsBack(t *testing.T, db *storage.DB) {
	insert := func(tx storage.Querier, id string) {
		mustExec(t, tx, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", id, id, 1)
	}
	mine := errors.New("mine")
	if err := db.Tx(t.Context(), func(tx storage.Querier) error { insert(tx, "a"); return mine }); !errors.Is(err, mine) {
		t.Errorf("got %v, want the error of the function", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic did not come through")
			}
		}()
		_ = db.Tx(t.Context(), func(tx storage.Querier) error { insert(tx, "b"); panic("oops") })
	}()
	if n := countPersons(t, db); n != 0 {
		t.Errorf("%d rows were kept of transactions that failed", n)
	}
	// The connection is free again.
	if err := db.Tx(t.Context(), func(tx storage.Querier) error { insert(tx, "c"); return nil }); err != nil {
		t.Fatal(err)
	}
}

// A function that overlooks a failed statement must not commit the others.
func testTxFailedStatement(t *testing.T, db *storage.DB) {
	err := db.Tx(t.Context(), func(tx storage.Querier) error {
		mustExec(t, tx, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "a", 1)
		_, _ = tx.Exec(t.Context(), "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "b", 1)
		return nil
	})
	if !storage.IsUnique(err) {
		t.Errorf("got %v, want the unique violation", err)
	}
	if n := countPersons(t, db); n != 0 {
		t.Errorf("%d rows were kept", n)
	}
}

// Concurrent read-modify-write: without serialisation and retries, updates get
// lost or refused.
func testTxSerialisable(t *testing.T, db *storage.DB) {
	mustExec(t, db, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "a", 0)
	const workers, rounds = 4, 10
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				err := db.Tx(t.Context(), func(tx storage.Querier) error {
					var n int64
					if err := tx.QueryRow(t.Context(), "SELECT points FROM person WHERE id = ?", "a").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), "UPDATE person SET points = ? WHERE id = ?", n+1, "a")
					return err
				})
				if err != nil {
					t.Errorf("transaction: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := points(t, db, "a"); got != workers*rounds {
		t.Errorf("%d updates were kept, want %d", got, workers*rounds)
	}
}

// Each of two transactions reads what the other writes: in any serial order the
// second must see the first, so the sum may reach 1 only.
func testTxWriteSkew(t *testing.T, db *storage.DB) {
	mustExec(t, db, "INSERT INTO person (id, code, points) VALUES (?, ?, ?), (?, ?, ?)", "a", "a", 0, "b", "b", 0)
	var readers, wg sync.WaitGroup
	readers.Add(2)
	for _, id := range []string{"a", "b"} {
		first := true
		wg.Go(func() {
			err := db.Tx(t.Context(), func(tx storage.Querier) error {
				var sum int64
				if err := tx.QueryRow(t.Context(), "SELECT CAST(SUM(points) AS BIGINT) FROM person").Scan(&sum); err != nil {
					return err
				}
				// Where transactions do run at once, both have read before one
				// writes. SQLite does not begin the second before the first ends.
				if first && db.Dialect() == "postgres" {
					first = false
					readers.Done()
					readers.Wait()
				}
				if sum > 0 {
					return nil
				}
				_, err := tx.Exec(t.Context(), "UPDATE person SET points = 1 WHERE id = ?", id)
				return err
			})
			if err != nil {
				t.Errorf("transaction: %v", err)
			}
		})
	}
	wg.Wait()
	if sum := points(t, db, "a") + points(t, db, "b"); sum != 1 {
		t.Errorf("the transactions ran as if both were first: sum %d, want 1", sum)
	}
}

func testTxCancelled(t *testing.T, db *storage.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Tx(ctx, func(tx storage.Querier) error {
		mustExec(t, tx, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "a", 1)
		cancel()
		return nil
	})
	if err == nil {
		t.Error("a cancelled transaction was reported as committed")
	}
	if n := countPersons(t, db); n != 0 {
		t.Errorf("%d rows were kept of a cancelled transaction", n)
	}
}

// Readers are neither blocked by an open transaction nor see into it.
func testReadsDuringTx(t *testing.T, db *storage.DB) {
	err := db.Tx(t.Context(), func(tx storage.Querier) error {
		mustExec(t, tx, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "a", 1)
		if n := countPersons(t, db); n != 0 {
			t.Errorf("a reader saw %d uncommitted rows", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testIsUnique(t *testing.T, db *storage.DB) {
	const insert = "INSERT INTO person (id, code, points) VALUES (?, ?, ?)"
	mustExec(t, db, insert, "a", "x", 1)
	for name, args := range map[string][]any{"primary key": {"a", "y", 1}, "unique": {"b", "x", 1}} {
		_, err := db.Exec(t.Context(), insert, args...)
		if !storage.IsUnique(fmt.Errorf("wrapped: %w", err)) {
			t.Errorf("%s: %v is not seen as a unique violation", name, err)
		}
	}
	_, err := db.Exec(t.Context(), insert, "c", "z", nil)
	if err == nil || storage.IsUnique(err) {
		t.Errorf("not null: got %v", err)
	}
	if storage.IsUnique(nil) || storage.IsUnique(errors.New("x")) {
		t.Error("other errors are seen as unique violations")
	}
}

func testForeignKeys(t *testing.T, db *storage.DB) {
	_, err := db.Exec(t.Context(), "INSERT INTO visit (id, person, at) VALUES (?, ?, ?)", "v", "nobody", 1)
	if err == nil || storage.IsUnique(err) {
		t.Errorf("a row that refers to nothing: got %v", err)
	}
}
