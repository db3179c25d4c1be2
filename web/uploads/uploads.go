// Package uploads brings files into the house: resumable reception (tus 1.0)
// into a spool folder, then intake in the background, which tells each file
// by its content, stores it as a blob and attaches it to its case.
//
// It owns the tables uploads and upload_files. Who may upload, and how an
// attachment reaches a case, is told to it by functions: it knows no roles
// and no case log.
package uploads

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/dicom/ingest"
	"sira/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Lifetimes of uploads.
const (
	// Lifetime is how long an unfinished upload waits for its next byte.
	Lifetime = 7 * 24 * time.Hour
	// Memory is how long the outcome of a finished one is told.
	Memory = 30 * 24 * time.Hour
)

// ErrNotFound says that the user has no such upload.
var ErrNotFound = errors.New("uploads: not found")

// Delivered says what became of one attachment.
type Delivered struct {
	// AttachmentID is the one the case holds: an earlier one's when the same
	// bytes were attached already.
	AttachmentID string
	Duplicate    bool
}

// Config names what uploads need. All fields but Changed, Counted, MinFree, Free,
// Workers and Log are required.
type Config struct {
	DB     *storage.DB
	Blobs  storage.Blobs
	Ingest *ingest.Ingest
	Dir    string // spool folder, made when missing
	// BasePath is where the handler is mounted, with a slash at both ends.
	BasePath string
	MaxBytes int64 // of one upload
	MinFree  int64 // bytes that stay free on the spool's disk; ≤ 0: unchecked
	Workers  int   // at least 1

	// UserID tells whose request a context belongs to.
	UserID func(ctx context.Context) string
	// RequestID tells which request, for problem bodies.
	RequestID func(ctx context.Context) string
	// Authorize says whether the user of ctx may add files to the case. Its
	// error is a *problem.Problem.
	Authorize func(ctx context.Context, caseID string) error
	// Deliver attaches files to a case, or keeps them for it while it isn't
	// open. A *Refusal is told to the user; other errors are tried again.
	Deliver func(ctx context.Context, owner, caseID string, files []cases.Attachment) ([]Delivered, error)
	// Changed is called after an upload's outcome changed.
	Changed func(Intake)
	// Counted is called with "created", "received", "stored", "duplicate" or
	// "refused" and a number of files, for metrics.
	Counted func(what string, n int)
	Log     *slog.Logger
	// Free tells how many bytes the disk of a folder still takes; nil asks the
	// disk.
	Free func(dir string) (int64, error)
}

// Service receives and takes in. Make it with Open, stop it with Close.
type Service struct {
	cfg   Config
	log   *slog.Logger
	spool string // identity of Dir, so that processes sharing a database don't take each other's

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	queue  *queue
}

// Open migrates the tables, drops leftovers of a killed process, queues what
// was acknowledged and not yet taken in, and starts the workers.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Changed == nil {
		cfg.Changed = func(Intake) {}
	}
	if cfg.Counted == nil {
		cfg.Counted = func(string, int) {}
	}
	if cfg.Free == nil {
		cfg.Free = freeBytes
	}
	cfg.Workers = max(cfg.Workers, 1)
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("locating the spool: %w", err)
	}
	cfg.Dir = dir
	if err := Migrate(ctx, cfg.DB); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, log: cfg.Log, queue: newQueue()}
	if err := s.prepareSpool(); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.resume(ctx); err != nil {
		s.cancel()
		return nil, err
	}
	for range cfg.Workers {
		s.wg.Go(s.work)
	}
	s.wg.Go(s.sweep)
	return s, nil
}

// Migrate brings the package's tables up to date.
func Migrate(ctx context.Context, db *storage.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the uploads' migrations: %w", err)
	}
	if err := db.Migrate(ctx, "uploads", sub); err != nil {
		return fmt.Errorf("migrating the uploads' tables: %w", err)
	}
	return nil
}

// Close stops the workers; what they were at starts again with the next Open.
func (s *Service) Close(ctx context.Context) error {
	s.cancel()
	s.queue.close()
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopping the intake: %w", ctx.Err())
	}
}

func (s *Service) dataPath(id string) string { return filepath.Join(s.cfg.Dir, id) }
func (s *Service) tmpDir() string            { return filepath.Join(s.cfg.Dir, "tmp") }

// prepareSpool makes the folders, clears the temporary one, and reads or makes
// the folder's identity.
func (s *Service) prepareSpool() error {
	if err := os.RemoveAll(s.tmpDir()); err != nil {
		return fmt.Errorf("clearing the spool's temporary files: %w", err)
	}
	if err := os.MkdirAll(s.tmpDir(), 0o700); err != nil {
		return fmt.Errorf("making the spool: %w", err)
	}
	name := filepath.Join(s.cfg.Dir, "spool-id")
	raw, err := os.ReadFile(name)
	if err == nil && len(strings.TrimSpace(string(raw))) > 0 {
		s.spool = strings.TrimSpace(string(raw))
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the spool's identity: %w", err)
	}
	s.spool = uuid.NewString()
	if err := os.WriteFile(name, []byte(s.spool+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the spool's identity: %w", err)
	}
	return syncPath(name)
}

// syncPath flushes a file or a folder to the disk.
func syncPath(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("opening to sync: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	return nil
}
