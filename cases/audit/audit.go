// Package audit keeps who did or saw what: a journal that only grows, each
// entry naming the hash of the one before it.
//
// It owns the journal's table and its chain. It must not know what an action
// means nor read any case, and nobody should give it a patient's name.
package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sira/storage"
)

// Entry is one act on one object. Record sets Prev and Hash, and ID and At when
// they are empty.
type Entry struct {
	ID        string    `json:"id"`        // UUID
	At        time.Time `json:"at"`        // UTC, to the millisecond
	Actor     string    `json:"actor"`     // user ID, "" when unknown
	Action    string    `json:"action"`    // "view", "login", …
	Case      string    `json:"case"`      // case ID, "" when none
	Object    string    `json:"object"`    // what of the case: an attachment, a series
	Outcome   string    `json:"outcome"`   // "ok", "denied", …
	Surface   string    `json:"surface"`   // "api", "live", "dicom", …
	RequestID string    `json:"requestId"` //
	Remote    string    `json:"remote"`    // address of the other side
	Prev      string    `json:"prev"`
	Hash      string    `json:"hash"`
}

// ErrBroken says that the journal is not what was once written.
var ErrBroken = errors.New("audit: the journal is broken")

// Journal is the journal kept in one database. Its methods may be called from
// several goroutines, and several processes over one PostgreSQL.
type Journal struct {
	db  *storage.DB
	now func() time.Time
	// mu puts this process's writers in line, so that they do not make each
	// other's transactions fail.
	mu sync.Mutex
}

// Option changes how a Journal works.
type Option func(*Journal)

// WithClock replaces the clock, for tests.
func WithClock(now func() time.Time) Option { return func(j *Journal) { j.now = now } }

// Open migrates the table and gives the journal kept in db.
func Open(ctx context.Context, db *storage.DB, opts ...Option) (*Journal, error) {
	if err := Migrate(ctx, db); err != nil {
		return nil, err
	}
	j := &Journal{db: db, now: time.Now}
	for _, opt := range opts {
		opt(j)
	}
	return j, nil
}

const columns = `id, at, actor, action, case_id, object, outcome, surface, request_id, remote, prev, hash`

// Record appends e. When it returns nil the entry is durable. Texts longer than
// 500 runes are cut, and characters that no database takes are replaced.
func (j *Journal) Record(ctx context.Context, e Entry) error {
	err := j.With(ctx, e, func(record func(tx storage.Querier) error) error { return j.db.Tx(ctx, record) })
	if err != nil {
		return fmt.Errorf("writing to the journal: %w", err)
	}
	return nil
}

// With is Record for an entry that is written in the transaction of what it
// tells: do runs one transaction over the journal's database and calls record
// in it, last and at most once in each attempt. No other entry of this process
// is written before do returns.
func (j *Journal) With(ctx context.Context, e Entry, do func(record func(tx storage.Querier) error) error) error {
	e = j.complete(e)
	j.mu.Lock()
	defer j.mu.Unlock()
	return do(func(tx storage.Querier) error { return record(ctx, tx, e) })
}

func record(ctx context.Context, tx storage.Querier, e Entry) error {
	var seq int64
	// The write comes first: it takes the lock, and so the right end.
	err := tx.QueryRow(ctx, `UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash`).Scan(&seq, &e.Prev)
	if err != nil {
		return fmt.Errorf("reading the end: %w", err)
	}
	e.Hash = HashEntry(seq, e)
	_, err = tx.Exec(ctx, `INSERT INTO audit_entries (seq, `+columns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		seq, e.ID, e.At.UnixMilli(), e.Actor, e.Action, e.Case, e.Object, e.Outcome, e.Surface,
		e.RequestID, e.Remote, e.Prev, e.Hash)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE audit_head SET hash = ? WHERE id = 1`, e.Hash)
	return err
}

// ByCase gives the last limit entries of a case, newest first; at most 10,000.
func (j *Journal) ByCase(ctx context.Context, caseID string, limit int) ([]Entry, error) {
	entries := []Entry{}
	err := j.read(ctx, `WHERE case_id = ? ORDER BY seq DESC LIMIT ?`, func(_ int64, e Entry) error {
		entries = append(entries, e)
		return nil
	}, caseID, min(max(limit, 0), 10_000))
	return entries, err
}

// read calls fn for each entry that a clause, never made of input, selects.
func (j *Journal) read(ctx context.Context, clause string, fn func(seq int64, e Entry) error, args ...any) error {
	rows, err := j.db.Query(ctx, `SELECT seq, `+columns+` FROM audit_entries `+clause, args...)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		var seq, at int64
		err := rows.Scan(&seq, &e.ID, &at, &e.Actor, &e.Action, &e.Case, &e.Object, &e.Outcome, &e.Surface,
			&e.RequestID, &e.Remote, &e.Prev, &e.Hash)
		if err != nil {
			return fmt.Errorf("reading an entry: %w", err)
		}
		e.At = time.UnixMilli(at).UTC()
		if err := fn(seq, e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	return nil
}
