package dicomweb

import (
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
)

// parts writes a multipart/related answer (PS3.18 section 8.6.1.2). Nothing is
// sent before the first part, so that an error until then has its own status.
type parts struct {
	w     http.ResponseWriter
	m     *multipart.Writer
	kind  string
	begun bool
}

func newParts(w http.ResponseWriter, kind string) *parts {
	return &parts{w: w, m: multipart.NewWriter(w), kind: kind}
}

// part writes one part.
func (p *parts) part(contentType, location string, body io.Reader) error {
	w, err := p.open(contentType, location)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, body)
	return err
}

// open begins a part.
func (p *parts) open(contentType, location string) (io.Writer, error) {
	if !p.begun {
		p.begun = true
		p.w.Header().Set("Content-Type", `multipart/related; type="`+p.kind+`"; boundary=`+p.m.Boundary())
		immutable(p.w.Header())
	}
	h := textproto.MIMEHeader{"Content-Type": {contentType}, "Mime-Version": {"1.0"}}
	if location != "" {
		h.Set("Content-Location", location)
	}
	return p.m.CreatePart(h)
}

func (p *parts) close() error { return p.m.Close() }

// immutable lets the client keep what will never change, for as long as a
// right to see it is not asked again.
func immutable(h http.Header) {
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Vary", "Accept, Cookie, Authorization")
}
