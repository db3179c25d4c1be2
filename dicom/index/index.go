// Package index keeps patients, studies, series and instances in SQL so that
// lists never open a file. Counters and modalities are kept up to date on
// write. It knows hashes of stored objects, not where the bytes are, and
// nothing of cases or users.
package index

import (
	"context"
	"errors"

	"sira/dicom"
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

// Open migrates and opens the index.
func Open(ctx context.Context, db *storage.DB) (*Index, error) { return nil, errors.New("not yet") }

// Add records an instance whose blob is durable. It is idempotent: false when
// this very instance was there already.
func (x *Index) Add(ctx context.Context, in dicom.Instance) (added bool, err error) {
	return false, errors.New("not yet")
}

// Instance returns one instance by its SOP instance UID.
func (x *Index) Instance(ctx context.Context, sop string) (dicom.Instance, error) {
	return dicom.Instance{}, ErrNotFound
}

// Series returns the instances of a series by instance number, then position.
func (x *Index) Series(ctx context.Context, uid string) ([]dicom.Instance, error) {
	return nil, ErrNotFound
}

// Study returns a study.
func (x *Index) Study(ctx context.Context, uid string) (Study, error) { return Study{}, ErrNotFound }

// StudySeries returns the series of a study by number.
func (x *Index) StudySeries(ctx context.Context, uid string) ([]Series, error) { return nil, nil }

// SeriesOf returns the series that hold the given SOP instances, counting
// only these, ordered by study date, study and series number.
func (x *Index) SeriesOf(ctx context.Context, sops []string) ([]Series, error) { return nil, nil }
