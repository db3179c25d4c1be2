package cases

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"sira/cases/directory"
)

// devicePrefix begins the actor of what a device did. No user ID has a colon.
const devicePrefix = "aet:"

// DeviceActor is the actor of events that a device caused, and of its entries
// in the journal: its application entity title behind "aet:".
func DeviceActor(aet string) string { return devicePrefix + aet }

// DeviceOf gives the AE title of an actor that is a device.
func DeviceOf(actor string) (aet string, ok bool) { return strings.CutPrefix(actor, devicePrefix) }

func isDevice(u directory.User) bool { return strings.HasPrefix(u.ID, devicePrefix) }

// AttachFromDevice adds files that a device sent to a case that waits for them,
// as events of the device itself: nobody else did it, and for everybody they
// are news. It is as AttachFiles otherwise. AllowDevice is its policy; that the
// device may connect and means this case is for the caller to know.
func (s *Service) AttachFromDevice(ctx context.Context, aet, caseID string, files []Attachment) ([]Attachment, error) {
	if !isAETitle(aet) {
		return nil, refuse("bad-value", "device")
	}
	return s.putFiles(ctx, directory.User{ID: DeviceActor(aet)}, caseID, files, func(w *writer) ([]Attachment, error) {
		if w.st == nil {
			return nil, ErrNotFound
		}
		return w.attach(files, Attach)
	})
}

// AttachStudy adds what a device sent to a case because u says that it belongs
// there: AttachFiles under the action AttachStudy.
func (s *Service) AttachStudy(ctx context.Context, u directory.User, caseID string, files []Attachment) ([]Attachment, error) {
	return s.putFiles(ctx, u, caseID, files, func(w *writer) ([]Attachment, error) {
		if w.st == nil {
			return nil, ErrNotFound
		}
		return w.attach(files, AttachStudy)
	})
}

// ByNumber gives the case of a number as people and devices write it: letter
// case and spaces around do not matter. No user stands behind it: it serves to
// find out where what a device sent belongs, and must be shown to nobody.
// Errors: ErrNotFound.
func (s *Service) ByNumber(ctx context.Context, number string) (State, error) {
	number = strings.ToUpper(strings.TrimSpace(number))
	if number == "" || len(number) > maxShort {
		return State{}, ErrNotFound
	}
	var id string
	err := s.db.QueryRow(ctx, `SELECT id FROM case_summaries WHERE number = ?`, number).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return State{}, ErrNotFound
	}
	if err != nil {
		return State{}, fmt.Errorf("looking for a case by its number: %w", err)
	}
	return s.ForDevice(ctx, id)
}

// ForDevice gives a case by its ID under the same terms as ByNumber.
func (s *Service) ForDevice(ctx context.Context, caseID string) (State, error) {
	events, err := readLog(ctx, s.db, caseID)
	if err != nil {
		return State{}, err
	}
	if len(events) == 0 {
		return State{}, ErrNotFound
	}
	return Fold(events)
}
