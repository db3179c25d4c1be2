package storage

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
)

// Querier runs SQL written with ? for each argument, in either dialect.
type Querier interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is a database in either dialect.
type DB struct {
	writer, reader *sql.DB
	dialect        string
}

// OpenDB opens "sqlite:PATH" or "postgres://…".
func OpenDB(ctx context.Context, url string) (*DB, error) { return nil, errors.New("not yet") }

// Close closes all connections.
func (db *DB) Close() error { return errors.New("not yet") }

// Ready says whether the database answers.
func (db *DB) Ready(ctx context.Context) error { return errors.New("not yet") }

// Dialect is "sqlite" or "postgres".
func (db *DB) Dialect() string { return db.dialect }

// Exec runs a write.
func (db *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return db.writer.ExecContext(ctx, query, args...)
}

// Query runs a read.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return db.reader.QueryContext(ctx, query, args...)
}

// QueryRow runs a read of one row.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return db.reader.QueryRowContext(ctx, query, args...)
}

// Tx runs fn in one write transaction.
func (db *DB) Tx(ctx context.Context, fn func(tx Querier) error) error { return errors.New("not yet") }

// Migrate applies what is missing of a set of migrations.
func (db *DB) Migrate(ctx context.Context, set string, files fs.FS) error {
	return errors.New("not yet")
}

// IsUnique says whether err is a violated unique or primary key.
func IsUnique(err error) bool { return false }
