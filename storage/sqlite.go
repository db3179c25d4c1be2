package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long a write waits for another process to end its own.
const busyTimeout = 10 * time.Second

// openSQLite opens one writer connection and a pool of readers on one file.
// SQLite has one writer at a time anyway: queueing for it here, in order, beats
// colliding over it in the file.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, errors.New("opening SQLite: want sqlite:PATH with the path of a file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening SQLite %s: %w", path, err)
	}
	if err := ownFile(path); err != nil {
		return nil, fmt.Errorf("opening SQLite %s: %w", path, err)
	}
	db := &DB{dialect: dialectSQLite, path: path}
	if db.writer, err = openSQLitePool(path, false); err != nil {
		return nil, fmt.Errorf("opening SQLite %s: %w", path, err)
	}
	db.writer.SetMaxOpenConns(1)
	if err := prepareSQLite(ctx, db.writer); err != nil {
		db.writer.Close()
		return nil, fmt.Errorf("opening SQLite %s: %w", path, err)
	}
	if db.reader, err = openSQLitePool(path, true); err != nil {
		db.writer.Close()
		return nil, fmt.Errorf("opening SQLite %s: %w", path, err)
	}
	readers := max(4, runtime.NumCPU())
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	if err := db.Ready(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func openSQLitePool(path string, reader bool) (*sql.DB, error) {
	c, err := sqlite.NewConnector(sqliteDSN(path, reader))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(&sqliteConnector{c, !reader}), nil
}

// ownFile makes the file and its folder when missing, and takes both from other
// users. SQLite gives its -wal and -shm files the mode of the main one.
func ownFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Mode().IsRegular() && st.Mode().Perm()&0o077 != 0 {
		return f.Chmod(0o600)
	}
	return nil
}

func sqliteDSN(path string, reader bool) string {
	q := url.Values{}
	q.Set("_busy_timeout", fmt.Sprint(busyTimeout.Milliseconds()))
	q.Set("_foreign_keys", "on")
	q.Set("_synchronous", "FULL")
	q.Set("_dqs", "0") // "x" is a name, never a string, as in PostgreSQL
	if reader {
		q.Set("_query_only", "on")
	} else {
		q.Set("_journal_mode", "WAL")
		// The pages that every write changes go back to the file once in 16 MB
		// of log, not in four. The writer keeps 8 MB of pages.
		q.Add("_pragma", "wal_autocheckpoint(4000)")
		q.Add("_pragma", "cache_size(-8000)")
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// prepareSQLite opens the writer connection and sees that WAL was granted: some
// file systems cannot, and SQLite then quietly keeps another journal.
func prepareSQLite(ctx context.Context, writer *sql.DB) error {
	var mode string
	err := writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	var se *sqlite.Error
	switch {
	case errors.As(err, &se) && se.Code()&0xff == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("the file is not a SQLite database, or is encrypted: %w", err)
	case errors.As(err, &se) && se.Code()&0xff == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the database file is damaged, restore a backup: %w", err)
	case err != nil:
		return err
	case mode != "wal":
		return fmt.Errorf("the file system does not allow a write-ahead log (journal mode is %q)", mode)
	}
	return nil
}

func readySQLite(ctx context.Context, db *DB) error {
	var n int64
	if err := db.reader.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		return fmt.Errorf("reading SQLite %s: %w", db.path, err)
	}
	// An open connection outlives its file: without this, a deleted database
	// would look healthy until the restart that loses it.
	if _, err := os.Stat(db.path); err != nil {
		return fmt.Errorf("finding SQLite file: %w", err)
	}
	return nil
}

func sqliteCode(err error) int {
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		return se.Code()
	}
	return 0
}
