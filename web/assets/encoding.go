package assets

import (
	"bytes"
	"compress/gzip"
	"math/bits"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
)

// smallest is the size under which compression isn't worth a header.
const smallest = 256

func (f *file) compress() {
	if len(f.plain) < smallest || !compressible(f.mediaType) {
		return
	}
	var b bytes.Buffer
	// The encoder's tables are as large as its window: one no larger than the
	// file keeps the start of a server within a few megabytes.
	window := min(max(bits.Len(uint(len(f.plain))), 10), 22)
	bw := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: window})
	_, _ = bw.Write(f.plain) // a bytes.Buffer takes everything
	if bw.Close() == nil && b.Len() < len(f.plain) {
		f.brotli = append([]byte(nil), b.Bytes()...)
	}
	b.Reset()
	gw, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return
	}
	_, _ = gw.Write(f.plain)
	if gw.Close() == nil && b.Len() < len(f.plain) {
		f.gzip = append([]byte(nil), b.Bytes()...)
	}
}

func (f *file) choose(accept string) (body []byte, encoding string) {
	switch enc := Negotiate(accept); {
	case enc == "br" && f.brotli != nil:
		return f.brotli, "br"
	case enc != "" && f.gzip != nil && accepts(accept, "gzip"):
		return f.gzip, "gzip"
	default:
		return f.plain, ""
	}
}

func compressible(mediaType string) bool {
	base, _, _ := strings.Cut(mediaType, ";")
	switch base {
	case "application/json", "application/manifest+json", "application/wasm", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(base, "text/")
}

// Negotiate picks "br", "gzip" or "" from an Accept-Encoding header (RFC 9110,
// section 12.5.3).
func Negotiate(accept string) string {
	if accepts(accept, "br") {
		return "br"
	}
	if accepts(accept, "gzip") {
		return "gzip"
	}
	return ""
}

func accepts(header, coding string) bool {
	star := false
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		ok := true
		if q, found := strings.CutPrefix(strings.TrimSpace(params), "q="); found {
			v, err := strconv.ParseFloat(q, 64)
			ok = err == nil && v > 0
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case coding:
			return ok
		case "*":
			star = ok
		}
	}
	// "*" stands for gzip only: a client that writes it rarely speaks brotli.
	return star && coding == "gzip"
}
