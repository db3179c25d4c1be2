package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The two dialects, as Dialect returns them.
const (
	dialectSQLite   = "sqlite"
	dialectPostgres = "postgres"
)

// readyTimeout bounds Ready, whatever its caller says.
const readyTimeout = 5 * time.Second

// Querier runs SQL that both dialects read. Each argument is written as a plain
// ?, whatever the dialect. Arguments of other kinds than text and integers are
// stored as the schema wants them: booleans as 0 or 1, bytes and raw JSON as
// text, times as Unix milliseconds. Columns give back text and integers.
//
// What PostgreSQL refuses and SQLite does not, and so must not be relied on:
// running a statement while the rows of another are still open in the same
// transaction, text with NUL bytes or invalid UTF-8, comparing text to a number.
type Querier interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is a database in either dialect, itself a Querier: Exec writes, Query and
// QueryRow only read (a write given to them fails on SQLite). All methods may
// be called from several goroutines at once.
type DB struct {
	writer, reader *sql.DB // the same pool on PostgreSQL
	dialect        string
	path           string // of the SQLite file
}

// OpenDB opens "sqlite:PATH", making the file (mode 0600) when it is missing, or
// "postgres://USER:PASSWORD@HOST:PORT/DATABASE?…" (parameters as libpq has them).
// It fails at once when the database cannot be used. No error tells a password.
func OpenDB(ctx context.Context, url string) (*DB, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest)
	case "postgres", "postgresql":
		return openPostgres(ctx, url)
	}
	return nil, errors.New("database address must start with sqlite: or postgres: and say where")
}

// Close ends all connections. On SQLite it also folds the write-ahead log back
// into the file.
func (db *DB) Close() error {
	err := db.reader.Close()
	if db.writer != db.reader {
		if werr := db.writer.Close(); err == nil {
			err = werr
		}
	}
	if err != nil {
		return fmt.Errorf("closing database: %w", err)
	}
	return nil
}

// Ready says whether the database answers, within 5 seconds.
func (db *DB) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if db.dialect == dialectPostgres {
		return readyPostgres(ctx, db.reader)
	}
	return readySQLite(ctx, db)
}

// Dialect is "sqlite" or "postgres".
func (db *DB) Dialect() string { return db.dialect }

// Exec runs one write outside any transaction. Inside Tx use the Querier given
// there: on SQLite this one would wait for that transaction to end.
func (db *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return db.writer.ExecContext(ctx, db.rebind(query), portable(args)...)
}

// Query reads rows; the caller closes them.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return db.reader.QueryContext(ctx, db.rebind(query), portable(args)...)
}

// QueryRow reads one row. Scan returns sql.ErrNoRows when there is none.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return db.reader.QueryRowContext(ctx, db.rebind(query), portable(args)...)
}

func (db *DB) rebind(query string) string {
	if db.dialect == dialectPostgres {
		return rebind(query)
	}
	return query
}
