package cases

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// alike are letters of the national languages that stand on few keyboards, under
// those that people type for them.
var alike = map[rune]string{'ɛ': "e", 'ɔ': "o", 'ɲ': "ny", 'ŋ': "ng", 'ɓ': "b", 'ɗ': "d", 'ƴ': "y", 'ɣ': "g",
	'œ': "oe", 'æ': "ae", 'ß': "ss", 'ø': "o", 'ł': "l", 'ı': "i", '’': "'", 'ʼ': "'"}

// fold is s without accents (Unicode UAX 15, form KD, less the marks) and in
// lower case, so that what is alike to people is alike to LIKE.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		r = unicode.ToLower(r)
		if plain, ok := alike[r]; ok {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// maxWords bounds the conditions of one search.
const maxWords = 8

// patterns makes one LIKE pattern of each word of a query, escaped with '!'.
func patterns(query string) []string {
	escape := strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`)
	words := strings.Fields(fold(strings.Map(dropControl, strings.ToValidUTF8(query, ""))))
	if len(words) > maxWords {
		words = words[:maxWords]
	}
	for i, w := range words {
		words[i] = "%" + escape.Replace(w) + "%"
	}
	return words
}

func dropControl(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
