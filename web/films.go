package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"net/http"

	"github.com/disintegration/imaging"

	"sira/cases"
	"sira/dicom/derive"
	"sira/dicom/film"
	"sira/web/problem"
)

// film answers the film of an object: MP4 where browsers can play it, else the
// stream as it lies, to be kept and opened elsewhere. Range is understood.
func (s *Server) film(w http.ResponseWriter, r *http.Request, a cases.Attachment, o opened) error {
	m, err := film.Open(o.file, o.blob)
	if err != nil {
		return filmProblem(err)
	}
	content, done, err := s.cfg.Derive.Playable(r.Context(), a.Hash, m)
	switch {
	case err == nil:
		defer done()
		s.serveContent(w, r, content, `"`+a.Hash+`-film"`, "video/mp4", a.DICOM.SOPUID+".mp4", true)
		return nil
	case r.Context().Err() != nil:
		return problem.New("unavailable").Because(err)
	case !errors.Is(err, derive.ErrNone):
		return err
	}
	mediaType, ext := m.MediaType()
	s.serveContent(w, r, m.Reader(), `"`+a.Hash+`-d"`, mediaType, a.DICOM.SOPUID+ext, false)
	return nil
}

func filmProblem(err error) error {
	switch {
	case errors.Is(err, film.ErrNoFilm):
		return problem.New("not-found").Because(err)
	case errors.Is(err, film.ErrCorrupt):
		return problem.New("broken-file").Because(err)
	}
	return err
}

// describeFilm says how a film can be shown: "film" in the page, "unsupported"
// only in another program.
func (s *Server) describeFilm(ctx context.Context, hash string, m *instanceManifest) error {
	o, err := s.openObject(ctx, hash)
	if err != nil {
		return err
	}
	defer o.close()
	f, err := film.Open(o.file, o.blob)
	if err != nil {
		return err
	}
	m.FrameTimeMs = f.FrameTimeMs
	if f.Plays() || f.Movable() {
		m.Encoding = "film"
	}
	return nil
}

// filmThumbnail is the poster in the size of thumbnails; own is false of the
// neutral picture that stands for it.
func (s *Server) filmThumbnail(ctx context.Context, hash string) (raw []byte, own bool, err error) {
	raw, own = s.cfg.Derive.Still(ctx, hash)
	if !own {
		return raw, false, nil
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		return film.Neutral(), false, nil
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, imaging.Fit(img, thumbnailSide, thumbnailSide, imaging.Box), &jpeg.Options{Quality: 75}); err != nil {
		return nil, false, fmt.Errorf("encoding a poster: %w", err)
	}
	return b.Bytes(), true, nil
}
