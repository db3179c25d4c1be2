package dicomweb

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	typeDICOM = "application/dicom"
	typeJSON  = "application/dicom+json"
	typeOctet = "application/octet-stream"
	typeJPEG  = "image/jpeg"
	typePNG   = "image/png"

	maxAccepts = 32
)

// media is one media range a client accepts (PS3.18 section 8.7.4). Of
// multipart/related, kind is the type of its parts.
type media struct {
	kind      string // "image/jpeg", "image/*", "*/*"
	multipart bool
	any       bool   // */* or multipart/*: single part and multipart both do
	syntax    string // transfer-syntax parameter: UID, "*", or ""
	q         float64
}

// accepted reads what the client accepts, the best first. The query parameter
// accept goes before the header (PS3.18 section 8.3.3.1). None is everything.
func accepted(r *http.Request) ([]media, error) {
	text := strings.Join(r.Header.Values("Accept"), ",")
	if raw := r.URL.RawQuery; strings.Contains(raw, "accept=") {
		if v := r.URL.Query().Get("accept"); v != "" {
			text = v
		}
	}
	if strings.TrimSpace(text) == "" {
		text = "*/*"
	}
	if len(text) > 8<<10 {
		return nil, badRequest("L’en-tête Accept est trop long.")
	}
	var out []media
	for _, part := range splitQuoted(text) {
		if m, ok := parseMedia(part); ok && m.q > 0 {
			out = append(out, m)
		}
		if len(out) == maxAccepts {
			break
		}
	}
	if len(out) == 0 {
		return nil, notAcceptable()
	}
	slices.SortStableFunc(out, func(a, b media) int {
		switch {
		case a.q > b.q:
			return -1
		case a.q < b.q:
			return 1
		}
		return 0
	})
	return out, nil
}

// splitQuoted splits at commas outside quotes.
func splitQuoted(s string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				i++
			}
		case ',':
			if !quoted {
				out = append(out, s[start:i])
				start = i + 1
			}
		}
	}
	return append(out, s[start:])
}

func parseMedia(text string) (media, bool) {
	if strings.TrimSpace(text) == "" {
		return media{}, false
	}
	kind, params, err := mime.ParseMediaType(unquoteTypes(text))
	if err != nil {
		return media{}, false
	}
	m := media{kind: kind, syntax: params["transfer-syntax"], q: 1}
	if q, ok := params["q"]; ok {
		if m.q, err = strconv.ParseFloat(q, 64); err != nil || m.q > 1 {
			return media{}, false
		}
	}
	switch kind {
	case "*/*":
		m.any = true
	case "multipart/related", "multipart/*":
		m.multipart = true
		if m.kind = strings.ToLower(params["type"]); m.kind == "" {
			m.kind = "*/*"
		}
	}
	return m, true
}

// unquoteTypes helps clients that write type=application/dicom or
// transfer-syntax=* without the quotes that RFC 2045 wants around "/" and "*".
func unquoteTypes(text string) string {
	parts := strings.Split(text, ";")
	for i, p := range parts[1:] {
		name, value, ok := strings.Cut(strings.TrimSpace(p), "=")
		value = strings.TrimSpace(value)
		if ok && !strings.HasPrefix(value, `"`) && strings.ContainsAny(value, "/*") {
			parts[i+1] = " " + strings.TrimSpace(name) + `="` + value + `"`
		}
	}
	return strings.Join(parts, ";")
}

// is reports whether the range covers a media type.
func (m media) is(kind string) bool {
	if m.kind == kind || m.kind == "*/*" {
		return true
	}
	family, ok := strings.CutSuffix(m.kind, "/*")
	return ok && strings.HasPrefix(kind, family+"/")
}

// single finds the first range that takes one body of one of the kinds.
func (c *call) single(kinds ...string) (string, bool) {
	for _, m := range c.accept {
		if m.multipart {
			continue
		}
		for _, k := range kinds {
			if m.is(k) {
				return k, true
			}
		}
	}
	return "", false
}

// jsonAccepted reports whether DICOM JSON may be sent, and as what.
func (c *call) jsonAccepted() (string, error) {
	if kind, ok := c.single(typeJSON, "application/json"); ok {
		return kind, nil
	}
	return "", notAcceptable()
}
