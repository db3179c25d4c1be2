// Package audit keeps who did or saw what: a journal that only grows, each
// entry naming the hash of the one before it.
//
// It owns the journal's table and its chain. It must not know what an action
// means nor read any case; it never holds a patient's name.
package audit

import (
	"context"
	"errors"
	"time"

	"sira/storage"
)

// Entry is one act on one object. ID, At, Prev and Hash are set by Record when
// empty, Prev and Hash always.
type Entry struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`        // to the millisecond, UTC
	Actor     string    `json:"actor"`     // user ID, "" when unknown
	Action    string    `json:"action"`    // "view", "login", …
	Case      string    `json:"case"`      // case ID, "" when none
	Object    string    `json:"object"`    // what in the case: an attachment, a series
	Outcome   string    `json:"outcome"`   // "ok", "denied", …
	Surface   string    `json:"surface"`   // "api", "live", "dicom", …
	RequestID string    `json:"requestId"` //
	Remote    string    `json:"remote"`    // address of the other side
	Prev      string    `json:"prev"`
	Hash      string    `json:"hash"`
}

// Journal is the journal kept in one database.
type Journal struct {
	db  *storage.DB
	now func() time.Time
}

var errTodo = errors.New("audit: not yet")

// Open migrates the table and gives the journal kept in db.
func Open(ctx context.Context, db *storage.DB) (*Journal, error) { return nil, errTodo }

// Record appends e.
func (j *Journal) Record(ctx context.Context, e Entry) error { return errTodo }

// ByCase gives the last limit entries of a case, newest first.
func (j *Journal) ByCase(ctx context.Context, caseID string, limit int) ([]Entry, error) {
	return nil, errTodo
}

// Verify walks the whole chain.
func (j *Journal) Verify(ctx context.Context) error { return errTodo }
