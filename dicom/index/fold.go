package index

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letters are those that have no decomposition, the ones of Malian languages
// among them.
var letters = strings.NewReplacer("ɛ", "e", "ɔ", "o", "ɲ", "n", "ŋ", "n", "ɓ", "b", "ɗ", "d", "ƴ", "y",
	"œ", "oe", "æ", "ae", "ø", "o", "ß", "ss", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i", "’", "'")

// Fold makes text comparable: lower case, without accents, single spaces.
func Fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.Join(strings.Fields(strings.ToLower(s)), " ")
	}
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(strings.ToLower(s)))
	return strings.Join(strings.Fields(letters.Replace(s)), " ")
}

// foldName folds a person's name: its first component group that is not empty,
// without empty components at the end. TRAORÉ^Awa^^ becomes traore^awa.
func foldName(name string) string {
	group := ""
	for _, g := range strings.Split(name, "=") {
		if g = strings.TrimRight(g, "^ "); g != "" {
			group = g
			break
		}
	}
	parts := strings.Split(Fold(group), "^")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return strings.Join(parts, "^")
}

// maxWords bounds the words kept of a name.
const maxWords = 16

// nameWords are the folded words of a name, all component groups, each once.
func nameWords(name string) []string {
	words := strings.FieldsFunc(Fold(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(words)
	words = slices.Compact(words)
	return words[:min(len(words), maxWords)]
}

// day gives a date as YYYYMMDD, also of the old YYYY.MM.DD, "" when it is none.
func day(s string) string {
	s = strings.NewReplacer(".", "", "-", "").Replace(s)
	if len(s) != 8 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// clock gives a time as HHMMSS[.f], what is missing as zero, "" when it is none.
func clock(s string) string {
	s = strings.ReplaceAll(s, ":", "")
	whole, fraction, _ := strings.Cut(s, ".")
	if len(whole) < 2 || len(whole) > 6 || len(whole)%2 == 1 || strings.Trim(whole+fraction, "0123456789") != "" || len(fraction) > 6 {
		return ""
	}
	whole += "000000"[len(whole):]
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		return whole + "." + fraction
	}
	return whole
}

// Day reads a date as the index keeps it, YYYYMMDD.
func Day(s string) (string, bool) {
	d := day(s)
	return d, d != ""
}

// Clock reads a time as the index keeps it, HHMMSS[.f]. What is missing is the
// earliest or, for the upper end of a range, the latest.
func Clock(s string, upper bool) (string, bool) {
	if upper {
		if n := len(strings.ReplaceAll(s, ":", "")); n == 2 || n == 4 {
			s = strings.ReplaceAll(s, ":", "") + "5959"[n-2:]
		}
	}
	c := clock(s)
	return c, c != ""
}
