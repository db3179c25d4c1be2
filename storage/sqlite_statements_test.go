package storage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sira/storage"
)

// TestKeptStatements: a statement that a connection keeps answers as a new one
// does, while its own rows are read, after the schema changed, after an error.
func TestKeptStatements(t *testing.T) {
	ctx := t.Context()
	db, err := storage.OpenDB(ctx, "sqlite:"+t.TempDir()+"/a.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(ctx, query, args...); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE TABLE a (n BIGINT PRIMARY KEY, word TEXT NOT NULL)`)
	const insert, query = `INSERT INTO a (n, word) VALUES (?, ?)`, `SELECT * FROM a WHERE n >= ? ORDER BY n`
	for n := range 3 {
		do(insert, n, fmt.Sprint("w", n))
	}
	if _, err := db.Exec(ctx, insert, 1, "again"); !storage.IsUnique(err) {
		t.Errorf("a second row 1: %v", err)
	}
	do(insert, 3, "w3")
	err = db.Tx(ctx, func(tx storage.Querier) error {
		var outer, inner []int
		rows, err := tx.Query(ctx, query, 1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int
			var word string
			if err := rows.Scan(&n, &word); err != nil {
				return err
			}
			outer = append(outer, n)
			if err := tx.QueryRow(ctx, query, 3).Scan(&n, &word); err != nil {
				return err
			}
			inner = append(inner, n)
		}
		if fmt.Sprint(outer, inner) != "[1 2 3] [3 3 3]" {
			t.Errorf("read %v and %v", outer, inner)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	columns := func() int {
		t.Helper()
		rows, err := db.Query(ctx, query, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	if n := columns(); n != 2 {
		t.Errorf("%d columns", n)
	}
	do(`ALTER TABLE a ADD COLUMN more TEXT NOT NULL DEFAULT ''`)
	if n := columns(); n != 3 {
		t.Errorf("%d columns after the schema changed", n)
	}
	for i := range 300 { // more than are kept
		var n int
		if err := db.QueryRow(ctx, fmt.Sprintf(`SELECT n + %d FROM a WHERE n = ?`, i), 2).Scan(&n); err != nil || n != i+2 {
			t.Fatal(n, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := db.Exec(ended, insert, 9, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a write after its context ended: %v", err)
	}
	do(insert, 9, "")
}
