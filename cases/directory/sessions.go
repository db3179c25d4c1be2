package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	sessionIdle = 12 * time.Hour
	sessionLife = 7 * 24 * time.Hour
	seenEvery   = 5 * time.Minute // a session's last use is written no oftener
)

// secret gives 256 random bits as text, and the hash they are kept under.
func secret() (token, hash string) {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, hashSecret(token)
}

// hashSecret needs no salt nor cost: what it hides cannot be guessed. Looking the
// hash up in an index tells nothing of the secret by its time.
func hashSecret(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// NewSession starts a session of an enabled user. The token is known to the
// caller alone. Errors: ErrNotFound.
func (d *Directory) NewSession(ctx context.Context, userID, userAgent string) (token string, err error) {
	u, err := d.User(ctx, userID)
	if err != nil {
		return "", err
	}
	if u.Disabled {
		return "", ErrNotFound
	}
	now := d.now()
	_, err = d.db.Exec(ctx, `DELETE FROM directory_sessions WHERE seen < ? OR created < ?`,
		now.Add(-sessionIdle).UnixMilli(), now.Add(-sessionLife).UnixMilli())
	if err != nil {
		return "", fmt.Errorf("dropping ended sessions: %w", err)
	}
	token, hash := secret()
	_, err = d.db.Exec(ctx, `INSERT INTO directory_sessions (hash, user_id, user_agent, created, seen)
		VALUES (?, ?, ?, ?, ?)`, hash, userID, clean(userAgent), now.UnixMilli(), now.UnixMilli())
	if err != nil {
		return "", fmt.Errorf("starting a session: %w", err)
	}
	return token, nil
}

// SessionUser gives the user of a session that is neither idle for 12 hours nor
// older than 7 days, and keeps it awake. Errors: ErrNoSession.
func (d *Directory) SessionUser(ctx context.Context, token string) (User, error) {
	hash := hashSecret(token)
	var userID string
	var created, seen int64
	err := d.db.QueryRow(ctx, `SELECT user_id, created, seen FROM directory_sessions WHERE hash = ?`,
		hash).Scan(&userID, &created, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, ErrNoSession
	}
	if err != nil {
		return User{}, fmt.Errorf("reading a session: %w", err)
	}
	now := d.now()
	if now.Sub(time.UnixMilli(seen)) > sessionIdle || now.Sub(time.UnixMilli(created)) > sessionLife {
		return User{}, ErrNoSession
	}
	u, err := d.enabled(ctx, userID)
	if err != nil {
		return User{}, err
	}
	if now.Sub(time.UnixMilli(seen)) > seenEvery {
		if _, err := d.db.Exec(ctx, `UPDATE directory_sessions SET seen = ? WHERE hash = ?`, now.UnixMilli(), hash); err != nil {
			return User{}, fmt.Errorf("keeping a session awake: %w", err)
		}
	}
	return u, nil
}

// EndSession ends a session; ending none is success.
func (d *Directory) EndSession(ctx context.Context, token string) error {
	if _, err := d.db.Exec(ctx, `DELETE FROM directory_sessions WHERE hash = ?`, hashSecret(token)); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// enabled gives the user, or ErrNoSession when gone or disabled.
func (d *Directory) enabled(ctx context.Context, userID string) (User, error) {
	u, err := d.User(ctx, userID)
	if errors.Is(err, ErrNotFound) || err == nil && u.Disabled {
		return User{}, ErrNoSession
	}
	return u, err
}

// clean makes one bounded line that any database takes of what a client says of
// itself.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText])
	}
	return s
}
