// Package guests keeps who was invited, without an account, to the call of one
// case: the invitation behind a link that one browser may use once, and the
// session of that browser.
//
// It owns its table. Who may invite, and what a guest may do, is for cases.Allow
// and cases.AllowGuest to say; who is in the call at the moment, for signaling.
package guests

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sira/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Most is how many invitations of a case may be good at once.
const Most = 10

// SessionLife is how long the browser that used a link may come back.
const SessionLife = 12 * time.Hour

const maxName = 80 // runes

// Errors that callers tell apart with errors.Is. The first five say what became
// of a link.
var (
	ErrUnknown   = errors.New("guests: no such invitation")
	ErrExpired   = errors.New("guests: too late")
	ErrUsed      = errors.New("guests: another browser used it")
	ErrWithdrawn = errors.New("guests: taken back")
	ErrPutOut    = errors.New("guests: refused, or put out")
	ErrFull      = errors.New("guests: too many invitations")
	ErrInvalid   = errors.New("guests: no such kind, name or life")
)

// Kind is whom an invitation is for.
type Kind string

// The kinds. The patient's name is that of the case and stands nowhere else.
const (
	Patient Kind = "patient"
	Other   Kind = "other" // a relative, a colleague
)

// How says why an invitation ended before its time.
type How string

// The ways.
const (
	Withdrawn How = "withdrawn"
	Refused   How = "refused"
	PutOut    How = "put-out"
)

// Invitation is one person's way into one call. Times of zero have not come.
type Invitation struct {
	ID, Case    string
	Kind        Kind
	Name        string // of others than the patient
	By          string // user ID
	Created     time.Time
	Expires     time.Time // of the link
	Used        time.Time
	SessionEnds time.Time
	Ended       time.Time
	How         How
}

// Good says whether the invitation still opens something: nil, ErrExpired,
// ErrWithdrawn or ErrPutOut.
func (i Invitation) Good(now time.Time) error {
	end := i.Expires
	if !i.Used.IsZero() {
		end = i.SessionEnds
	}
	switch {
	case i.How == Withdrawn:
		return ErrWithdrawn
	case i.How != "":
		return ErrPutOut
	case !now.Before(end):
		return ErrExpired
	}
	return nil
}

// Also is written in the same transaction, last: the entry in the journal.
type Also func(tx storage.Querier) error

// Guests is kept in one database. Its methods may be called from several
// goroutines, and several processes over one PostgreSQL.
type Guests struct {
	db  *storage.DB
	now func() time.Time
}

// Open migrates the table. A nil clock is time.Now.
func Open(ctx context.Context, db *storage.DB, clock func() time.Time) (*Guests, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading guest migrations: %w", err)
	}
	if err := db.Migrate(ctx, "guests", files); err != nil {
		return nil, fmt.Errorf("migrating guests: %w", err)
	}
	if clock == nil {
		clock = time.Now
	}
	return &Guests{db: db, now: clock}, nil
}

// Now is the clock by which invitations end.
func (g *Guests) Now() time.Time { return g.now() }

// secret gives 256 random bits as text.
func secret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashOf needs no salt nor cost: what it hides cannot be guessed. Looking it up
// in an index tells nothing of the secret by its time.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// checked gives the invitation with a name fit to be kept.
func (i Invitation) checked() (Invitation, error) {
	i.Name = strings.TrimSpace(i.Name)
	bad := !utf8.ValidString(i.Name) || utf8.RuneCountInString(i.Name) > maxName ||
		strings.ContainsFunc(i.Name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
	switch {
	case bad:
		return i, ErrInvalid
	case i.Kind == Patient && i.Name == "", i.Kind == Other && i.Name != "":
		return i, nil
	}
	return i, ErrInvalid
}
