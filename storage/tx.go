package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

const (
	txAttempts  = 12
	txFirstWait = 5 * time.Millisecond
	txLongWait  = 500 * time.Millisecond
)

// Tx runs fn in one write transaction, as if no other ran at the same time, and
// commits when fn returns nil. It rolls back when fn fails or panics. When it
// lost against a concurrent transaction, or its connection was cut before the
// commit, fn runs again from the start: it must do nothing but use tx. An error
// of the commit itself leaves open, if the connection was cut, whether it took
// place. fn must return the error of any
// statement that failed (Tx refuses to commit after one, in either dialect); a
// row that may already be there is inserted with ON CONFLICT DO NOTHING.
// Inside fn only tx may be used, not the DB.
func (db *DB) Tx(ctx context.Context, fn func(tx Querier) error) error {
	wait := txFirstWait
	for attempt := 1; ; attempt++ {
		committing, err := db.txOnce(ctx, fn)
		again := lostRace(err) || !committing && connectionCut(err)
		if err == nil || !again || ctx.Err() != nil {
			return err
		}
		if attempt == txAttempts {
			return fmt.Errorf("giving up after %d attempts: %w", attempt, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting to try a transaction again: %w", ctx.Err())
		case <-time.After(wait/2 + rand.N(wait)): // apart from each other, or they lose again together
		}
		wait = min(2*wait, txLongWait)
	}
}

// txOnce also says whether it came to the commit.
func (db *DB) txOnce(ctx context.Context, fn func(tx Querier) error) (committing bool, err error) {
	// SQLite's own transactions are serialisable, and its driver knows no levels.
	var opts *sql.TxOptions
	if db.dialect == dialectPostgres {
		opts = &sql.TxOptions{Isolation: sql.LevelSerializable}
	}
	sqlTx, err := db.writer.BeginTx(ctx, opts)
	if err != nil {
		return false, fmt.Errorf("beginning a transaction: %w", err)
	}
	defer sqlTx.Rollback() // after a commit it does nothing; a panic passes through
	tx := &txQuerier{tx: sqlTx, db: db}
	if err := fn(tx); err != nil {
		return false, err
	}
	if tx.failed != nil {
		return false, fmt.Errorf("not committing after a failed statement: %w", tx.failed)
	}
	if err := sqlTx.Commit(); err != nil {
		return true, fmt.Errorf("committing: %w", err)
	}
	return true, nil
}

// txQuerier remembers the first failed statement. PostgreSQL aborts the whole
// transaction at one, SQLite would commit the rest.
type txQuerier struct {
	tx     *sql.Tx
	db     *DB
	failed error
}

func (q *txQuerier) note(err error) {
	if err != nil && q.failed == nil {
		q.failed = err
	}
}

func (q *txQuerier) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := q.tx.ExecContext(ctx, q.db.rebind(query), portable(args)...)
	q.note(err)
	return res, err
}

func (q *txQuerier) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := q.tx.QueryContext(ctx, q.db.rebind(query), portable(args)...)
	q.note(err)
	return rows, err
}

func (q *txQuerier) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	row := q.tx.QueryRowContext(ctx, q.db.rebind(query), portable(args)...)
	q.note(row.Err())
	return row
}

// lostRace says whether err means that a concurrent transaction won.
func lostRace(err error) bool {
	switch postgresCode(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return sqliteCode(err)&0xff == sqlite3.SQLITE_BUSY
}

// connectionCut says whether err comes from a connection that worked once and
// does no more, as after a restart of PostgreSQL.
func connectionCut(err error) bool {
	switch postgresCode(err) {
	case "57P01", "57P02": // admin_shutdown, crash_shutdown
		return true
	}
	return errors.Is(err, driver.ErrBadConn)
}

// IsUnique says whether err comes from a unique or primary key that the write
// would have broken.
func IsUnique(err error) bool {
	if postgresCode(err) == "23505" { // unique_violation
		return true
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}
