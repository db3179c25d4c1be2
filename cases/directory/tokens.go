package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// tokenPrefix lets people and secret scanners see what a leaked string is.
const tokenPrefix = "sira_"

const usedEvery = time.Hour // a token's last use is written no oftener

// NewToken makes an API token of an enabled user; it lasts until it is revoked
// or the account disabled. Errors: ErrNotFound, ErrInvalid.
func (d *Directory) NewToken(ctx context.Context, userID, label string) (token string, err error) {
	if err := checkText("label", label); err != nil {
		return "", err
	}
	u, err := d.User(ctx, userID)
	if err != nil {
		return "", err
	}
	if u.Disabled {
		return "", ErrNotFound
	}
	plain, _ := secret()
	token = tokenPrefix + plain
	_, err = d.db.Exec(ctx, `INSERT INTO directory_tokens (id, hash, user_id, label, created, used)
		VALUES (?, ?, ?, ?, ?, 0)`, uuid.NewString(), hashSecret(token), userID, label, d.now().UnixMilli())
	if err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return token, nil
}

// TokenUser gives the user of an API token. Errors: ErrNoSession.
func (d *Directory) TokenUser(ctx context.Context, token string) (User, error) {
	if !strings.HasPrefix(token, tokenPrefix) {
		return User{}, ErrNoSession
	}
	var id, userID string
	var used int64
	err := d.db.QueryRow(ctx, `SELECT id, user_id, used FROM directory_tokens WHERE hash = ?`,
		hashSecret(token)).Scan(&id, &userID, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, ErrNoSession
	}
	if err != nil {
		return User{}, fmt.Errorf("reading a token: %w", err)
	}
	u, err := d.enabled(ctx, userID)
	if err != nil {
		return User{}, err
	}
	if now := d.now(); now.Sub(time.UnixMilli(used)) > usedEvery {
		if _, err := d.db.Exec(ctx, `UPDATE directory_tokens SET used = ? WHERE id = ?`, now.UnixMilli(), id); err != nil {
			return User{}, fmt.Errorf("noting the use of a token: %w", err)
		}
	}
	return u, nil
}

// Tokens lists the tokens of a user, oldest first.
func (d *Directory) Tokens(ctx context.Context, userID string) ([]Token, error) {
	rows, err := d.db.Query(ctx, `SELECT id, label, created, used FROM directory_tokens
		WHERE user_id = ? ORDER BY created, id`, userID)
	if err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	defer rows.Close()
	all := []Token{}
	for rows.Next() {
		var t Token
		var created, used int64
		if err := rows.Scan(&t.ID, &t.Label, &created, &used); err != nil {
			return nil, fmt.Errorf("reading a token: %w", err)
		}
		t.Created = time.UnixMilli(created).UTC()
		if used > 0 {
			t.LastUsed = time.UnixMilli(used).UTC()
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// RevokeToken ends a token by its ID. Errors: ErrNotFound.
func (d *Directory) RevokeToken(ctx context.Context, id string) error {
	if err := one(d.db.Exec(ctx, `DELETE FROM directory_tokens WHERE id = ?`, id)); err != nil {
		return fmt.Errorf("revoking a token: %w", err)
	}
	return nil
}
