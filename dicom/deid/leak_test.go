package deid

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/write"
)

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
			case errors.Is(err, ErrDocument), errors.Is(err, ErrPixels), errors.Is(err, write.ErrNoInstance), errors.Is(err, write.ErrEmpty):
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

// TestComments: what encoders wrote into compressed frames goes, the picture
// and the fragments stay.
func TestComments(t *testing.T) {
	plain := phantom.USCine(2, study)
	f := read(t, plain)
	comment := append([]byte{0xFF, 0xFE, 0, 16}, "Oumou  DIARRA "...)
	o := write.Load(f, bytes.NewReader(plain), write.Keep)
	o.Set.Text(0x00080060, "CS", "XA") // not ultrasound: no masks
	o.Set.Put(write.Element{Tag: tagPixelData, VR: "OB", Body: write.Encapsulated(2, func(_ context.Context, n int) ([]byte, error) {
		s := f.Pixel.Fragments[n-1]
		stream := plain[s.Offset : s.Offset+s.Length]
		return append(append(append([]byte{}, stream[:2]...), comment...), stream[2:]...), nil
	})})
	o.Set.Text(tagSOPClass, "UI", "1.2.840.10008.5.1.4.1.1.12.1")
	var b bytes.Buffer
	if err := o.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	out, _ := clean(t, profile(t, Options{}), b.Bytes(), nil)
	if leaks(out, "DIARRA") || leaks(out, "Oumou") {
		t.Error("the comment stays")
	}
	g := read(t, out)
	for i, s := range g.Pixel.Fragments {
		was := f.Pixel.Fragments[i]
		if !bytes.Contains(out[s.Offset:s.Offset+s.Length], plain[was.Offset+2:was.Offset+was.Length]) {
			t.Errorf("frame %d has changed", i+1)
		}
	}
}

// TestDciodvfy: what is de-identified has no more errors than its source.
func TestDciodvfy(t *testing.T) {
	dciodvfy, err := exec.LookPath("dciodvfy")
	if err != nil {
		if os.Getenv("SIRA_TEST_STRICT") == "1" {
			t.Fatal(err)
		}
		t.Skip("NOT RUN: no dciodvfy on this machine")
	}
	path, sum := filepath.Join(t.TempDir(), "out.dcm"), 0
	errors := func(path string) int {
		out, _ := exec.Command(dciodvfy, path).CombinedOutput()
		return bytes.Count(out, []byte("Error - "))
	}
	for _, source := range corpus(t) {
		data, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
		if err != nil {
			continue
		}
		if _, err := dicom.Describe(f); err != nil {
			continue
		}
		var b bytes.Buffer
		if _, err := profile(t, Options{}).Write(context.Background(), &b, f, bytes.NewReader(data), &Review{}); err != nil {
			continue
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		before, after := errors(source), errors(path)
		if sum += after - before; after > before {
			t.Errorf("%s: %d errors became %d", filepath.Base(source), before, after)
		}
	}
	t.Logf("change in errors over all files: %d", sum)
}
