package directory

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sira/storage"
)

// After so many failures in a row a login or an address is locked, first for
// lockFirst, then twice as long at each further failure, up to lockMax. An
// address has more room: a whole hospital may stand behind one.
const (
	loginFailures = 5
	ipFailures    = 30
	lockFirst     = 30 * time.Second
	lockMax       = 15 * time.Minute
	forgetAfter   = time.Hour // without a failure
)

// subject is one thing that failures are counted of.
type subject struct {
	key   string
	limit int64
}

func subjects(login, ip string) []subject {
	found := []subject{{subjectKey("login:" + loginKey(login)), loginFailures}}
	if ip != "" {
		found = append(found, subject{subjectKey("ip:" + ip), ipFailures})
	}
	return found
}

func subjectKey(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// locked gives ErrThrottled when one of the subjects is locked now.
func (d *Directory) locked(ctx context.Context, subs []subject) error {
	now := d.now()
	var wait time.Duration
	for _, s := range subs {
		var until int64
		err := d.db.QueryRow(ctx, `SELECT locked_until FROM directory_attempts WHERE subject = ?`, s.key).Scan(&until)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading login attempts: %w", err)
		}
		wait = max(wait, time.UnixMilli(until).Sub(now))
	}
	if wait > 0 {
		return ErrThrottled{RetryAfter: wait}
	}
	return nil
}

// failed counts one failure of each subject and drops what is long past.
func (d *Directory) failed(ctx context.Context, subs []subject) error {
	err := d.db.Tx(ctx, func(tx storage.Querier) error {
		now := d.now()
		old := now.Add(-forgetAfter).UnixMilli()
		if _, err := tx.Exec(ctx, `DELETE FROM directory_attempts WHERE last_failure < ? AND locked_until < ?`,
			old, now.UnixMilli()); err != nil {
			return err
		}
		for _, s := range subs {
			if err := countFailure(ctx, tx, s, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("counting a failed login: %w", err)
	}
	return nil
}

func countFailure(ctx context.Context, tx storage.Querier, s subject, now time.Time) error {
	var n int64
	err := tx.QueryRow(ctx, `SELECT failures FROM directory_attempts WHERE subject = ?`, s.key).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	n++
	var until int64
	if n >= s.limit {
		until = now.Add(lockFor(n - s.limit)).UnixMilli()
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_attempts (subject, failures, last_failure, locked_until)
		VALUES (?, ?, ?, ?)
		ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures,
			last_failure = excluded.last_failure, locked_until = excluded.locked_until`,
		s.key, n, now.UnixMilli(), until)
	return err
}

// lockFor is how long the lock lasts after beyond failures more than the limit.
func lockFor(beyond int64) time.Duration {
	lock := lockFirst
	for range min(beyond, 16) {
		lock *= 2
	}
	return min(lock, lockMax)
}

// forgive forgets the failures of a login that succeeded; its address is not
// forgiven, or one good account would let its owner guess all others.
func (d *Directory) forgive(ctx context.Context, login string) error {
	key := subjects(login, "")[0].key
	var n int64
	err := d.db.QueryRow(ctx, `SELECT failures FROM directory_attempts WHERE subject = ?`, key).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = d.db.Exec(ctx, `DELETE FROM directory_attempts WHERE subject = ?`, key)
	}
	if err != nil {
		return fmt.Errorf("forgetting failed logins: %w", err)
	}
	return nil
}
