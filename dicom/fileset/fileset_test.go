package fileset

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/phantom"
)

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

func file(name string, data []byte) File {
	return File{name, int64(len(data)), func(context.Context) (Content, error) { return memory{bytes.NewReader(data)}, nil }}
}

func study(id, name string, seed uint64) phantom.Study {
	return phantom.Study{Patient: phantom.Patient{Name: name, ID: id, Sex: "F", BirthDate: "19870412"}, Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seed: seed}
}

// case of two patients, all kinds that the phantoms know, and other files.
func sample() (Case, map[string][]byte) {
	s := sampled()
	return s.Case, s.others
}

type caseAndOthers struct {
	Case
	others map[string][]byte
}

var sampled = sync.OnceValue(func() caseAndOthers {
	c := Case{Title: "Dossier ML-2026-0042 <b>", Notes: []string{"Question : fracture ?"}, Made: time.Date(2026, 2, 3, 4, 5, 0, 0, time.UTC)}
	objects := phantom.CT(3, study("1", "DIARRA^Oumou", 1))
	objects = append(objects, phantom.USCine(2, study("1", "DIARRA^Oumou", 1)), phantom.ECG12(study("1", "DIARRA^Oumou", 2), phantom.Sinus), phantom.DX(study("2", "TRAORÉ^Awa", 3), phantom.ChestOptions{}))
	for _, data := range objects {
		c.Objects = append(c.Objects, file("", data))
	}
	others := map[string][]byte{"photo de la plaie.jpg": phantom.Photo(1), `..\..\évil.PDF`: phantom.PDF("Bilan", []string{"Hb 9"}), "photo-de-la-plaie.JPG": []byte("other")}
	for _, name := range []string{"photo de la plaie.jpg", `..\..\évil.PDF`, "photo-de-la-plaie.JPG"} {
		c.Others = append(c.Others, file(name, others[name]))
	}
	return caseAndOthers{c, others}
})

func written(t testing.TB, c Case) (*zip.Reader, Result) {
	t.Helper()
	var b bytes.Buffer
	result, err := Write(context.Background(), &b, c)
	if err != nil {
		t.Fatal(err)
	}
	if result.Bytes != int64(b.Len()) {
		t.Errorf("%d bytes reported, %d written", result.Bytes, b.Len())
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return z, result
}

func content(t testing.TB, z *zip.Reader, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(z, name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestWrite: every object is in, byte for byte, named by the DICOMDIR as the
// standard wants names, and other files under harmless names.
func TestWrite(t *testing.T) {
	c, others := sample()
	z, result := written(t, c)
	if result.Objects != 6 || result.Others != 3 || result.Unlisted != 0 {
		t.Errorf("%+v", result)
	}
	refs := dicom.References(directory(t, z))
	if len(refs) != 6 {
		t.Errorf("%d references", len(refs))
	}
	stored := map[string]bool{}
	for _, ref := range refs {
		stored[string(content(t, z, ref))] = true
		for _, part := range strings.Split(ref, "/") {
			if !regexp.MustCompile(`^[A-Z0-9_]{1,8}$`).MatchString(part) {
				t.Errorf("file ID %s", ref)
			}
		}
	}
	for i, o := range c.Objects {
		r, _ := o.Open(context.Background())
		data, _ := io.ReadAll(io.NewSectionReader(r, 0, o.Size))
		if !stored[string(data)] {
			t.Errorf("object %d is not in as it was", i)
		}
	}
	for name, data := range map[string]string{"FICHIERS/photo-de-la-plaie.jpg": "photo de la plaie.jpg", "FICHIERS/evil.PDF": `..\..\évil.PDF`, "FICHIERS/photo-de-la-plaie-2.JPG": "photo-de-la-plaie.JPG"} {
		if !bytes.Equal(content(t, z, name), others[data]) {
			t.Errorf("%s is not what it was", name)
		}
	}
	page, text := string(content(t, z, "INDEX.HTM")), string(content(t, z, "LISEZMOI.TXT"))
	for _, want := range []string{"DIARRA Oumou", "TRAORÉ Awa", "photo-de-la-plaie.jpg", "Question : fracture ?"} {
		if !strings.Contains(page, want) || !strings.Contains(text, want) {
			t.Errorf("the index does not tell %q", want)
		}
	}
	if strings.Contains(page, "<b>") {
		t.Error("the page takes text for markup")
	}
}

func directory(t *testing.T, z *zip.Reader) *dicom.File {
	t.Helper()
	data := content(t, z, "DICOMDIR")
	f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestOffsets: following the offsets, as viewers do, leads through every
// record, each patient's studies below the patient.
func TestOffsets(t *testing.T) {
	c, _ := sample()
	z, _ := written(t, c)
	f := directory(t, z)
	at := map[int]*dicom.DataSet{}
	for _, item := range f.Sequence(0x00041220) {
		first := item.Element(0x00041400).Section.Offset // 8 bytes of element and 8 of item head before
		at[int(first)-16] = item
	}
	var shape strings.Builder
	seen := 0
	var follow func(offset int)
	follow = func(offset int) {
		for offset != 0 {
			item := at[offset]
			if item == nil {
				t.Fatalf("no record at %d", offset)
			}
			seen++
			shape.WriteString(item.String(0x00041430)[:2] + " ")
			lower, _ := item.Int(0x00041420)
			follow(lower)
			offset, _ = item.Int(0x00041400)
		}
	}
	first, _ := f.Int(0x00041200)
	follow(first)
	if seen != len(at) {
		t.Errorf("%d of %d records are reached", seen, len(at))
	}
	if want := "PA ST SE IM IM IM SE IM ST SE WA PA ST SE IM "; shape.String() != want {
		t.Errorf("%q, want %q", shape.String(), want)
	}
	last, _ := f.Int(0x00041202)
	if at[last].String(0x00041430) != "PATIENT" {
		t.Error("the last root record is none")
	}
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

// corpusCase is a case of all the real files there are.
func corpusCase(t *testing.T) Case {
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
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	var c Case
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (!strings.Contains(path, "series") || strings.Contains(path, "1.dcm")) {
			info, _ := d.Info()
			c.Objects = append(c.Objects, File{d.Name(), info.Size(), func(context.Context) (Content, error) { return os.Open(path) }})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCorpus: a file-set of every real file; dcmtk finds nothing to say against
// its directory, reads each file, and agrees with it on each record.
func TestCorpus(t *testing.T) {
	c := corpusCase(t)
	dcmdump, dciodvfy := tool(t, "dcmdump"), tool(t, "dciodvfy")
	z, result := written(t, c)
	t.Logf("%+v", result)
	if result.Objects+result.Others != len(c.Objects) || result.Objects < 100 {
		t.Errorf("%+v of %d files", result, len(c.Objects))
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, z); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(dcmdump, "-q", filepath.Join(dir, "DICOMDIR")).CombinedOutput()
	if err != nil || regexp.MustCompile(`(?m)^[EW]: `).Match(out) {
		t.Errorf("dcmdump: %v %.400s", err, out)
	}
	out, _ = exec.Command(dciodvfy, filepath.Join(dir, "DICOMDIR")).CombinedOutput()
	for _, line := range regexp.MustCompile(`(?m)^Error - .*$`).FindAllString(string(out), -1) {
		if !strings.Contains(line, "Illegal root for UID") && !strings.Contains(line, "Value invalid for this VR") && !strings.Contains(line, "invalid data values for Value Representations") { // these the objects brought along
			t.Errorf("dciodvfy: %s", line)
		}
	}
	// Appending what is there already makes dcmtk read, check and write the directory again.
	check := exec.Command(tool(t, "dcmmkdir"), "+id", dir, "+D", filepath.Join(dir, "DICOMDIR"), "-Pgp", "+A", "-W", "+I", dicom.References(directory(t, z))[0])
	if out, err := check.CombinedOutput(); err != nil || regexp.MustCompile(`(?m)^E: `).Match(out) {
		t.Errorf("dcmtk does not take the directory: %v %.400s", err, out)
	}
}

// TestOddObjects: duplicates, broken and bare objects: each is somewhere.
func TestOddObjects(t *testing.T) {
	data := phantom.ECG12(study("1", "A", 1), phantom.Sinus)
	bare := data[132:]
	z, result := written(t, Case{Objects: []File{file("", data), file("", data), file("mal.dcm", []byte("nothing")), file("", bare)}})
	if result.Objects != 3 || result.Others != 1 {
		t.Errorf("%+v", result)
	}
	if got := content(t, z, "FICHIERS/mal.dcm"); string(got) != "nothing" {
		t.Error("a broken object is not kept")
	}
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, "DICOM/") && !bytes.Equal(content(t, z, f.Name)[128:132], []byte("DICM")) {
			t.Errorf("%s is no Part 10 file", f.Name)
		}
	}
}

// TestErrors: what fails below is said, and no file is taken for complete.
func TestErrors(t *testing.T) {
	gone := errors.New("gone")
	_, err := Write(context.Background(), io.Discard, Case{Objects: []File{{Open: func(context.Context) (Content, error) { return nil, gone }}}})
	if !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
	short := file("a.txt", []byte("abc"))
	short.Size = 10
	if _, err := Write(context.Background(), io.Discard, Case{Others: []File{short}}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// FuzzSafeName: no name leads out of its folder.
func FuzzSafeName(f *testing.F) {
	for _, name := range []string{"", "..", "a/../b", `C:\x.exe`, "con.txt", "échographie.jpg", "\x00", ".htaccess"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := safeName(name)
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}(\.[A-Za-z0-9_-]{1,5})?$`).MatchString(got) {
			t.Errorf("%q becomes %q", name, got)
		}
	})
}

func ExampleWrite() {
	scan := phantom.ECG12(phantom.Study{Patient: phantom.Patient{Name: "TRAORE^Awa", ID: "17"}, Seed: 1}, phantom.Sinus)
	var out bytes.Buffer
	_, err := Write(context.Background(), &out, Case{Title: "Dossier 42", Objects: []File{{
		Size: int64(len(scan)),
		Open: func(context.Context) (Content, error) { return memory{bytes.NewReader(scan)}, nil },
	}}})
	fmt.Println(err)
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range z.File {
		fmt.Println(f.Name)
	}
	// Output:
	// <nil>
	// DICOM/PT000001/ST000001/SE000001/IM000001
	// DICOMDIR
	// LISEZMOI.TXT
	// INDEX.HTM
}

type sized struct{ memory }

func (s sized) Size() int64 { return s.Reader.Size() }

// TestLeftOut: what says so when its turn comes is left out and counted, the
// rest goes on; content may tell its size late; another fault ends it all.
func TestLeftOut(t *testing.T) {
	c, _ := sample()
	data := phantom.DX(study("9", "KEITA^Sira", 9), phantom.ChestOptions{})
	gone := func(context.Context) (Content, error) { return nil, fmt.Errorf("lost: %w", ErrLeftOut) }
	c.Objects = append(c.Objects[:2:2], File{Open: gone}, File{Open: func(context.Context) (Content, error) { return sized{memory{bytes.NewReader(data)}}, nil }})
	c.Others = append(c.Others[:1:1], File{Name: "x.pdf", Open: gone})
	z, result := written(t, c)
	if result.Objects != 3 || result.Others != 1 || result.LeftOut != 2 {
		t.Errorf("%+v", result)
	}
	if !strings.Contains(string(content(t, z, "INDEX.HTM")), "Non joints au moment de l'export : 2") {
		t.Error("the index does not tell what is missing")
	}
	broken := errors.New("disk")
	c.Others = []File{{Name: "y", Open: func(context.Context) (Content, error) { return nil, broken }}}
	if _, err := Write(context.Background(), io.Discard, c); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
