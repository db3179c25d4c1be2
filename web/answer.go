package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"

	"sira/cases"
	"sira/dicom"
	"sira/dicom/index"
	"sira/storage"
	"sira/web/assets"
	"sira/web/problem"
)

// brotliLevel trades a few percent of size for a tenth of the time.
const brotliLevel = 5

// readJSON reads a body of at most limit bytes into v.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	raw, err := readBody(w, r, limit)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return problem.New("bad-request").Because(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return problem.New("bad-request")
	}
	return nil
}

// readBody reads a JSON body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil, problem.New("media-type")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, problem.New("too-large")
	}
	if err != nil {
		return nil, problem.New("bad-request").Because(err)
	}
	return raw, nil
}

// writeJSON answers with v. A GET carries a weak ETag of the content and is
// answered 304 when the client has it.
func (s *Server) writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if status == http.StatusOK && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		sum := sha256.Sum256(raw)
		h.Set("Cache-Control", "private, no-cache")
		if notModified(w, r, `W/"`+hex.EncodeToString(sum[:12])+`"`) {
			return nil
		}
	}
	return writeCompressed(w, r, status, raw)
}

// notModified sets the ETag and answers 304 when the client has it.
func notModified(w http.ResponseWriter, r *http.Request, etag string) bool {
	w.Header().Set("ETag", etag)
	if match := r.Header.Get("If-None-Match"); match == "" || !strings.Contains(match, strings.TrimPrefix(etag, "W/")) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// writeCompressed sends the body as brotli or gzip when the client takes it
// and there is enough of it.
func writeCompressed(w http.ResponseWriter, r *http.Request, status int, raw []byte) error {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	enc := assets.Negotiate(r.Header.Get("Accept-Encoding"))
	if len(raw) < 512 {
		enc = ""
	}
	body, err := compress(enc, raw)
	if err != nil {
		return fmt.Errorf("compressing an answer: %w", err)
	}
	if enc != "" {
		h.Set("Content-Encoding", enc)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone: nobody to tell
	}
	return nil
}

func compress(enc string, raw []byte) ([]byte, error) {
	var b bytes.Buffer
	var zw io.WriteCloser
	switch enc {
	case "br":
		zw = brotli.NewWriterLevel(&b, brotliLevel)
	case "gzip":
		zw = gzip.NewWriter(&b)
	default:
		return raw, nil
	}
	if _, err := zw.Write(raw); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// fail answers with the problem that err is, or that it means.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	q := requestOf(r.Context())
	p := s.problemOf(r.Context(), err)
	if p.Status >= 500 && !errors.Is(err, context.Canceled) {
		s.log.Error("request failed", "request", q.id, "route", q.route, "code", p.Code, "err", err)
	}
	p.Write(w, q.id)
}

// problemOf finds the words for an error of any room.
func (s *Server) problemOf(ctx context.Context, err error) *problem.Problem {
	var p *problem.Problem
	var invalid *cases.UserError
	var conflict *cases.ConflictError
	var broken *dicom.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &invalid):
		return invalidProblem(invalid)
	case errors.As(err, &conflict):
		return s.conflictProblem(ctx, conflict)
	case errors.Is(err, cases.ErrNotFound), errors.Is(err, index.ErrNotFound):
		return problem.New("not-found").Because(err)
	case errors.Is(err, cases.ErrForbidden):
		return problem.New("forbidden").Because(err)
	case errors.Is(err, cases.ErrConflict):
		return problem.New("conflict").Because(err)
	case errors.As(err, &broken):
		return problem.New("broken-file").Because(err)
	case errors.Is(err, storage.ErrNoSpace):
		return problem.New("disk-full").Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return problem.New("unavailable").Because(err)
	}
	return problem.New("internal").Because(err)
}
