package identifier

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// name matches a person's name. Case and accents do not count (PS3.4 section
// C.2.2.2.1 leaves that to the provider). A key with one component group
// matches any group of the value: alphabetic, ideographic or phonetic; one with
// several must match group by group, empty ones matching anything.
func (c Condition) name(key, value string) bool {
	groups := strings.Split(Fold(value), "=")
	keys := strings.Split(Fold(key), "=")
	if len(keys) == 1 {
		for _, g := range groups {
			if g != "" && c.group(keys[0], g) {
				return true
			}
		}
		return false
	}
	for i, k := range keys {
		g := ""
		if i < len(groups) {
			g = groups[i]
		}
		if k != "" && !c.group(k, g) {
			return false
		}
	}
	return true
}

func (c Condition) group(key, value string) bool {
	if c.Kind == Wildcard {
		// "DOE^*" asks for DOE with any given name, or none.
		return wildcard(key, value) || wildcard(key, value+"^")
	}
	return key == value
}

// Fold gives text for comparison: lower case, without accents.
func Fold(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] < 0x80
	}
	if !plain {
		t := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
		if folded, _, err := transform.String(t, s); err == nil {
			s = folded
		}
	}
	return strings.ToLower(s)
}

// Fuzzy is fuzzy semantic matching of names (PS3.4 section C.2.2.2.1.1, whose
// algorithm is the provider's): every word of the key begins some word of the
// value, without regard to order, components, case and accents. Wildcards in
// the key are ignored. A key without a word matches everything.
func Fuzzy(key, value string) bool {
	have := words(value)
	for _, k := range words(key) {
		found := false
		for _, v := range have {
			found = found || strings.HasPrefix(v, k)
		}
		if !found {
			return false
		}
	}
	return true
}

func words(s string) []string {
	return strings.FieldsFunc(Fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && !math.IsNaN(x) && x == y
}
