package deid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
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

var everything = []Options{
	{},
	{CleanPixels: true, CleanText: true, CleanGraphics: true, CleanStructure: true, Dates: ShiftDates, RetainPatient: true, RetainDevice: true},
	{RetainUIDs: true, RetainInstitution: true, Dates: KeepDates, CleanStructure: true, JPEGQuality: 90, CleanPixels: true},
}

// identities lists what of f names people, places and accounts.
func identities(f *dicom.File, o Options) []string {
	var out []string
	var walk func(d *dicom.DataSet)
	walk = func(d *dicom.DataSet) {
		for _, e := range d.Elements() {
			kept, listed := identifying[e.Tag]
			if (e.VR == "PN" || listed) && (kept == nil || !kept(&o)) {
				for _, v := range d.Strings(e.Tag) {
					out = append(out, v)
					if e.VR == "PN" {
						out = append(out, strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune("^= ", r) })...)
					}
				}
				if e.VR != "SQ" {
					out = append(out, strings.TrimSpace(string(e.Bytes())))
				}
			}
			for _, item := range e.Items {
				walk(item)
			}
		}
	}
	walk(f.DataSet)
	return out
}

// leaks looks for a text in several encodings.
func leaks(data []byte, text string) bool {
	if latin, err := charmap.ISO8859_1.NewEncoder().String(text); err == nil && bytes.Contains(data, []byte(latin)) {
		return true
	}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(text)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	return bytes.Contains(data, []byte(text)) || bytes.Contains(data, little) || bytes.Contains(data, big)
}

// innocent are words of the corpus's names that are also words of the standard
// or of our own writing.
var innocent = map[string]bool{"ANON": true, "Anonymized": true, "REMOVED": true, "text": true}

// TestNothingLeaks: of no real file any name, number or place is found again.
func TestNothingLeaks(t *testing.T) {
	files := map[string][]byte{
		"phantom/us": phantom.USCine(2, study), "phantom/ct": phantom.CT(1, study)[0], "phantom/ecg": phantom.ECG12(study, phantom.Sinus),
		"phantom/dx": phantom.DX(study, phantom.ChestOptions{}),
	}
	for _, path := range corpus(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	done, searched := 0, 0
	for name, data := range files {
		f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
		if err != nil {
			continue
		}
		for i, o := range everything {
			var b bytes.Buffer
			review := &Review{}
			if o.CleanText {
				review.Masks = []Mask{{Rect: image.Rect(0, 0, 20, 20)}}
			}
			_, err := profile(t, o).Write(context.Background(), &b, f, bytes.NewReader(data), review)
			switch {
			case errors.Is(err, ErrDocument), errors.Is(err, ErrPixels), errors.Is(err, write.ErrNoInstance):
				if b.Len() > 0 {
					t.Errorf("%s: refused after %d bytes", name, b.Len())
				}
				continue
			case err != nil:
				t.Errorf("%s: %v", name, err)
				continue
			}
			done++
			header := b.Bytes()
			if g := read(t, header); g.Pixel != nil && g.Pixel.Native != nil {
				header = header[:g.Pixel.Native.Offset]
			}
			for _, text := range identities(f, o) {
				number := strings.Trim(text, "0123456789") == ""
				if len(text) < 4 || innocent[text] || number && (len(text) < 6 || o.RetainUIDs || o.Dates == KeepDates) {
					continue // short numbers are in every UID
				}
				searched++
				if leaks(header, text) {
					t.Errorf("%s, options %d: something of %d letters is found again (%s)", name, i, len(text), text)
				}
			}
			if !o.RetainUIDs && leaks(b.Bytes(), f.String(0x0020000D)) && len(f.String(0x0020000D)) > 8 {
				t.Errorf("%s: the study UID is found again", name)
			}
		}
	}
	t.Logf("%d files written, %d texts searched", done, searched)
	if done < 100 {
		t.Errorf("only %d files", done)
	}
}

func corpus(t testing.TB) []string {
	t.Helper()
	shared := filepath.Join("..", "..", "..", "shared")
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join(shared, "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(shared); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Logf("NOT RUN on real files: no corpus at %s", dir)
		return nil
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (!strings.Contains(path, "series") || strings.Contains(path, "01.dcm")) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
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

func image8(t testing.TB, rows, cols int) []byte {
	t.Helper()
	o := write.New(write.ExplicitLE)
	o.Set.Text(tagSOPClass, "UI", "1.2.840.10008.5.1.4.1.1.7")
	o.Set.Text(tagSOPInstance, "UI", "1.2.3.4")
	o.Set.Text(0x00080060, "CS", "OT")
	o.Set.Text(tagName, "PN", "DIARRA^Oumou")
	o.Set.US(0x00280002, 1)
	o.Set.Text(0x00280004, "CS", "MONOCHROME2")
	o.Set.Integer(0x00280008, 2)
	o.Set.US(0x00280010, uint16(rows))
	o.Set.US(0x00280011, uint16(cols))
	for i, v := range []uint16{8, 8, 7, 0} {
		o.Set.US(dicom.Tag(0x00280100+i), v)
	}
	o.Set.Put(write.Element{Tag: tagPixelData, VR: "OB", Value: bytes.Repeat([]byte{200}, 2*rows*cols)})
	var b bytes.Buffer
	if err := o.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMasks: pixels inside are black in the frames meant, all others untouched,
// in native, RLE and JPEG data, decompressed and recompressed.
func TestMasks(t *testing.T) {
	files := map[string][]byte{"us": phantom.USCine(3, study), "sc": image8(t, 9, 7)}
	for _, name := range []string{"pydicom/SC_rgb_rle_2frame.dcm", "pydicom/MR_small_RLE.dcm", "pydicom/MR_small_bigendian.dcm", "pydicom/MR_small.dcm",
		"pydicom/examples_palette.dcm", "pydicom/SC_ybr_full_422_uncompressed.dcm", "pydicom/SC_rgb_small_odd.dcm", "dcm4che/US-PAL-8-10x-echo",
		"pydicom/examples_ybr_color.dcm", "pydicom/image_dfl.dcm", "pydicom/SC_rgb_rle_16bit_2frame.dcm", "fodicom/CR-MONO1-10-chest"} {
		for _, path := range corpus(t) {
			if strings.HasSuffix(filepath.ToSlash(path), name) {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				files[name] = data
			}
		}
	}
	for name, data := range files {
		for _, quality := range []int{0, 95} {
			checkMask(t, name, data, quality)
		}
	}
}

func checkMask(t *testing.T, name string, data []byte, quality int) {
	t.Helper()
	ctx := context.Background()
	before, err := pixel.Open(read(t, data), bytes.NewReader(data))
	if err != nil {
		t.Fatal(name, err)
	}
	info := before.Info()
	all := image.Rect(1, 0, max(info.Cols/3, 2), max(info.Rows/3, 2))
	one := image.Rect(info.Cols/2, info.Rows/2, info.Cols+50, info.Rows+50)
	p := profile(t, Options{CleanPixels: true, JPEGQuality: quality})
	out, report := clean(t, p, data, &Review{Masks: []Mask{{Rect: all}, {Rect: one, Frame: 1}}})
	f := read(t, out)
	after, err := pixel.Open(f, bytes.NewReader(out))
	if err != nil {
		t.Fatal(name, err)
	}
	if got := after.Info(); got.Frames != info.Frames || len(f.Warnings) > 0 || f.String(0x00280301) != "NO" {
		t.Errorf("%s: %d frames were %d; %v", name, got.Frames, info.Frames, f.Warnings)
	}
	lossy := quality > 0 && f.TransferSyntax == jpegBaseline
	for n := 1; n <= info.Frames; n++ {
		a, err := before.Frame(ctx, n)
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := after.Frame(ctx, n)
		if err != nil {
			t.Fatal(name, err)
		}
		if len(a.Data) != len(b.Data) {
			t.Fatalf("%s: frame %d of %d bytes, was of %d", name, n, len(b.Data), len(a.Data))
		}
		rects := forFrame(report.Masks, n, info)
		width := len(b.Data) / info.Rows / info.Cols
		var wrong int
		ink := b.Data[1*width : 2*width]
		for k := range info.Rows * info.Cols {
			at := image.Pt(k%info.Cols, k/info.Cols)
			covered, near := false, false
			for _, r := range rects {
				covered = covered || at.In(r)
				near = near || at.In(r.Inset(-16))
			}
			x, y := a.Data[k*width:(k+1)*width], b.Data[k*width:(k+1)*width]
			switch {
			case covered && !lossy && !bytes.Equal(y, ink), covered && lossy && y[0] > 60 && !edge(at, rects),
				!near && lossy && !close(x, y, 40), !covered && !lossy && !bytes.Equal(x, y):
				wrong++
			}
		}
		if wrong > 0 {
			t.Errorf("%s, quality %d: frame %d: %d pixels are wrong", name, quality, n, wrong)
		}
	}
}

func edge(at image.Point, rects []image.Rectangle) bool {
	for _, r := range rects {
		if at.In(r.Inset(17)) {
			return false
		}
	}
	return true
}

func close(a, b []byte, by int) bool {
	for i := range a {
		if d := int(a[i]) - int(b[i]); d > by || d < -by {
			return false
		}
	}
	return true
}

// TestOutside: masks and regions together tile the image, without overlap of
// the two, whatever the regions.
func TestOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := image.Rect(0, 0, rapid.IntRange(1, 30).Draw(t, "w"), rapid.IntRange(1, 30).Draw(t, "h"))
		var regions []image.Rectangle
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			x, y := rapid.IntRange(-5, 30).Draw(t, "x"), rapid.IntRange(-5, 30).Draw(t, "y")
			regions = append(regions, image.Rect(x, y, x+rapid.IntRange(1, 20).Draw(t, "dx"), y+rapid.IntRange(1, 20).Draw(t, "dy")).Intersect(whole))
		}
		masks := Outside(whole, regions)
		for y := range whole.Max.Y {
			for x := range whole.Max.X {
				in, masked := false, 0
				for _, r := range regions {
					in = in || image.Pt(x, y).In(r)
				}
				for _, m := range masks {
					if image.Pt(x, y).In(m.Rect) {
						masked++
					}
				}
				if in && masked != 0 || !in && masked != 1 {
					t.Fatalf("(%d,%d) in region: %v, in %d masks %v of %v", x, y, in, masked, masks, regions)
				}
			}
		}
	})
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

// TestTable: every row is of the dictionary, and every action known.
func TestTable(t *testing.T) {
	if len(table) != 617 {
		t.Errorf("%d rows", len(table))
	}
	for tag, r := range table {
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

// TestPreview: masks are seen, what is outside is what is sent.
func TestPreview(t *testing.T) {
	data := phantom.USCine(1, study)
	p := profile(t, Options{CleanPixels: true})
	m, masks, err := p.Preview(context.Background(), read(t, data), bytes.NewReader(data), 1, &Review{Masks: []Mask{{Rect: image.Rect(100, 200, 140, 220)}}})
	if err != nil || len(masks) < 2 {
		t.Fatal(masks, err)
	}
	red := color.RGBA{220, 0, 0, 255}
	if m.At(100, 200) != red || m.At(120, 210) != (color.RGBA{0, 0, 0, 255}) || m.At(0, 0) != red {
		t.Errorf("%v %v %v", m.At(100, 200), m.At(120, 210), m.At(0, 0))
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
