package web

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"sira/web/problem"
)

// pageCSP is the policy of every answer but documents shown in a frame.
const pageCSP = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
	"media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; object-src 'none'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// documentCSP is for PDF shown in a frame of our own page, by the browser's
// viewer.
const documentCSP = "default-src 'self'; object-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

var requestIDShape = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// outermost is around every request: identity, headers, recovery, access log
// and metrics.
func (s *Server) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{id: r.Header.Get("X-Request-ID"), remote: s.remoteIP(r), surface: "api"}
		if !requestIDShape.MatchString(q.id) {
			q.id = uuid.NewString()
		}
		r = r.WithContext(context.WithValue(r.Context(), contextKey{}, q))
		s.setHeaders(w.Header(), q, r)
		rec := &recorder{ResponseWriter: w}
		start := time.Now()
		s.underWay.Add(1)
		defer func() {
			s.underWay.Add(-1)
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.log.Error("request panicked", "request", q.id, "route", q.route, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					problem.New("internal").Write(rec, q.id)
				}
			}
			s.logAccess(r, q, rec, time.Since(start))
		}()
		next.ServeHTTP(rec, r)
	})
}

func (s *Server) setHeaders(h http.Header, q *request, r *http.Request) {
	h.Set("X-Request-ID", q.id)
	h.Set("Content-Security-Policy", pageCSP)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
	if s.cfg.TLS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Cache-Control", "no-store")
	}
}

// logAccess writes one line and one sample. Routes are patterns: paths may
// name a case, and queries may name a patient.
func (s *Server) logAccess(r *http.Request, q *request, rec *recorder, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	route := q.route
	if route == "" {
		route = "none"
	}
	s.metrics.observe(r.Method, route, status, took)
	s.log.Info("request", "request", q.id, "method", method(r.Method), "route", route, "status", status,
		"ms", took.Milliseconds(), "bytes", rec.bytes, "user", q.user.ID, "remote", q.remote)
}

func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// recorder notes status and size. Unwrap lets hijacking, flushing and
// deadlines reach the connection.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack is for WebSockets; the status noted is the one they answer with.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// crossOrigin refuses changes that another site's page started.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	if s.cfg.PublicURL != "" {
		if err := guard.AddTrustedOrigin(strings.TrimSuffix(s.cfg.PublicURL, "/")); err != nil {
			s.log.Warn("public URL is no origin", "err", err)
		}
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem.New("cross-origin").Write(w, requestOf(r.Context()).id)
	}))
	return guard.Handler(next)
}

// bearer reads an Authorization header (RFC 6750, section 2.1).
func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimSpace(token)
	return token, token != "" && len(token) <= 512
}

func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
