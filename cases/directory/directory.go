// Package directory keeps the people and places of the platform and what they
// prove themselves with: passwords, sessions, API tokens.
//
// It owns facilities, users, their specialties, credentials and the throttle of
// attempts. It must not know cases, patients or HTTP. Passwords are kept as
// argon2id, session and API tokens as SHA-256 only.
package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sira/storage"
)

// Role is what a user is on the platform. Each user has exactly one.
type Role string

// The roles. What each may do to a case is said in package cases alone.
const (
	Clinician   Role = "clinician"
	Specialist  Role = "specialist"
	Radiologist Role = "radiologist"
	Dispatcher  Role = "dispatcher"
	Admin       Role = "admin"
)

// Roles lists every role.
var Roles = []Role{Clinician, Specialist, Radiologist, Dispatcher, Admin}

// Facility is a place of care.
type Facility struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Kind   string `json:"kind"` // "CSCom", "CSRéf", "EPH" or "CHU"
	Region string `json:"region"`
	Code   string `json:"code"` // short, prefixes the numbers of its cases: "KAT"
	Phone  string `json:"phone"`
}

// User is someone with an account. On writing, only the ID of Facility counts.
type User struct {
	ID          string   `json:"id"`
	Login       string   `json:"login"`
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Role        Role     `json:"role"`
	Facility    Facility `json:"facility"`
	Specialties []string `json:"specialties"`
	Phone       string   `json:"phone"`
	Disabled    bool     `json:"disabled"`
}

// Person is what others see of a user. Facility is the name of the place.
type Person struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	Role     Role   `json:"role"`
	Facility string `json:"facility"`
	Phone    string `json:"phone"`
}

// Token describes an API token without its secret.
type Token struct {
	ID       string    `json:"id"`
	Label    string    `json:"label"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"lastUsed"` // zero when never used; exact to an hour
}

// Errors that callers tell apart with errors.Is.
var (
	ErrNotFound       = errors.New("directory: not found")
	ErrLoginTaken     = errors.New("directory: login is taken")
	ErrInvalid        = errors.New("directory: invalid")
	ErrWeakPassword   = errors.New("directory: password must have 8 to 256 characters")
	ErrBadCredentials = errors.New("directory: wrong login or password")
	ErrNoSession      = errors.New("directory: no such session or token")
)

// ErrThrottled says that too many attempts failed; none is looked at before
// RetryAfter has passed. Use errors.As.
type ErrThrottled struct{ RetryAfter time.Duration }

func (e ErrThrottled) Error() string {
	return fmt.Sprintf("directory: too many attempts, retry after %s", e.RetryAfter)
}

// Directory reads and writes people and places. Its methods may be called from
// several goroutines at once.
type Directory struct {
	db     *storage.DB
	now    func() time.Time
	hashes *hasher
}

// Option changes how a Directory works.
type Option func(*Directory)

// WithClock replaces the clock, for tests.
func WithClock(now func() time.Time) Option { return func(d *Directory) { d.now = now } }

// Open migrates the tables and gives the directory kept in db.
func Open(ctx context.Context, db *storage.DB, opts ...Option) (*Directory, error) {
	if err := Migrate(ctx, db); err != nil {
		return nil, err
	}
	hashes, err := newHasher()
	if err != nil {
		return nil, err
	}
	d := &Directory{db: db, now: time.Now, hashes: hashes}
	for _, opt := range opts {
		opt(d)
	}
	return d, nil
}
