package guests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"sira/storage"
)

const columns = `id, case_id, kind, name, invited_by, created, expires, used, session_ends, ended, ended_how`

// NewID names an invitation before it is made.
func NewID() string { return uuid.NewString() }

// Invite makes an invitation whose link is good for so long. The secret is
// known to the caller alone. Errors: ErrFull, ErrInvalid.
func (g *Guests) Invite(ctx context.Context, i Invitation, life time.Duration, also Also) (Invitation, string, error) {
	i, err := i.checked()
	if err != nil {
		return i, "", err
	}
	now := g.now().UTC().Truncate(time.Millisecond)
	i.Created, i.Expires = now, now.Add(life)
	plain := secret()
	err = g.db.Tx(ctx, func(tx storage.Querier) error {
		var good int
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM guest_invitations WHERE case_id = ? AND ended = 0
			AND ((used = 0 AND expires > ?) OR (used > 0 AND session_ends > ?))`, i.Case, now.UnixMilli(), now.UnixMilli()).Scan(&good)
		if err != nil {
			return err
		}
		if good >= Most {
			return ErrFull
		}
		_, err = tx.Exec(ctx, `INSERT INTO guest_invitations (id, case_id, hash, kind, name, invited_by, created, expires, used, session, session_ends, ended, ended_how)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, 0, 0, '')`,
			i.ID, i.Case, hashOf(plain), string(i.Kind), i.Name, i.By, now.UnixMilli(), i.Expires.UnixMilli())
		if err != nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return i, "", fmt.Errorf("inviting: %w", err)
	}
	return i, plain, nil
}

// Look finds the invitation of a link without using it. mine says that the
// browser with this session token used it. Errors: ErrUnknown, and those of a
// link, beside the invitation.
func (g *Guests) Look(ctx context.Context, plain, token string) (i Invitation, mine bool, err error) {
	if i, err = g.one(ctx, g.db, `hash = ?`, hashOf(plain)); err != nil {
		return i, false, err
	}
	if token != "" && !i.Used.IsZero() {
		own, err := g.one(ctx, g.db, `session = ?`, hashOf(token))
		if err != nil && !errors.Is(err, ErrUnknown) {
			return i, false, err
		}
		mine = err == nil && own.ID == i.ID
	}
	if err := i.Good(g.now()); err != nil {
		return i, mine, err
	}
	if !i.Used.IsZero() && !mine {
		return i, false, ErrUsed
	}
	return i, mine, nil
}

// Redeem uses the link up and starts the session of the browser that did. Two
// browsers at once: one of them. Errors: as Look.
func (g *Guests) Redeem(ctx context.Context, plain string, also Also) (Invitation, string, error) {
	i, _, err := g.Look(ctx, plain, "")
	if err != nil {
		return i, "", err
	}
	now := g.now().UTC().Truncate(time.Millisecond)
	token, ends := secret(), now.Add(SessionLife)
	err = g.db.Tx(ctx, func(tx storage.Querier) error {
		res, err := tx.Exec(ctx, `UPDATE guest_invitations SET used = ?, session = ?, session_ends = ?
			WHERE id = ? AND used = 0 AND ended = 0`, now.UnixMilli(), hashOf(token), ends.UnixMilli(), i.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUsed)
		}
		return also(tx)
	})
	if err != nil {
		return i, "", fmt.Errorf("using a link: %w", err)
	}
	i.Used, i.SessionEnds = now, ends
	return i, token, nil
}

// Session gives the invitation of a session that is good. Errors: ErrUnknown,
// ErrExpired, ErrWithdrawn, ErrPutOut.
func (g *Guests) Session(ctx context.Context, token string) (Invitation, error) {
	i, err := g.one(ctx, g.db, `session = ?`, hashOf(token))
	if err != nil {
		return i, err
	}
	return i, i.Good(g.now())
}

// Get gives an invitation by its ID, good or not. Errors: ErrUnknown.
func (g *Guests) Get(ctx context.Context, id string) (Invitation, error) {
	return g.one(ctx, g.db, `id = ?`, id)
}

// End ends an invitation for good, link and session. Errors: ErrUnknown; those
// of Good when it had ended already, then nothing is written.
func (g *Guests) End(ctx context.Context, caseID, id string, how How, also Also) error {
	err := g.db.Tx(ctx, func(tx storage.Querier) error {
		i, err := g.one(ctx, tx, `case_id = ? AND id = ?`, caseID, id)
		if err != nil {
			return err
		}
		if err := i.Good(g.now()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE guest_invitations SET ended = ?, ended_how = ? WHERE id = ?`, g.now().UnixMilli(), string(how), id); err != nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return fmt.Errorf("ending an invitation: %w", err)
	}
	return nil
}

// ByCase lists the invitations of a case, the newest first, at most 1,000.
func (g *Guests) ByCase(ctx context.Context, caseID string) ([]Invitation, error) {
	rows, err := g.db.Query(ctx, `SELECT `+columns+` FROM guest_invitations WHERE case_id = ? ORDER BY created DESC, id LIMIT 1000`, caseID)
	if err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	defer rows.Close()
	var all []Invitation
	for rows.Next() {
		i, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading an invitation: %w", err)
		}
		all = append(all, i)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	return all, nil
}

// one reads by a condition that is never made of input.
func (g *Guests) one(ctx context.Context, q storage.Querier, where string, args ...any) (Invitation, error) {
	i, err := scan(q.QueryRow(ctx, `SELECT `+columns+` FROM guest_invitations WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return i, ErrUnknown
	}
	if err != nil {
		return i, fmt.Errorf("reading an invitation: %w", err)
	}
	return i, nil
}

func scan(row interface{ Scan(...any) error }) (Invitation, error) {
	var i Invitation
	var created, expires, used, sessionEnds, ended int64
	err := row.Scan(&i.ID, &i.Case, &i.Kind, &i.Name, &i.By, &created, &expires, &used, &sessionEnds, &ended, &i.How)
	i.Created, i.Expires, i.Used, i.SessionEnds, i.Ended = at(created), at(expires), at(used), at(sessionEnds), at(ended)
	return i, err
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
