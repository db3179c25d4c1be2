package pdu

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// eachItem walks items of the form type, reserved, 16-bit length, value, which
// must fill b exactly.
func eachItem(b []byte, fn func(kind byte, value []byte) error) error {
	for n := 0; len(b) > 0; n++ {
		if n == maxItems {
			return invalid("more than %d items", maxItems)
		}
		if len(b) < itemHeaderSize {
			return invalid("%d bytes after the last item", len(b))
		}
		kind, size := b[0], int(binary.BigEndian.Uint16(b[2:]))
		b = b[itemHeaderSize:]
		if size > len(b) {
			return invalid("item %#02x of %d bytes where %d remain", kind, size, len(b))
		}
		if err := fn(kind, b[:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// uid reads a UID without padding (PS3.5 section 9). Leading zeros in its
// components are wrong but common, and let through.
func uid(b []byte) (string, error) {
	s := strings.TrimRight(string(b), "\x00 ")
	if !ValidUID(s) {
		return "", invalid("%q is not a UID", limited(s))
	}
	return s, nil
}

// ValidUID tells whether s is 1 to 64 digits and dots, with no empty component.
func ValidUID(s string) bool {
	if s == "" || len(s) > MaxUID {
		return false
	}
	previous := byte('.')
	for i := range len(s) {
		if c := s[i]; c == '.' && previous == '.' || c != '.' && (c < '0' || c > '9') {
			return false
		}
		previous = s[i]
	}
	return previous != '.'
}

// aeTitle reads a 16-byte application entity title: printable ASCII without
// backslash, spaces around it not significant (PS3.5 section 6.2, VR AE).
func aeTitle(b []byte) (string, error) {
	s := strings.Trim(string(b), "\x00 ")
	if !ValidTitle(s) && s != "" {
		return "", invalid("%q is not an AE title", limited(s))
	}
	return s, nil
}

// ValidTitle tells whether s is an AE title: 1 to 16 printable ASCII characters
// without backslash, no space at either end.
func ValidTitle(s string) bool {
	if s == "" || len(s) > aeSize || strings.Trim(s, " ") != s {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}

func limited(s string) string {
	if len(s) > MaxUID {
		return s[:MaxUID] + "…"
	}
	return s
}

func appendTitle(b []byte, s string) []byte {
	b = append(b, s...)
	for i := len(s); i < aeSize; i++ {
		b = append(b, ' ')
	}
	return b
}

// encoder appends items and remembers the first one that did not fit.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) item(kind byte, value func(*encoder)) {
	start := len(e.b)
	e.b = append(e.b, kind, 0, 0, 0)
	value(e)
	e.size(start+2, fmt.Sprintf("item %#02x", kind))
}

func (e *encoder) text(kind byte, s string) {
	e.item(kind, func(e *encoder) { e.b = append(e.b, s...) })
}

// field appends a value with its 16-bit length before it.
func (e *encoder) field(value []byte) {
	at := len(e.b)
	e.b = append(append(e.b, 0, 0), value...)
	e.size(at, "field")
}

// size writes the 16-bit length at offset at of all that follows it.
func (e *encoder) size(at int, what string) {
	n := len(e.b) - at - 2
	if n > maxItem && e.err == nil {
		e.err = fmt.Errorf("%s of %d bytes, at most %d", what, n, maxItem)
	}
	binary.BigEndian.PutUint16(e.b[at:], uint16(n))
}
