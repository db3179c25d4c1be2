package derive

import (
	"bytes"
	"compress/flate"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sira/dicom/film"
	"sira/storage"
)

// Of a claim: how long it holds without a sign of life, and how many are made
// before the object is taken to be what ends the process.
const (
	lease     = 10 * time.Minute
	maxClaims = 5
)

const gaveUp = "the process ended several times while working on it"

// takeUp frees what the process before this one was working on. Processes on
// one PostgreSQL take over from each other when the lease has run out.
func (d *Deriver) takeUp(ctx context.Context) error {
	if d.cfg.DB.Dialect() != "sqlite" {
		return nil
	}
	_, err := d.cfg.DB.Exec(ctx, `UPDATE derive_object SET owner = '', not_before = 0 WHERE state = 'wait' AND owner <> ''`)
	if err != nil {
		return fmt.Errorf("taking up derivations: %w", err)
	}
	return nil
}

// redraw queues the films again that got no poster, which may be for want of
// ffmpeg then.
func (d *Deriver) redraw(ctx context.Context) error {
	if !film.Posters() {
		return nil
	}
	_, err := d.cfg.DB.Exec(ctx, `UPDATE derive_object SET state = 'wait', claims = 0, owner = '', not_before = 0
		WHERE state = 'done' AND kind = ? AND poster = ''`, Film)
	if err != nil {
		return fmt.Errorf("queueing films: %w", err)
	}
	return nil
}

// backfill queues stored objects that the queue does not know.
func (d *Deriver) backfill(ctx context.Context) (queued int, err error) {
	after := ""
	for {
		hashes, last, err := d.cfg.Index.Hashes(ctx, after, 500)
		if err != nil || len(hashes) == 0 {
			return queued, err
		}
		unknown, err := d.unknown(ctx, hashes)
		if err != nil {
			return queued, err
		}
		n, err := d.queue(ctx, unknown)
		if queued += n; err != nil {
			return queued, err
		}
		after = last
	}
}

func (d *Deriver) unknown(ctx context.Context, hashes []string) ([]string, error) {
	args := make([]any, len(hashes))
	for i, h := range hashes {
		args[i] = h
	}
	rows, err := d.cfg.DB.Query(ctx, `SELECT hash FROM derive_object WHERE hash IN (?`+strings.Repeat(", ?", len(hashes)-1)+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading derivations: %w", err)
	}
	defer rows.Close()
	known := map[string]bool{}
	for rows.Next() {
		var h string
		if err := rows.Scan(&h); err != nil {
			return nil, fmt.Errorf("reading derivations: %w", err)
		}
		known[h] = true
	}
	var out []string
	for _, h := range hashes {
		if !known[h] {
			out = append(out, h)
		}
	}
	return out, rows.Err()
}

// queue adds objects, the newest first in rank: they are looked at next.
func (d *Deriver) queue(ctx context.Context, hashes []string) (added int, err error) {
	if len(hashes) == 0 {
		return 0, nil
	}
	now := time.Now().UnixMilli()
	err = d.cfg.DB.Tx(ctx, func(tx storage.Querier) error {
		added = 0
		for _, h := range hashes {
			res, err := tx.Exec(ctx, `INSERT INTO derive_object
				(hash, state, reason, claims, owner, not_before, rank, kind, blob, size, pixels, frames, poster, at)
				VALUES (?, 'wait', '', 0, '', 0, ?, '', '', 0, '', '', '', ?) ON CONFLICT DO NOTHING`, h, -now, now)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("queueing derivations: %w", err)
	}
	if added > 0 {
		d.rouse()
	}
	return added, nil
}

// rouse lets one worker look.
func (d *Deriver) rouse() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// claim takes the next object; "" when none waits. One that was claimed too
// often is given up.
func (d *Deriver) claim(ctx context.Context) (hash string, err error) {
	for {
		var claims, was int64
		now := time.Now()
		err := d.cfg.DB.QueryRow(ctx, `SELECT hash, claims, not_before FROM derive_object
			WHERE state = 'wait' AND not_before <= ? ORDER BY rank, hash LIMIT 1`, now.UnixMilli()).Scan(&hash, &claims, &was)
		if errors.Is(err, sql.ErrNoRows) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("looking for derivations: %w", err)
		}
		query, args := `UPDATE derive_object SET claims = claims + 1, owner = ?, not_before = ?`, []any{d.owner, now.Add(lease).UnixMilli()}
		if claims >= maxClaims {
			query, args = `UPDATE derive_object SET state = 'failed', reason = ?`, []any{gaveUp}
		}
		res, err := d.cfg.DB.Exec(ctx, query+` WHERE hash = ? AND state = 'wait' AND not_before = ? AND claims = ?`, append(args, hash, was, claims)...)
		if err != nil {
			return "", fmt.Errorf("claiming a derivation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return "", fmt.Errorf("claiming a derivation: %w", err)
		} else if n == 1 && claims < maxClaims {
			return hash, nil
		}
	}
}

// take claims one object, which somebody waits for.
func (d *Deriver) take(ctx context.Context, hash string) (bool, error) {
	now := time.Now()
	res, err := d.cfg.DB.Exec(ctx, `UPDATE derive_object SET claims = claims + 1, owner = ?, not_before = ?
		WHERE hash = ? AND state = 'wait' AND not_before <= ? AND claims < ?`, d.owner, now.Add(lease).UnixMilli(), hash, now.UnixMilli(), maxClaims)
	if err != nil {
		return false, fmt.Errorf("claiming a derivation: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// renew keeps a claim.
func (d *Deriver) renew(ctx context.Context, hash string) error {
	_, err := d.cfg.DB.Exec(ctx, `UPDATE derive_object SET not_before = ? WHERE hash = ? AND owner = ? AND state = 'wait'`,
		time.Now().Add(lease).UnixMilli(), hash, d.owner)
	return err
}

// putOff lets go of an object that could not be worked on now, through no fault
// of its own.
func (d *Deriver) putOff(ctx context.Context, hash string, wait time.Duration) error {
	_, err := d.cfg.DB.Exec(ctx, `UPDATE derive_object SET claims = claims - 1, owner = '', not_before = ? WHERE hash = ? AND owner = ? AND state = 'wait'`,
		time.Now().Add(wait).UnixMilli(), hash, d.owner)
	return err
}

// settle ends the work on an object.
func (d *Deriver) settle(ctx context.Context, hash, state, reason string, c Copy) error {
	frames, err := pack(c.Frames)
	if err != nil {
		return err
	}
	_, err = d.cfg.DB.Exec(ctx, `UPDATE derive_object SET state = ?, reason = ?, owner = '', not_before = 0, kind = ?, blob = ?, size = ?, pixels = ?, frames = ?, poster = ?, at = ?
		WHERE hash = ? AND owner = ? AND state = 'wait'`, state, reason, c.Kind, c.Blob, c.Size, c.Pixels, frames, c.Poster, time.Now().UnixMilli(), hash, d.owner)
	return err
}

// again queues an object whose copy was lost.
func (d *Deriver) again(ctx context.Context, hash string) error {
	_, err := d.cfg.DB.Exec(ctx, `UPDATE derive_object SET state = 'wait', claims = 0, owner = '', not_before = 0, rank = ? WHERE hash = ? AND state = 'done'`,
		-time.Now().UnixMilli(), hash)
	d.rouse()
	return err
}

func (d *Deriver) read(ctx context.Context, hash string) (Copy, error) {
	var c Copy
	var packed string
	err := d.cfg.DB.QueryRow(ctx, `SELECT kind, blob, size, pixels, frames, poster FROM derive_object WHERE hash = ? AND state = 'done'`, hash).
		Scan(&c.Kind, &c.Blob, &c.Size, &c.Pixels, &packed, &c.Poster)
	if errors.Is(err, sql.ErrNoRows) {
		return Copy{}, ErrNone
	}
	if err == nil {
		c.Frames, err = unpack(packed)
	}
	if err != nil {
		return Copy{}, fmt.Errorf("reading a derivation: %w", err)
	}
	return c, nil
}

// State tells how far an object is: "wait", "done", "none" or "failed", with
// the reason of the last two. Errors: ErrNone for one that was never queued.
func (d *Deriver) State(ctx context.Context, hash string) (state, reason string, err error) {
	err = d.cfg.DB.QueryRow(ctx, `SELECT state, reason FROM derive_object WHERE hash = ?`, hash).Scan(&state, &reason)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", ErrNone
	}
	if err != nil {
		return "", "", fmt.Errorf("reading a derivation: %w", err)
	}
	return state, reason, nil
}

// Counts is the number of objects in each state.
func (d *Deriver) Counts(ctx context.Context) (map[string]int, error) {
	rows, err := d.cfg.DB.Query(ctx, `SELECT state, COUNT(*) FROM derive_object GROUP BY state`)
	if err != nil {
		return nil, fmt.Errorf("counting derivations: %w", err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("counting derivations: %w", err)
		}
		out[state] = n
	}
	return out, rows.Err()
}

// pack deflates the frames for a text column.
func pack(frames []Frame) (string, error) {
	if len(frames) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(frames)
	if err != nil {
		return "", fmt.Errorf("packing frames: %w", err)
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 5)
	if err == nil {
		_, err = w.Write(raw)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return "", fmt.Errorf("packing frames: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func unpack(packed string) (out []Frame, err error) {
	if packed == "" {
		return nil, nil
	}
	raw, err := io.ReadAll(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed))))
	if err != nil {
		return nil, fmt.Errorf("unpacking frames: %w", err)
	}
	return out, json.Unmarshal(raw, &out)
}
