package cases

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Bounds of what people write, in runes, and of lists.
const (
	maxText        = 20_000
	maxName        = 300
	maxShort       = 100
	maxTo          = 10
	maxIdentifiers = 20
)

// refuse makes a UserError at a field; more are pairs of name and value.
func refuse(code, field string, more ...string) error {
	params := map[string]string{}
	if field != "" {
		params["field"] = field
	}
	for i := 0; i+1 < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	return &UserError{Code: code, Params: params}
}

// within moves a UserError's field into an outer one.
func within(outer string, err error) error {
	e, ok := err.(*UserError)
	if !ok {
		return err
	}
	params := map[string]string{}
	for k, v := range e.Params {
		params[k] = v
	}
	params["field"] = strings.TrimSuffix(outer+"."+e.Params["field"], ".")
	return &UserError{Code: e.Code, Params: params}
}

// text normalises what may have several lines: line ends become \n, spaces
// around go. Other control characters are refused, NUL among them, which
// PostgreSQL could not keep.
func text(field string, s *string, required bool) error {
	*s = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(*s, "\r\n", "\n"), "\r", "\n"))
	return bounded(field, *s, required, maxText, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	})
}

// line normalises what has one line.
func line(field string, s *string, required bool, most int) error {
	*s = strings.TrimSpace(*s)
	return bounded(field, *s, required, most, unicode.IsControl)
}

func bounded(field, s string, required bool, most int, forbidden func(rune) bool) error {
	switch {
	case !utf8.ValidString(s):
		return refuse("invalid-utf8", field)
	case strings.ContainsFunc(s, forbidden):
		return refuse("control-character", field)
	case required && s == "":
		return refuse("required", field)
	case utf8.RuneCountInString(s) > most:
		return refuse("too-long", field, "max", itoa(most))
	}
	return nil
}

// isUUID accepts the one canonical spelling (RFC 9562 section 4, lower case).
func isUUID(s string) bool {
	if len(s) != 36 || strings.ToLower(s) != s {
		return false
	}
	id, err := uuid.Parse(s)
	return err == nil && id != uuid.Nil
}

// isUserID accepts what can be an ID of the directory.
func isUserID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
