package dicomweb_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/jpeg2000"
	"sira/dicom/phantom"
	"sira/dicom/transcode"
	"sira/storage"
	"sira/storage/storagetest"
)

func header(t *testing.T, data []byte) *dicom.File {
	t.Helper()
	f, err := dicom.Read(t.Context(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		t.Fatalf("%v in %.60q", err, data)
	}
	return f
}

func samples(t *testing.T, data []byte) string {
	t.Helper()
	sum, err := transcode.PixelSum(t.Context(), header(t, data), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestTranscoded retrieves real objects of each stored syntax in each syntax
// that can be asked for: the samples are those stored.
func TestTranscoded(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	dir := corpus(t)
	stored := map[string]bool{}
	for i, name := range []string{"series/ct_ge/01.dcm", "open/pydicom_MR_small_RLE.dcm"} {
		path := filepath.Join(dir, name)
		if i > 0 {
			found, _ := filepath.Glob(filepath.Join(dir, "*", "*MR_small_RLE*"))
			if len(found) == 0 {
				continue
			}
			path = found[0]
		}
		turns(t, h, read(t, path), stored)
	}
	ct := phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))[0]
	for i, syntax := range []string{transcode.JPEGLSLossless, transcode.JPEGLossless} {
		var b bytes.Buffer
		data := phantom.CT(1, study(uint64(10+i), "TRAORÉ^Awa", "KATI-1", 1))[0]
		if err := transcode.Transcode(t.Context(), header(t, data), bytes.NewReader(data), syntax, &b); err != nil {
			t.Fatal(err)
		}
		turns(t, h, b.Bytes(), stored)
	}
	turns(t, h, ct, stored)
	turns(t, h, phantom.USCine(2, study(3, "DIARRA^Fatou", "SEGOU-1", 3)), stored)
	if len(stored) < 4 {
		t.Errorf("only %v were stored", stored)
	}
}

func turns(t *testing.T, h *house, data []byte, stored map[string]bool) {
	t.Helper()
	in := h.put(t, data)[0]
	stored[in.TransferSyntax] = true
	want := samples(t, data)
	for _, to := range transcode.Targets() {
		a := h.get(t, at(in), "application/dicom; transfer-syntax="+to).expect(t, 200)
		f := header(t, a.body)
		if got := samples(t, a.body); got != want || f.TransferSyntax != to || f.String(0x00080018) != in.SOPUID {
			t.Errorf("%s to %s: %s, samples differ: %v", in.TransferSyntax, to, f.TransferSyntax, got != want)
		}
		if kind := a.Header.Get("Content-Type"); kind != "application/dicom; transfer-syntax="+to {
			t.Errorf("as %s", kind)
		}
	}
	if got := contents(t, h.blobs, in.Hash); !bytes.Equal(got, data) {
		t.Error("the original changed")
	}
}

func contents(t *testing.T, blobs storage.Blobs, hash string) []byte {
	t.Helper()
	r, err := blobs.Open(t.Context(), storage.Hash(hash))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTranscodedStudy: of a study each object comes in the syntax asked for, or
// in the one that every client reads where it has no form for it.
func TestTranscodedStudy(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	s := study(1, "TRAORÉ^Awa", "KATI-1", 1)
	ct := h.put(t, append(phantom.CT(2, s), phantom.ECG12(s, phantom.Sinus))...)
	parts := h.get(t, "/studies/"+ct[0].StudyUID, `multipart/related; type="application/dicom"; transfer-syntax=`+transcode.JPEGLSLossless).expect(t, 200).parts(t)
	n := map[string]int{}
	for _, p := range parts {
		f := header(t, p.body)
		n[f.TransferSyntax]++
		if p.header.Get("Content-Type") != "application/dicom; transfer-syntax="+f.TransferSyntax {
			t.Errorf("%s as %s", f.TransferSyntax, p.header.Get("Content-Type"))
		}
	}
	if n[transcode.JPEGLSLossless] != 2 || n[transcode.ExplicitLE] != 1 || len(parts) != 3 {
		t.Errorf("came as %v", n)
	}
}

// TestFromTheCopy: what is derived is what is sent; what is lost is made at
// once, and in the background again.
func TestFromTheCopy(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	data := phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))[0]
	in := h.put(t, data)[0]
	h.derive.Start()
	c := derived(t, h, in.Hash)
	whole := contents(t, h.blobs, c.Blob)
	if a := h.get(t, at(in), "application/dicom; transfer-syntax="+transcode.HTJ2KRPCL).expect(t, 200); !bytes.Equal(a.body, whole) {
		t.Error("not the copy")
	}
	other := h.get(t, at(in), "application/dicom; transfer-syntax="+transcode.HTJ2KLossless).expect(t, 200)
	if f := header(t, other.body); f.TransferSyntax != transcode.HTJ2KLossless || samples(t, other.body) != c.Pixels {
		t.Errorf("%s", f.TransferSyntax)
	}
	frame := c.Frames[0]
	stream := whole[frame.Offset : frame.Offset+frame.Length]
	for accept, kind := range map[string]string{
		`multipart/related; type="image/jphc"; transfer-syntax=1.2.840.10008.1.2.4.202`:               "image/jphc; transfer-syntax=1.2.840.10008.1.2.4.202",
		`multipart/related; type="image/jphc"`:                                                        "image/jphc; transfer-syntax=1.2.840.10008.1.2.4.201",
		`multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.4.202`: "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.202",
	} {
		p := h.get(t, at(in)+"/frames/1", accept).expect(t, 200).parts(t)
		if len(p) != 1 || !bytes.Equal(p[0].body, stream) || p[0].header.Get("Content-Type") != kind {
			t.Errorf("%s: %d parts, as %v", accept, len(p), p[0].header)
		}
	}
	// The first resolution by a byte range.
	req, _ := http.NewRequest("GET", h.URL+"/dicomweb"+at(in)+"/frames/1", nil)
	req.Header.Set("Accept", "image/jphc; transfer-syntax="+transcode.HTJ2KRPCL)
	req.Header.Set("Range", fmt.Sprintf("bytes=0-%d", frame.Levels[1].Bytes-1))
	res, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	head, _ := io.ReadAll(res.Body)
	m, err := jpeg2000.Decode(t.Context(), head, jpeg2000.Options{Discard: len(frame.Levels) - 2})
	if res.StatusCode != 206 || err != nil || m.Width != frame.Levels[1].Width {
		t.Errorf("%d, %d bytes: %v", res.StatusCode, len(head), err)
	}
	t.Logf("%d×%d from %d of %d bytes", m.Width, m.Height, len(head), frame.Length)

	if err := h.blobs.Delete(t.Context(), storage.Hash(c.Blob)); err != nil {
		t.Fatal(err)
	}
	if a := h.get(t, at(in), "application/dicom; transfer-syntax="+transcode.HTJ2KRPCL).expect(t, 200); samples(t, a.body) != c.Pixels {
		t.Error("other samples without the copy")
	}
	if again := derived(t, h, in.Hash); again.Blob != c.Blob {
		t.Error("another copy")
	}
}

func derived(t *testing.T, h *house, hash string) derive.Copy {
	t.Helper()
	for range 600 {
		c, blob, err := h.derive.Open(t.Context(), hash, derive.HTJ2K)
		if err == nil {
			blob.Close()
			return c
		}
		if !errors.Is(err, derive.ErrNone) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("never derived")
	return derive.Copy{}
}

// TestCodedFrames asks for frames in the syntaxes of the codecs.
func TestCodedFrames(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	in := h.put(t, phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))[0])[0]
	for _, c := range []struct{ kind, syntax, begins string }{
		{"image/jls", transcode.JPEGLSLossless, "\xFF\xD8\xFF"}, {"image/jpeg", transcode.JPEGLosslessSV1, "\xFF\xD8\xFF"},
		{"image/dicom-rle", transcode.RLE, "\x02\x00\x00\x00"}, {"image/jphc", transcode.HTJ2KRPCL, "\xFF\x4F\xFF\x51"},
		{"image/jp2", transcode.JPEG2000Lossless, "\xFF\x4F\xFF\x51"},
	} {
		p := h.get(t, at(in)+"/frames/1", `multipart/related; type="`+c.kind+`"; transfer-syntax=`+c.syntax).expect(t, 200).parts(t)
		if len(p) != 1 || !strings.HasPrefix(string(p[0].body), c.begins) || p[0].header.Get("Content-Type") != c.kind+"; transfer-syntax="+c.syntax {
			t.Errorf("%s: %v, begins with %x", c.syntax, p[0].header, p[0].body[:4])
		}
	}
	h.get(t, at(in)+"/frames/1", `multipart/related; type="image/jp2"; transfer-syntax=1.2.840.10008.1.2.4.91`).expect(t, 406)
}
