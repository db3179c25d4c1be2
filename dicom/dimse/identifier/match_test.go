package identifier

import (
	"strings"
	"testing"
	"time"

	"sira/dicom"
)

func TestMatching(t *testing.T) {
	cases := []struct {
		tag         dicom.Tag
		key, value  string
		want        bool
		description string
	}{
		{PatientID, "", "X", true, "universal"},
		{PatientID, "", "", true, "universal, empty value"},
		{PatientID, "*", "", true, "a star alone is universal"},
		{PatientID, "**", "", true, "stars alone are universal"},
		{PatientID, "?", "", false, "a question mark is one character"},
		{PatientID, "ML-42", "ML-42", true, "single"},
		{PatientID, "ML-42 ", " ML-42", true, "padding"},
		{PatientID, "ml-42", "ML-42", false, "case counts in LO"},
		{PatientID, "ML-4", "ML-42", false, "no prefix without wildcard"},
		{PatientID, "ML*2", "ML-42", true, "star"},
		{PatientID, "ML?42", "ML-42", true, "question mark"},
		{PatientID, "ML??42", "ML-42", false, "question marks count"},
		{PatientID, "*4*", "ML-42", true, "stars around"},
		{PatientID, "ML.42", "ML-42", false, "a dot is a dot"},
		{PatientID, "100%", "1000", false, "no SQL"},
		{PatientID, `""`, "", true, "empty value matching"},
		{PatientID, `""`, "X", false, "empty value matching"},
		{PatientName, "traore^aissata", "Traoré^Aïssata", true, "names: case and accents"},
		{PatientName, "TRAORÉ*", "Traore^Aissata", true, "names: accents in the key"},
		{PatientName, "traore", "Traoré^Aïssata", false, "names: whole"},
		{PatientName, "Traore^^^^", "Traore", true, "names: trailing delimiters"},
		{PatientName, "Traore^*", "Traore", true, "names: no given name"},
		{PatientName, "*^a*", "Traoré^Aïssata", true, "names: given name"},
		{PatientName, "Yamada*", "Yamada^Tarou=山田^太郎=やまだ^たろう", true, "names: alphabetic group"},
		{PatientName, "山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", true, "names: ideographic group"},
		{PatientName, "=山田*", "Yamada^Tarou=山田^太郎", true, "names: group by group"},
		{PatientName, "=山本*", "Yamada^Tarou=山田^太郎", false, "names: group by group"},
		{StudyInstanceUID, "1.2.3", "1.2.3", true, "UID"},
		{StudyInstanceUID, `1.2\1.2.3`, "1.2.3", true, "list of UID"},
		{StudyInstanceUID, `1.2\1.2.4`, "1.2.3", false, "list of UID"},
		{StudyInstanceUID, "1.2.*", "1.2.3", false, "no wildcards in UIDs"},
		{ModalitiesInStudy, "MR", `CT\MR`, true, "one of several values"},
		{ModalitiesInStudy, `US\MR`, `CT\MR`, true, "several of several"},
		{ModalitiesInStudy, `US\XA`, `CT\MR`, false, "several of several"},
		{InstanceNumber, "7", "007", true, "integers by value"},
		{StudyDate, "20260105", "20260105", true, "day"},
		{StudyDate, "20260105", "2026.01.05", true, "old form"},
		{StudyDate, "20260101-20260131", "20260131", true, "days, inclusive"},
		{StudyDate, "20260101-20260131", "20260201", false, "days"},
		{StudyDate, "-20260131", "19991231", true, "until"},
		{StudyDate, "-20260131", "20260201", false, "until"},
		{StudyDate, "20260101-", "20260101", true, "from"},
		{StudyDate, "20260101-", "20251231", false, "from"},
		{StudyDate, "20260101-", "", false, "a range wants a date"},
		{StudyDate, "2026*", "20260101", false, "no wildcards in dates"},
		{StudyDate, "20261345", "20260101", false, "no date"},
		{StudyDate, "-", "20260101", false, "a dash alone"},
		{StudyTime, "10", "103015", true, "hour stands for its minutes"},
		{StudyTime, "1030", "103015.5", true, "minute"},
		{StudyTime, "1031", "103015", false, "minute"},
		{StudyTime, "10-12", "125959.999", true, "hours, inclusive"},
		{StudyTime, "10-12", "1300", false, "hours"},
		{StudyTime, "10:30:15", "103015", true, "old form"},
		{0x0008002A, "202601", "20260131235959", true, "DT: month"},
		{0x0008002A, "202602", "20260301", false, "DT: month"},
		{0x0008002A, "202601011200-0500", "20260101170030", true, "DT: offset, not range"},
		{0x0008002A, "2024-2025", "20251231", true, "DT: years"},
		{0x0008002A, "2024-2025", "2026", false, "DT: years"},
		{0x0008002A, "20260101100000+0100-20260101120000+0100", "20260101093000", true, "DT: range with offsets"},
		{0x00280010, "512", "512", true, "US"},
		{0x00280010, "512", "513", false, "US"},
	}
	for _, c := range cases {
		keys, candidate := &Set{}, &Set{}
		keys.Put(c.tag, strings.Split(c.key, `\`)...)
		candidate.Put(c.tag, strings.Split(c.value, `\`)...)
		if got := Match(keys, candidate, Options{}); got != c.want {
			t.Errorf("%s: key %q, value %q: %v", c.description, c.key, c.value, got)
		}
	}
}

func TestAbsentAttributeAndDirectives(t *testing.T) {
	keys := Of(map[dicom.Tag]string{QueryRetrieveLevel: "STUDY", RetrieveAETitle: "X", StudyID: ""})
	if !Match(keys, &Set{}, Options{}) {
		t.Error("directives are not keys")
	}
	keys.Put(StudyID, "1")
	if Match(keys, &Set{}, Options{}) {
		t.Error("an absent attribute matched")
	}
}

func TestSequenceMatching(t *testing.T) {
	keys := func(ae, date string) *Set {
		s := &Set{}
		s.PutItems(ScheduledProcedureStepSequence, Of(map[dicom.Tag]string{
			ScheduledStationAETitle: ae, ScheduledStartDate: date, Modality: "",
		}))
		return s
	}
	candidate := worklistItem()
	second := Of(map[dicom.Tag]string{ScheduledStationAETitle: "CT2", ScheduledStartDate: "20261123"})
	candidate.PutItems(ScheduledProcedureStepSequence, candidate.Item(ScheduledProcedureStepSequence), second)
	for _, c := range []struct {
		ae, date string
		want     bool
	}{
		{"CART1", "20261122", true}, {"", "", true}, {"CT2", "20261120-20261125", true},
		{"CART1", "20261123", false}, // each in another item
		{"OTHER", "", false},
	} {
		if got := Match(keys(c.ae, c.date), candidate, Options{}); got != c.want {
			t.Errorf("%q %q: %v", c.ae, c.date, got)
		}
	}
	if !Match(keys("", ""), &Set{}, Options{}) || Match(keys("CART1", ""), &Set{}, Options{}) {
		t.Error("candidate without items")
	}
	empty := &Set{}
	empty.PutItems(ScheduledProcedureStepSequence)
	if !Match(empty, candidate, Options{}) {
		t.Error("an empty sequence is universal")
	}
}

func TestDateAndTimeAsOne(t *testing.T) {
	keys := Of(map[dicom.Tag]string{StudyDate: "20260101-20260102", StudyTime: "1000-0800"})
	for at, want := range map[string]bool{
		"20260101 0900": false, "20260101 1000": true, "20260102 0759": true, "20260102 0830": false, "20260102 ": true,
	} {
		day, clock, _ := strings.Cut(at, " ")
		study := Of(map[dicom.Tag]string{StudyDate: day, StudyTime: clock})
		if Match(keys, study, Options{DateTime: true}) != want {
			t.Errorf("%s: not %v", at, want)
		}
		if Match(keys, study, Options{}) {
			t.Errorf("%s between ten and eight", at)
		}
	}
}

func TestFuzzyNames(t *testing.T) {
	for _, c := range []struct {
		key  string
		want bool
	}{
		{"aiss trao", true}, {"TRAORE^A", true}, {"Traoré*", true}, {"", true}, {"traore moussa", false}, {"raore", false},
	} {
		keys := Of(map[dicom.Tag]string{PatientName: c.key})
		if got := Match(keys, worklistItem(), Options{Fuzzy: true}); got != c.want {
			t.Errorf("%q: %v", c.key, got)
		}
	}
}

func TestConditions(t *testing.T) {
	like := ConditionOf(Element{VR: "LO", Values: []string{`a_b%*?\c`}})
	if like.Kind != Wildcard || like.Like(0) != `a\_b\%%_\\c` {
		t.Errorf("%+v %s", like, like.Like(0))
	}
	span := ConditionOf(Element{VR: "TM", Values: []string{"10-1130"}})
	if span.Kind != Range || span.From != "100000.000000" || span.To != "113059.999999" {
		t.Errorf("%+v", span)
	}
	if c := ConditionOf(Element{VR: "UI", Values: []string{"1.2", "1.3"}}); c.Kind != List || len(c.Values) != 2 {
		t.Errorf("%+v", c)
	}
	if c := ConditionOf(Element{VR: "OB", Bytes: []byte{1, 2}}); c.Kind != Universal {
		t.Errorf("%+v", c)
	}
	first, last, ok := Moment("202402", "DT")
	if !ok || first != "20240201000000.000000" || last != "20240229235959.999999" {
		t.Error(first, last, ok)
	}
}

// A pattern made to be slow is not.
func TestWildcardIsNotExponential(t *testing.T) {
	done := make(chan bool)
	go func() { done <- wildcard(strings.Repeat("a*", 500)+"b", strings.Repeat("a", 5000)) }()
	select {
	case got := <-done:
		if got {
			t.Error("matched")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still at it")
	}
}

func TestAnswerHoldsWhatWasAsked(t *testing.T) {
	keys := Of(map[dicom.Tag]string{PatientName: "T*", StudyDescription: "", QueryRetrieveLevel: "STUDY"})
	keys.PutItems(ScheduledProcedureStepSequence, Of(map[dicom.Tag]string{Modality: "", ScheduledStationName: ""}))
	got := Answer(keys, worklistItem())
	if got.Len() != 4 || got.String(PatientName) != "Traoré^Aïssata" || !got.Has(StudyDescription) || got.Has(PatientID) {
		t.Errorf("%v", plain(got))
	}
	step := got.Item(ScheduledProcedureStepSequence)
	if step.Len() != 2 || step.String(Modality) != "US" || !step.Has(ScheduledStationName) {
		t.Errorf("%v", plain(step))
	}
	keys.PutItems(ScheduledProcedureStepSequence)
	if all := Answer(keys, worklistItem()).Item(ScheduledProcedureStepSequence); all.Len() != 4 {
		t.Errorf("%v", plain(all))
	}
}
