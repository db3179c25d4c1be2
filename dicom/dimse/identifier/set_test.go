package identifier

import (
	stdbytes "bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"sira/dicom"
)

var syntaxes = []string{ImplicitLE, ExplicitLE, ExplicitBE}

func worklistItem() *Set {
	step := Of(map[dicom.Tag]string{
		ScheduledStationAETitle: "CART1", ScheduledStartDate: "20261122", ScheduledStartTime: "0930", Modality: "US",
	})
	s := Of(map[dicom.Tag]string{
		PatientName: "Traoré^Aïssata", PatientID: "ML-42", AccessionNumber: "A1", StudyInstanceUID: "1.2.3",
	})
	s.PutItems(ScheduledProcedureStepSequence, step)
	s.Put(ModalitiesInStudy, "CT", "MR", "")
	s.Put(RequestedProcedureID)
	s.Put(0x00280010, "512", "65535")                                                                 // US
	s.Put(0x00189087, "1.5", "-2")                                                                    // FD
	s.Put(0x00280009, "00181063")                                                                     // AT
	s.PutElement(Element{Tag: 0x00091001, VR: "UN", Bytes: []byte{1, 2, 3, 4}})                       // private
	s.PutElement(Element{Tag: 0x00090010, VR: "LO", Values: []string{"SIRA"}})                        // its creator
	s.PutElement(Element{Tag: 0x00104000, VR: "LT", Values: []string{"ligne 1\r\nligne 2 \\ suite"}}) // one value
	return s
}

func TestRoundTrip(t *testing.T) {
	want := worklistItem()
	for _, ts := range syntaxes {
		b, err := want.Encode(ts)
		if err != nil {
			t.Fatal(err)
		}
		if len(b)%2 == 1 {
			t.Errorf("%s: %d bytes", ts, len(b))
		}
		got, err := Decode(b, ts, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", ts, err)
		}
		if !reflect.DeepEqual(plain(got), plain(want)) {
			t.Errorf("%s:\n%v\n%v", ts, plain(got), plain(want))
		}
	}
}

// plain drops the differences between nil and empty.
func plain(s *Set) map[dicom.Tag]any {
	m := map[dicom.Tag]any{}
	for e := range s.All() {
		var inside []any
		for _, item := range e.Items {
			inside = append(inside, plain(item))
		}
		m[e.Tag] = []any{e.VR, strings.Join(e.Values, "|"), string(e.Bytes), inside}
	}
	return m
}

func TestTextOfRequestsInOtherCharacterSets(t *testing.T) {
	latin, err := charmap.ISO8859_1.NewEncoder().String("Traoré*")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ charset, raw, want string }{
		"latin-1":    {"ISO_IR 100", latin, "Traoré*"},
		"utf-8":      {"ISO_IR 192", "Traoré*", "Traoré*"},
		"undeclared": {"", latin, "Traoré*"},
		"japanese":   {`\ISO 2022 IR 87`, "\x1b$B;3ED\x1b(B^*", "山田^*"},
		"gb18030":    {"GB18030", "\xcd\xf5^*", "王^*"},
	} {
		var b []byte
		add := func(element byte, group byte, v string) {
			if len(v)%2 == 1 {
				v += " "
			}
			b = append(b, group, 0, element, 0, byte(len(v)), 0, 0, 0)
			b = append(b, v...)
		}
		if c.charset != "" {
			add(0x05, 0x08, c.charset)
		}
		add(0x10, 0x10, c.raw)
		s, err := Decode(b, ImplicitLE, Limits{})
		if err != nil || s.String(PatientName) != c.want || s.Has(SpecificCharacterSet) {
			t.Errorf("%s: %q, %v", name, s.String(PatientName), err)
		}
	}
}

func TestCharacterSetIsDeclaredWhenNeeded(t *testing.T) {
	ascii, _ := Of(map[dicom.Tag]string{PatientName: "A^B"}).Encode(ExplicitLE)
	if stdbytes.Contains(ascii, []byte("ISO_IR")) {
		t.Error("declared for ASCII")
	}
	nested := &Set{}
	nested.PutItems(ScheduledProcedureStepSequence, Of(map[dicom.Tag]string{ScheduledStationName: "Échographe"}))
	b, _ := nested.Encode(ExplicitLE)
	if !stdbytes.HasPrefix(b, []byte("\x08\x00\x05\x00CS\x0a\x00ISO_IR 192")) {
		t.Errorf("% x", b[:20])
	}
	if nested.Has(SpecificCharacterSet) {
		t.Error("the set itself was changed")
	}
}

func TestValuesThatCannotBeWritten(t *testing.T) {
	for name, e := range map[string]Element{
		"number":     {Tag: 0x00280010, Values: []string{"many"}},
		"range":      {Tag: 0x00280010, Values: []string{"65536"}},
		"tag":        {Tag: 0x00280009, Values: []string{"(0018)"}},
		"unknown VR": {Tag: 0x00100010, VR: "ZZ", Values: []string{"x"}},
		"64 KiB":     {Tag: 0x00104000, VR: "LT", Values: []string{strings.Repeat("x", 1<<16)}},
	} {
		s := &Set{}
		s.PutElement(e)
		if _, err := s.Encode(ExplicitLE); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	loop := &Set{}
	loop.PutItems(ReferencedSOPSequence, loop)
	if _, err := loop.Encode(ImplicitLE); err == nil {
		t.Error("endless nesting was written")
	}
	s := Of(map[dicom.Tag]string{PatientName: "A\x1b$B\x00B\n", Modality: "é"})
	b, err := s.Encode(ExplicitLE)
	if err != nil || !stdbytes.Contains(b, []byte("A$BB ")) || stdbytes.Contains(b, []byte("é")) {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := s.Encode("1.2.840.10008.1.2.4.50"); !errors.Is(err, ErrSyntax) {
		t.Error(err)
	}
	if _, err := Decode(b, "1.2.3", Limits{}); !errors.Is(err, ErrSyntax) {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	deep := &Set{}
	for range 20 {
		outer := &Set{}
		outer.PutItems(ReferencedSOPSequence, deep)
		deep = outer
	}
	wide := &Set{}
	for range 1000 {
		item := Of(map[dicom.Tag]string{ReferencedSOPInstanceUID: "1.2.3"})
		wide.PutItems(ReferencedSOPSequence, append(wide.Items(ReferencedSOPSequence), item)...)
	}
	long := Of(map[dicom.Tag]string{0x00104000: strings.Repeat("x", 5000)})
	for reason, s := range map[dicom.Reason]*Set{
		dicom.TooDeep: deep, dicom.TooManyElements: wide, dicom.ElementTooLarge: long,
	} {
		for _, ts := range syntaxes {
			b, err := s.Encode(ts)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Decode(b, ts, Limits{Depth: 10, Elements: 1000, Value: 4000})
			var refused *dicom.Error
			if !errors.As(err, &refused) || refused.Reason != reason {
				t.Errorf("%s in %s: %v", reason, ts, err)
			}
		}
	}
	b, _ := worklistItem().Encode(ExplicitLE)
	for n := 1; n < len(b); n++ {
		_, _ = Decode(b[:n], ExplicitLE, Limits{}) // no panic; a cut at an element's end is a set
	}
}

func TestEditing(t *testing.T) {
	s := &Set{}
	s.Put(PatientID, "1")
	s.Put(StudyDate, "20260101")
	s.Put(PatientID, "2")
	s.Put(Modality, "")
	if s.Len() != 3 || s.String(PatientID) != "2" || !s.Has(Modality) || len(s.Strings(Modality)) != 0 {
		t.Errorf("%v", plain(s))
	}
	c := s.Clone()
	c.Delete(PatientID)
	c.Delete(PatientName)
	if !s.Has(PatientID) || c.Has(PatientID) {
		t.Error("a clone shares its elements")
	}
	last := dicom.Tag(0)
	for e := range s.All() {
		if e.Tag <= last {
			t.Error("not in order")
		}
		last = e.Tag
	}
	var none *Set
	if none.Len() != 0 || none.String(PatientID) != "" || none.Item(ReferencedSOPSequence).Has(1) {
		t.Error("nil set")
	}
}

func FuzzDecode(f *testing.F) {
	for i, ts := range syntaxes {
		b, _ := worklistItem().Encode(ts)
		f.Add(b, i)
	}
	f.Fuzz(func(t *testing.T, b []byte, i int) {
		ts := syntaxes[uint(i)%uint(len(syntaxes))]
		s, err := Decode(b, ts, Limits{})
		if err != nil {
			return
		}
		for key := range s.All() {
			_ = ConditionOf(key).Match(key.Values...)
		}
		_ = Match(s, s, Options{Fuzzy: true, DateTime: true})
		again, err := Answer(s, s).Encode(ExplicitLE)
		if err != nil {
			return // a value too long for its explicit VR, or more digits than it holds
		}
		if _, err := Decode(again, ExplicitLE, Limits{Depth: 64}); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
