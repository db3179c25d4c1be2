package storage_test

import (
	"path/filepath"
	"testing"

	"sira/storage"
	"sira/storage/storagetest"
)

func TestSQLite(t *testing.T) {
	storagetest.DB(t, func(t *testing.T) *storage.DB { return storagetest.NewDB(t) })
}

func TestPostgres(t *testing.T) {
	storagetest.Need(t, "SIRA_TEST_POSTGRES", "PostgreSQL")
	storagetest.DB(t, func(t *testing.T) *storage.DB {
		return openDB(t, storagetest.NewPostgres(t))
	})
}

func openDB(t *testing.T, address string) *storage.DB {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func sqlitePath(t *testing.T) string { return filepath.Join(t.TempDir(), "deeper", "sira?#%.db") }
