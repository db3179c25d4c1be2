// Package assets serves the built browser interface from an embedded tree:
// compressed once at start-up, stable names, and "?v=HASH" stamped on every
// reference in index.html so that a new build is fetched and an old one kept.
//
// It knows nothing of the API; who may see what is not its business, since
// the interface itself holds no patient's data.
package assets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Site is a tree of files ready to be served.
type Site struct {
	files map[string]*file // by path without leading slash
	// AppRoute tells paths for which index.html is the answer although no
	// such file exists (the interface's own history routes).
	AppRoute func(path string) bool
}

type file struct {
	plain, brotli, gzip []byte
	mediaType           string
	etag                string // quoted hash without the encoding's suffix
	hash                string
}

// Load reads every file below root, stamps index.html and compresses what
// shrinks. root must hold index.html.
func Load(root fs.FS) (*Site, error) {
	s := &Site{files: map[string]*file{}, AppRoute: func(string) bool { return false }}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		s.files[name] = &file{plain: data, mediaType: mediaType(name)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("loading the interface: %w", err)
	}
	index, ok := s.files["index.html"]
	if !ok {
		return nil, fmt.Errorf("loading the interface: %w: index.html", fs.ErrNotExist)
	}
	for _, f := range s.files {
		f.sum()
	}
	index.plain = s.stamp(index.plain)
	index.sum()
	for _, f := range s.files {
		f.compress()
	}
	return s, nil
}

func (f *file) sum() {
	h := sha256.Sum256(f.plain)
	f.hash = hex.EncodeToString(h[:8])
	f.etag = f.hash
}

// stamp appends ?v=HASH to each src="…" and href="…" that names a file of the
// tree.
func (s *Site) stamp(html []byte) []byte {
	out := html
	for _, attr := range []string{`src="`, `href="`} {
		var b bytes.Buffer
		rest := out
		for {
			i := bytes.Index(rest, []byte(attr))
			if i < 0 {
				break
			}
			i += len(attr)
			end := bytes.IndexByte(rest[i:], '"')
			if end < 0 {
				break
			}
			ref := string(rest[i : i+end])
			b.Write(rest[:i])
			b.WriteString(s.stamped(ref))
			rest = rest[i+end:]
		}
		b.Write(rest)
		out = append([]byte(nil), b.Bytes()...)
	}
	return out
}

func (s *Site) stamped(ref string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(ref, "./"), "/")
	if strings.ContainsAny(name, "?#") || name == "index.html" {
		return ref
	}
	f, ok := s.files[name]
	if !ok {
		return ref
	}
	return "/" + name + "?v=" + f.hash
}

// ServeHTTP answers GET and HEAD. A ?v= that matches the content is cached
// for a year; everything else is revalidated by its ETag.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	f, ok := s.files[name]
	if !ok && s.AppRoute("/"+name) {
		f, ok = s.files["index.html"], true
		name = "index.html"
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Vary", "Accept-Encoding")
	if v := r.URL.Query().Get("v"); v != "" && v == f.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	body, encoding := f.choose(r.Header.Get("Accept-Encoding"))
	etag := `"` + f.etag + encoding + `"`
	h.Set("ETag", etag)
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	if match := r.Header.Get("If-None-Match"); match != "" && strings.Contains(match, etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}

// Has tells whether the tree holds the file.
func (s *Site) Has(name string) bool {
	_, ok := s.files[name]
	return ok
}

func mediaType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".wasm":
		return "application/wasm"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}
