package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"sira/storage"
	"sira/storage/storagetest"
)

var oneTable = fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (n BIGINT NOT NULL);\nINSERT INTO a (n) VALUES (1);\n")}}

func TestSQLiteFileModes(t *testing.T) {
	path := sqlitePath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil { // made by hand, for all to read
		t.Fatal(err)
	}
	db := openDB(t, "sqlite:"+path)
	if err := db.Migrate(t.Context(), "a", oneTable); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if st, err := e.Info(); err != nil || st.Mode() != 0o600 {
			t.Errorf("%s has mode %v, %v; want 0600", e.Name(), st.Mode(), err)
		}
	}
	if base := filepath.Base(path); strings.Join(names, " ") != base+" "+base+"-shm "+base+"-wal" {
		t.Errorf("files are %q", names)
	}
}

func TestSQLitePragmas(t *testing.T) {
	db := storagetest.NewDB(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var inTx, inReader string
		err := db.Tx(t.Context(), func(tx storage.Querier) error {
			return tx.QueryRow(t.Context(), "PRAGMA "+pragma).Scan(&inTx)
		})
		if err := errors.Join(err, db.QueryRow(t.Context(), "PRAGMA "+pragma).Scan(&inReader)); err != nil {
			t.Fatal(err)
		}
		if inTx != want || inReader != want {
			t.Errorf("%s is %s for the writer and %s for readers, want %s", pragma, inTx, inReader, want)
		}
	}
}

func TestSQLiteReadersCannotWrite(t *testing.T) {
	db := storagetest.NewDB(t)
	if err := db.Migrate(t.Context(), "a", oneTable); err != nil {
		t.Fatal(err)
	}
	err := db.QueryRow(t.Context(), "INSERT INTO a (n) VALUES (2) RETURNING n").Scan(new(int))
	if err == nil {
		t.Error("a write given to QueryRow went through")
	}
}

func TestSQLiteCannotOpen(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("This is no database. ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"sqlite:" + text:             "not a SQLite database",
		"sqlite:" + dir:              "directory",
		"sqlite:" + text + "/x/y.db": "not a directory",
		"sqlite:":                    "PATH",
		"sqlite::memory:":            "PATH",
		"mysql://x":                  "must start with",
		"":                           "must start with",
	} {
		db, err := storage.OpenDB(t.Context(), address)
		if err == nil {
			db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("OpenDB(%q): %v; want an error with %q", address, err, want)
		}
	}
	if got, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(got), "This is no database.") {
		t.Error("a file that is no database was changed")
	}
}

func TestSQLiteReadyMissesItsFile(t *testing.T) {
	path := sqlitePath(t)
	db := openDB(t, "sqlite:"+path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := db.Ready(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Ready without its file: %v", err)
	}
}

func TestSQLiteKeepsAfterClose(t *testing.T) {
	path := sqlitePath(t)
	db := openDB(t, "sqlite:"+path)
	if err := db.Migrate(t.Context(), "a", oneTable); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := files(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("a closed database has files %v, want one", got)
	}
	var n int64
	if err := openDB(t, "sqlite:"+path).QueryRow(t.Context(), "SELECT count(*) FROM a").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v; want 1", n, err)
	}
}

// Two DBs on one file stand for two processes: each waits for the other's lock.
func TestSQLiteTwoWriters(t *testing.T) {
	path := sqlitePath(t)
	dbs := []*storage.DB{openDB(t, "sqlite:"+path), openDB(t, "sqlite:"+path)}
	if err := dbs[0].Migrate(t.Context(), "a", oneTable); err != nil {
		t.Fatal(err)
	}
	const rounds = 20
	var wg sync.WaitGroup
	for _, db := range dbs {
		wg.Go(func() {
			for range rounds {
				err := db.Tx(t.Context(), func(tx storage.Querier) error {
					var n int64
					if err := tx.QueryRow(t.Context(), "SELECT n FROM a").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), "UPDATE a SET n = ?", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int64
	if err := dbs[1].QueryRow(t.Context(), "SELECT n FROM a").Scan(&n); err != nil || n != 1+2*rounds {
		t.Errorf("n = %d, %v; want %d", n, err, 1+2*rounds)
	}
}

func migrateOnce() error {
	ctx := context.Background()
	db, err := storage.OpenDB(ctx, os.Getenv("SIRA_TEST_DB"))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Migrate(ctx, "a", oneTable)
}

// Several processes start at once on the same empty database.
func testMigratingProcesses(t *testing.T, address string) {
	var wg sync.WaitGroup
	for range 3 {
		cmd := inRole(t, "migrate", "SIRA_TEST_DB="+address)
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	var n int64
	if err := openDB(t, address).QueryRow(t.Context(), "SELECT count(*) FROM a").Scan(&n); err != nil || n != 1 {
		t.Errorf("the migration ran %d times, %v", n, err)
	}
}

func TestSQLiteMigratingProcesses(t *testing.T) {
	testMigratingProcesses(t, "sqlite:"+sqlitePath(t))
}
