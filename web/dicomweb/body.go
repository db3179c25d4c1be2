package dicomweb

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
)

var gzips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, 5) // 5 is a level
	return z
}}

// body is where an answer of text goes, compressed where the client can.
type body struct {
	w io.Writer
	z *gzip.Writer
}

func (b *body) Write(p []byte) (int, error) {
	if b.z != nil {
		return b.z.Write(p)
	}
	return b.w.Write(p)
}

// Close ends the compression.
func (b *body) Close() error {
	if b.z == nil {
		return nil
	}
	err := b.z.Close()
	gzips.Put(b.z)
	b.z = nil
	return err
}

// jsonWriter begins an answer of JSON. Names of patients are in it: nobody may
// keep it.
func (s *Service) jsonWriter(w http.ResponseWriter, r *http.Request, kind string) *body {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept, Accept-Encoding")
	b := &body{w: w}
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		b.z, _ = gzips.Get().(*gzip.Writer)
		b.z.Reset(w)
	}
	return b
}

func acceptsGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, "gzip") && !strings.HasSuffix(strings.ReplaceAll(q, " ", ""), "q=0") {
			return true
		}
	}
	return false
}
