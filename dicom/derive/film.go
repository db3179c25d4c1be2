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
			d.one(ctx, hash)
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
