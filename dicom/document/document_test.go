package document

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

var at = time.Date(2026, 3, 4, 10, 11, 12, 0, time.FixedZone("", 3600))

var here = Context{
	PatientName: "TRAORÉ^Awa", PatientID: "ML-12", PatientBirthDate: "19800102", PatientSex: "F",
	StudyUID: "1.2.3.4", StudyID: "S1", StudyDate: "20260303", StudyTime: "080910", Accession: "A1", Referrer: "KEITA^Modibo", Institution: "CSRéf de Kolokani",
}

var images = []Reference{
	{StudyUID: "1.2.3.4", SeriesUID: "1.2.3.4.1", SOPClass: "1.2.840.10008.5.1.4.1.1.2", SOPUID: "1.2.3.4.1.1"},
	{StudyUID: "1.2.3.4", SeriesUID: "1.2.3.4.1", SOPClass: "1.2.840.10008.5.1.4.1.1.2", SOPUID: "1.2.3.4.1.2"},
	{StudyUID: "1.2.3.4", SeriesUID: "1.2.3.4.2", SOPClass: "1.2.840.10008.5.1.4.1.1.3.1", SOPUID: "1.2.3.4.2.1", Frames: []int{3, 7}},
	{StudyUID: "1.2.9", SeriesUID: "1.2.9.1", SOPClass: "1.2.840.10008.5.1.4.1.1.1.1", SOPUID: "1.2.9.1.1"},
}

var opinion = Opinion{
	Question: "Fracture ?", Findings: "Os sans lésion visible.\nPas d'épanchement.", Conclusion: "Pas de fracture.", Advice: "Contrôle à J10.",
	Author: Person{"COULIBALY^Fanta^^Dr", "CHU du Point G"}, Signed: at, Images: images,
}

func written(t testing.TB, o *write.Object, err error) (*dicom.File, []byte) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := o.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	f, err := dicom.Read(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), dicom.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Warnings) > 0 {
		t.Errorf("read with %v", f.Warnings)
	}
	return f, b.Bytes()
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("SIRA_TEST_STRICT") == "1" {
			t.Fatal(err)
		}
		t.Skipf("NOT RUN: no %s on this machine", name)
	}
	return path
}

// everything that this package can make.
func everything(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	add := func(name string, o *write.Object, err error) { _, out[name] = written(t, o, err) }
	o, err := Report(here, Identity{At: at}, opinion)
	add("basic report", o, err)
	comprehensive := opinion
	comprehensive.Comprehensive, comprehensive.Signed, comprehensive.Findings = true, time.Time{}, ""
	o, err = Report(here, Identity{At: at}, comprehensive)
	add("comprehensive report", o, err)
	o, err = KeyObjects(here, Identity{At: at}, Selection{Note: "voir la corticale", Author: opinion.Author, Images: images})
	add("selection", o, err)
	o, err = Photograph(here, Identity{At: at}, phantom.Photo(1), false)
	add("secondary capture", o, err)
	o, err = Photograph(here, Identity{At: at}, phantom.Photo(1), true)
	add("photograph", o, err)
	pdf := phantom.PDF("Bilan", []string{"Hb 9"})
	o, err = PDF(here, Identity{At: at}, "Bilan du 3 mars", bytes.NewReader(pdf), int64(len(pdf)))
	add("document", o, err)
	return out
}

// TestValid: dciodvfy finds no error in anything made here.
func TestValid(t *testing.T) {
	dciodvfy := tool(t, "dciodvfy")
	for name, data := range everything(t) {
		path := filepath.Join(t.TempDir(), "x.dcm")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command(dciodvfy, path).CombinedOutput()
		for _, line := range regexp.MustCompile(`(?m)^(Error|Warning) - .*$`).FindAllString(string(out), -1) {
			if strings.HasPrefix(line, "Error") {
				t.Errorf("%s: %s", name, line)
			} else {
				t.Logf("%s: %s", name, line)
			}
		}
	}
}

// TestDsrdump: dcmtk reads reports and selections as documents.
func TestDsrdump(t *testing.T) {
	dsrdump := tool(t, "dsrdump")
	for name, data := range everything(t) {
		if !strings.HasSuffix(name, "report") && name != "selection" {
			continue
		}
		path := filepath.Join(t.TempDir(), "x.dcm")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(dsrdump, "+Pl", path).CombinedOutput()
		// What dcmtk says it cannot check is no fault of the object.
		out = regexp.MustCompile(`(?m)^W: (The VR checker does not support this|Check for template constraints not yet).*$`).ReplaceAll(out, nil)
		if err != nil || regexp.MustCompile(`(?m)^[EW]: `).Match(out) {
			t.Errorf("%s: %v %s", name, err, out)
		}
		if name == "basic report" && (!bytes.Contains(out, []byte("Pas de fracture.")) || !bytes.Contains(out, []byte("COULIBALY"))) {
			t.Errorf("%s", out)
		}
	}
}

// TestReport: the tree says what was given, and where it was seen.
func TestReport(t *testing.T) {
	o, err := Report(here, Identity{At: at, SOPUID: "1.2.3.99"}, opinion)
	f, _ := written(t, o, err)
	var texts []string
	for _, item := range f.Sequence(0x0040A730) {
		for _, text := range item.Sequence(0x0040A730) {
			texts = append(texts, text.String(0x0040A160))
		}
	}
	want := "Fracture ?|Os sans lésion visible.\r\nPas d'épanchement.|Pas de fracture.|Contrôle à J10."
	if got := strings.Join(texts, "|"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if f.String(0x0040A493) != "VERIFIED" || f.Sequence(0x0040A073)[0].String(0x0040A030) != "20260304101112+0100" || f.String(0x00080018) != "1.2.3.99" {
		t.Error("verification")
	}
	if n := len(f.Sequence(0x0040A375)); n != 1 || len(f.Sequence(0x0040A385)) != 1 {
		t.Errorf("evidence of %d studies", n)
	}
	if series := f.Sequence(0x0040A375)[0].Sequence(0x00081115); len(series) != 2 || len(series[0].Sequence(0x00081199)) != 2 {
		t.Error("evidence by series")
	}
	if got := ContextOf(f); got != here {
		t.Errorf("context %+v, want %+v", got, here)
	}
}

// TestIncomplete: nothing is made without what the standard requires.
func TestIncomplete(t *testing.T) {
	id := Identity{At: at}
	_, a := Report(here, id, Opinion{Author: opinion.Author})
	_, b := Report(Context{}, id, opinion)
	_, c := Report(here, Identity{}, opinion)
	_, d := KeyObjects(here, id, Selection{})
	_, e := KeyObjects(here, id, Selection{Title: "1", Images: images})
	for i, err := range []error{a, b, c, d, e} {
		if !errors.Is(err, ErrIncomplete) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := PDF(here, id, "", strings.NewReader("PK"), 2); !errors.Is(err, ErrPDF) {
		t.Error(err)
	}
	for _, data := range []string{"", "GIF89a", "\xff\xd8\xff\xda\x00\x02", "\xff\xd8\xff\xe0\x00"} {
		if _, err := Photograph(here, id, []byte(data), false); !errors.Is(err, ErrImage) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// TestPhotograph: a baseline photograph keeps its picture to the bit and loses
// its metadata; a turned one is turned upright.
func TestPhotograph(t *testing.T) {
	plain := phantom.Photo(1)
	tagged := withExif(plain, 1)
	tagged = append(tagged, "trailer with a name"...)
	o, err := Photograph(here, Identity{At: at}, tagged, true)
	f, data := written(t, o, err)
	if bytes.Contains(data, []byte("GPS")) || bytes.Contains(data, []byte("trailer")) || bytes.Contains(data, []byte("Exif")) {
		t.Error("metadata stay")
	}
	if got, want := decode(t, f, data), decodeJPEG(t, plain); !bytes.Equal(got.Data, want.Data) {
		t.Error("the picture has changed")
	}
	src, err := pixel.Open(f, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := src.Encoded(context.Background(), 1); !ok || err != nil {
		t.Errorf("browsers cannot show it: %v", err)
	}
	o, err = Photograph(here, Identity{At: at}, withExif(plain, 6), false)
	f, data = written(t, o, err)
	if was, is := decodeJPEG(t, plain), decode(t, f, data); is.Rows != was.Cols || is.Cols != was.Rows {
		t.Errorf("%d×%d became %d×%d", was.Rows, was.Cols, is.Rows, is.Cols)
	}
}

// TestUpright: the corner that EXIF calls the top left comes there.
func TestUpright(t *testing.T) {
	for turned, corner := range map[int]image.Point{1: {0, 0}, 2: {2, 0}, 3: {2, 1}, 4: {0, 1}, 5: {0, 0}, 6: {0, 1}, 7: {2, 1}, 8: {2, 0}} {
		m := image.NewRGBA(image.Rect(0, 0, 3, 2))
		m.Set(corner.X, corner.Y, color.White)
		if r, _, _, _ := upright(m, turned).At(0, 0).RGBA(); r != 0xFFFF {
			t.Errorf("orientation %d", turned)
		}
	}
}

func withExif(data []byte, turned int) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, uint16(turned))
	tiff = append(tiff, "\x00\x00\x00\x00\x00\x00GPS"...)
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, data[:2]...)
	out = append(out, 0xFF, 0xE1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), data[2:]...)
}

func decode(t *testing.T, f *dicom.File, data []byte) *pixel.Pixels {
	t.Helper()
	src, err := pixel.Open(f, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	p, err := src.Stored(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decodeJPEG(t *testing.T, data []byte) *pixel.Pixels {
	t.Helper()
	o, err := Photograph(here, Identity{At: at}, data, false)
	f, out := written(t, o, err)
	e := f.Pixel.Fragments[0]
	m, err := jpeg.Decode(bytes.NewReader(out[e.Offset : e.Offset+e.Length]))
	if err != nil {
		t.Fatal(err)
	}
	direct, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil || m.Bounds() != direct.Bounds() || m.At(9, 9) != direct.At(9, 9) {
		t.Fatal("stripping harms the stream", err)
	}
	return decode(t, f, out)
}

// FuzzPhotograph: any bytes give an object that reads, or an error.
func FuzzPhotograph(f *testing.F) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 9)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(withExif(b.Bytes(), 5))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Photograph(here, Identity{At: at}, data, false)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := o.Write(context.Background(), &out); err != nil {
			t.Fatal(err)
		}
		if _, err := dicom.Read(context.Background(), bytes.NewReader(out.Bytes()), int64(out.Len()), dicom.Limits{ModelBytes: -1}); err != nil {
			t.Fatal(err)
		}
	})
}

func ExampleReport() {
	o, err := Report(Context{PatientName: "TRAORE^Awa", PatientID: "17", StudyUID: "1.2.3"}, Identity{At: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)}, Opinion{
		Conclusion: "Pas de fracture.",
		Author:     Person{Name: "COULIBALY^Fanta"},
		Images:     []Reference{{StudyUID: "1.2.3", SeriesUID: "1.2.3.1", SOPClass: "1.2.840.10008.5.1.4.1.1.2", SOPUID: "1.2.3.1.1"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	fmt.Println(o.Write(context.Background(), &out), bytes.Contains(out.Bytes(), []byte("Pas de fracture.")))
	// Output: <nil> true
}
