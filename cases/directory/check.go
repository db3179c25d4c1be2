package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxID   = 64  // bytes
	maxText = 300 // runes
)

// invalid names the field that is wrong; it never holds its content.
func invalid(field string) error { return fmt.Errorf("%w: %s", ErrInvalid, field) }

// checkID accepts what can stand in a URL path as it is.
func checkID(field, id string) error {
	if id == "" || len(id) > maxID {
		return invalid(field)
	}
	for _, r := range id {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return invalid(field)
		}
	}
	return nil
}

// checkText accepts one line of any script.
func checkText(field, s string) error {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText || strings.ContainsFunc(s, unicode.IsControl) {
		return invalid(field)
	}
	return nil
}

// checkLogin accepts 1 to 64 letters, digits and the marks of e-mail addresses.
func checkLogin(login string) error {
	if login == "" || len(login) > 64 || !utf8.ValidString(login) {
		return invalid("login")
	}
	for _, r := range login {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_@+", r) {
			return invalid("login")
		}
	}
	return nil
}

func loginKey(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

func checkUser(u User) error {
	if err := checkLogin(u.Login); err != nil {
		return err
	}
	for _, v := range []struct{ field, text string }{{"name", u.Name}, {"title", u.Title}, {"phone", u.Phone}} {
		if err := checkText(v.field, v.text); err != nil {
			return err
		}
	}
	if u.Name == "" {
		return invalid("name")
	}
	if !slices.Contains(Roles, u.Role) {
		return invalid("role")
	}
	for i, s := range u.Specialties {
		if !IsSpecialty(s) || slices.Contains(u.Specialties[:i], s) {
			return invalid("specialties")
		}
	}
	return nil
}

// checkPassword wants what OWASP ASVS 5.0 section 6.2 asks of length, and no
// rule on which characters.
func checkPassword(p string) error {
	if n := utf8.RuneCountInString(p); n < 8 || n > 256 || !utf8.ValidString(p) {
		return ErrWeakPassword
	}
	return nil
}
