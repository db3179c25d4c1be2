// Package tray is where what devices send waits for its case. Each instance is
// noted before its device is answered; a worker then attaches it to the case
// that the worklist, the accession number or an earlier decision names, unless
// the patients contradict each other. What is left waits for a person.
//
// It owns the table tray_instances. Who sees the tray of which device is for
// its callers to decide.
package tray

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"sira/cases"
	"sira/dicom"
	"sira/dicom/index"
	"sira/storage"
)

// ErrNotFound says that no such study waits, or none that may be seen.
var ErrNotFound = errors.New("tray: not found")

// ErrPatientDiffers says that study and case look like two patients'.
var ErrPatientDiffers = errors.New("tray: the patient differs")

// Reason says why a study was not attached by itself.
type Reason string

// The reasons.
const (
	NoAccession      Reason = "no-accession"      // the device sent none
	UnknownAccession Reason = "unknown-accession" // no case has this number
	PatientDiffers   Reason = "patient-differs"   // the case is of another patient
	CaseClosed       Reason = "case-closed"
	CaseFull         Reason = "case-full"
)

// Config names what a tray needs. Log may be nil.
type Config struct {
	DB    *storage.DB
	Index *index.Index
	Cases *cases.Service
	// Differs says whether a file's patient contradicts a case's.
	Differs func(p cases.Patient, name, sex string) bool
	// Attached is called after instances of a device were attached to a case
	// without a person, for the journal.
	Attached func(ctx context.Context, aet, caseID, study string, instances int)
	// Changed is called after what waits of a device changed.
	Changed func(ctx context.Context, aet string)
	Log     *slog.Logger
	// Gather is how long the worker lets arrivals gather; 0 means 300 ms.
	Gather time.Duration
}

// Tray receives, attaches and keeps. Make it with Open, stop it with Close.
type Tray struct {
	cfg    Config
	log    *slog.Logger
	wake   chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	// placing lets the worker and a person decide one after the other.
	placing sync.Mutex
}

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the package's table up to date.
func Migrate(ctx context.Context, db *storage.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the tray's migrations: %w", err)
	}
	if err := db.Migrate(ctx, "tray", sub); err != nil {
		return fmt.Errorf("migrating the tray's table: %w", err)
	}
	return nil
}

// Open migrates the table and starts the worker, which first takes up what an
// earlier process had noted.
func Open(ctx context.Context, cfg Config) (*Tray, error) {
	if err := Migrate(ctx, cfg.DB); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Gather <= 0 {
		cfg.Gather = 300 * time.Millisecond
	}
	t := &Tray{cfg: cfg, log: cfg.Log, wake: make(chan struct{}, 1)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.wake <- struct{}{}
	t.wg.Go(t.work)
	return t, nil
}

// Close stops the worker; what it had not tried stays noted.
func (t *Tray) Close() {
	t.cancel()
	t.wg.Wait()
}

// Put notes an instance that a device sent and that is indexed. An instance
// that came before keeps its place, a discarded one comes back.
func (t *Tray) Put(ctx context.Context, aet string, in dicom.Instance) error {
	if err := t.Note(ctx, t.cfg.DB, aet, in); err != nil {
		return err
	}
	t.Wake()
	return nil
}

// Note is Put within a transaction, after which Wake is due.
func (t *Tray) Note(ctx context.Context, tx storage.Querier, aet string, in dicom.Instance) error {
	_, err := tx.Exec(ctx, `INSERT INTO tray_instances
		(sop, aet, study, state, reason, case_id, decided_by, received_at, decided_at)
		VALUES (?, ?, ?, 'new', '', '', '', ?, 0)
		ON CONFLICT (sop, aet) DO UPDATE SET state = 'new', case_id = '', decided_by = '',
			received_at = excluded.received_at, decided_at = 0 WHERE tray_instances.state = 'discarded'`,
		in.SOPUID, aet, in.StudyUID, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("noting what a device sent: %w", err)
	}
	return nil
}

// Wake has the worker look for what is new.
func (t *Tray) Wake() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// work tries what is new, a moment after it came so that a series is one step
// and not hundreds; after a fault of the server it waits longer each time.
func (t *Tray) work() {
	const longest = time.Minute
	pause := t.cfg.Gather
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-t.wake:
		}
		if !t.sleep(pause) {
			return
		}
		more, err := t.pass(t.ctx)
		if t.ctx.Err() != nil {
			return
		}
		if err != nil {
			pause = min(2*pause, longest)
			t.log.Error("attaching what devices sent", "again_in", pause.String(), "err", err)
		} else {
			pause = t.cfg.Gather
		}
		if more || err != nil {
			select {
			case t.wake <- struct{}{}:
			default:
			}
		}
	}
}

func (t *Tray) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.ctx.Done():
		return false
	}
}
