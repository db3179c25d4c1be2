package dicomweb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"time"

	"sira/dicom/index"
	"sira/dicom/pixel"
)

// rendered answers pictures (PS3.18 section 10.4.1.1.3). A client that takes
// multipart gets every frame of what it names; one that takes a single picture
// gets the first frame of an instance, of a study or series that of the middle
// instance.
func (s *Service) rendered(w http.ResponseWriter, r *http.Request, c *call) error {
	l, err := parseLook(r.URL.RawQuery)
	if err != nil {
		return err
	}
	var numbers []int
	if text := r.PathValue("frames"); text != "" {
		if numbers, err = frameList(text); err != nil {
			return err
		}
	}
	list, err := s.objects(r.Context(), c)
	if err != nil {
		return err
	}
	film := c.sop != "" && numbers == nil && coding(list[0].Syntax) != ""
	for _, m := range c.accept {
		if film && m.is(typeMP4) {
			return s.sendFilm(w, r, list[0])
		}
		for _, kind := range []string{typeJPEG, typePNG} {
			switch {
			case !m.is(kind):
			case m.multipart || m.any && len(numbers) > 1:
				return s.sendPictures(w, r, c, list, numbers, l, kind)
			case len(numbers) <= 1:
				return s.sendPicture(w, r, list, append(numbers, 1)[0], l, kind)
			}
		}
	}
	return notAcceptable()
}

// thumbnail answers a small picture of the middle (PS3.18 section 10.4.1.1.4).
func (s *Service) thumbnail(w http.ResponseWriter, r *http.Request, c *call) error {
	l, err := parseLook(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if l.width == 0 {
		l.width, l.height, l.asked = thumbnailSide, thumbnailSide, true
	}
	n := 0
	if text := r.PathValue("frames"); text != "" {
		numbers, err := frameList(text)
		if err != nil {
			return err
		}
		n = numbers[0]
	}
	kind, ok := c.single(typeJPEG, typePNG)
	if !ok {
		return notAcceptable()
	}
	list, err := s.objects(r.Context(), c)
	if err != nil {
		return err
	}
	if o := list[len(list)/2]; coding(o.Syntax) != "" {
		return s.sendStill(w, r, o, l, kind)
	}
	return s.sendPicture(w, r, list, n, l, kind)
}

// middle is the object that stands for a list: the middle one of those with
// frames, or of those that follow when it can't be shown.
func (s *Service) middle(ctx context.Context, list []index.Object) (object, *pixel.Source, index.Object, error) {
	var first error
	for i := range min(len(list), 8) {
		o := list[(len(list)/2+i)%len(list)]
		f, err := s.files.open(ctx, o.Hash)
		if err != nil {
			return object{}, nil, o, err
		}
		src, err := pixel.Open(f.File, f.blob)
		if err == nil && !src.Decodable() {
			err = fmt.Errorf("rendering: %w", pixel.ErrUnsupportedSyntax)
		}
		if err == nil {
			return f, src, o, nil
		}
		f.close()
		if first == nil {
			first = err
		}
	}
	return object{}, nil, index.Object{}, first
}

// sendPicture answers one picture; frame 0 is the middle one.
func (s *Service) sendPicture(w http.ResponseWriter, r *http.Request, list []index.Object, n int, l look, kind string) error {
	f, src, o, err := s.middle(r.Context(), list)
	if err != nil {
		return noPicture(err)
	}
	defer f.close()
	if n == 0 {
		n = (src.Info().Frames + 1) / 2
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s|%d|%s|%s", o.Hash, n, kind, r.URL.RawQuery)
	tag := fmt.Sprintf(`"%x"`, h.Sum64())
	w.Header().Set("ETag", tag)
	immutable(w.Header())
	if r.Header.Get("If-None-Match") == tag {
		if _, err := src.FrameInfo(n); err == nil {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	data, err := s.picture(r.Context(), src, n, l, kind)
	if err != nil {
		return noPicture(err)
	}
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// noPicture: an object without pixels is there, only not as a picture.
func noPicture(err error) error {
	if errors.Is(err, pixel.ErrNoPixels) {
		return notAcceptable().Because(err)
	}
	return err
}

// sendPictures answers all frames named, one part each. Objects without
// pictures are left out.
func (s *Service) sendPictures(w http.ResponseWriter, r *http.Request, c *call, list []index.Object, numbers []int, l look, kind string) error {
	out := newParts(w, kind)
	var first error
	for _, o := range list {
		err := s.picturesOf(r.Context(), c, out, o, numbers, l, kind)
		if err != nil && out.begun && r.Context().Err() != nil {
			s.cut(r, err)
		}
		if err != nil && first == nil {
			first = err
		}
	}
	if !out.begun {
		return noPicture(first)
	}
	if err := out.close(); err != nil {
		s.cut(r, err)
	}
	return nil
}

func (s *Service) picturesOf(ctx context.Context, c *call, out *parts, o index.Object, numbers []int, l look, kind string) error {
	f, err := s.files.open(ctx, o.Hash)
	if err != nil {
		return err
	}
	defer f.close()
	src, err := pixel.Open(f.File, f.blob)
	if err != nil {
		return err
	}
	if !src.Decodable() {
		return fmt.Errorf("rendering: %w", pixel.ErrUnsupportedSyntax)
	}
	if numbers == nil {
		for n := range src.Info().Frames {
			numbers = append(numbers, n+1)
		}
	}
	for _, n := range numbers {
		data, err := s.picture(ctx, src, n, l, kind)
		if err != nil {
			return err
		}
		if err := out.part(kind, fmt.Sprintf("%s/frames/%d/rendered", address(c, o), n), bytes.NewReader(data)); err != nil {
			return err
		}
	}
	return nil
}
