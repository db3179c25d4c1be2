package cases

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sira/storage"
)

const eventColumns = `id, case_id, seq, type, actor, at, received, data, prev, hash`

// readLog reads the whole log of a case, none when there is no such case.
func readLog(ctx context.Context, q storage.Querier, caseID string) ([]Event, error) {
	if !isUUID(caseID) {
		return nil, nil
	}
	return readEvents(ctx, q, `case_id = ?`, caseID)
}

// readByID reads those of the events that are in the log of any case.
func readByID(ctx context.Context, q storage.Querier, ids []string) (map[string]Event, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	events, err := readEvents(ctx, q, `id IN (?`+strings.Repeat(`, ?`, len(ids)-1)+`)`, args...)
	if err != nil {
		return nil, err
	}
	found := make(map[string]Event, len(events))
	for _, ev := range events {
		found[ev.ID] = ev
	}
	return found, nil
}

// readEvents reads by a condition that is never made of input.
func readEvents(ctx context.Context, q storage.Querier, where string, args ...any) ([]Event, error) {
	rows, err := q.Query(ctx, `SELECT `+eventColumns+` FROM case_events WHERE `+where+` ORDER BY case_id, seq`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading a case log: %w", err)
	}
	defer rows.Close()
	var events []Event
	for rows.Next() {
		var ev Event
		var at, received int64
		var data string
		if err := rows.Scan(&ev.ID, &ev.Case, &ev.Seq, &ev.Type, &ev.Actor, &at, &received, &data, &ev.Prev, &ev.Hash); err != nil {
			return nil, fmt.Errorf("reading an event: %w", err)
		}
		ev.At, ev.Received, ev.Data = fromMillis(at), fromMillis(received), json.RawMessage(data)
		events = append(events, ev)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading a case log: %w", err)
	}
	return events, nil
}

func insertEvent(ctx context.Context, tx storage.Querier, ev Event) error {
	_, err := tx.Exec(ctx, `INSERT INTO case_events (`+eventColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		ev.ID, ev.Case, ev.Seq, string(ev.Type), ev.Actor, ev.At.UnixMilli(), ev.Received.UnixMilli(),
		string(ev.Data), ev.Prev, ev.Hash)
	if err != nil {
		return fmt.Errorf("writing an event: %w", err)
	}
	return nil
}

// Verify checks the hash chain of a case, and that its end is the one last
// written: neither changed nor cut. Errors: ErrNotFound, ErrBroken.
func (s *Service) Verify(ctx context.Context, caseID string) error {
	var seq int64
	var head string
	err := s.db.QueryRow(ctx, `SELECT seq, head FROM case_summaries WHERE id = ?`, caseID).Scan(&seq, &head)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("reading the head of a case: %w", err)
	}
	events, err := readLog(ctx, s.db, caseID)
	if err != nil {
		return err
	}
	if err := VerifyChain(events); err != nil {
		return err
	}
	// Events may have come since the head was read.
	if int64(len(events)) < seq || seq < 1 || events[seq-1].Hash != head {
		return fmt.Errorf("%w: its end is missing", ErrBroken)
	}
	_, err = Fold(events)
	return err
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
