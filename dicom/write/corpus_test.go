package write

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sira/dicom"
)

// corpus lists the files with real objects, or skips. Of a series one counts.
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
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (!strings.Contains(path, "series") || strings.Contains(path, "1.dcm")) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t testing.TB, data []byte) *dicom.File {
	t.Helper()
	f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	return f
}

// rewritten returns every corpus file that reads, with what Load and Write make of it.
func rewritten(t *testing.T, c Charset, fn func(t *testing.T, path string, was *dicom.File, in, out []byte)) {
	n := 0
	for _, path := range corpus(t) {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := dicom.Read(context.Background(), bytes.NewReader(in), int64(len(in)), dicom.Limits{ModelBytes: -1})
		if err != nil {
			continue
		}
		o := Load(f, bytes.NewReader(in), c)
		if _, err := o.Meta(); err != nil {
			o.Set.Text(tagSOPClass, "UI", "1.2.840.10008.5.1.4.1.1.7")
			o.Set.Text(tagSOPInstance, "UI", "1.2.3.4")
		}
		n++
		t.Run(filepath.Base(path), func(t *testing.T) {
			var b bytes.Buffer
			if err := o.Write(context.Background(), &b); err != nil {
				t.Fatal(err)
			}
			if size := o.Size(); size != Unknown && size != int64(b.Len()) {
				t.Errorf("Size says %d, %d bytes written", size, b.Len())
			}
			fn(t, path, f, in, b.Bytes())
		})
	}
	if n < 100 {
		t.Errorf("only %d files", n)
	}
}

// TestCorpusRoundTrip: what is read from a written file is what was read before.
func TestCorpusRoundTrip(t *testing.T) {
	for _, c := range []Charset{Keep, UTF8} {
		rewritten(t, c, func(t *testing.T, path string, was *dicom.File, in, out []byte) {
			is := read(t, out)
			compare(t, view{was, was.Data(bytes.NewReader(in))}, view{is, is.Data(bytes.NewReader(out))}, was.DataSet, is.DataSet, c)
			if was.TransferSyntax != is.TransferSyntax && was.TransferSyntax != explicitBE {
				t.Errorf("syntax %s became %s", was.TransferSyntax, is.TransferSyntax)
			}
			for _, warning := range is.Warnings {
				t.Errorf("read back with: %s", warning)
			}
		})
	}
}

type view struct {
	f    *dicom.File
	data io.ReaderAt
}

func compare(t *testing.T, va, vb view, a, b *dicom.DataSet, c Charset) {
	t.Helper()
	var seen dicom.Tag
	for _, e := range a.Elements() {
		group := uint32(e.Tag) >> 16
		if e.Tag == seen || uint32(e.Tag)&0xFFFF == 0 || group < 4 || group >= 0xFFFC || c == UTF8 && e.Tag == tagCharacterSet {
			continue
		}
		seen = e.Tag
		g := b.Element(e.Tag)
		if g == nil {
			t.Errorf("%v is lost", e.Tag)
			continue
		}
		if e.VR != g.VR && !(e.VR == "UN" && g.VR == "LO" || e.Fragments != nil || e.Tag == tagPixelData || e.Section.Length > 0xFFFE || e.VR == "SQ" && len(e.Items) == 0) {
			t.Errorf("%v: VR %s became %s", e.Tag, e.VR, g.VR)
		}
		if len(e.Items) != len(g.Items) || len(e.Fragments) != len(g.Fragments) {
			t.Errorf("%v: %d items and %d fragments became %d and %d", e.Tag, len(e.Items), len(e.Fragments), len(g.Items), len(g.Fragments))
			continue
		}
		for i := range e.Items {
			compare(t, va, vb, e.Items[i], g.Items[i], c)
		}
		if x, y := content(t, va, a, e), content(t, vb, b, g); e.VR != "SQ" && x != y {
			t.Errorf("%v (%s): %.80q became %.80q", e.Tag, e.VR, x, y)
		}
	}
	if added := len(b.Elements()) - len(a.Elements()); added > 3 {
		t.Errorf("%d elements added", added)
	}
}

// content is a value in a form that does not depend on its encoding.
func content(t *testing.T, v view, d *dicom.DataSet, e *dicom.Element) string {
	t.Helper()
	load := func(s dicom.Section) string {
		b := make([]byte, s.Length)
		if _, err := v.data.ReadAt(b, s.Offset); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		return string(b)
	}
	switch {
	case e.Fragments != nil:
		var out strings.Builder
		for _, s := range e.Fragments[1:] { // the offset table moves with padding
			text := load(s)
			out.WriteString(text + strings.Repeat("\x00", len(text)%2))
		}
		return out.String()
	case padding(e.VR) == ' ' || e.VR == "UI":
		return strings.Join(d.Strings(e.Tag), `\`)
	case e.Bytes() != nil && wordSize(e.VR) > 1 && len(e.Bytes()) <= 1<<16:
		if e.VR == "OF" || e.VR[0] == 'F' || e.VR == "OD" {
			return fmt.Sprint(d.Floats(e.Tag))
		}
		if e.VR == "AT" {
			return fmt.Sprint(d.Strings(e.Tag))
		}
		return fmt.Sprint(d.Ints(e.Tag))
	}
	text := load(e.Section)
	if v.f.BigEndian && e.Bytes() == nil {
		b := []byte(text)
		vr := e.VR
		if bits, ok := d.Int(tagBitsAllocated); ok && bits > 8 {
			vr = "OW"
		}
		reverse(b, wordSize(vr))
		text = string(b)
	}
	return text + strings.Repeat("\x00", len(text)%2)
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

// TestDcmdumpReads: dcmtk reads all that is written, without a word of blame.
func TestDcmdumpReads(t *testing.T) {
	dcmdump := tool(t, "dcmdump")
	name := filepath.Join(t.TempDir(), "out.dcm")
	for _, c := range []Charset{Keep, UTF8} {
		rewritten(t, c, func(t *testing.T, path string, _ *dicom.File, in, out []byte) {
			before, _ := exec.Command(dcmdump, "-q", path).CombinedOutput()
			if err := os.WriteFile(name, out, 0o600); err != nil {
				t.Fatal(err)
			}
			report, err := exec.Command(dcmdump, name).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %.300s", err, report)
			}
			blame := regexp.MustCompile(`(?m)^[WE]: .*$`)
			for _, line := range blame.FindAllString(string(report), -1) {
				t.Logf("dcmdump: %s (%d before)", line, len(blame.FindAll(before, -1)))
			}
		})
	}
}

// TestDciodvfy: no file gets more errors than it had.
func TestDciodvfy(t *testing.T) {
	dciodvfy := tool(t, "dciodvfy")
	name := filepath.Join(t.TempDir(), "out.dcm")
	errors := func(path string) (int, string) {
		out, _ := exec.Command(dciodvfy, path).CombinedOutput()
		// The meta group repeats the instance UID of the data set, right or wrong.
		lines := slices.DeleteFunc(regexp.MustCompile(`(?m)^Error - .*$`).FindAllString(string(out), -1),
			func(line string) bool { return strings.Contains(line, "(0x0002,0x0003)") })
		return len(lines), strings.Join(lines, "\n")
	}
	sum := 0
	rewritten(t, Keep, func(t *testing.T, path string, was *dicom.File, in, out []byte) {
		if err := os.WriteFile(name, out, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := dicom.Describe(was); err != nil {
			t.Skipf("no sound object: %v", err)
		}
		before, listBefore := errors(path)
		after, listAfter := errors(name)
		sum += after - before
		if after > before {
			t.Errorf("%d errors became %d:\n%s\n-- were:\n%s", before, after, listAfter, listBefore)
		}
	})
	t.Logf("change in errors over all files: %d", sum)
}
