package storage_test

import (
	"net"
	"strings"
	"testing"

	"sira/storage"
	"sira/storage/storagetest"
)

func TestPostgresMigratingProcesses(t *testing.T) {
	testMigratingProcesses(t, storagetest.NewPostgres(t))
}

func TestPostgresCannotOpen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	for _, address := range []string{
		"postgres://sira:hunter2@" + gone + "/sira?sslmode=disable",
		"postgres://sira:hunter2@127.0.0.1:port/sira",
		"postgres://sira:hunter2@%zz/sira",
		"postgres://sira:hunter2@127.0.0.1/sira?sslmode=maybe",
	} {
		db, err := storage.OpenDB(t.Context(), address)
		if err == nil {
			db.Close()
			t.Errorf("OpenDB(%q) succeeded", address)
		} else if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "PostgreSQL") {
			t.Errorf("OpenDB: %v; want an error that names PostgreSQL and not the password", err)
		}
	}
}

// A server that ends all connections, as a restart does, costs no transaction.
func TestPostgresConnectionsCut(t *testing.T) {
	address := storagetest.NewPostgres(t)
	db, other := openDB(t, address), openDB(t, address)
	if err := db.Migrate(t.Context(), "a", oneTable); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
	err := db.Tx(t.Context(), func(tx storage.Querier) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO a (n) VALUES (?)", 2)
		return err
	})
	if err != nil {
		t.Errorf("first transaction after the cut: %v", err)
	}
	var n int64
	err = other.QueryRow(t.Context(), "SELECT count(*) FROM a").Scan(&n)
	if err != nil || n != 2 {
		t.Errorf("%d rows, %v; want 2", n, err)
	}
}
