package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"sira/dicom"
	"sira/dicom/index"
	"sira/storage"
)

// Source is who sends an object: a device or a user. It is told to whoever
// decides about quarantined objects.
type Source struct {
	Device string // AE title
	Remote string // its address
	User   string // user ID
	Case   string // case the object is meant for
}

type sourceKey struct{}

// From says in a context who sends what File and Stream take in.
func From(ctx context.Context, s Source) context.Context {
	return context.WithValue(ctx, sourceKey{}, s)
}

func sourceOf(ctx context.Context) Source {
	s, _ := ctx.Value(sourceKey{}).(Source)
	return s
}

// again decides about an object whose UID is known. With the same data set in
// the same transfer syntax it is the known instance: preamble and file meta
// information belong to whoever wrote the file. Else it goes to quarantine.
func (g *Ingest) again(ctx context.Context, known, in dicom.Instance, f *dicom.File, r object) (Result, error) {
	same := Result{Instance: known, Info: storage.Info{Hash: storage.Hash(known.Hash), Size: known.Size}, Duplicate: true}
	whole, err := hashFrom(ctx, r, 0, f.Size)
	if err != nil {
		return Result{Instance: in}, err
	}
	if whole == known.Hash {
		// Storing it again costs little, and mends a blob that was lost.
		if same.Info, err = r.keep(ctx); err != nil {
			return Result{Instance: in}, fmt.Errorf("storing DICOM object: %w", err)
		}
		return same, nil
	}
	if known.TransferSyntax == in.TransferSyntax {
		ours, err := hashFrom(ctx, r, f.DataSetOffset(), f.Size)
		if err != nil {
			return Result{Instance: in}, err
		}
		theirs, err := g.dataSetHash(ctx, known)
		if err != nil {
			return Result{Instance: in}, err
		}
		if ours == theirs {
			return same, nil
		}
	}
	return Result{Instance: in}, g.quarantine(ctx, in, r)
}

// dataSetHash gives the hash of a stored instance's data set, read from its
// blob once and then kept.
func (g *Ingest) dataSetHash(ctx context.Context, known dicom.Instance) (string, error) {
	hash, err := g.index.DataSetHash(ctx, known.SOPUID)
	if err != nil || hash != "" {
		return hash, err
	}
	f, blob, err := g.stored(ctx, known.Hash)
	if err != nil {
		return "", err
	}
	defer blob.Close()
	if hash, err = hashFrom(ctx, blob, f.DataSetOffset(), f.Size); err != nil {
		return "", err
	}
	return hash, g.index.SetDataSetHash(ctx, known.SOPUID, hash)
}

// stored opens and reads an object of ours; the caller closes the blob.
func (g *Ingest) stored(ctx context.Context, hash string) (*dicom.File, storage.Reader, error) {
	blob, err := g.blobs.Open(ctx, storage.Hash(hash))
	if err != nil {
		return nil, nil, fmt.Errorf("opening a stored object: %w", err)
	}
	f, err := dicom.Read(ctx, blob, blob.Size(), g.lim)
	if err != nil {
		blob.Close()
		return nil, nil, fmt.Errorf("reading a stored object: %w", err)
	}
	return f, blob, nil
}

// Complete adds to the index what it keeps today of objects that an earlier
// version indexed. It may be stopped at any time.
func (g *Ingest) Complete(ctx context.Context) (int, error) {
	return g.index.Backfill(ctx, func(ctx context.Context, hash string) (*dicom.File, error) {
		f, blob, err := g.stored(ctx, hash)
		if err != nil {
			return nil, err
		}
		return f, blob.Close()
	})
}

// quarantine keeps the bytes for a person to decide; the answer is ErrConflict.
func (g *Ingest) quarantine(ctx context.Context, in dicom.Instance, r object) error {
	g.releasing.Lock()
	defer g.releasing.Unlock()
	info, err := r.keep(ctx)
	if err != nil {
		return fmt.Errorf("storing an object for quarantine: %w", err)
	}
	in.Hash, in.Size = string(info.Hash), info.Size
	src := sourceOf(ctx)
	if err := g.index.Quarantine(ctx, index.Quarantined{Instance: in, Device: src.Device, Sender: src.User, Remote: src.Remote, Case: src.Case}); err != nil {
		return err
	}
	if g.Quarantined != nil {
		g.Quarantined(ctx)
	}
	return fmt.Errorf("taking in DICOM object: %w", ErrConflict)
}

// Discard ends the quarantine of an object by forgetting it; its bytes go when
// nothing else names them. Errors: index.ErrNotFound.
func (g *Ingest) Discard(ctx context.Context, id string) error {
	g.releasing.Lock()
	defer g.releasing.Unlock()
	hash, orphan, err := g.index.Release(ctx, id)
	if err != nil || !orphan {
		return err
	}
	if err := g.blobs.Delete(ctx, storage.Hash(hash)); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("deleting a quarantined object: %w", err)
	}
	return nil
}

// hashFrom hashes the bytes from one offset to another.
func hashFrom(ctx context.Context, r io.ReaderAt, from, to int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, cancellable{ctx, io.NewSectionReader(r, from, to-from)}); err != nil {
		return "", fmt.Errorf("comparing DICOM object: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
