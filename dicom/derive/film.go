package derive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sira/dicom"
	"sira/dicom/film"
	"sira/storage"
)

// posterSide is the longest side of a poster, in pixels.
const posterSide = 640

// film derives of a film what browsers need: MP4 where it lies in something
// else, and a poster. A poster that cannot be drawn is no failure.
func (d *Deriver) film(ctx context.Context, hash string, f *dicom.File, r storage.Reader) (Copy, error) {
	m, err := film.Open(f, r)
	if err != nil {
		return Copy{}, blame(err)
	}
	c := Copy{Kind: Film}
	if !m.Plays() && m.Movable() {
		if err := d.giveWay(ctx, hash); err != nil {
			return Copy{}, err
		}
		if c.Blob, c.Size, err = d.moved(ctx, m); err != nil {
			return Copy{}, blame(err)
		}
	}
	raw, err := d.poster(ctx, m)
	if ctx.Err() != nil {
		return Copy{}, ctx.Err()
	}
	if err != nil && film.Posters() {
		d.log.Info("film without poster", "hash", hash, "err", err)
	}
	if err == nil {
		info, err := d.cfg.Blobs.Put(ctx, bytes.NewReader(raw))
		if err != nil {
			return Copy{}, fmt.Errorf("storing a poster: %w", err)
		}
		c.Poster = string(info.Hash)
	}
	return c, nil
}

func (d *Deriver) moved(ctx context.Context, m *film.Film) (blob string, size int64, err error) {
	spool, removeSpool, err := d.temp()
	if err != nil {
		return "", 0, err
	}
	defer removeSpool()
	out, removeOut, err := d.temp()
	if err != nil {
		return "", 0, err
	}
	defer removeOut()
	if err := m.MP4(ctx, spool, out); err != nil {
		return "", 0, err
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return "", 0, fmt.Errorf("reading a moved film: %w", err)
	}
	info, err := d.cfg.Blobs.Put(ctx, out)
	if err != nil {
		return "", 0, fmt.Errorf("storing a moved film: %w", err)
	}
	return string(info.Hash), info.Size, nil
}

func (d *Deriver) poster(ctx context.Context, m *film.Film) ([]byte, error) {
	tmp, remove, err := d.temp()
	if err != nil {
		return nil, err
	}
	defer remove()
	return m.Poster(ctx, tmp, posterSide)
}

// Playable gives a film as browsers play it: as it lies, or moved into MP4,
// which is waited for. ErrNone when browsers do not play it.
func (d *Deriver) Playable(ctx context.Context, hash string, m *film.Film) (content io.ReadSeeker, done func(), err error) {
	if m.Plays() {
		return m.Reader(), func() {}, nil
	}
	if d == nil || !m.Movable() {
		return nil, nil, ErrNone
	}
	for range 2 { // a copy may turn out to be lost
		if _, err := d.Now(ctx, hash); err != nil {
			return nil, nil, err
		}
		_, blob, err := d.Open(ctx, hash, Film)
		if err == nil {
			return blob, func() { blob.Close() }, nil
		}
		if !errors.Is(err, ErrNone) {
			return nil, nil, err
		}
	}
	return nil, nil, ErrNone
}

// Still gives a picture that stands for a film, a JPEG no larger than 640×640:
// its poster, or a neutral one while there is none. It waits a little for the
// first.
func (d *Deriver) Still(ctx context.Context, hash string) (raw []byte, own bool) {
	if d == nil {
		return film.Neutral(), false
	}
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := d.Now(wait, hash); err == nil {
		if raw, err := d.Poster(ctx, hash); err == nil {
			return raw, true
		}
	}
	return film.Neutral(), false
}

// urgent marks the context of work that somebody waits for.
type urgent struct{}

// Now sees to it that an object is derived from before it returns, whatever
// the queue holds: somebody waits for it. Errors: ErrNone when nothing came of
// it, those of ctx.
func (d *Deriver) Now(ctx context.Context, hash string) (Copy, error) {
	if _, err := d.queue(ctx, []string{hash}); err != nil {
		return Copy{}, err
	}
	for {
		state, _, err := d.State(ctx, hash)
		if err != nil {
			return Copy{}, err
		}
		if state != "wait" {
			return d.Get(ctx, hash)
		}
		mine, err := d.take(ctx, hash)
		if err != nil {
			return Copy{}, err
		}
		if mine {
			d.one(context.WithValue(ctx, urgent{}, true), hash)
			c, err := d.Get(ctx, hash)
			if errors.Is(err, ErrNone) && ctx.Err() != nil {
				err = ctx.Err()
			}
			return c, err
		}
		select { // another is at it
		case <-ctx.Done():
			return Copy{}, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
