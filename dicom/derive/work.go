package derive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"sira/dicom"
	"sira/dicom/film"
	"sira/dicom/jpeg2000"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
	"sira/dicom/write"
	"sira/storage"
)

// Bounds of what is derived: a frame in work takes about 12 bytes a sample.
const (
	maxSamples = 32 << 20
	maxBytes   = 4 << 30 // of a copy
)

// nothing says why nothing is derived of an object.
type nothing string

func (n nothing) Error() string { return string(n) }

// bad is an object that fails in the same way each time.
type bad struct{ error }

func (b bad) Unwrap() error { return b.error }

// work derives until ctx ends.
func (d *Deriver) work(ctx context.Context) {
	for ctx.Err() == nil {
		hash, err := d.claim(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("derivations stand still", "err", err)
		}
		if hash == "" {
			select {
			case <-ctx.Done():
			case <-d.wake:
			case <-time.After(30 * time.Second): // what was put off
			}
			continue
		}
		d.rouse() // there may be more, for another worker
		d.one(ctx, hash)
	}
}

// one works on a claimed object and writes down what became of it.
func (d *Deriver) one(ctx context.Context, hash string) {
	began := time.Now()
	c, err := d.guarded(ctx, hash)
	var none nothing
	var unfit bad
	var refused *dicom.Error
	after := context.WithoutCancel(ctx)
	switch {
	case err == nil:
		err = d.settle(after, hash, "done", "", c)
		d.log.Debug("derived", "hash", hash, "kind", c.Kind, "frames", len(c.Frames), "bytes", c.Size, "ms", time.Since(began).Milliseconds())
	case ctx.Err() != nil:
		err = d.putOff(after, hash, 0)
	case errors.As(err, &none):
		err = d.settle(after, hash, "none", string(none), Copy{})
	case errors.As(err, &unfit), errors.As(err, &refused), errors.Is(err, storage.ErrNotFound):
		d.log.Warn("nothing can be derived", "hash", hash, "err", err)
		err = d.settle(after, hash, "failed", clip(err.Error()), Copy{})
	case errors.Is(err, storage.ErrNoSpace), errors.Is(err, syscall.ENOSPC): // not the object's fault
		d.log.Warn("no room to derive", "hash", hash, "err", err)
		err = d.putOff(after, hash, 10*time.Minute)
	default: // the store, the database; this claim counts, so it ends some day
		d.log.Warn("derivation put off", "hash", hash, "err", err)
		err = d.renew(after, hash)
	}
	if err != nil {
		d.log.Warn("derivation not written down", "hash", hash, "err", err)
	}
}

func clip(s string) string { return s[:min(len(s), 300)] }

// guarded turns a panic into a failure of the object.
func (d *Deriver) guarded(ctx context.Context, hash string) (c Copy, err error) {
	defer func() {
		if x := recover(); x != nil {
			d.log.Error("derivation panicked", "hash", hash, "panic", x, "stack", string(debug.Stack()))
			err = bad{fmt.Errorf("panic: %v", x)}
		}
	}()
	return d.derive(ctx, hash)
}

func (d *Deriver) derive(ctx context.Context, hash string) (Copy, error) {
	blob, err := d.cfg.Blobs.Open(ctx, storage.Hash(hash))
	if err != nil {
		return Copy{}, fmt.Errorf("opening the original: %w", err)
	}
	defer blob.Close()
	f, err := dicom.Read(ctx, blob, blob.Size(), dicom.Limits{ModelBytes: -1})
	if err != nil {
		return Copy{}, fmt.Errorf("reading the original: %w", err)
	}
	if film.Coding(f.TransferSyntax) != "" {
		return d.film(ctx, hash, f, blob)
	}
	if err := suits(ctx, f, blob); err != nil {
		return Copy{}, err
	}
	tmp, remove, err := d.temp()
	if err != nil {
		return Copy{}, err
	}
	defer remove()
	before := func(int) error { return d.giveWay(ctx, hash) }
	coded, err := transcode.HTJ2K(ctx, f, blob, &limited{w: tmp, left: maxBytes}, before)
	if err != nil {
		return Copy{}, blame(err)
	}
	c, err := d.proven(ctx, hash, tmp, coded)
	if err != nil {
		return Copy{}, err
	}
	info, err := d.cfg.Blobs.Put(ctx, tmp)
	if err != nil {
		return Copy{}, fmt.Errorf("storing a copy: %w", err)
	}
	c.Blob, c.Size = string(info.Hash), info.Size
	return c, nil
}

// temp makes a file for what is being made.
func (d *Deriver) temp() (*os.File, func(), error) {
	tmp, err := os.CreateTemp(d.cfg.TempDir, "sira-derive-")
	if err != nil {
		return nil, nil, fmt.Errorf("making room for a copy: %w", err)
	}
	return tmp, func() { tmp.Close(); os.Remove(tmp.Name()) }, nil
}

// suits says nothing unless f is an image of which a lossless copy is to be made.
func suits(ctx context.Context, f *dicom.File, r storage.Reader) error {
	src, err := pixel.Open(f, r)
	switch {
	case errors.Is(err, pixel.ErrNoPixels):
		return nothing("no pixels")
	case errors.Is(err, pixel.ErrUnsupportedLayout):
		return nothing(clip(err.Error()))
	case err != nil:
		return blame(err)
	case !src.Decodable():
		return nothing("transfer syntax " + f.TransferSyntax + " is not decoded here")
	}
	img := src.Info()
	switch {
	case img.BitsAllocated != 8 && img.BitsAllocated != 16:
		return nothing(fmt.Sprintf("%d bits allocated", img.BitsAllocated))
	case int64(img.Rows)*int64(img.Cols)*int64(img.Samples) > maxSamples:
		return nothing(fmt.Sprintf("%d×%d pixels", img.Cols, img.Rows))
	}
	method, err := transcode.Lossy(ctx, f, r)
	if err != nil {
		return blame(err)
	}
	if method != "" {
		return nothing("stored with loss, " + method)
	}
	return nil
}

// proven decodes the copy frame by frame and compares its samples with those
// that the original decoded to.
func (d *Deriver) proven(ctx context.Context, hash string, tmp *os.File, coded []transcode.Coded) (Copy, error) {
	end, err := tmp.Seek(0, io.SeekEnd)
	if err != nil {
		return Copy{}, fmt.Errorf("reading a copy: %w", err)
	}
	f, err := dicom.Read(ctx, tmp, end, dicom.Limits{ModelBytes: -1})
	if err != nil {
		return Copy{}, bad{fmt.Errorf("reading the copy: %w", err)}
	}
	src, err := pixel.Open(f, tmp)
	if err == nil && src.Info().Frames != len(coded) {
		err = fmt.Errorf("%d frames of %d", src.Info().Frames, len(coded))
	}
	if err != nil {
		return Copy{}, bad{fmt.Errorf("reading the copy: %w", err)}
	}
	c, all := Copy{Kind: HTJ2K, Frames: make([]Frame, len(coded))}, sha256.New()
	for n := 1; n <= len(coded); n++ {
		if err := d.giveWay(ctx, hash); err != nil {
			return Copy{}, err
		}
		p, err := src.Stored(ctx, n)
		if err != nil {
			return Copy{}, blame(err)
		}
		if sumOf(p.Data) != coded[n-1].Sum {
			return Copy{}, bad{fmt.Errorf("frame %d of the copy decodes to other samples", n)}
		}
		all.Write(p.Data)
		at, err := src.Sections(n)
		if err != nil || len(at) != 1 {
			return Copy{}, bad{fmt.Errorf("frame %d of the copy lies in %d pieces: %w", n, len(at), err)}
		}
		c.Frames[n-1] = Frame{Offset: at[0].Offset, Length: at[0].Length, Sum: coded[n-1].Sum, Levels: levels(coded[n-1].Levels)}
	}
	c.Pixels = hex.EncodeToString(all.Sum(nil))
	_, err = tmp.Seek(0, io.SeekStart)
	return c, err
}

// busy: people are served, or objects are coming in.
func (d *Deriver) busy() bool {
	return d.cfg.Busy() || time.Now().UnixMilli()-d.came.Load() < 500
}

func levels(in []jpeg2000.Level) []Level {
	out := make([]Level, len(in))
	for i, l := range in {
		out[i] = Level{l.Width, l.Height, l.Bytes}
	}
	return out
}

// giveWay waits while people are served, though not for ever, and keeps the
// claim.
func (d *Deriver) giveWay(ctx context.Context, hash string) error {
	for waited := time.Duration(0); waited < d.busyFor && ctx.Value(urgent{}) == nil && d.busy(); waited += 50 * time.Millisecond {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := d.renew(ctx, hash); err != nil {
		return fmt.Errorf("keeping a claim: %w", err)
	}
	return ctx.Err()
}

// blame tells an object that cannot be decoded or coded from a store or disk
// that failed.
func blame(err error) error {
	for _, e := range []error{pixel.ErrCorrupt, pixel.ErrTruncated, pixel.ErrTooLarge, pixel.ErrUnsupportedLayout, pixel.ErrUnsupportedSyntax,
		pixel.ErrNoFrame, pixel.ErrNoPixels, transcode.ErrImage, transcode.ErrSyntax, jpeg2000.ErrInput, write.ErrNoInstance, write.ErrEmpty, write.ErrTooLong, errTooLong,
		film.ErrNoFilm, film.ErrCorrupt, film.ErrUnsupported} {
		if errors.Is(err, e) {
			return bad{err}
		}
	}
	return err
}

var errTooLong = errors.New("copy exceeds the size limit")

// limited bounds what is written.
type limited struct {
	w    *os.File
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errTooLong
	}
	return l.w.Write(p)
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
