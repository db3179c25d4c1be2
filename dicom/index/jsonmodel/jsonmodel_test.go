package jsonmodel

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"sira/dicom"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ vr, in, want string }{
		{"DS", "1.50", "1.50"}, {"DS", "+1.5", "1.5"}, {"DS", ".5", "0.5"}, {"DS", "007", "7"}, {"DS", "1e5", "1e5"},
		{"DS", "1e999", `"1e999"`}, {"DS", "x", `"x"`}, {"DS", "0x10", `"0x10"`}, {"DS", "NaN", `"NaN"`}, {"DS", "-0.0", "-0.0"},
		{"IS", "+12", "12"}, {"IS", "012", "12"}, {"IS", "1 2", `"1 2"`}, {"LO", "a\"\\\x01\n\x7f", `"a\"\\\u0001\u000a\u007f"`},
		{"LO", "\xff", "\"\uFFFD\""}, {"PN", "A^B^^=C=D", `{"Alphabetic":"A^B","Ideographic":"C","Phonetic":"D"}`},
		{"PN", "==x", `{"Phonetic":"x"}`}, {"PN", "^^", "null"}, {"LO", "", "null"},
	} {
		if got := string(AppendText(nil, c.vr, c.in)); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.vr, c.in, got, c.want)
		}
	}
}

func TestBuildMergeFill(t *testing.T) {
	var b Build
	b.Instances("00201208")
	b.Text("00100010", "PN", "A^B")
	b.Modalities("00080061")
	b.URL("00081190", "/studies/1.2")
	b.Text("00200010", "SH", "")
	template := string(Merge(nil, nil, b.Members(), Members(`{"00081030":{"vr":"LO","Value":["a\"},{[\\"]},"00100010":{"vr":"PN"}}`)))
	fill := Fill{Base: "http://h/d", Modalities: []string{"CT", "SR"}, Instances: 7}
	want := `{"00080061":{"vr":"CS","Value":["CT","SR"]},"00081030":{"vr":"LO","Value":["a\"},{[\\"]},` +
		`"00081190":{"vr":"UR","Value":["http://h/d/studies/1.2"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B"}]},` +
		`"00200010":{"vr":"SH"},"00201208":{"vr":"IS","Value":[7]}}`
	if got := string(fill.Append(nil, template)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	empty := Fill{}
	if got := string(empty.Append(nil, `{"00080061":{"vr":"CS"`+"\x02"+`}}`)); got != `{"00080061":{"vr":"CS"}}` {
		t.Error(got)
	}
}

// FuzzFile: what the reader takes becomes JSON whose members come apart and
// together again.
func FuzzFile(f *testing.F) {
	f.Add([]byte("\x08\x00\x16\x00UI\x04\x001.2\x00\x10\x00\x10\x00PN\x04\x00A^=B"))
	f.Add([]byte("\x08\x00\x18\x00UI\x04\x001.2\x00\x40\x00\x75\x02SQ\x00\x00\x08\x00\x00\x00\xfe\xff\x00\xe0\x00\x00\x00\x00"))
	f.Add([]byte("\x08\x00\x18\x00UI\x04\x001.2\x00\x28\x00\x30\x00DS\x06\x001\\1e99\x28\x00\x06\x30OW\x00\x00\x02\x00\x00\x00ab"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := dicom.Read(t.Context(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
		if err != nil {
			return
		}
		raw := File(file)
		fill := Fill{Base: "http://h"}
		text := fill.Append(nil, string(raw))
		if !json.Valid(text) {
			t.Fatalf("no JSON: %q", text)
		}
		if again := Merge(nil, nil, Members(string(raw))); !bytes.Equal(again, raw) {
			t.Fatalf("apart and together: %q, %q", raw, again)
		}
		if strings.Count(string(text), "{") < 1 {
			t.Fatal("no object")
		}
	})
}
