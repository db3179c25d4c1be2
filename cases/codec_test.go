package cases

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	id1 = "6d1f9a52-98a5-4c5b-9d5e-0c8b7a3a1f01"
	id2 = "6d1f9a52-98a5-4c5b-9d5e-0c8b7a3a1f02"
)

func batchOf(events ...string) string { return `{"events":[` + strings.Join(events, ",") + `]}` }

func rawEvent(t EventType, data string) string {
	return fmt.Sprintf(`{"id":%q,"type":%q,"at":"2026-03-02T08:00:00Z","data":%s}`, id1, t, data)
}

func rawMessage(text string) string { return batchOf(rawEvent(MessagePosted, `{"text":`+text+`}`)) }

func TestDecodeAccepts(t *testing.T) {
	opened, err := json.Marshal(request("seydou"))
	must(t, err)
	for name, raw := range map[string]string{
		"opened":                 batchOf(rawEvent(Opened, string(opened))),
		"emergency":              batchOf(rawEvent(Opened, strings.Replace(string(opened), `"how":"oral"`, `"how":"emergency","note":"inconscient"`, 1))),
		"assigned":               batchOf(rawEvent(Assigned, `{"to":"u-1","note":""}`)),
		"clarification-asked":    batchOf(rawEvent(ClarificationAsked, `{"text":"?"}`)),
		"clarification-answered": batchOf(rawEvent(ClarificationAnswered, `{"text":"!"}`)),
		"opinion-given":          batchOf(rawEvent(OpinionGiven, `{"conclusion":"x"}`)),
		"closed":                 batchOf(rawEvent(Closed, `{"outcome":"improved"}`)),
		"reopened":               batchOf(rawEvent(Reopened, `{"reason":"x"}`)),
		"cancelled":              batchOf(rawEvent(Cancelled, `{"reason":"x"}`)),
		"call":                   batchOf(rawEvent(CallJoined, `{}`)),
		"call without data":      batchOf(fmt.Sprintf(`{"id":%q,"type":"call-left","at":"2026-03-02T08:00:00Z"}`, id1)),
		"without at":             batchOf(fmt.Sprintf(`{"id":%q,"type":"message-posted","data":{"text":"x"}}`, id1)),
		"longest text":           rawMessage(`"` + strings.Repeat("ɲ", 20_000) + `"`),
		"surrogate pair":         rawMessage(`"\ud83d\ude00"`),
		"escaped backslash":      rawMessage(`"\\ud83d"`),
	} {
		if _, err := Decode([]byte(raw)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any script is kept as it was typed, but for line ends and outer spaces.
func TestDecodeText(t *testing.T) {
	for typed, want := range map[string]string{
		"Kɛnɛya kɔrɔ ɲɛ ŋɔmi": "Kɛnɛya kɔrɔ ɲɛ ŋɔmi",
		"ߞߊ߲ ⵜⵉⴼⵉⵏⴰⵖ بماكو 😀": "ߞߊ߲ ⵜⵉⴼⵉⵏⴰⵖ بماكو 😀",
		"a\r\nb\rc\td \n":     "a\nb\nc\td",
		"<b>&\u2028x":         "<b>&\u2028x",
		"e\u0301":             "e\u0301",
		"\ufffd":              "\ufffd",
	} {
		quoted, err := json.Marshal(typed)
		must(t, err)
		evs, err := Decode([]byte(rawMessage(string(quoted))))
		must(t, err)
		var got TextData
		must(t, json.Unmarshal(evs[0].Data, &got))
		if got.Text != want {
			t.Errorf("%q became %q, want %q", typed, got.Text, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("é", 20_001)
	many := make([]string, 201)
	for i := range many {
		many[i] = rawEvent(CallJoined, `{}`)
	}
	for name, c := range map[string]struct{ raw, code, field string }{
		"nothing":            {``, "bad-json", ""},
		"not JSON":           {`hello`, "bad-json", ""},
		"array":              {`[]`, "bad-json", ""},
		"null":               {`null`, "empty", "events"},
		"empty":              {`{"events":[]}`, "empty", "events"},
		"cut":                {rawMessage(`"x"`)[:40], "bad-json", ""},
		"trailing":           {rawMessage(`"x"`) + `{}`, "bad-json", ""},
		"unknown field":      {`{"events":[],"more":1}`, "bad-json", ""},
		"unknown data field": {batchOf(rawEvent(MessagePosted, `{"text":"x","html":"y"}`)), "bad-json", "events[0].data"},
		"wrong kind":         {rawMessage(`3`), "bad-json", "events[0].data.text"},
		"too many":           {batchOf(many...), "too-many-events", "events"},
		"too large":          {`"` + strings.Repeat("x", 16<<20) + `"`, "too-large", ""},
		"unknown type":       {batchOf(rawEvent("deleted", `{}`)), "unknown-type", "events[0].type"},
		"ID":                 {strings.Replace(rawMessage(`"x"`), id1, "1", 1), "bad-id", "events[0].id"},
		"ID in capitals":     {strings.Replace(rawMessage(`"x"`), id1, strings.ToUpper(id1), 1), "bad-id", "events[0].id"},
		"nil ID":             {strings.Replace(rawMessage(`"x"`), id1, "00000000-0000-0000-0000-000000000000", 1), "bad-id", "events[0].id"},
		"URN ID":             {strings.Replace(rawMessage(`"x"`), id1, "urn:uuid:"+id1, 1), "bad-id", "events[0].id"},
		"text too long":      {rawMessage(`"` + long + `"`), "too-long", "events[0].data.text"},
		"empty text":         {rawMessage(`" \n "`), "required", "events[0].data.text"},
		"NUL":                {rawMessage(`"a\u0000b"`), "control-character", "events[0].data.text"},
		"escape":             {rawMessage(`"a\u001bb"`), "control-character", "events[0].data.text"},
		"C1":                 {rawMessage(`"a\u0085b"`), "control-character", "events[0].data.text"},
		"raw NUL":            {rawMessage("\"a\x00b\""), "bad-json", ""},
		"not UTF-8":          {rawMessage("\"a\xffb\""), "invalid-utf8", ""},
		"overlong":           {rawMessage("\"\xc0\x80\""), "invalid-utf8", ""},
		"lone surrogate":     {rawMessage(`"\ud83d x"`), "invalid-utf8", ""},
		"lone low":           {rawMessage(`"\\\udc00"`), "invalid-utf8", ""},
		"two high":           {rawMessage(`"\ud83d\ud83d"`), "invalid-utf8", ""},
		"second event":       {batchOf(rawEvent(CallJoined, `{}`), rawEvent(Closed, `{"outcome":"x"}`)), "bad-value", "events[1].data.outcome"},
		"assigned to nobody": {batchOf(rawEvent(Assigned, `{"to":""}`)), "bad-user", "events[0].data.to"},
		"no conclusion":      {batchOf(rawEvent(OpinionGiven, `{"findings":"x"}`)), "required", "events[0].data.conclusion"},
		"year 10000":         {batchOf(strings.Replace(rawEvent(CallJoined, `{}`), "2026", "10000", 1)), "bad-json", ""},
	} {
		_, err := Decode([]byte(c.raw))
		var ue *UserError
		if !errors.As(err, &ue) || ue.Code != c.code || ue.Params["field"] != c.field {
			t.Errorf("%s: got %v, want %s at %q", name, err, c.code, c.field)
		}
	}
}

func TestDecodeRefusesRequests(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*OpenedData)
		code, field string
	}{
		"no name":             {func(d *OpenedData) { d.Patient.Name = "" }, "required", "patient.name"},
		"long name":           {func(d *OpenedData) { d.Patient.Name = strings.Repeat("ŋ", 301) }, "too-long", "patient.name"},
		"line in name":        {func(d *OpenedData) { d.Patient.Name = "a\nb" }, "control-character", "patient.name"},
		"sex":                 {func(d *OpenedData) { d.Patient.Sex = "H" }, "bad-value", "patient.sex"},
		"no age":              {func(d *OpenedData) { d.Patient.Age = nil }, "required", "patient.birthDate"},
		"age":                 {func(d *OpenedData) { d.Patient.Age.Value = 131 }, "bad-value", "patient.age"},
		"negative age":        {func(d *OpenedData) { d.Patient.Age.Value = -1 }, "bad-value", "patient.age"},
		"unit":                {func(d *OpenedData) { d.Patient.Age.Unit = "W" }, "bad-value", "patient.age"},
		"birth date":          {func(d *OpenedData) { d.Patient.BirthDate = "2026-02-30" }, "bad-date", "patient.birthDate"},
		"identifiers":         {func(d *OpenedData) { d.Patient.Identifiers = make([]Identifier, 21) }, "too-many", "patient.identifiers"},
		"identifier":          {func(d *OpenedData) { d.Patient.Identifiers = []Identifier{{"x", ""}} }, "required", "patient.identifiers[0].value"},
		"specialty":           {func(d *OpenedData) { d.Specialty = "magie" }, "bad-value", "specialty"},
		"urgency":             {func(d *OpenedData) { d.Urgency = "U4" }, "bad-value", "urgency"},
		"no question":         {func(d *OpenedData) { d.Question = " " }, "required", "question"},
		"no consent":          {func(d *OpenedData) { d.Consent = Consent{} }, "consent-required", "consent.how"},
		"refused consent":     {func(d *OpenedData) { d.Consent.How = "refused" }, "consent-required", "consent.how"},
		"emergency, no note":  {func(d *OpenedData) { d.Consent = Consent{How: "emergency"} }, "required", "consent.note"},
		"representative, who": {func(d *OpenedData) { d.Consent = Consent{How: "representative"} }, "required", "consent.by"},
		"eleven experts":      {func(d *OpenedData) { d.To = strings.Split("a b c d e f g h i j k", " ") }, "too-many", "to"},
		"expert twice":        {func(d *OpenedData) { d.To = []string{"a", "a"} }, "bad-user", "to[1]"},
		"expert by path":      {func(d *OpenedData) { d.To = []string{"../x"} }, "bad-user", "to[0]"},
	} {
		d := request()
		d.Patient.Age = &Age{58, "Y"}
		c.change(&d)
		raw, err := json.Marshal(d)
		must(t, err)
		_, err = Decode([]byte(batchOf(rawEvent(Opened, string(raw)))))
		var ue *UserError
		if !errors.As(err, &ue) || ue.Code != c.code || ue.Params["field"] != "events[0].data."+c.field {
			t.Errorf("%s: got %v, want %s at %s", name, err, c.code, c.field)
		}
	}
}

// What was typed is never in an error: errors go to logs.
func TestErrorsHoldNoContent(t *testing.T) {
	for _, raw := range []string{
		rawMessage(`"Moussa\u0000Doumbia"`),
		batchOf(rawEvent("Moussa", `{}`)),
		batchOf(rawEvent(Closed, `{"outcome":"Moussa"}`)),
		batchOf(rawEvent(MessagePosted, `{"Moussa":"x"}`)),
		`{"events":"Moussa"}`, `Moussa`,
	} {
		_, err := Decode([]byte(raw))
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err.(*UserError).Params), "Moussa") {
			t.Errorf("%s: error %v", raw, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	opened, _ := json.Marshal(request("seydou"))
	for _, seed := range []string{
		batchOf(rawEvent(Opened, string(opened))),
		batchOf(rawEvent(MessagePosted, `{"text":"Kɛnɛya \ud83d\ude00\n"}`), strings.Replace(rawEvent(OpinionGiven, `{"findings":"a","conclusion":"b","advice":"c"}`), id1, id2, 1)),
		batchOf(rawEvent(Assigned, `{"to":"u-1","note":"x"}`)),
		batchOf(rawEvent(Closed, `{"outcome":"lost","note":"x"}`)),
		batchOf(rawEvent(Reopened, `{"reason":"x"}`)),
		batchOf(rawEvent(CallLeft, `null`)),
		batchOf(rawEvent(AttachmentAdded, `{"attachment":{"id":"a","name":"n","kind":"dicom","mediaType":"application/dicom","size":1,"hash":"`+strings.Repeat("0", 64)+`","addedAt":"2026-03-02T08:00:00Z","addedBy":"u","dicom":{"studyUID":"1","seriesUID":"2","sopUID":"3","modality":"CT","frames":1}}}`)),
		rawMessage(`"\ud83d"`), rawMessage(`"\\ud83d\udc00"`), rawMessage(`"\u0000"`), rawMessage("\"\xff\""),
		`{"events":[{}]}`, `{"events":[[[[`, `{}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		evs, err := Decode(raw)
		if err != nil {
			var ue *UserError
			if !errors.As(err, &ue) || ue.Code == "" {
				t.Fatalf("error is no UserError: %v", err)
			}
			return
		}
		if len(evs) == 0 || len(evs) > maxBatch {
			t.Fatalf("%d events", len(evs))
		}
		again, err := json.Marshal(map[string]any{"events": evs})
		if err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
		for _, ev := range evs {
			checkStorable(t, ev)
		}
		twice, err := Decode(again)
		if err != nil {
			t.Fatalf("what was accepted is refused: %v\n%s", err, again)
		}
		if diff := cmp.Diff(evs, twice); diff != "" {
			t.Fatal("decoding twice differs:", diff)
		}
	})
}

// checkStorable fails when the data holds what a database cannot keep.
func checkStorable(t *testing.T, ev NewEvent) {
	t.Helper()
	var any any
	if err := json.Unmarshal(ev.Data, &any); err != nil {
		t.Fatalf("data of %s: %v", ev.Type, err)
	}
	if s := fmt.Sprint(any); strings.ContainsAny(s, "\x00\x1b\x7f") {
		t.Fatalf("data of %s holds control characters: %q", ev.Type, s)
	}
}
