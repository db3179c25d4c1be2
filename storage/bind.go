package storage

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// rebind turns each ? of a query into PostgreSQL's $1, $2, …, leaving those in
// string literals, quoted identifiers and comments alone.
func rebind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var out strings.Builder
	out.Grow(len(query) + 16)
	n := 0
	for i := 0; i < len(query); {
		if query[i] == '?' {
			n++
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(n))
			i++
			continue
		}
		end := i + max(1, opaqueLen(query[i:]))
		out.WriteString(query[i:end])
		i = end
	}
	return out.String()
}

// opaqueLen is the length of the literal, quoted name or comment that s starts
// with, 0 if it starts with none. An unclosed one reaches to the end of s: the
// database will say so. A doubled quote reads as two adjacent literals, which
// ends at the same place.
func opaqueLen(s string) int {
	closing := ""
	switch {
	case s[0] == '\'' || s[0] == '"':
		closing = s[:1]
	case strings.HasPrefix(s, "--"):
		closing = "\n"
	case strings.HasPrefix(s, "/*"):
		return blockCommentLen(s)
	default:
		return 0
	}
	start := len(closing)
	if i := strings.Index(s[start:], closing); i >= 0 {
		return start + i + len(closing)
	}
	return len(s)
}

// blockCommentLen follows PostgreSQL, where block comments nest.
func blockCommentLen(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(s)
}

// portable gives arguments the two forms that the schema has, text and integer,
// so that both dialects store the same. SQLite would otherwise keep bytes as a
// BLOB, which never equals text, and PostgreSQL refuse a boolean for a BIGINT.
func portable(args []any) []any {
	var out []any
	for i, arg := range args {
		if p, changed := portableArg(arg); changed {
			if out == nil {
				out = append([]any(nil), args...)
			}
			out[i] = p
		}
	}
	if out == nil {
		return args
	}
	return out
}

func portableArg(arg any) (any, bool) {
	switch v := arg.(type) {
	case nil, string, int, int64:
		return arg, false
	case bool:
		if v {
			return int64(1), true
		}
		return int64(0), true
	case time.Time:
		return v.UnixMilli(), true
	case []byte:
		if v == nil {
			return nil, true
		}
		return string(v), true
	}
	switch rv := reflect.ValueOf(arg); rv.Kind() {
	case reflect.Slice: // named byte slices, such as json.RawMessage
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			if rv.IsNil() {
				return nil, true
			}
			return string(rv.Bytes()), true
		}
	case reflect.Bool:
		return portableArg(rv.Bool())
	}
	return arg, false
}
