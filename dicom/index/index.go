// Package index keeps patients, studies, series and instances in SQL so that
// lists never open a file. Counters and modalities are kept up to date on
// write. It knows hashes of stored objects, not where the bytes are, and
// nothing of cases or users.
package index

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"sira/storage"
)

// ErrConflictingBytes: this SOP instance is known with other bytes.
var ErrConflictingBytes = errors.New("index: same SOP instance, other bytes")

// ErrNotFound: no such instance, series or study.
var ErrNotFound = errors.New("index: not found")

// Study is one study with its counters.
type Study struct {
	UID, PatientName, PatientID, PatientSex, PatientBirthDate string
	Date, Time, Description, AccessionNumber                  string
	Modalities                                                []string // sorted
	Series, Instances, Frames                                 int
	Bytes                                                     int64
}

// Series is one series with its counters.
type Series struct {
	UID, StudyUID, Modality, Description, StudyDescription, StudyDate string
	PatientName, PatientID, PatientSex, PatientBirthDate              string
	Kind                                                              string // of its instances, "other" when mixed
	Number, Instances, Frames                                         int
	Bytes                                                             int64
}

// Index is the instance index.
type Index struct{ db *storage.DB }

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the index's tables up to date.
func Migrate(ctx context.Context, db *storage.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("opening DICOM index migrations: %w", err)
	}
	if err := db.Migrate(ctx, "dicom", files); err != nil {
		return fmt.Errorf("migrating DICOM index: %w", err)
	}
	return collate(ctx, db)
}

// Open migrates and opens the index.
func Open(ctx context.Context, db *storage.DB) (*Index, error) {
	if err := Migrate(ctx, db); err != nil {
		return nil, err
	}
	return &Index{db: db}, nil
}
