package uploads

import (
	"bytes"
	"net/http"
	"strings"

	"sira/web/problem"
)

// tusWriter turns the library's plain-text errors into problem bodies and its
// absolute Location into a path: behind a proxy it would name the wrong scheme.
type tusWriter struct {
	http.ResponseWriter
	s      *Service
	r      *http.Request
	status int // above zero: an error is being held back
	held   bytes.Buffer
}

// Unwrap lets http.ResponseController reach the connection's deadlines.
func (w *tusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *tusWriter) WriteHeader(status int) {
	h := w.Header()
	if loc := h.Get("Location"); loc != "" {
		if i := strings.Index(loc, w.s.cfg.BasePath); i >= 0 {
			h.Set("Location", loc[i:])
		}
	}
	if ext := h.Get("Tus-Extension"); ext != "" {
		h.Set("Tus-Extension", ext+",expiration")
	}
	if status >= 400 && h.Get("Content-Type") != problem.MediaType {
		w.status = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *tusWriter) Write(p []byte) (int, error) {
	if w.status > 0 {
		if w.held.Len() < 1024 {
			w.held.Write(p)
		}
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// codes maps the library's error codes; those missing depend on the status.
var codes = map[string]string{
	"ERR_UPLOAD_NOT_FOUND":     "upload-unknown",
	"ERR_MISMATCHED_OFFSET":    "upload-offset",
	"ERR_UPLOAD_LOCKED":        "upload-locked",
	"ERR_LOCK_TIMEOUT":         "upload-locked",
	"ERR_MAX_SIZE_EXCEEDED":    "upload-too-large",
	"ERR_UPLOAD_SIZE_EXCEEDED": "upload-too-large",
	"ERR_UNEXPECTED_EOF":       "upload-cut",
	"ERR_READ_TIMEOUT":         "upload-cut",
	"ERR_CONNECTION_RESET":     "upload-cut",
	"ERR_UPLOAD_INTERRUPTED":   "upload-cut",
	"ERR_SERVER_SHUTDOWN":      "unavailable",
	"ERR_UNSUPPORTED_VERSION":  "tus-version",
}

func (w *tusWriter) finish() {
	if w.status == 0 {
		return
	}
	code, _, _ := strings.Cut(w.held.String(), ":")
	name, ok := codes[code]
	switch {
	case ok:
	case w.status == http.StatusMethodNotAllowed:
		name = "method"
	case w.status == http.StatusForbidden:
		name = "forbidden"
	case w.status < 500:
		name = "upload-bad"
	default:
		name = "internal"
		w.s.log.ErrorContext(w.r.Context(), "upload handler failed", "code", code)
	}
	p := problem.New(name)
	if name == "upload-too-large" {
		p = p.Saying("Ce fichier dépasse la taille permise ("+French(w.s.cfg.MaxBytes)+"). Découpez-le ou envoyez les séries séparément.").With("max", w.s.cfg.MaxBytes)
	}
	if w.r.Method == http.MethodHead {
		w.Header().Del("Content-Type")
		w.ResponseWriter.WriteHeader(p.Status)
		return
	}
	p.Write(w.ResponseWriter, w.s.cfg.RequestID(w.r.Context()))
}
