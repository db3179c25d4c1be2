package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"image/jpeg"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/disintegration/imaging"

	"sira/cases"
	"sira/cases/audit"
	"sira/storage"
	"sira/web/problem"
	"sira/web/uploads"
)

// thumbnailSide is the longest side of a thumbnail, in pixels.
const thumbnailSide = 256

// forEver is the caching of what is named by its content. It is the user's
// own: a shared cache must not keep it.
const forEver = "private, max-age=31536000, immutable"

// inlineTypes may be shown in the page; everything else is a download.
var inlineTypes = map[string]bool{"image/jpeg": true, "image/png": true, "image/webp": true, "application/pdf": true, "video/mp4": true, "video/quicktime": true}

// attachment answers the bytes of a file, whole or by ranges.
func (s *Server) attachment(w http.ResponseWriter, r *http.Request) error {
	inline := r.URL.Query().Get("inline") != ""
	act := actDownload
	if inline {
		act = actFile
	}
	st, err := s.open(r, cases.View, audit.Entry{Action: act, Object: clip(r.PathValue("aid"), 64)})
	if err != nil {
		return err
	}
	a, err := attachmentOf(st, r.PathValue("aid"))
	if err != nil {
		return err
	}
	if a.Kind == "still" {
		awaited(r) // all in the call look at it together
	}
	return s.serveBlob(w, r, a.Hash, a.MediaType, a.Name, inline)
}

// serveBlob answers a blob under a media type that our own detection gave it.
func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request, hash, mediaType, name string, inline bool) error {
	blob, err := s.blob(r.Context(), hash)
	if err != nil {
		return err
	}
	defer blob.Close()
	s.serveContent(w, r, blob, `"`+hash+`"`, mediaType, name, inline)
	return nil
}

func (s *Server) serveContent(w http.ResponseWriter, r *http.Request, content io.ReadSeeker, etag, mediaType, name string, inline bool) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("ETag", etag)
	h.Set("Cache-Control", forEver)
	inline = inline && inlineTypes[mediaType]
	h.Set("Content-Disposition", disposition(name, inline))
	if inline && mediaType == "application/pdf" {
		h.Set("Content-Security-Policy", documentCSP)
	}
	http.ServeContent(w, r, "", time.Time{}, content)
}

func (s *Server) blob(ctx context.Context, hash string) (storage.Reader, error) {
	h, err := storage.ParseHash(hash)
	if err != nil {
		return nil, problem.New("not-found").Because(err)
	}
	blob, err := s.cfg.Blobs.Open(ctx, h)
	if errors.Is(err, storage.ErrNotFound) {
		// The case names it, so it should be there: the store lost it or is away.
		return nil, problem.New("unavailable").Because(err)
	}
	if err != nil {
		return nil, problem.New("unavailable").Because(err)
	}
	return blob, nil
}

// disposition writes a file name of any script (RFC 6266, RFC 8187).
func disposition(name string, inline bool) string {
	kind := "attachment"
	if inline {
		kind = "inline"
	}
	name = uploads.CleanName(name)
	ascii := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7E || strings.ContainsRune(`"\;%`, r) {
			return '_'
		}
		return r
	}, name)
	out := mime.FormatMediaType(kind, map[string]string{"filename": ascii})
	if ascii != name {
		out += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return out
}

// attachmentThumbnail answers a JPEG of a photo, or of a DICOM instance.
func (s *Server) attachmentThumbnail(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.View, audit.Entry{Action: actImage})
	if err != nil {
		return err
	}
	a, err := attachmentOf(st, r.PathValue("aid"))
	if err != nil {
		return err
	}
	return s.serveThumbnail(w, r, a)
}

func (s *Server) serveThumbnail(w http.ResponseWriter, r *http.Request, a cases.Attachment) error {
	etag := `"` + clip(a.Hash, 64) + `-t"`
	w.Header().Set("Cache-Control", forEver)
	if notModified(w, r, etag) {
		return nil
	}
	raw, own, err := s.thumbnail(r.Context(), a)
	if err != nil {
		return err
	}
	h := w.Header()
	if !own {
		h.Set("Cache-Control", "private, max-age=60")
		h.Del("ETag")
	}
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", fmt.Sprint(len(raw)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(raw) // the client is gone: nobody to tell
	}
	return nil
}

// thumbnail computes a thumbnail once and keeps it, unless it is not the file's
// own.
func (s *Server) thumbnail(ctx context.Context, a cases.Attachment) (raw []byte, own bool, err error) {
	name := a.Hash + ".thumb.2.jpg"
	if raw, ok := s.derived.get(name); ok {
		return raw, true, nil
	}
	switch a.Kind {
	case "photo", "still":
		raw, err = s.photoThumbnail(ctx, a)
		own = true
	case "dicom":
		raw, own, err = s.dicomThumbnail(ctx, a)
	default:
		return nil, false, problem.New("no-preview")
	}
	if err != nil || !own {
		return raw, own, err
	}
	if err := s.derived.put(name, raw); err != nil {
		s.log.Warn("thumbnail not kept", "err", err)
	}
	return raw, true, nil
}

func (s *Server) photoThumbnail(ctx context.Context, a cases.Attachment) ([]byte, error) {
	blob, err := s.blob(ctx, a.Hash)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	head := make([]byte, min(blob.Size(), 256<<10))
	if _, err := blob.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, problem.New("unavailable").Because(err)
	}
	img, err := uploads.DecodePhoto(ctx, blob, blob.Size())
	if err != nil {
		if ctx.Err() != nil {
			return nil, problem.New("unavailable").Because(err)
		}
		return nil, problem.New("no-preview").Because(err)
	}
	small := imaging.Fit(img, thumbnailSide, thumbnailSide, imaging.Box)
	turned := upright(small, exifOrientation(head))
	flat := imaging.OverlayCenter(imaging.New(turned.Bounds().Dx(), turned.Bounds().Dy(), color.White), turned, 1)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, flat, &jpeg.Options{Quality: 75}); err != nil {
		return nil, fmt.Errorf("encoding a thumbnail: %w", err)
	}
	return b.Bytes(), nil
}
