package deid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	sdicom "github.com/suyashkumar/dicom/pkg/tag"
	"pgregory.net/rapid"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/write"
)

var key = []byte("a key of the recipient, 32 bytes")

func profile(t testing.TB, o Options) *Profile {
	t.Helper()
	p, err := New(key, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t testing.TB, data []byte) *dicom.File {
	t.Helper()
	f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func clean(t testing.TB, p *Profile, data []byte, review *Review) ([]byte, Report) {
	t.Helper()
	var b bytes.Buffer
	report, err := p.Write(context.Background(), &b, read(t, data), bytes.NewReader(data), review)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), report
}

var study = phantom.Study{
	Patient: phantom.Patient{Name: "DIARRA^Oumou", ID: "ML-448-1234", Sex: "F", BirthDate: "19870412"},
	Date:    time.Date(2025, 3, 14, 9, 26, 0, 0, time.UTC), Seed: 7, Accession: "ACC99817",
	Institution: "CSRéf de Kolokani", Referrer: "KEITA^Modibo", Description: "Scanner de Mme Diarra",
}

// TestPhantoms: what stays, what goes, what is said of it.
func TestPhantoms(t *testing.T) {
	data := phantom.CT(1, study)[0]
	out, report := clean(t, profile(t, Options{Dates: ShiftDates, CleanText: true, RetainPatient: true}), data, nil)
	f, was := read(t, out), read(t, data)
	if f.String(0x00100010) != report.PatientID || f.String(0x00100020) != report.PatientID || !strings.HasPrefix(report.PatientID, "P") {
		t.Errorf("patient %q, %q, %q", f.String(0x00100010), f.String(0x00100020), report.PatientID)
	}
	if got := f.String(0x00100040); got != "F" {
		t.Errorf("sex %q", got)
	}
	if got := f.String(0x00081030); got != "Scanner" {
		t.Errorf("study description %q", got)
	}
	if f.String(0x00080020) == was.String(0x00080020) || len(f.String(0x00080020)) != 8 || f.String(0x00080030) != was.String(0x00080030) {
		t.Errorf("study date %q, time %q", f.String(0x00080020), f.String(0x00080030))
	}
	var codes []string
	for _, item := range f.Sequence(0x00120064) {
		codes = append(codes, item.String(0x00080100))
	}
	if got := strings.Join(codes, " "); got != "113100 113105 113107 113108" || f.String(0x00120062) != "YES" || f.String(0x00280303) != "MODIFIED" {
		t.Errorf("methods %s", got)
	}
	if f.String(0x00020003) != "" || f.Meta.String(0x00020003) != f.String(0x00080018) || f.String(0x00080018) == was.String(0x00080018) {
		t.Error("instance UID")
	}
	if got, want := f.Pixel.Native.Length, was.Pixel.Native.Length; got != want {
		t.Errorf("%d bytes of pixels, were %d", got, want)
	}
}

// TestReview: pixels that may hold text leave only after a person has looked.
func TestReview(t *testing.T) {
	us := phantom.USCine(1, study)
	f := read(t, us)
	if _, _, err := profile(t, Options{}).Object(context.Background(), f, bytes.NewReader(us), nil); !errors.Is(err, ErrReview) {
		t.Errorf("ultrasound, pixels not cleaned: %v", err)
	}
	if _, report, err := profile(t, Options{CleanPixels: true}).Object(context.Background(), f, bytes.NewReader(us), nil); err != nil || len(report.Masks) == 0 {
		t.Errorf("ultrasound with regions: %v %v", report.Masks, err)
	}
	sc := image8(t, 8, 8)
	if _, _, err := profile(t, Options{CleanPixels: true}).Object(context.Background(), read(t, sc), bytes.NewReader(sc), nil); !errors.Is(err, ErrReview) {
		t.Errorf("secondary capture: %v", err)
	}
	if _, err := New([]byte("short"), Options{}); !errors.Is(err, ErrKey) {
		t.Errorf("short key: %v", err)
	}
}

// TestUIDs: one source UID gives one UID, two give two, valid, for one
// recipient; another recipient's differ.
func TestUIDs(t *testing.T) {
	other, err := New([]byte("the key of someone else entirely"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, again := profile(t, Options{}), profile(t, Options{RetainPatient: true})
	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		uid := rapid.StringMatching(`[12]\.[1-9][0-9]{0,9}(\.[1-9][0-9]{0,12}){1,3}`).Draw(t, "uid")
		if strings.HasPrefix(uid, "1.2.840.10008.") {
			return
		}
		got := p.UID(uid)
		if got != again.UID(uid) || got != p.UID(uid+"\x00") || got == other.UID(uid) || got == uid {
			t.Fatalf("%s becomes %s", uid, got)
		}
		if was, ok := seen[got]; ok && was != uid {
			t.Fatalf("%s and %s both become %s", uid, was, got)
		}
		seen[got] = uid
		if len(got) > 64 || !isUID(got) || !strings.HasPrefix(got, "2.25.") || got[5] == '0' {
			t.Fatalf("%s is no UID", got)
		}
	})
}

// TestConsistency: two objects of one study still belong together, and to the
// patient, whose dates keep their distance.
func TestConsistency(t *testing.T) {
	p := profile(t, Options{Dates: ShiftDates, CleanPixels: true})
	later := study
	later.Date = study.Date.AddDate(0, 0, 9)
	later.Seed = 8
	a, ra := clean(t, p, phantom.CT(1, study)[0], nil)
	b, rb := clean(t, p, phantom.USCine(1, study), nil)
	c, rc := clean(t, p, phantom.DX(later, phantom.ChestOptions{}), &Review{})
	fa, fb, fc := read(t, a), read(t, b), read(t, c)
	if fa.String(0x0020000D) != fb.String(0x0020000D) || fa.String(0x0020000D) == fc.String(0x0020000D) {
		t.Error("studies are torn or joined")
	}
	if ra.PatientID != rb.PatientID || ra.PatientID != rc.PatientID {
		t.Error("the patient is not one")
	}
	x, errX := time.Parse("20060102", fa.String(0x00080020))
	y, errY := time.Parse("20060102", fc.String(0x00080020))
	if errX != nil || errY != nil || y.Sub(x) != 9*24*time.Hour {
		t.Errorf("%v and %v are 9 days apart no more", x, y)
	}
}

// TestShift: dates of all forms move, what is no date goes.
func TestShift(t *testing.T) {
	for _, c := range []struct{ vr, in, out string }{
		{"DA", "20250301", "20250219"}, {"DA", "2025.03.01", "20250219"}, {"DA", "", ""}, {"DA", "March", ""},
		{"DA", `20250301\20250311`, `20250219\20250301`}, {"DA", "00010101", ""},
		{"DT", "20250301120000.5+0100", "20250219120000.5+0100"}, {"DT", "202503", "202502"}, {"TM", "1200", "1200"},
		{"DT", "20250301DIARRA", "20250219"},
	} {
		if got := shiftValue(c.in, c.vr, 10); got != c.out {
			t.Errorf("%s %q becomes %q, want %q", c.vr, c.in, got, c.out)
		}
	}
}

// TestPrivate: private elements go, known ones stay with their creator, whatever
// block it has.
func TestPrivate(t *testing.T) {
	o := write.Load(read(t, image8(t, 2, 2)), bytes.NewReader(image8(t, 2, 2)), write.Keep)
	o.Set.Text(0x00090011, "LO", "MAKER")
	o.Set.Text(0x00091101, "LO", "gain 3")
	o.Set.Text(0x00091102, "LO", "Oumou Diarra")
	o.Set.Text(0x00090012, "LO", "OTHER")
	o.Set.Text(0x00091201, "LO", "Oumou")
	var b bytes.Buffer
	if err := o.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	p := profile(t, Options{SafePrivate: []Private{{"MAKER", 0x0009, 0x01}}})
	out, _ := clean(t, p, b.Bytes(), &Review{})
	f := read(t, out)
	if f.String(0x00091101) != "gain 3" || f.String(0x00090011) != "MAKER" || f.Has(0x00091102) || f.Has(0x00090012) || f.Has(0x00091201) {
		t.Errorf("private elements: %v", f.Elements())
	}
}

// TestTable: every row is of the dictionary, by number and name, and every
// action known.
func TestTable(t *testing.T) {
	if len(table) != 617 {
		t.Errorf("%d rows", len(table))
	}
	for tag, r := range table {
		info, err := sdicom.Find(sdicom.Tag{Group: uint16(tag >> 16), Element: uint16(tag)})
		if err == nil && info.Keyword != r.name || err != nil && tag>>16 != 0 {
			t.Errorf("%v is not %s: %v %s", tag, r.name, err, info.Keyword)
		}
		switch r.basic {
		case "X", "Z", "D", "U", "X/Z", "X/D", "X/Z/D", "Z/D", "X/Z/U":
		default:
			t.Errorf("%v %s: %q", tag, r.name, r.basic)
		}
		for _, cell := range []string{r.uids, r.device, r.institution, r.patient, r.dates, r.shift, r.text, r.structure, r.graphs} {
			if cell != "" && cell != "K" && cell != "C" {
				t.Errorf("%v %s: %q", tag, r.name, cell)
			}
		}
	}
}

// FuzzObject: no input makes it panic or leak the patient's name.
func FuzzObject(f *testing.F) {
	f.Add(image8(f, 3, 3))
	f.Add(phantom.ECG12(study, phantom.Sinus))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
		if err != nil {
			return
		}
		for _, o := range everything {
			p, err := New(key, o)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if _, err := p.Write(context.Background(), &b, file, bytes.NewReader(data), &Review{Masks: []Mask{{Rect: image.Rect(0, 0, 2, 2)}}}); err != nil {
				continue
			}
			g, err := dicom.Read(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), dicom.Limits{ModelBytes: -1, Deadline: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			if name := file.String(tagName); len(name) > 3 && g.String(tagName) == name {
				t.Fatal("the name stays")
			}
		}
	})
}

func ExampleProfile_Write() {
	ctx := context.Background()
	stored := phantom.ECG12(phantom.Study{Patient: phantom.Patient{Name: "TRAORE^Awa", ID: "17"}, Seed: 1}, phantom.Sinus)
	r := bytes.NewReader(stored)
	f, err := dicom.Read(ctx, r, r.Size(), dicom.Limits{})
	if err != nil {
		fmt.Println(err)
	}
	p, err := New([]byte("sixteen secret bytes or more"), Options{Dates: ShiftDates})
	if err != nil {
		fmt.Println(err)
	}
	var out bytes.Buffer
	report, err := p.Write(ctx, &out, f, r, nil)
	fmt.Println(err, len(report.PatientID), bytes.Contains(out.Bytes(), []byte("TRAORE")))
	// Output: <nil> 13 false
}
