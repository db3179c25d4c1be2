package uploads

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"sira/dicom/phantom"
)

// corpus is where real files are, for tests that read them.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		if _, err := os.Stat(filepath.Dir(dir)); err == nil && os.Getenv("SIRA_CORPUS") == "" {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	return dir
}

func detect(t testing.TB, data []byte) Kind {
	t.Helper()
	k, err := Detect(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestDetectGenerated(t *testing.T) {
	st := phantom.Study{Seed: 1}
	for name, c := range map[string]struct {
		data []byte
		want Kind
	}{
		"nothing": {nil, KindEmpty}, "text": {[]byte("bonjour"), KindOther}, "DICOM": {phantom.ECG12(st, phantom.Sinus), KindDICOM},
		"PDF": {phantom.PDF("x", nil), KindPDF}, "HTML": {[]byte("<!doctype html><html>"), KindOther},
		"XML":  {[]byte(`<?xml version="1.0"?><ClinicalDocument/>`), KindOther},
		"aECG": {[]byte("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!-- x --><AnnotatedECG xmlns=\"urn:hl7-org:v3\">"), KindAECG},
		"MP4":  {[]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), KindMP4}, "MOV": {[]byte("\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  "), KindMOV},
		"SCP too long": {append(append([]byte("ab\xff\xff\xff\x7f"), make([]byte, 10)...), "SCPECG0123456789"...), KindOther},
	} {
		if got := detect(t, c.data); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestDetectCorpus(t *testing.T) {
	dir := corpus(t)
	for name, want := range map[string]Kind{
		"ecg/Example.scp": KindSCP, "ecg/Example.xml": KindAECG, "ecg/Example.dcm": KindDICOM, "photo/phone_VL1.jpg": KindJPEG,
		"pydicom/CT_small.dcm": KindDICOM, "fodicom/DICOMDIR": KindDICOM, "pydicom/ExplVR_BigEndNoMeta.dcm": KindDICOM,
		"ecg/wfdb/100.dat": KindOther, "ecg/wfdb/100.hea": KindOther, "MANIFEST.tsv": KindOther,
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := detect(t, data); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	films, err := filepath.Glob(filepath.Join(dir, "video", "*.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range films {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := detect(t, data); got != KindMP4 {
			t.Errorf("%s: %s", name, got)
		}
		if err := checkMovie(bytes.NewReader(data), int64(len(data))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		half := data[:len(data)/2]
		if err := checkMovie(bytes.NewReader(half), int64(len(half))); refusalOf(err) == nil {
			t.Errorf("half of %s: %v", name, err)
		}
	}
}

// FuzzContent feeds the checks that read a file before anything else does.
func FuzzContent(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + string(make([]byte, 18))))
	f.Add([]byte("PK\x06\x07" + string(make([]byte, 16)) + "PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" + string(make([]byte, 4))))
	f.Add([]byte("\x00\x00\x00\x01ftypmp42\x7f\xff\xff\xff\xff\xff\xff\xffmoov"))
	f.Add([]byte("<?xml version=\"1.0\"?><AnnotatedECG>"))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, size := bytes.NewReader(data), int64(len(data))
		if k, err := Detect(r, size); err != nil || k == "" {
			t.Fatalf("%q, %v", k, err)
		}
		if n, err := centralDirectory(r, size); err == nil && n < 0 {
			t.Fatalf("directory of %d bytes", n)
		}
		if size > 0 {
			for _, err := range []error{checkPDF(r, size), checkMovie(r, size)} {
				if err != nil && refusalOf(err) == nil {
					t.Fatalf("a file's fault is told as the server's: %v", err)
				}
			}
		}
		if name := CleanName(string(data)); name == "" || len(name) > maxName || bytes.ContainsAny([]byte(name), "/\\\x00\r\n") {
			t.Fatalf("name %q", name)
		}
	})
}
