package signaling

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

var example = regexp.MustCompile("(?s)```json (client|server)\n(.*?)```")

// TestDocumentedExamples holds docs/signaling.md to the code: each example is
// a message that the code knows to the last field, and each message has one.
func TestDocumentedExamples(t *testing.T) {
	raw, err := os.ReadFile("../docs/signaling.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]map[string]func() any{"client": {}, "server": {}}
	for k, v := range clientMessages {
		missing["client"][k] = v
	}
	for k, v := range serverMessages {
		missing["server"][k] = v
	}
	known := map[string]map[string]func() any{"client": clientMessages, "server": serverMessages}
	for _, m := range example.FindAllSubmatch(raw, -1) {
		from, text := string(m[1]), m[2]
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var typ string
		if err := json.Unmarshal(fields["type"], &typ); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		blank, ok := known[from][typ]
		if !ok {
			t.Errorf("the %s has no message %q", from, typ)
			continue
		}
		delete(missing[from], typ)
		if from == "client" {
			if got, err := decode(text); err != nil || got == nil {
				t.Errorf("%s: %v, %v", text, got, err)
			}
			delete(fields, "type") // known to the decoder only
			text, _ = json.Marshal(fields)
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		into := blank()
		if err := d.Decode(into); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		// Nothing that the code sends is missing from the example.
		back, _ := json.Marshal(into)
		var all map[string]json.RawMessage
		if err := json.Unmarshal(back, &all); err != nil {
			t.Fatal(err)
		}
		for k := range all {
			if _, ok := fields[k]; !ok {
				t.Errorf("the example of %s lacks %q", typ, k)
			}
		}
	}
	for from, m := range missing {
		for typ := range m {
			t.Errorf("no example of the %s's %q", from, typ)
		}
	}
}

func TestDocumentedErrors(t *testing.T) {
	raw, err := os.ReadFile("../docs/signaling.md")
	if err != nil {
		t.Fatal(err)
	}
	for c := range reasons {
		if c != codeNone && !strings.Contains(string(raw), "| `"+string(c)+"` |") {
			t.Errorf("error %q is not documented", c)
		}
	}
}
