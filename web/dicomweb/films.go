package dicomweb

import (
	"bytes"
	"errors"
	"image/jpeg"
	"net/http"
	"time"

	"sira/dicom/derive"
	"sira/dicom/film"
	"sira/dicom/index"
)

const typeMP4 = "video/mp4"

// coding is film.Coding.
func coding(syntax string) string { return film.Coding(syntax) }

// sendFilm answers a film as MP4 (PS3.18 table 8.7.4-1), by ranges if need be.
func (s *Service) sendFilm(w http.ResponseWriter, r *http.Request, o index.Object) error {
	f, err := s.files.open(r.Context(), o.Hash)
	if err != nil {
		return err
	}
	defer f.close()
	m, err := film.Open(f.File, f.blob)
	if err != nil {
		return err
	}
	content, done, err := s.cfg.Derive.Playable(r.Context(), o.Hash, m)
	if errors.Is(err, derive.ErrNone) {
		return notAcceptable().Because(err)
	}
	if err != nil {
		return err
	}
	defer done()
	h := w.Header()
	h.Set("Content-Type", typeMP4)
	h.Set("ETag", `"`+o.Hash+`-film"`)
	immutable(h)
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// sendStill answers the picture that stands for a film.
func (s *Service) sendStill(w http.ResponseWriter, r *http.Request, o index.Object, l look, kind string) error {
	raw, own := s.cfg.Derive.Still(r.Context(), o.Hash)
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		return notAcceptable().Because(err)
	}
	data, err := encode(l.fit(img), l, kind)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	if immutable(w.Header()); !own {
		w.Header().Set("Cache-Control", "private, max-age=60")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}
