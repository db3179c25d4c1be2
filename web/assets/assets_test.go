package assets

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
)

func site(t *testing.T) *Site {
	t.Helper()
	s, err := Load(fstest.MapFS{
		"index.html":     {Data: []byte(`<html><link href="/assets/app.css"><script src="./assets/app.js"></script><a href="/nouvelle">x</a></html>`)},
		"assets/app.js":  {Data: []byte(strings.Repeat("console.log('sira');\n", 100))},
		"assets/app.css": {Data: []byte("body{}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.AppRoute = func(p string) bool { return p == "/nouvelle" }
	return s
}

func get(s *Site, target string, head map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for k, v := range head {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestIndexIsStampedAndRevalidated(t *testing.T) {
	s := site(t)
	w := get(s, "/", nil)
	m := regexp.MustCompile(`src="(/assets/app\.js\?v=[0-9a-f]{16})"`).FindStringSubmatch(w.Body.String())
	if m == nil || !strings.Contains(w.Body.String(), `href="/nouvelle"`) {
		t.Fatalf("stamping went wrong: %s", w.Body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("index.html Cache-Control = %q", got)
	}
	if got := get(s, m[1], nil).Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("stamped file Cache-Control = %q", got)
	}
	if got := get(s, "/assets/app.js?v=0000000000000000", nil).Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("a stale stamp must not be cached for ever: %q", got)
	}
	if got := get(s, "/", map[string]string{"If-None-Match": w.Header().Get("ETag")}).Code; got != http.StatusNotModified {
		t.Errorf("revalidation gave %d", got)
	}
}

func TestFallbackOnlyForAppRoutes(t *testing.T) {
	s := site(t)
	for target, want := range map[string]int{"/nouvelle": 200, "/assets/none.js": 404, "/viewer.html": 404, "/../../etc/passwd": 404} {
		if got := get(s, target, nil).Code; got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
	}
}

func TestEncodings(t *testing.T) {
	s := site(t)
	plain := get(s, "/assets/app.js", nil).Body.String()
	br := get(s, "/assets/app.js", map[string]string{"Accept-Encoding": "gzip, br"})
	if br.Header().Get("Content-Encoding") != "br" {
		t.Fatal("brotli not chosen")
	}
	if got, _ := io.ReadAll(brotli.NewReader(br.Body)); string(got) != plain {
		t.Error("brotli body differs")
	}
	gz := get(s, "/assets/app.js", map[string]string{"Accept-Encoding": "br;q=0, gzip"})
	if gz.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("gzip not chosen")
	}
	zr, err := gzip.NewReader(gz.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(zr); string(got) != plain {
		t.Error("gzip body differs")
	}
	if br.Header().Get("ETag") == gz.Header().Get("ETag") {
		t.Error("two encodings share a strong ETag")
	}
}
