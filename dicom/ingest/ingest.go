// Package ingest is the front door for DICOM objects: it checks a file, stores
// its bytes durably and only then lists it in the index. It decides nothing
// about who may send or see it.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

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
	Joined    bool // what Ingest.Join wrote stands with the object
}

// Ingest stores and indexes objects. Set its fields before use.
type Ingest struct {
	blobs storage.Blobs
	index *index.Index
	lim   dicom.Limits

	// TempDir is where Stream spools what goes to a store that is no
	// storage.Receiver, the system's default when empty.
	TempDir string
	// MaxBytes bounds one object of Stream, 4 GiB when zero.
	MaxBytes int64
	// Check is asked before anything of an object is stored; its error is
	// returned as it is. To check otherwise for one sender, copy the Ingest.
	Check func(ctx context.Context, in dicom.Instance) error
	// Join, when set, calls list once, with what is to be written beside the
	// object, and returns its error.
	Join func(ctx context.Context, in dicom.Instance, list List) error

	// Quarantined, when set, is called after an object went to quarantine.
	Quarantined func(ctx context.Context)
	// Added is told each object that is now stored and was not before; may be nil.
	Added func(ctx context.Context, in dicom.Instance)

	releasing *sync.Mutex // a blob is not deleted while it comes in again
}

// List indexes a new object; also is written in the same transaction, and not
// at all when the object turns out to be known (added is false).
type List func(also func(tx storage.Querier) error) (added bool, err error)

// New joins the parts. The second parser's model of the header is not built:
// nothing here asks for it.
func New(blobs storage.Blobs, idx *index.Index, lim dicom.Limits) *Ingest {
	lim.ModelBytes = -1
	return &Ingest{blobs: blobs, index: idx, lim: lim, releasing: new(sync.Mutex)}
}

// File takes in one object: checked, then durable, then listed. It returns
// *dicom.Error when the object is refused, and nothing is stored then. The same
// data set again, whatever file meta information is around it, is a Duplicate:
// the Result names the instance and the blob that were first. A UID taken by
// another data set gives ErrConflict and the object goes to quarantine.
// Result.Instance is filled as far as the object could be read, also with an
// error. Who sends is told by From.
func (g *Ingest) File(ctx context.Context, r io.ReaderAt, size int64) (Result, error) {
	return g.file(ctx, object{r, size, func(ctx context.Context) (storage.Info, error) {
		return g.blobs.Put(ctx, io.NewSectionReader(r, 0, size))
	}})
}

// object is one that is coming in.
type object struct {
	io.ReaderAt
	size int64
	keep func(ctx context.Context) (storage.Info, error) // makes it a blob; once
}

func (g *Ingest) file(ctx context.Context, r object) (Result, error) {
	size := r.size
	f, err := dicom.Read(ctx, r, size, g.lim)
	if err != nil {
		return Result{}, err
	}
	in, err := dicom.Describe(f)
	if err != nil {
		return Result{}, err
	}
	if g.Check != nil {
		if err := g.Check(ctx, in); err != nil {
			return Result{Instance: in}, err
		}
	}
	known, err := g.index.Instance(ctx, in.SOPUID)
	if err == nil {
		return g.again(ctx, known, in, f, r)
	}
	if !errors.Is(err, index.ErrNotFound) {
		return Result{Instance: in}, err
	}
	info, err := r.keep(ctx)
	if err != nil {
		return Result{Instance: in}, fmt.Errorf("storing DICOM object: %w", err)
	}
	if info.Size != size {
		return Result{Instance: in}, fmt.Errorf("storing DICOM object: %d bytes stored of %d", info.Size, size)
	}
	in.Hash, in.Size = string(info.Hash), info.Size
	added := false
	list := func(also func(tx storage.Querier) error) (bool, error) {
		added, err = g.index.AddFile(ctx, in, f, also)
		return added, err
	}
	if g.Join != nil {
		err = g.Join(ctx, in, list)
	} else {
		_, err = list(nil)
	}
	if errors.Is(err, ErrConflict) {
		// Another sender was first, between the look-up and here. The bytes are
		// read once more, if their blob is: it may be on its way out.
		r.keep = func(ctx context.Context) (storage.Info, error) {
			return g.blobs.Put(ctx, io.NewSectionReader(r, 0, size))
		}
		if known, err = g.index.Instance(ctx, in.SOPUID); err == nil {
			return g.again(ctx, known, in, f, r)
		}
	}
	if err != nil {
		return Result{Instance: in}, err
	}
	if added && g.Added != nil {
		g.Added(context.WithoutCancel(ctx), in)
	}
	return Result{Instance: in, Info: info, Duplicate: !added, Joined: added && g.Join != nil}, nil
}
