package dicom

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCharacterSets has the examples of PS3.5 annexes H to K and others.
func TestCharacterSets(t *testing.T) {
	for name, c := range map[string]struct {
		set, raw, want string
		sure           bool
	}{
		"default":       {"", "TRAORE^Awa", "TRAORE^Awa", true},
		"latin 1":       {"ISO_IR 100", "Buc^J\xe9r\xf4me", "Buc^Jérôme", true},
		"latin 2":       {"ISO_IR 101", "W\xb3adys\xb3aw", "Władysław", true},
		"latin 9":       {"ISO_IR 203", "\xa4\xbd", "€œ", true},
		"cyrillic":      {"ISO_IR 144", "\xbb\xee\xdacek", "Люкcek", true},
		"arabic":        {"ISO_IR 127", "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار", true},
		"greek":         {"ISO_IR 126", "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος", true},
		"hebrew":        {"ISO_IR 138", "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה", true},
		"thai":          {"ISO_IR 166", "\xb9\xd2\xc2", "นาย", true},
		"utf-8":         {"ISO_IR 192", "Wang^XiaoDong=王^小東=", "Wang^XiaoDong=王^小東=", true},
		"bambara":       {"ISO_IR 192", "KONÉ^Ɲɛnɛba", "KONÉ^Ɲɛnɛba", true},
		"gb18030":       {"GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=", true},
		"gbk":           {"GBK", "\xcd\xf5", "王", true},
		"kanji (H.3.1)": {`\ISO 2022 IR 87`, "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B", "Yamada^Tarou=山田^太郎=やまだ^たろう", true},
		"kana (H.3.2)":  {`ISO 2022 IR 13\ISO 2022 IR 87`, "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", true},
		"hangul (I.2)":  {`\ISO 2022 IR 149`, "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf", "Hong^Gildong=洪^吉洞=홍^길동", true},
		"chinese (K.2)": {`\ISO 2022 IR 58`, "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东=", true},
		"two singles":   {`ISO 2022 IR 100\ISO 2022 IR 144`, "\xe9\x1b-L\xbb\xee^\xe9", "éЛю^é", true},
		"written oddly": {"iso-ir 100", "\xe9", "é", true},
		"undeclared":    {"", "Kon\xe9", "Koné", false},
		"undeclared 8":  {"", "Koné", "Koné", false},
		"not utf-8":     {"ISO_IR 192", "Kon\xe9", "Koné", false},
		"unknown set":   {"ISO_IR 999", "Kon\xe9", "Koné", false},
		"unknown esc":   {`\ISO 2022 IR 87`, "a\x1b%Gb", "a%Gb", false},
		"cut kanji":     {`\ISO 2022 IR 87`, "\x1b$B;", ";", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := little()
			if c.set != "" {
				w.text(tagCharacterSet, "CS", c.set)
			}
			w.object().text(0x00104000, "LT", "").open(0x00081140).text(0x00081155, "PN", c.raw).close()
			d := mustRead(t, part10(explicitLE, w.Bytes()))
			got, sure := d.Sequence(0x00081140)[0].Text(0x00081155)
			if got != c.want || sure != c.sure {
				t.Errorf("got %q (sure %v), want %q (%v)", got, sure, c.want, c.sure)
			}
		})
	}
}

func TestCorpusNames(t *testing.T) {
	dir := corpus(t)
	for name, want := range map[string]string{
		"chrFren.dcm": "Buc^Jérôme", "chrGerm.dcm": "Äneas^Rüdiger", "chrGreek.dcm": "Διονυσιος",
		"chrX1.dcm": "Wang^XiaoDong=王^小東=", "chrJapMultiExplicitIR6.dcm": "やまだ^たろう",
	} {
		f, err := readPath(filepath.Join(dir, "charset", name), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got, sure := f.Text(0x00100010); !strings.Contains(got, want) || !sure {
			t.Errorf("%s: %q (sure %v), want %q", name, got, sure, want)
		}
	}
}

// TestBackslashInsideCharacter: the second byte of a double-byte character
// may look like the delimiter.
func TestBackslashInsideCharacter(t *testing.T) {
	w := little().text(tagCharacterSet, "CS", "GB18030").text(0x00081030, "LO", "\x81\x5c\\b")
	w.object()
	got := mustRead(t, part10(explicitLE, w.Bytes())).Strings(0x00081030)
	if len(got) != 2 || got[0] != "乗" || got[1] != "b" {
		t.Errorf("values %q", got)
	}
}

func TestNumbers(t *testing.T) {
	w := little().object().text(0x00281050, "DS", ` 40 \-1.5e2`).text(0x00281051, "DS", `400\x`).
		text(0x00200013, "IS", " 7").text(0x00200011, "IS", "3.0").text(0x00200012, "IS", "3.5").
		raw(0x00182218, "FL", []byte{0, 0, 0xC0, 0x3F}).raw(0x00182219, "FL", []byte{0, 0, 0xC0, 0x7F}).
		raw(0x0020930A, "FD", []byte{0, 0, 0, 0, 0, 0, 0xF8, 0xBF}).raw(0x00186020, "SL", []byte{0xFF, 0xFF, 0xFF, 0xFF}).
		raw(0x00189810, "SS", []byte{0xFE, 0xFF, 1, 0}).raw(0x00209165, "AT", []byte{0x28, 0, 0x10, 0})
	f := mustRead(t, part10(explicitLE, w.Bytes()))
	if v := f.Floats(0x00281050); len(v) != 2 || v[0] != 40 || v[1] != -150 {
		t.Errorf("DS %v", v)
	}
	if v := f.Floats(0x00281051); v != nil {
		t.Errorf("a list with no number in it gives %v", v)
	}
	for tag, want := range map[Tag]int{0x00200013: 7, 0x00200011: 3, 0x00186020: -1, 0x00189810: -2} {
		if v, ok := f.Int(tag); !ok || v != want {
			t.Errorf("%v is %d", tag, v)
		}
	}
	if v, ok := f.Int(0x00200012); ok {
		t.Errorf("3.5 gives %d", v)
	}
	if v, _ := f.Float(0x00182218); v != 1.5 {
		t.Errorf("FL %v", v)
	}
	if v := f.Floats(0x00182219); v != nil {
		t.Errorf("NaN gives %v", v)
	}
	if v, _ := f.Float(0x0020930A); v != -1.5 {
		t.Errorf("FD %v", v)
	}
	if s := f.String(0x00209165); s != "00280010" {
		t.Errorf("AT %s", s)
	}
	if s := f.Strings(0x00189810); len(s) != 2 || s[1] != "1" {
		t.Errorf("SS as text %v", s)
	}
}
