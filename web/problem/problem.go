// Package problem writes errors as RFC 9457 problem details: one shape for
// every surface, French words that say what to do next, and never a name, a
// path or an inner error of the server.
package problem

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// MediaType is the content type of every error body (RFC 9457, section 3).
const MediaType = "application/problem+json"

// Problem is one error as the client reads it. It is an error itself, so that
// handlers return it.
type Problem struct {
	Status int    // HTTP status
	Code   string // stable, kebab-case; type is "urn:sira:problem:" + Code
	Title  string // French, short
	Detail string // French, what to do next
	// Extra holds further members, such as "by" and "at" of a conflict.
	Extra map[string]any
	// RetryAfter is told in the Retry-After header when above zero.
	RetryAfter time.Duration
	// Cause is logged and never sent.
	Cause error
}

// Error gives the code, for logs.
func (p *Problem) Error() string {
	if p.Cause != nil {
		return fmt.Sprintf("%s (%d): %v", p.Code, p.Status, p.Cause)
	}
	return fmt.Sprintf("%s (%d)", p.Code, p.Status)
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// New makes a problem from the catalogue; an unknown code becomes "internal".
func New(code string) *Problem {
	c, ok := catalogue[code]
	if !ok {
		c, code = catalogue["internal"], "internal"
	}
	return &Problem{Status: c.status, Code: code, Title: c.title, Detail: c.detail}
}

// Because adds the cause, which is logged only.
func (p *Problem) Because(err error) *Problem {
	p.Cause = err
	return p
}

// With adds a member.
func (p *Problem) With(key string, value any) *Problem {
	if p.Extra == nil {
		p.Extra = map[string]any{}
	}
	p.Extra[key] = value
	return p
}

// Saying replaces the detail.
func (p *Problem) Saying(detail string) *Problem {
	p.Detail = detail
	return p
}

// JSON encodes the problem; instance is the request ID.
func (p *Problem) JSON(instance string) []byte {
	body := map[string]any{}
	for k, v := range p.Extra {
		body[k] = v
	}
	body["type"] = "urn:sira:problem:" + p.Code
	body["title"] = p.Title
	body["status"] = p.Status
	body["code"] = p.Code
	if p.Detail != "" {
		body["detail"] = p.Detail
	}
	if instance != "" {
		body["instance"] = instance
	}
	raw, err := json.Marshal(body)
	if err != nil { // only an Extra value that JSON cannot hold
		return []byte(`{"type":"urn:sira:problem:internal","code":"internal","status":500,"title":"Erreur interne"}`)
	}
	return raw
}

// Write answers with the problem.
func (p *Problem) Write(w http.ResponseWriter, instance string) {
	raw := p.JSON(instance)
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "ETag", "Last-Modified", "Content-Disposition", "Content-Length", "Accept-Ranges"} {
		h.Del(name)
	}
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		secs := int64((p.RetryAfter + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.FormatInt(secs, 10))
	}
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(raw) // the client is gone: nobody to tell
}
