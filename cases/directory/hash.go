package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"
)

// hashParams are OWASP's second choice for argon2id (RFC 9106): 19 MiB, two
// passes. With at most maxHashes at once, logins need 38 MiB, which a small
// board has to spare.
var hashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

const (
	maxHashes  = 2
	maxWaiting = 32 // logins in line; more are turned away
)

// hasher computes password hashes, a few at a time.
type hasher struct {
	slots chan struct{}
	line  chan struct{}
	decoy string // compared against when there is no such login
}

func newHasher() (*hasher, error) {
	decoy, err := argon2id.CreateHash("", hashParams)
	if err != nil {
		return nil, fmt.Errorf("making a password hash: %w", err)
	}
	return &hasher{
		slots: make(chan struct{}, maxHashes),
		line:  make(chan struct{}, maxHashes+maxWaiting),
		decoy: decoy,
	}, nil
}

// enter waits for a slot; the caller calls leave. When the line is too long it
// is ErrThrottled.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.line <- struct{}{}:
	default:
		return nil, ErrThrottled{RetryAfter: 2 * time.Second}
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.line }, nil
	case <-ctx.Done():
		<-h.line
		return nil, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
}

// hash is for setting passwords: it waits however long the line is.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return "", fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	out, err := argon2id.CreateHash(password, hashParams)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return out, nil
}

// match compares in constant time; the caller holds a slot.
func (h *hasher) match(password, hash string) (bool, error) {
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("checking a password: %w", err)
	}
	return ok, nil
}
