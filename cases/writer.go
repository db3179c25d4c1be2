package cases

import (
	"context"
	"time"

	"sira/cases/directory"
	"sira/storage"
)

// writer grows one log inside one transaction.
type writer struct {
	ctx      context.Context
	tx       storage.Querier
	user     directory.User
	caseID   string
	received time.Time
	st       *State  // nil while there is no such case
	added    []Event // in this transaction
}

// read loads the case; who may not view it is told so before anything else.
func (w *writer) read(s *Service) error {
	events, err := readLog(w.ctx, w.tx, w.caseID)
	if err != nil || len(events) == 0 {
		return err
	}
	st, err := Fold(events)
	if err != nil {
		return err
	}
	w.st = &st
	if err := Allow(w.user, View, w.st); err != nil && !isDevice(w.user) {
		return err
	}
	// The clock may have been set back; the log's time never is.
	if w.received.Before(st.UpdatedAt) {
		w.received = st.UpdatedAt
	}
	return nil
}

// take validates and adds one event that a client sent. Opening a case also
// brings in the files that its opener sent ahead.
func (w *writer) take(ev sent, targets map[string]directory.User) (Event, error) {
	if err := follows(w.user, w.st, ev.NewEvent, ev.data); err != nil {
		return Event{}, err
	}
	if err := checkTargets(ev.data, targets); err != nil {
		return Event{}, err
	}
	opening, ok := ev.data.(*OpenedData)
	if !ok {
		return w.add(ev.ID, ev.Type, ev.At, ev.Data)
	}
	if err := w.complete(opening); err != nil {
		return Event{}, err
	}
	data, err := encode(opening)
	if err != nil {
		return Event{}, err
	}
	first, err := w.add(ev.ID, ev.Type, ev.At, data)
	if err != nil {
		return Event{}, err
	}
	return first, w.takePending()
}

// complete sets what only the server knows of a request.
func (w *writer) complete(d *OpenedData) error {
	if born, ok := birthDate(d.Patient.BirthDate); ok && born.After(w.received.AddDate(0, 0, 1)) {
		return refuse("bad-date", "data.patient.birthDate")
	}
	d.Facility = w.user.Facility.ID
	if d.Consent.At.IsZero() {
		d.Consent.At = w.received
	}
	number, err := nextNumber(w.ctx, w.tx, w.user.Facility, w.received)
	d.Number = number
	return err
}

// add chains one event to the log.
func (w *writer) add(id string, t EventType, at time.Time, data []byte) (Event, error) {
	next, ev, err := chain(w.st, Event{ID: id, Case: w.caseID, Type: t, Actor: w.user.ID, At: at, Received: w.received, Data: data})
	if err != nil {
		return Event{}, err
	}
	if err := insertEvent(w.ctx, w.tx, ev); err != nil {
		return Event{}, err
	}
	w.st, w.added = next, append(w.added, ev)
	return ev, nil
}

// flush writes the projection of what was added.
func (w *writer) flush() error {
	if len(w.added) == 0 {
		return nil
	}
	return project(w.ctx, w.tx, w.st)
}
