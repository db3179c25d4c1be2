package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"sira/dicom/derive"
	"sira/dicom/pixel"
	"sira/web/assets"
	"sira/web/problem"
)

// maxReduce is the strongest reduction of a frame: 1/64 in each direction.
const maxReduce = 6

// gate bounds how many frames are decoded at once, and so memory.
type gate chan struct{}

func (g gate) acquire(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return problem.New("unavailable").Because(ctx.Err())
	}
}

func (g gate) release() { <-g }

// frame answers one frame, numbered from 1: stored values for the viewer to
// window, or the JPEG that the object holds.
func (s *Server) frame(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("frame"))
	if err != nil || n < 1 {
		return problem.New("not-found")
	}
	reduce, err := number(r.URL.Query().Get("reduce"), 0)
	if err != nil || reduce > maxReduce {
		return problem.New("bad-request")
	}
	a, err := s.openInstance(r, actImage)
	if err != nil {
		return err
	}
	enc := assets.Negotiate(r.Header.Get("Accept-Encoding"))
	h := w.Header()
	h.Set("Cache-Control", forEver)
	h.Add("Vary", "Accept-Encoding")
	if notModified(w, r, fmt.Sprintf(`"%s-%d-%d%s"`, a.Hash, n, reduce, enc)) {
		return nil
	}
	o, err := s.openObject(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer o.close()
	src, err := pixel.Open(o.file, o.blob)
	if err != nil {
		return pixelProblem(err)
	}
	if data, mediaType, ok, err := src.Encoded(r.Context(), n); err != nil {
		return pixelProblem(err)
	} else if ok {
		h.Set("Content-Type", mediaType)
		return sendBody(w, r, data)
	}
	hash := a.Hash
	if reduce == 0 || o.file.Pixel.Native != nil {
		hash = "" // decoding what is there is as quick
	}
	body, px, err := s.rawFrame(r.Context(), src, hash, n, int(reduce), enc)
	if err != nil {
		return err
	}
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Sira-Rows", strconv.Itoa(px.Rows))
	h.Set("Sira-Columns", strconv.Itoa(px.Cols))
	if enc != "" {
		h.Set("Content-Encoding", enc)
	}
	return sendBody(w, r, body)
}

// rawFrame decodes, reduces and compresses one frame. A reduced one of a
// compressed object is taken from the first bytes of the derived copy of hash,
// where there is one: nothing is decoded then that is not shown.
func (s *Server) rawFrame(ctx context.Context, src *pixel.Source, hash string, n, reduce int, enc string) ([]byte, *pixel.Pixels, error) {
	if err := s.decoding.acquire(ctx); err != nil {
		return nil, nil, err
	}
	defer s.decoding.release()
	if src.Info().SampleBits() > 16 {
		return nil, nil, problem.New("unsupported") // no browser shows 32-bit samples
	}
	px, err := s.framePixels(ctx, src, hash, n, reduce)
	if err != nil {
		return nil, nil, pixelProblem(err)
	}
	body, err := compress(enc, px.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("compressing a frame: %w", err)
	}
	return body, px, nil
}

func (s *Server) framePixels(ctx context.Context, src *pixel.Source, hash string, n, reduce int) (*pixel.Pixels, error) {
	if hash != "" {
		img, err := src.FrameInfo(n)
		if err != nil {
			return nil, err
		}
		px, err := s.cfg.Derive.Reduced(ctx, hash, n, reduce, img)
		if err == nil {
			return px, nil
		}
		if !errors.Is(err, derive.ErrNone) {
			s.log.Warn("reduced frame not taken from the copy", "hash", hash, "err", err)
		}
	}
	px, err := src.Frame(ctx, n)
	if err == nil && reduce > 0 {
		px = pixel.Reduce(px, reduce)
	}
	return px, err
}

func sendBody(w http.ResponseWriter, r *http.Request, body []byte) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone: nobody to tell
	}
	return nil
}
