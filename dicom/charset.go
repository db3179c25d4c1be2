package dicom

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// charset is a Specific Character Set (0008,0005) put to use (PS3.3 section
// C.12.1.1.2, PS3.5 section 6.1). The nil charset is the default repertoire.
type charset struct {
	whole  encoding.Encoding // GB18030 and GBK: no code extensions
	utf8   bool
	first  codeSet // G1 at the start of each value
	kana   bool    // G0 is JIS X 0201 at the start
	extend bool    // ISO 2022 escapes may occur
	sure   bool    // every defined term was understood
}

// singleByte are the single-byte sets that fill G1.
var singleByte = map[string]codeSet{
	"IR 100": {one: charmap.ISO8859_1},
	"IR 101": {one: charmap.ISO8859_2},
	"IR 109": {one: charmap.ISO8859_3},
	"IR 110": {one: charmap.ISO8859_4},
	"IR 144": {one: charmap.ISO8859_5},
	"IR 127": {one: charmap.ISO8859_6},
	"IR 126": {one: charmap.ISO8859_7},
	"IR 138": {one: charmap.ISO8859_8},
	"IR 148": {one: charmap.ISO8859_9},
	"IR 203": {one: charmap.ISO8859_15},
	"IR 166": {one: charmap.Windows874},
	"IR 13":  {katakana: true},
}

// multiByte are the sets reached by ISO 2022 escapes alone, and wholeText those
// that have none.
var (
	multiByte = []string{"IR 58", "IR 87", "IR 149", "IR 159"}
	wholeText = []string{"GB18030", "GBK", "IR 192"}
)

// CharacterSets lists the defined terms of Specific Character Set (0008,0005)
// that are understood; other spellings of them are too.
func CharacterSets() []string {
	out := []string{"ISO_IR 6"}
	for name := range singleByte {
		out = append(out, "ISO_"+name, "ISO 2022 "+name)
	}
	for _, name := range multiByte {
		out = append(out, "ISO 2022 "+name)
	}
	for _, name := range wholeText {
		if strings.HasPrefix(name, "IR") {
			name = "ISO_" + name
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func parseCharset(raw []byte) *charset {
	c := &charset{sure: true}
	terms := strings.Split(string(raw), `\`)
	c.extend = len(terms) > 1
	for i, term := range terms {
		term = normalTerm(term)
		name := strings.TrimPrefix(term, "2022 ")
		c.extend = c.extend || name != term
		set, single := singleByte[name]
		switch {
		case name == "" || name == "IR 6":
		case name == "IR 192":
			c.utf8 = true
		case name == "GB18030":
			c.whole = simplifiedchinese.GB18030
		case name == "GBK":
			c.whole = simplifiedchinese.GBK
		case single && i == 0:
			c.first, c.kana = set, set.katakana
		case single:
		case slices.Contains(multiByte, name):
			c.extend = true
			if i == 0 && name == "IR 149" { // seen without the empty first value
				c.first = koreanSet
			}
		default:
			c.sure = false
		}
	}
	return c
}

// normalTerm brings "ISO_IR 100", "ISO-IR 100", "iso 2022 ir 100", … to
// "IR 100" and "2022 IR 100".
func normalTerm(s string) string {
	s = strings.ToUpper(strings.Trim(s, " \x00"))
	s = strings.NewReplacer("_", " ", "-", " ").Replace(s)
	s = strings.Join(strings.Fields(s), " ")
	return strings.TrimSpace(strings.TrimPrefix(s, "ISO"))
}

// decode turns a value into UTF-8; sure is false when it had to guess.
func (c *charset) decode(b []byte, vr string) (text string, sure bool) {
	ascii := true
	for _, x := range b {
		if x >= 0x80 || x == 0x1B {
			ascii = false
			break
		}
	}
	switch {
	case ascii:
		return string(b), true
	case !charsetVR[vr]:
		return latin1(b), false
	case c == nil:
		return guess(b)
	case c.utf8:
		if utf8.Valid(b) {
			return string(b), true
		}
		return latin1(b), false
	case c.whole != nil:
		if s, err := c.whole.NewDecoder().Bytes(b); err == nil {
			return string(s), !strings.ContainsRune(string(s), utf8.RuneError)
		}
		return latin1(b), false
	case c.first == (codeSet{}) && !c.extend && !c.kana:
		return guess(b) // the default repertoire does not hold these bytes
	}
	text, ok := c.decode2022(b, vr == "PN")
	return text, ok && c.sure
}

// guess serves files that use characters without saying which.
func guess(b []byte) (string, bool) {
	if utf8.Valid(b) {
		return string(b), false
	}
	return latin1(b), false
}

func latin1(b []byte) string {
	s, err := charmap.ISO8859_1.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(s)
}
