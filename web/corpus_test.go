package web

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sira/dicom/phantom"
)

// corpus is where real files are, for tests that read them.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		if _, err := os.Stat(filepath.Dir(dir)); err == nil && os.Getenv("SIRA_CORPUS") == "" {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	return dir
}

// TestRealFiles files all real ones in one archive: each gets a word, what was
// stored can be looked at, and the server is well afterwards.
func TestRealFiles(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	n := 0
	err := filepath.WalkDir(corpus(t), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil || info.Size() > 8<<20 {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := zw.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return err
		}
		n++
		_, err = f.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	in := w.send("clin", id, "tout.zip", b.Bytes())
	if len(in.Files) != n || n < 50 {
		t.Fatalf("%d outcomes of %d files", len(in.Files), n)
	}
	stored := 0
	for _, f := range in.Files {
		switch f.State {
		case "stored":
			stored++
		default:
			if f.Message == "" {
				t.Errorf("%s is %s without a word", f.Name, f.State)
			}
			t.Logf("%s: %s %s", f.Name, f.State, f.Reason)
		}
	}
	if stored < n/2 {
		t.Errorf("only %d of %d files were stored", stored, n)
	}
	v := w.getCase("cardio", id)
	for _, s := range v.Series {
		var m manifestView
		w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+s.SeriesUID, nil)).json(t, &m)
		for _, x := range m.Instances {
			one := "/api/cases/" + id + "/instances/" + x.SOP
			frame := w.do("cardio", "GET", one+"/frames/1?reduce=1", nil)
			if shown := x.Encoding == "raw" || x.Encoding == "jpeg"; shown != (frame.status == 200) && x.Kind == "image" {
				t.Errorf("%s (%s) says %s, its frame is %d: %.200s", x.SOP, x.Syntax, x.Encoding, frame.status, frame.body)
			}
			for _, part := range []string{"/thumbnail", "/waveform", "/document"} {
				if got := w.do("cardio", "GET", one+part, nil).status; got >= 500 {
					t.Errorf("%s%s: %d", x.SOP, part, got)
				}
			}
		}
	}
	if got := w.send("clin", id, "après.pdf", phantom.PDF("après", nil)).Files[0].State; got != "stored" {
		t.Errorf("afterwards a PDF is %s", got)
	}
	if strings.Contains(w.logs.String(), "panicked") {
		t.Error("something panicked")
	}
}
