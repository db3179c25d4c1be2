package cases

import (
	"context"
	"log/slog"
	"time"

	"sira/cases/directory"
	"sira/storage"
)

// Options are what a Service may be given. Zero means the defaults.
type Options struct {
	Clock  func() time.Time // time.Now
	Logger *slog.Logger     // slog.Default()
}

// Service keeps the logs of all cases in one database. Its methods may be called
// from several goroutines, and several processes over one PostgreSQL.
type Service struct {
	db   *storage.DB
	dir  *directory.Directory
	now  func() time.Time
	log  *slog.Logger
	subs subscribers
}

// Open migrates the tables and gives the cases kept in db. People are those of
// dir.
func Open(ctx context.Context, db *storage.DB, dir *directory.Directory, opts Options) (*Service, error) {
	if err := Migrate(ctx, db); err != nil {
		return nil, err
	}
	s := &Service{db: db, dir: dir, now: opts.Clock, log: opts.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s, nil
}

// Get gives the state of a case. Errors: ErrNotFound, ErrForbidden.
func (s *Service) Get(ctx context.Context, u directory.User, caseID string) (State, error) {
	_, st, err := s.load(ctx, s.db, u, caseID)
	if err != nil {
		return State{}, err
	}
	return *st, nil
}

// Events gives the events of a case whose sequence is above after. Errors:
// ErrNotFound, ErrForbidden.
func (s *Service) Events(ctx context.Context, u directory.User, caseID string, after int64) ([]Event, error) {
	events, _, err := s.load(ctx, s.db, u, caseID)
	if err != nil {
		return nil, err
	}
	return events[min(max(after, 0), int64(len(events))):], nil
}

// load reads a log that u may view, and its state.
func (s *Service) load(ctx context.Context, q storage.Querier, u directory.User, caseID string) ([]Event, *State, error) {
	events, err := readLog(ctx, q, caseID)
	if err != nil {
		return nil, nil, err
	}
	if len(events) == 0 {
		return nil, nil, ErrNotFound
	}
	st, err := Fold(events)
	if err != nil {
		return nil, nil, err
	}
	if err := Allow(u, View, &st); err != nil {
		return nil, nil, err
	}
	return events, &st, nil
}
