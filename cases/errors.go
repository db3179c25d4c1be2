package cases

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrNotFound  = errors.New("cases: no such case")
	ErrForbidden = errors.New("cases: forbidden")
	ErrConflict  = errors.New("cases: somebody else was first")
)

// ConflictError says that somebody else's event came first, and whose. It is
// ErrConflict. Code is the status they led to: "answered", "closed" or
// "cancelled". At is the server's receipt.
type ConflictError struct {
	Code string
	By   string // user ID
	At   time.Time
}

func (e *ConflictError) Error() string { return fmt.Sprintf("cases: already %s by %s", e.Code, e.By) }

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// UserError is a refusal that the sender can understand and repair. Code is a
// key for a sentence in the reader's language; Params fills it, with "field"
// naming the place ("events[3].data.text"). It never holds what was typed.
type UserError struct {
	Code   string
	Params map[string]string
}

func (e *UserError) Error() string {
	if f := e.Params["field"]; f != "" {
		return "cases: " + e.Code + " at " + f
	}
	return "cases: " + e.Code
}

// Codes lists every Code a UserError can have, so that each can be put into
// words.
var Codes = []string{
	"too-large", "empty", "too-many-events", "bad-json", "invalid-utf8", // of a whole batch
	"bad-id", "unknown-type", "server-only", "id-taken", // of an event
	"required", "too-long", "too-many", "control-character", "bad-value", "bad-date", "bad-user", "consent-required", // of a field
	"wrong-status", "already-opened", "already-assigned", "case-full", "no-procedure", "no-such-image", // of the case
}
