package web

import (
	"context"
	"io"
	"net/http"

	"sira/sfu/bulk"
)

// beside makes the bodies of a request wait for what the user's calls leave
// them. It binds every client of that user, whatever it is; Sira's own pages
// send in small pieces besides, so that nothing waits in the link. ctx ends with the connection: a transfer may
// take longer than the work for it.
func (s *Server) beside(ctx context.Context, w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	q := requestOf(r.Context())
	t := &bulk.Transfer{Book: s.cfg.Signaling.Transfers(), User: q.user.ID, Class: bulk.Files, Ctx: ctx}
	q.beside = t
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = besideBody{t.Reader(r.Body), r.Body}
	}
	return besideWriter{w, t}
}

// awaited tells that all in a call wait for what this request carries.
func awaited(r *http.Request) {
	if t := requestOf(r.Context()).beside; t != nil {
		t.Class = bulk.Asked
	}
}

type besideBody struct {
	io.Reader
	io.Closer
}

// besideWriter writes the answer's body. Unwrap lets deadlines and flushing
// reach the connection.
type besideWriter struct {
	http.ResponseWriter
	t *bulk.Transfer
}

func (w besideWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w besideWriter) Write(p []byte) (int, error) { return w.t.Write(w.ResponseWriter, p) }
