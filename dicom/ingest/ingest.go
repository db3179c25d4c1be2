// Package ingest is the front door for DICOM objects: it checks a file, stores
// its bytes durably and only then lists it in the index. It decides nothing
// about who may send or see it.
package ingest

import (
	"context"
	"errors"
	"io"

	"sira/dicom"
	"sira/dicom/index"
	"sira/storage"
)

// ErrConflict: the SOP instance exists with other bytes (it is not replaced).
var ErrConflict = index.ErrConflictingBytes

// Result tells what was stored.
type Result struct {
	Instance  dicom.Instance
	Info      storage.Info
	Duplicate bool // the very same object was there already
}

// Ingest stores and indexes objects.
type Ingest struct {
	blobs storage.Blobs
	index *index.Index
	lim   dicom.Limits

	// TempDir is where Stream spools, the system's default when empty.
	TempDir string
	// MaxBytes bounds one object of Stream, 4 GiB when zero.
	MaxBytes int64
}

// New joins the parts.
func New(blobs storage.Blobs, idx *index.Index, lim dicom.Limits) *Ingest {
	return &Ingest{blobs: blobs, index: idx, lim: lim}
}

// File takes in one object. It returns *dicom.Error when the object is
// refused and ErrConflict when its UID is taken by other bytes.
func (g *Ingest) File(ctx context.Context, r interface{ io.ReaderAt }, size int64) (Result, error) {
	return Result{}, errors.New("not yet")
}

// Stream takes in one object that arrives once, in order; it is spooled to a
// temporary file, never to memory.
func (g *Ingest) Stream(ctx context.Context, r io.Reader) (Result, error) {
	return Result{}, errors.New("not yet")
}
