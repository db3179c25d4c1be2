package dicomweb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"strings"
	"testing"

	"sira/dicom/index"
	"sira/dicom/phantom"
	"sira/storage"
	"sira/storage/storagetest"
)

// form builds a STOW-RS body.
func form(t testing.TB, kind string, objects ...[]byte) (body io.Reader, contentType string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, o := range objects {
		w, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {kind}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, `multipart/related; type="application/dicom"; boundary=` + m.Boundary()
}

func (h *house) stow(t testing.TB, path string, objects ...[]byte) answer {
	t.Helper()
	body, contentType := form(t, "application/dicom", objects...)
	return h.do(t, http.MethodPost, path, jsonType, body, contentType)
}

// outcome lists stored and failed instances, and reasons.
func outcome(t testing.TB, a answer) (stored, failed []string) {
	t.Helper()
	m := map[string]struct{ Value []map[string]any }{}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &all); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	for _, tag := range []string{"00081199", "00081198", "0008119A"} {
		if all[tag] == nil {
			continue
		}
		var v struct{ Value []map[string]any }
		if err := json.Unmarshal(all[tag], &v); err != nil {
			t.Fatal(err)
		}
		m[tag] = v
	}
	for _, item := range m["00081199"].Value {
		stored = append(stored, value(item, "00081155"))
	}
	for _, item := range append(m["00081198"].Value, m["0008119A"].Value...) {
		failed = append(failed, value(item, "00081155")+":"+value(item, "00081197"))
	}
	return stored, failed
}

func TestStore(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		h := build(t, db)
		objects := phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", 1))
		a := h.stow(t, "/studies", objects...).expect(t, 200)
		stored, failed := outcome(t, a)
		if len(stored) != 3 || failed != nil || a.Header.Get("Content-Type") != jsonType {
			t.Fatalf("%v, %v", stored, failed)
		}
		list := h.get(t, "/studies", "").list(t)
		if len(list) != 1 || value(list[0], "00201208") != "3" {
			t.Errorf("listed: %v", list)
		}
		uid := value(list[0], "0020000D")
		parts := h.get(t, "/studies/"+uid, anyDICOM).parts(t)
		for i := range parts {
			if !bytes.Equal(parts[i].body, objects[i]) {
				t.Errorf("object %d came back otherwise", i)
			}
		}
		if stored, _ := outcome(t, h.stow(t, "/studies/"+uid, objects[:2]...).expect(t, 200)); len(stored) != 2 {
			t.Errorf("again: %v", stored)
		}
		if len(h.stored) != 5 || h.stored[0].Duplicate || !h.stored[4].Duplicate {
			t.Errorf("told of %d objects", len(h.stored))
		}
		if a := h.last(); a.Action != "store" || a.Study != uid {
			t.Errorf("journal: %+v", a)
		}
		// One object as the body.
		dx := phantom.DX(study(2, "KEITA^Moussa", "KATI-2", 2), phantom.ChestOptions{})
		h.do(t, http.MethodPost, "/studies", "", bytes.NewReader(dx), "application/dicom").expect(t, 200)
	})
}

func TestStoreFailures(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	objects := phantom.CT(2, study(1, "TRAORÉ^Awa", "KATI-1", 1))
	in := h.put(t, objects[0])[0]
	changed := bytes.Replace(objects[0], []byte("KATI-1"), []byte("KATI-9"), 1)
	stranger := phantom.DX(study(7, "X^Y", "FORBIDDEN", 2), phantom.ChestOptions{})
	for _, c := range []struct {
		what    string
		path    string
		objects [][]byte
		status  int
		stored  int
		failed  string
	}{
		{"other bytes", "/studies", [][]byte{changed}, 409, 0, in.SOPUID + ":273"},
		{"half", "/studies", [][]byte{changed, objects[1]}, 202, 1, in.SOPUID + ":273"},
		{"other study", "/studies/1.2.3", [][]byte{objects[1]}, 409, 0, ":43264"},
		{"no object", "/studies", [][]byte{[]byte("this is no DICOM object at all, really not")}, 409, 0, ":49152"},
		{"cut", "/studies", [][]byte{objects[1][:len(objects[1])/2]}, 409, 0, ":49152"},
		{"empty", "/studies", [][]byte{{}}, 409, 0, ":49152"},
		{"not allowed", "/studies", [][]byte{stranger}, 409, 0, ":292"},
		{"too large", "/studies", [][]byte{make([]byte, 65<<20), objects[1]}, 202, 1, ":42753"},
	} {
		a := h.stow(t, c.path, c.objects...)
		stored, failed := outcome(t, a)
		if a.StatusCode != c.status || len(stored) != c.stored || len(failed) != 1 || !strings.HasSuffix(failed[0], c.failed) {
			t.Errorf("%s: %d, %v, %v", c.what, a.StatusCode, stored, failed)
		}
	}
	left, err := os.ReadDir(h.ingest.TempDir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
	got := h.get(t, at(in), "application/dicom").expect(t, 200)
	if !bytes.Equal(got.body, objects[0]) {
		t.Error("a refused object replaced the stored one")
	}
}

func TestStoreHostile(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	h.set(index.NewVisible(), nil)
	object := phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))[0]
	const related = `multipart/related; type="application/dicom"; boundary=B`
	for _, c := range []struct {
		what, contentType, body string
		status                  int
	}{
		{"no type", "", "x", 415},
		{"text", "text/plain", "x", 415},
		{"JSON", `multipart/related; type="application/dicom+json"; boundary=B`, "--B--", 415},
		{"no boundary", `multipart/related; type="application/dicom"`, "--B--", 400},
		{"long boundary", `multipart/related; type="application/dicom"; boundary=` + strings.Repeat("b", 201), "--B--", 400},
		{"nothing", related, "", 400},
		{"no part", related, "--B--\r\n", 400},
		{"endless preamble", related, strings.Repeat("x\r\n", 100_000) + "--B\r\n\r\nx\r\n--B--", 400},
		{"endless line", related, strings.Repeat("x", 300_000), 400},
		{"headers without end", related, "--B\r\n" + strings.Repeat("A: b\r\n", 20_000) + "\r\nx\r\n--B--", 400},
		{"one header without end", related, "--B\r\nA: " + strings.Repeat("b", 20<<20) + "\r\n\r\nx\r\n--B--", 400},
		{"never closed", related, "--B\r\n\r\nnever closed", 400},
		{"parts of text", related, "--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--", 409},
		{"a million parts", related, strings.Repeat("--B\r\n\r\n\r\n", 1_000_000) + "--B--", 202},
	} {
		a := h.do(t, http.MethodPost, "/studies", jsonType, strings.NewReader(c.body), c.contentType)
		if c.status == 202 && a.StatusCode == 409 {
			continue
		}
		if a.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %.200s", c.what, a.StatusCode, c.status, a.body)
		}
	}
	// The boundary inside an object is none unless a line begins with it.
	body := "--B\r\nContent-Type: application/dicom\r\n\r\n" + string(object) + "\r\n--B--\r\n"
	h.do(t, http.MethodPost, "/studies", jsonType, strings.NewReader(body), related).expect(t, 200)
	orthanc := strings.Repeat("b", 73) // more than RFC 2046 allows
	h.do(t, http.MethodPost, "/studies", jsonType, strings.NewReader(strings.ReplaceAll(body, "--B", "--"+orthanc)),
		`multipart/related; type="application/dicom"; boundary=`+orthanc).expect(t, 200)
	body = "preamble\r\n--B\r\n\r\n" + string(object) + "\r\n--B--\r\nepilogue"
	h.do(t, http.MethodPost, "/studies", jsonType, strings.NewReader(body), related).expect(t, 200)
	h.do(t, http.MethodPost, "/studies", "application/dicom+xml", strings.NewReader(body), related).expect(t, 406)
}

// FuzzStore: any body and boundary are answered; nothing stays in the spool.
func FuzzStore(f *testing.F) {
	object := bigEndian()
	f.Add("B", []byte("--B\r\n\r\n"+string(object)+"\r\n--B--"))
	f.Add("B", []byte("--B\r\nContent-Type: application/dicom\r\nContent-Transfer-Encoding: base64\r\n\r\n--B\r\n--B--"))
	f.Add("-", []byte("---\n\n\n-----\r\n"))
	f.Add("B", []byte("x\r\n--B \t\r\n\r\nDICM\r\n--Bx\r\n--B--y"))
	h := build(f, storagetest.NewDB(f))
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		req := httptest.NewRequest(http.MethodPost, "/dicomweb/studies", bytes.NewReader(body))
		req.Header["Content-Type"] = []string{`multipart/related; type="application/dicom"; boundary=` + fmt.Sprintf("%q", boundary)}
		rec := httptest.NewRecorder()
		h.handler.ServeHTTP(rec, req)
		if rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%d %q", rec.Code, rec.Body)
		}
		left, err := os.ReadDir(h.ingest.TempDir)
		if err != nil || len(left) > 0 {
			t.Fatalf("left in the spool: %v, %v", left, err)
		}
	})
}
