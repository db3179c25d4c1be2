package storage

import (
	"encoding/hex"
	"fmt"
	"hash"
)

// Hash is the name of a blob: the SHA-256 of its content (FIPS 180-4) as 64
// lower-case hexadecimal characters.
type Hash string

const hashLen = 64

// ParseHash checks that s is a well-formed Hash. It accepts lower case only, so
// that a blob has exactly one name.
func ParseHash(s string) (Hash, error) {
	if len(s) != hashLen {
		return "", fmt.Errorf("hash has %d characters, want %d", len(s), hashLen)
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", fmt.Errorf("hash has a character that is not lower-case hexadecimal at %d", i)
		}
	}
	return Hash(s), nil
}

func sumOf(h hash.Hash) Hash { return Hash(hex.EncodeToString(h.Sum(nil))) }
