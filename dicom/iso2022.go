package dicom

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// codeSet is one coded character set of ISO 2022 as DICOM uses them (PS3.3
// tables C.12-3 and C.12-4). Its zero value is none.
type codeSet struct {
	one      *charmap.Charmap  // single byte, upper half
	katakana bool              // JIS X 0201 katakana
	two      encoding.Encoding // double byte, in EUC form
	prefix   byte              // of the EUC form, 0x8F for JIS X 0212
}

var koreanSet = codeSet{two: korean.EUCKR}

// escapes lists the sequences that follow ESC. g1 says which half they set.
var escapes = []struct {
	seq  string
	g1   bool
	kana bool // JIS X 0201 romaji in G0
	set  codeSet
}{
	{seq: "(B"},
	{seq: "(J", kana: true},
	{seq: ")I", g1: true, set: codeSet{katakana: true}},
	{seq: "-A", g1: true, set: codeSet{one: charmap.ISO8859_1}},
	{seq: "-B", g1: true, set: codeSet{one: charmap.ISO8859_2}},
	{seq: "-C", g1: true, set: codeSet{one: charmap.ISO8859_3}},
	{seq: "-D", g1: true, set: codeSet{one: charmap.ISO8859_4}},
	{seq: "-F", g1: true, set: codeSet{one: charmap.ISO8859_7}},
	{seq: "-G", g1: true, set: codeSet{one: charmap.ISO8859_6}},
	{seq: "-H", g1: true, set: codeSet{one: charmap.ISO8859_8}},
	{seq: "-L", g1: true, set: codeSet{one: charmap.ISO8859_5}},
	{seq: "-M", g1: true, set: codeSet{one: charmap.ISO8859_9}},
	{seq: "-T", g1: true, set: codeSet{one: charmap.Windows874}},
	{seq: "-b", g1: true, set: codeSet{one: charmap.ISO8859_15}},
	{seq: "$B", set: codeSet{two: japanese.EUCJP}},
	{seq: "$@", set: codeSet{two: japanese.EUCJP}},
	{seq: "$(D", set: codeSet{two: japanese.EUCJP, prefix: 0x8F}},
	{seq: "$)C", g1: true, set: koreanSet},
	{seq: "$)A", g1: true, set: codeSet{two: simplifiedchinese.GBK}},
}

// decode2022 follows code extensions through one element's value. The initial
// sets return at each delimiter: backslash, control characters and, in person
// names, ^ and = (PS3.5 section 6.1.2.5.3).
func (c *charset) decode2022(b []byte, name bool) (string, bool) {
	var out strings.Builder
	sure := true
	var g0 codeSet // zero: ASCII or, when kana, JIS X 0201 romaji
	g1, kana := c.first, c.kana
	for len(b) > 0 {
		x := b[0]
		if x == 0x1B {
			n := 1
			found := false
			for _, e := range escapes {
				if bytes.HasPrefix(b[1:], []byte(e.seq)) {
					n, found = 1+len(e.seq), true
					if e.g1 {
						g1 = e.set
					} else {
						g0, kana = e.set, e.kana
					}
					break
				}
			}
			sure = sure && found
			b = b[n:]
			continue
		}
		set := g0
		if x >= 0x80 {
			set = g1
		}
		if x > 0x20 && set.two != nil {
			if r, ok := set.pair(b); ok {
				out.WriteString(r)
				b = b[2:]
				continue
			}
		}
		if x < 0x20 || x == '\\' || name && (x == '^' || x == '=') {
			g0, g1, kana = codeSet{}, c.first, c.kana
			set = codeSet{}
		}
		r, ok := set.single(x, kana)
		sure = sure && ok
		out.WriteRune(r)
		b = b[1:]
	}
	return out.String(), sure
}

// pair decodes one double-byte character at the start of b.
func (s codeSet) pair(b []byte) (string, bool) {
	if len(b) < 2 || b[1] < 0x21 {
		return "", false
	}
	euc := []byte{b[0] | 0x80, b[1] | 0x80}
	if s.prefix != 0 {
		euc = append([]byte{s.prefix}, euc...)
	}
	r, err := s.two.NewDecoder().Bytes(euc)
	if err != nil || utf8.RuneCount(r) != 1 || bytes.ContainsRune(r, utf8.RuneError) {
		return "", false
	}
	return string(r), true
}

func (s codeSet) single(x byte, kana bool) (rune, bool) {
	switch {
	case x < 0x80 && kana && x == 0x7E:
		return '‾', true
	case x < 0x80 && (s.two == nil || x <= 0x20):
		return rune(x), true
	case s.katakana && x >= 0xA1 && x <= 0xDF:
		return 0xFF61 + rune(x) - 0xA1, true
	case s.one != nil:
		if r := s.one.DecodeByte(x); r != utf8.RuneError {
			return r, true
		}
	}
	return rune(x), false // as Latin-1
}
