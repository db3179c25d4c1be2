package cases

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sira/cases/directory"
	"sira/storage"
)

var errTodo = errors.New("cases: not yet")




type Options struct {
	Clock  func() time.Time
	Logger *slog.Logger
}

type Service struct{}

func Open(ctx context.Context, db *storage.DB, dir *directory.Directory, opts Options) (*Service, error) {
	return nil, errTodo
}

// Change says that a case grew. Users may see it.
type Change struct {
	Case   string
	Seq    int64
	Status Status
	Users  []string
}

// Filter narrows a list. Zero means all.
type Filter struct {
	Statuses []Status
	Query    string // words of a number or a patient's name
	Limit    int    // 0 means 500
}

func (s *Service) Append(ctx context.Context, u directory.User, caseID string, evs []NewEvent) (State, []Event, error) {
	return State{}, nil, errTodo
}
func (s *Service) Get(ctx context.Context, u directory.User, caseID string) (State, error) {
	return State{}, errTodo
}
func (s *Service) Events(ctx context.Context, u directory.User, caseID string, after int64) ([]Event, error) {
	return nil, errTodo
}
func (s *Service) List(ctx context.Context, u directory.User, f Filter) ([]Summary, error) {
	return nil, errTodo
}

// Summary gives the list's line of one case.
func (s *Service) Summary(ctx context.Context, u directory.User, caseID string) (Summary, error) {
	return Summary{}, errTodo
}
func (s *Service) MarkRead(ctx context.Context, u directory.User, caseID string, seq int64) error {
	return errTodo
}

// AttachFiles adds files; the answer says, in the same order, under which attachment each stands in the case.
func (s *Service) AttachFiles(ctx context.Context, u directory.User, caseID string, files []Attachment) ([]Attachment, error) {
	return nil, errTodo
}

// PutPending keeps files for a case that u has not opened yet (attaches them when it is open by now).
func (s *Service) PutPending(ctx context.Context, u directory.User, caseID string, files []Attachment) ([]Attachment, error) {
	return nil, errTodo
}

// Pending lists what waits.
func (s *Service) Pending(ctx context.Context, u directory.User, caseID string) ([]Attachment, error) {
	return nil, errTodo
}

// Subscribe calls fn after each commit, on another goroutine; changes of one case may be merged. The result ends it.
func (s *Service) Subscribe(fn func(Change)) (cancel func()) { return func() {} }

// Verify checks the hash chain of one case.
func (s *Service) Verify(ctx context.Context, caseID string) error { return errTodo }
