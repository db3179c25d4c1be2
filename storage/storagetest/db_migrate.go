package storagetest

import (
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"sira/storage"
)

// secondMigration adds rows, so that running it twice would show.
func secondMigration() fstest.MapFS {
	files := firstMigration()
	files["00002_seed.sql"] = &fstest.MapFile{Data: []byte(`-- +goose Up
CREATE TABLE seed (n BIGINT NOT NULL);
INSERT INTO seed (n) VALUES (1);
`)}
	return files
}

func seeds(t *testing.T, db *storage.DB) (n int64) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "SELECT count(*) FROM seed").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func testMigrate(t *testing.T, db *storage.DB) {
	if err := db.Migrate(t.Context(), "suite", firstMigration()); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "a", 1)
	for range 2 {
		if err := db.Migrate(t.Context(), "suite", secondMigration()); err != nil {
			t.Fatal(err)
		}
	}
	if n := seeds(t, db); n != 1 || countPersons(t, db) != 1 {
		t.Errorf("%d seeds, want 1; %d persons, want 1", n, countPersons(t, db))
	}
	// An older program must not touch what a newer one has made.
	if err := db.Migrate(t.Context(), "suite", firstMigration()); !errors.Is(err, storage.ErrNewerSchema) {
		t.Errorf("older program: got %v, want ErrNewerSchema", err)
	}
	if err := db.Migrate(t.Context(), "a; DROP", firstMigration()); err == nil {
		t.Error("a set name with SQL in it was taken")
	}
	if err := db.Migrate(t.Context(), "empty", fstest.MapFS{}); err == nil {
		t.Error("a set without files was taken")
	}
}

func testMigrateConcurrently(t *testing.T, db *storage.DB) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := db.Migrate(t.Context(), "suite", secondMigration()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := seeds(t, db); n != 1 {
		t.Errorf("the migration ran %d times", n)
	}
}

func testMigrateBroken(t *testing.T, db *storage.DB) {
	broken := secondMigration()
	broken["00003_broken.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nINSERT INTO seed (n) VALUES (2);\nINSERT INTO nowhere (n) VALUES (1);\n")}
	err := db.Migrate(t.Context(), "suite", broken)
	if err == nil || !strings.Contains(err.Error(), "00003_broken.sql") {
		t.Fatalf("got %v, want an error that names the file", err)
	}
	if n := seeds(t, db); n != 1 {
		t.Errorf("half of the broken migration was kept: %d seeds", n)
	}
	mended := maps.Clone(broken)
	mended["00003_broken.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nINSERT INTO seed (n) VALUES (3);\n")}
	if err := db.Migrate(t.Context(), "suite", mended); err != nil || seeds(t, db) != 2 {
		t.Fatalf("mended: %v, %d seeds, want 2", err, seeds(t, db))
	}
}

func testMigrateSetsApart(t *testing.T, db *storage.DB) {
	other := fstest.MapFS{"00001_other.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other (id TEXT PRIMARY KEY);\n")}}
	for set, files := range map[string]fstest.MapFS{"suite": firstMigration(), "other_set": other} {
		if err := db.Migrate(t.Context(), set, files); err != nil {
			t.Fatalf("%s: %v", set, err)
		}
	}
	mustExec(t, db, "INSERT INTO other (id) VALUES (?)", "a")
	mustExec(t, db, "INSERT INTO person (id, code, points) VALUES (?, ?, ?)", "a", "a", 1)
}
