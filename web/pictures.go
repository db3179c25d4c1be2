package web

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"strconv"

	"github.com/disintegration/imaging"

	"sira/dicom/pixel"
	"sira/web/problem"
)

// maxPicture is the longest side of a picture, in pixels.
const maxPicture = 2048

// picture answers a frame as a JPEG in its own window: what a person looks at
// where a viewer would be too much. ?side= bounds its sides.
func (s *Server) picture(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("frame"))
	if err != nil || n < 1 {
		return problem.New("not-found")
	}
	side, err := number(r.URL.Query().Get("side"), 1024)
	if err != nil || side < 16 || side > maxPicture {
		return problem.New("bad-request")
	}
	a, err := s.openInstance(r, actImage)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", forEver)
	if notModified(w, r, fmt.Sprintf(`"%s-%d-p%d"`, a.Hash, n, side)) {
		return nil
	}
	name := fmt.Sprintf("%s.p%d-%d.jpg", a.Hash, n, side)
	raw, ok := s.derived.get(name)
	if !ok {
		if raw, err = s.drawPicture(r, a.Hash, n, int(side)); err != nil {
			return err
		}
		if err := s.derived.put(name, raw); err != nil {
			s.log.Warn("picture not kept", "err", err)
		}
	}
	w.Header().Set("Content-Type", "image/jpeg")
	return sendBody(w, r, raw)
}

func (s *Server) drawPicture(r *http.Request, hash string, n, side int) ([]byte, error) {
	ctx := r.Context()
	o, err := s.openObject(ctx, hash)
	if err != nil {
		return nil, err
	}
	defer o.close()
	if err := s.decoding.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.decoding.release()
	src, err := pixel.Open(o.file, o.blob)
	if err != nil {
		return nil, pixelProblem(err)
	}
	px, err := src.Frame(ctx, n)
	if err != nil {
		return nil, pixelProblem(err)
	}
	img, err := src.FrameInfo(n)
	if err != nil {
		return nil, pixelProblem(err)
	}
	var drawn image.Image = pixel.Render(px, img, pixel.Window{})
	if b := drawn.Bounds(); b.Dx() > side || b.Dy() > side {
		drawn = imaging.Fit(drawn, side, side, imaging.Box)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn, &jpeg.Options{Quality: 80}); err != nil {
		return nil, fmt.Errorf("encoding a picture: %w", err)
	}
	return b.Bytes(), nil
}
