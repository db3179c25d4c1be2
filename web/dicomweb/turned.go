package dicomweb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/index"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
	"sira/storage"
)

// sendTurned answers one object in a syntax that it is not stored in.
func (s *Service) sendTurned(w http.ResponseWriter, r *http.Request, o index.Object, to string) error {
	h := w.Header()
	begin := func() {
		h.Set("Content-Type", typeDICOM+"; transfer-syntax="+to)
		h.Set("Content-Disposition", `attachment; filename="`+o.SOP+`.dcm"`)
		immutable(h)
	}
	if to == transcode.HTJ2KRPCL {
		if c, blob, ok := s.copyOf(r.Context(), o.Hash); ok {
			defer blob.Close()
			begin()
			h.Set("ETag", `"`+c.Blob+`"`)
			http.ServeContent(w, r, "", time.Time{}, blob)
			return nil
		}
	}
	out := &lazy{open: func() (io.Writer, error) { begin(); return w, nil }}
	err := s.turn(r.Context(), o, to, out)
	if err != nil && out.w != nil {
		s.cut(r, err)
	}
	return err
}

// turnedPart writes one object among others. One for which the syntax asked
// for has no form, such as a report or a segmentation of single bits, goes in
// Explicit VR Little Endian, which every client reads (PS3.18 section 8.7.3.5);
// a film goes as it is.
func (s *Service) turnedPart(r *http.Request, c *call, out *parts, o index.Object, to string) error {
	for _, as := range []string{to, transcode.ExplicitLE} {
		w := &lazy{open: func() (io.Writer, error) {
			return out.open(typeDICOM+"; transfer-syntax="+as, address(c, o))
		}}
		err := s.turn(r.Context(), o, as, w)
		if err == nil || w.w != nil || !noForm(err) {
			return err
		}
	}
	return s.sendPart(r, c, out, o, "*")
}

func noForm(err error) bool {
	for _, e := range []error{transcode.ErrImage, transcode.ErrSyntax, pixel.ErrNoPixels, pixel.ErrUnsupportedLayout, pixel.ErrUnsupportedSyntax, pixel.ErrTooLarge} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// turn writes an object in a syntax; nothing is written when that cannot be.
func (s *Service) turn(ctx context.Context, o index.Object, to string, w io.Writer) error {
	select {
	case s.turning <- struct{}{}:
		defer func() { <-s.turning }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if derive.Syntax(to) {
		if _, blob, ok := s.copyOf(ctx, o.Hash); ok {
			defer blob.Close()
			f, err := dicom.Read(ctx, blob, blob.Size(), dicom.Limits{ModelBytes: -1})
			if err != nil {
				return err
			}
			return transcode.Relabel(ctx, f, blob, to, w)
		}
	}
	f, err := s.files.open(ctx, o.Hash)
	if err != nil {
		return err
	}
	defer f.close()
	return transcode.Transcode(ctx, f.File, f.blob, to, w)
}

// copyOf opens the HTJ2K copy of an object, if there is one.
func (s *Service) copyOf(ctx context.Context, hash string) (derive.Copy, storage.Reader, bool) {
	if s.cfg.Derive == nil {
		return derive.Copy{}, nil, false
	}
	c, blob, err := s.cfg.Derive.Open(ctx, hash, derive.HTJ2K)
	if err != nil && !errors.Is(err, derive.ErrNone) && ctx.Err() == nil {
		s.cfg.Logger.Warn("opening a derived copy", "hash", hash, "err", err) // it can be made
	}
	return c, blob, err == nil
}

// lazy opens its writer at the first byte, so that what fails before can be
// answered otherwise.
type lazy struct {
	open func() (io.Writer, error)
	w    io.Writer
}

func (l *lazy) Write(p []byte) (n int, err error) {
	if l.w == nil {
		if l.w, err = l.open(); err != nil {
			return 0, err
		}
	}
	return l.w.Write(p)
}
