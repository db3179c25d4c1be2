package storagetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the pgx driver

	"sira/storage"
)

// NewDB gives a fresh, empty SQLite database, gone at the end of the test.
func NewDB(t testing.TB) *storage.DB {
	t.Helper()
	return openDB(t, "sqlite:"+filepath.Join(t.TempDir(), "sira.db"))
}

// EachDB runs fn once per dialect, each time on a fresh, empty database: on
// SQLite always, on the PostgreSQL server that SIRA_TEST_POSTGRES names
// (postgres://…, by a user who may create databases) when it is set.
func EachDB(t *testing.T, fn func(t *testing.T, db *storage.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, NewDB(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, openDB(t, NewPostgres(t))) })
}

// NewPostgres makes a fresh, empty database on the server of SIRA_TEST_POSTGRES
// and gives its address. Without a server the test is skipped (see Need).
func NewPostgres(t testing.TB) string {
	t.Helper()
	server := Need(t, "SIRA_TEST_POSTGRES", "PostgreSQL")
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatalf("SIRA_TEST_POSTGRES: %v", err)
	}
	t.Cleanup(func() { admin.Close() })
	name := "sira_test_" + strings.ToLower(rand.Text()[:16])
	if _, err := admin.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("making a database on SIRA_TEST_POSTGRES: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("dropping test database: %v", err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("SIRA_TEST_POSTGRES: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

func openDB(t testing.TB, address string) *storage.DB {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), address)
	if err != nil {
		t.Fatalf("opening test database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing test database: %v", err)
		}
	})
	return db
}

// Need gives the value of an environment variable that names something only
// some machines have. Where it is not set the test is skipped and says so, or
// fails when SIRA_TEST_STRICT=1.
func Need(t testing.TB, env, what string) string {
	t.Helper()
	value := os.Getenv(env)
	switch {
	case value != "":
	case os.Getenv("SIRA_TEST_STRICT") == "1":
		t.Fatalf("NOT RUN: %s is not set, so no %s (SIRA_TEST_STRICT=1)", env, what)
	default:
		t.Skipf("NOT RUN: %s is not set, so no %s", env, what)
	}
	return value
}
