package cases

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sira/cases/directory"
	"sira/storage"
)

// maxEvents bounds one log; the largest series with all its talk stays far below.
const maxEvents = 50_000

// tries is how often a commit starts over when another process was first.
const tries = 6

// sent is one event of a batch with its data read.
type sent struct {
	NewEvent
	data any
}

// Append adds events by u to the log of a case, all or none; `opened` under a
// UUID made by the client creates it. It gives the state after, and the events
// of the batch as they stand in the log. An event that is already there by the
// same author with the same content is success without effect, whatever happened
// since; under the same ID nothing else is accepted ("id-taken").
//
// Received, from which due times count, is the server's time. The client's At is
// kept when it is earlier (a draft may wait for a link for weeks); zero, absurd
// or later than Received it becomes Received.
//
// Errors: ErrNotFound, ErrForbidden, *ConflictError, *UserError, whose "field"
// starts with "events[i]".
func (s *Service) Append(ctx context.Context, u directory.User, caseID string, evs []NewEvent) (State, []Event, error) {
	batch, err := prepare(caseID, evs)
	if err != nil {
		return State{}, nil, err
	}
	targets, err := s.targets(ctx, batch)
	if err != nil {
		return State{}, nil, err
	}
	var stored []Event
	st, err := s.commit(ctx, u, caseID, func(w *writer) error {
		stored = make([]Event, 0, len(batch))
		known, err := readByID(ctx, w.tx, idsOf(batch))
		if err != nil {
			return err
		}
		for i, ev := range batch {
			prior, again := known[ev.ID]
			if !again {
				if prior, err = w.take(ev, targets); err != nil {
					return within(fmt.Sprintf("events[%d]", i), err)
				}
				known[ev.ID] = prior
			} else if !sameEvent(prior, ev, caseID, u.ID) {
				return refuse("id-taken", fmt.Sprintf("events[%d].id", i))
			}
			stored = append(stored, prior)
		}
		return nil
	})
	if err != nil {
		return State{}, nil, err
	}
	return st, stored, nil
}

func prepare(caseID string, evs []NewEvent) ([]sent, error) {
	switch {
	case !isUUID(caseID):
		return nil, refuse("bad-id", "case")
	case len(evs) == 0:
		return nil, refuse("empty", "events")
	case len(evs) > maxBatch:
		return nil, refuse("too-many-events", "events", "max", itoa(maxBatch))
	}
	batch := make([]sent, len(evs))
	for i, ev := range evs {
		normal, data, err := normalise(ev)
		if err == nil && ev.Type == AttachmentAdded {
			err = refuse("server-only", "type") // see Validate
		}
		if err != nil {
			return nil, within(fmt.Sprintf("events[%d]", i), err)
		}
		batch[i] = sent{normal, data}
	}
	return batch, nil
}

func idsOf(batch []sent) []string {
	ids := make([]string, len(batch))
	for i, ev := range batch {
		ids[i] = ev.ID
	}
	return ids
}

// targets reads those whom the batch names, before the transaction: inside it
// no second connection may be asked for.
func (s *Service) targets(ctx context.Context, batch []sent) (map[string]directory.User, error) {
	found := map[string]directory.User{}
	for _, ev := range batch {
		for _, id := range named(ev.data) {
			u, err := s.dir.User(ctx, id)
			if errors.Is(err, directory.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("looking up an expert: %w", err)
			}
			found[id] = u
		}
	}
	return found, nil
}

// named lists the experts that an event's data calls upon.
func named(data any) []string {
	switch d := data.(type) {
	case *OpenedData:
		return d.To
	case *AssignedData:
		return []string{d.To}
	}
	return nil
}

// sameEvent says whether ev is prior sent once more by its author. What the
// server filled in is no difference.
func sameEvent(prior Event, ev sent, caseID, actor string) bool {
	if prior.Case != caseID || prior.Actor != actor || prior.Type != ev.Type {
		return false
	}
	data := ev.Data
	if d, ok := ev.data.(*OpenedData); ok {
		var was OpenedData
		if json.Unmarshal(prior.Data, &was) != nil {
			return false
		}
		now := *d
		now.Number, now.Facility = was.Number, was.Facility
		if now.Consent.At.IsZero() {
			now.Consent.At = was.Consent.At
		}
		again, err := encode(now)
		if err != nil {
			return false
		}
		data = again
	}
	return bytes.Equal(prior.Data, data)
}

// commit runs plan in one transaction with the case as it stands, then writes
// what plan added and its projection, and tells the subscribers. The returned
// state is zero when there is no such case and plan made none.
func (s *Service) commit(ctx context.Context, u directory.User, caseID string, plan func(*writer) error) (State, error) {
	var w *writer
	var err error
	for range tries {
		err = s.db.Tx(ctx, func(tx storage.Querier) error {
			w = &writer{ctx: ctx, tx: tx, user: u, caseID: caseID, received: stamp(s.now())}
			if err := w.read(s); err != nil {
				return err
			}
			if err := plan(w); err != nil {
				return err
			}
			return w.flush()
		})
		// Another process took the sequence or the number first: look again.
		if !storage.IsUnique(err) {
			break
		}
	}
	if err != nil {
		return State{}, wrapCommit(err)
	}
	if w.st == nil {
		return State{}, nil
	}
	if len(w.added) > 0 {
		s.publish(ctx, w.st)
	}
	return *w.st, nil
}

// wrapCommit leaves the errors callers tell apart as they are.
func wrapCommit(err error) error {
	var refused *UserError
	var conflict *ConflictError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &conflict):
		return conflict
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrForbidden):
		return err
	}
	return fmt.Errorf("appending to a case: %w", err)
}

// claimed is the time of an event: the author's when it can be true.
func claimed(at, received time.Time) time.Time {
	if at = stamp(at); at.Year() < 2000 || at.After(received) {
		return received
	}
	return at
}

// checkTargets wants experts who can answer.
func checkTargets(data any, targets map[string]directory.User) error {
	for i, id := range named(data) {
		u, ok := targets[id]
		if ok && !u.Disabled && slices.Contains(experts, u.Role) {
			continue
		}
		if _, opens := data.(*OpenedData); opens {
			return refuse("bad-user", fmt.Sprintf("data.to[%d]", i))
		}
		return refuse("bad-user", "data.to")
	}
	return nil
}
