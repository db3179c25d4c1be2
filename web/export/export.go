// Package export is what leaves a case: one ZIP that opens without our
// software, with the identity or without. It joins what the rooms below keep
// apart: the case's files, opinions and key images with the file-set, the
// documents and the de-identification of dicom. It owns the recipients' secrets
// and the exports that wait to be fetched. It must not know HTTP, and decides
// nothing about who may: that is asked before.
package export

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/deid"
	"sira/storage"
)

// Mode says whether the identity leaves with the images.
type Mode string

// The modes.
const (
	Full      Mode = "full"      // for the patient or who goes on treating them
	Anonymous Mode = "anonymous" // images only, de-identified for one recipient
)

// What callers tell apart. All are wrapped.
var (
	ErrNotFound  = errors.New("no such export")
	ErrReview    = errors.New("a person must look at images first")
	ErrRecipient = errors.New("a recipient is needed")
	ErrOrder     = errors.New("order cannot be read")
	ErrNothing   = errors.New("nothing is left to be sent")
)

// Options are what of an object stays in an anonymous export, beside its
// medical content (PS3.15 section E.3).
type Options struct {
	Dates        string `json:"dates"` // "removed", "shifted" or "kept"
	Patient      bool   `json:"patient"`
	Device       bool   `json:"device"`
	Institution  bool   `json:"institution"`
	Descriptions bool   `json:"descriptions"`
}

// quality is that of JPEG frames that were masked: uncompressed, a cine would
// be thirty times as long on the link.
const quality = 92

// profile is the de-identification that o asks for. Pixels and structured
// reports are always cleaned.
func (o Options) profile(key []byte) (*deid.Profile, error) {
	dates, ok := map[string]deid.Dates{"removed": deid.RemoveDates, "shifted": deid.ShiftDates, "kept": deid.KeepDates}[o.Dates]
	if !ok {
		return nil, fmt.Errorf("dates %q: %w", o.Dates, ErrOrder)
	}
	return deid.New(key, deid.Options{Dates: dates, RetainPatient: o.Patient, RetainDevice: o.Device,
		RetainInstitution: o.Institution, CleanText: o.Descriptions, CleanStructure: true, CleanPixels: true, JPEGQuality: quality})
}

// Config is what an export is made of.
type Config struct {
	DB    *storage.DB
	Blobs storage.Blobs
	// Persons gives the names of users.
	Persons func(ctx context.Context, ids []string) (map[string]directory.Person, error)
	// Dir holds one de-identified object at a time for each running export. It
	// is emptied at the start.
	Dir string
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: none
}

// Service makes exports. It may be used by several goroutines.
type Service struct {
	cfg Config
}

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the package's tables up to date.
func Migrate(ctx context.Context, db *storage.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the exports' migrations: %w", err)
	}
	if err := db.Migrate(ctx, "export", sub); err != nil {
		return fmt.Errorf("migrating the exports' tables: %w", err)
	}
	return nil
}

// Open migrates the tables and empties Dir.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	if err := Migrate(ctx, cfg.DB); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.RemoveAll(cfg.Dir); err != nil {
		return nil, fmt.Errorf("clearing the exports' folder: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the exports' folder: %w", err)
	}
	return &Service{cfg: cfg}, nil
}

// object is a stored DICOM object, open.
type object struct {
	file *dicom.File
	blob storage.Reader
}

func (s *Service) open(ctx context.Context, hash string) (object, error) {
	h, err := storage.ParseHash(hash)
	if err != nil {
		return object{}, fmt.Errorf("opening an object: %w", err)
	}
	blob, err := s.cfg.Blobs.Open(ctx, h)
	if err != nil {
		return object{}, fmt.Errorf("opening an object: %w", err)
	}
	f, err := dicom.Read(ctx, blob, blob.Size(), dicom.DefaultLimits)
	if err != nil {
		return object{}, errors.Join(fmt.Errorf("reading an object: %w", err), blob.Close())
	}
	return object{f, blob}, nil
}
