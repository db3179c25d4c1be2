package dicomweb_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	_ "image/jpeg"
	_ "image/png"

	"sira/dicom/phantom"
	"sira/storage"
	"sira/storage/storagetest"
)

func TestRetrieve(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		h := build(t, db)
		objects := phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", 1))
		ct := h.put(t, objects...)
		series := "/studies/" + ct[0].StudyUID + "/series/" + ct[0].SeriesUID
		for _, path := range []string{"/studies/" + ct[0].StudyUID, series} {
			for _, accept := range []string{anyDICOM, "", `multipart/related; type=application/dicom; transfer-syntax=*`, `multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1`} {
				parts := h.get(t, path, accept).expect(t, 200).parts(t)
				if len(parts) != 3 {
					t.Fatalf("%d parts", len(parts))
				}
				for i, p := range parts {
					if !bytes.Equal(p.body, objects[i]) || p.header.Get("Content-Type") != "application/dicom; transfer-syntax=1.2.840.10008.1.2.1" {
						t.Errorf("part %d: %d bytes as %s", i, len(p.body), p.header.Get("Content-Type"))
					}
				}
			}
		}
		a := h.get(t, at(ct[1]), "application/dicom").expect(t, 200)
		if !bytes.Equal(a.body, objects[1]) {
			t.Error("other bytes")
		}
		if parts := h.get(t, at(ct[1]), anyDICOM).expect(t, 200).parts(t); len(parts) != 1 || !bytes.Equal(parts[0].body, objects[1]) {
			t.Error("other bytes in a part")
		}
		h.get(t, at(ct[1]), `application/dicom; transfer-syntax=1.2.840.10008.1.2.4.91`).expect(t, 406)
		h.get(t, series, "application/dicom").expect(t, 406)
		h.get(t, series, "image/tiff").expect(t, 406)
		h.get(t, series, "*/*; q=0").expect(t, 406)
		h.get(t, "/studies/1.2.3", "").expect(t, 404)
		h.get(t, "/studies/"+ct[0].StudyUID+"/series/9.9", "").expect(t, 404)
	})
}

func TestMetadata(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	ct := h.put(t, phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
	list := h.get(t, "/studies/"+ct[0].StudyUID+"/metadata", jsonType).expect(t, 200).list(t)
	if len(list) != 3 || value(list[2], "00080018") != ct[2].SOPUID || value(list[0], "00280010") != "512" {
		t.Fatalf("%d: %.300v", len(list), list)
	}
	pixels, _ := list[0]["7FE00010"].(map[string]any)
	uri, _ := pixels["BulkDataURI"].(string)
	if !strings.HasPrefix(uri, h.URL+"/dicomweb/studies/") {
		t.Fatalf("pixel data at %q", uri)
	}
	bulk := h.get(t, uri, "application/octet-stream").expect(t, 200)
	frame := h.get(t, at(ct[0])+"/frames/1", "application/octet-stream").expect(t, 200)
	if len(bulk.body) != 512*512*2 || !bytes.Equal(bulk.body, frame.body) {
		t.Errorf("%d bytes of bulk, %d of the frame", len(bulk.body), len(frame.body))
	}
	if parts := h.get(t, uri, "").expect(t, 200); len(parts.body) != len(bulk.body) {
		t.Errorf("by default %d bytes", len(parts.body))
	}
	for _, path := range []string{"7FE00011", "x", "00400275/0/00400009", "00280010/0", "00280010/9999999999999999999/00280010"} {
		h.get(t, at(ct[0])+"/bulkdata/"+path, "").expect(t, 404)
	}
	h.get(t, at(ct[0])+"/metadata", "application/dicom+xml").expect(t, 406)
}

func TestFrames(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	objects := phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))
	ct := h.put(t, objects...)[0]
	us := h.put(t, phantom.USCine(4, study(3, "DIARRA^Fatou", "SEGOU-1", 3)))[0]
	raw := h.get(t, at(ct)+"/frames/1", "application/octet-stream").expect(t, 200)
	if !bytes.HasSuffix(bytes.TrimRight(objects[0], "\x00"), bytes.TrimRight(raw.body, "\x00")) && !bytes.Contains(objects[0], raw.body) {
		t.Error("not the stored bytes")
	}
	req, _ := http.NewRequest("GET", h.URL+"/dicomweb"+at(ct)+"/frames/1", nil)
	req.Header.Set("Accept", "application/octet-stream")
	req.Header.Set("Range", "bytes=1000-1999")
	res, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if part, _ := io.ReadAll(res.Body); res.StatusCode != 206 || !bytes.Equal(part, raw.body[1000:2000]) {
		t.Errorf("range: %d, %d bytes", res.StatusCode, len(part))
	}
	for accept, kind := range map[string]string{
		allBytes: "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.50",
		`multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.50`: "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50",
		`multipart/related; type="image/jpeg"`:                                         "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50",
		"":                                                                             "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50",
		`multipart/related; type="application/octet-stream"`:                                          "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1",
		`multipart/related; type="image/jls", multipart/related; type=application/octet-stream;q=0.5`: "image/jls; transfer-syntax=1.2.840.10008.1.2.4.80",
		`multipart/related; type="image/jxl", multipart/related; type=application/octet-stream;q=0.5`: "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1",
	} {
		parts := h.get(t, at(us)+"/frames/1,3", accept).expect(t, 200).parts(t)
		if len(parts) != 2 || parts[0].header.Get("Content-Type") != kind {
			t.Errorf("%s: %d parts as %v", accept, len(parts), parts[0].header)
			continue
		}
		if strings.HasSuffix(kind, "1.2.1") == bytes.HasPrefix(parts[0].body, []byte{0xFF, 0xD8}) {
			t.Errorf("%s: begins with %x", accept, parts[0].body[:4])
		}
	}
	for path, status := range map[string]int{"/frames/5": 404, "/frames/0": 400, "/frames/x": 400, "/frames/1,": 400, "/frames/-1": 400, "/frames/99999999999": 400,
		"/frames/" + strings.Repeat("1,", 2500) + "1": 400} {
		h.get(t, at(us)+path, "").expect(t, status)
	}
	h.get(t, at(us)+"/frames/1", `multipart/related; type="image/jxl"`).expect(t, 406)
	h.get(t, at(us)+"/frames/1", `multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.81`).expect(t, 406)
	h.get(t, at(us)+"/frames/1,2", `application/octet-stream`).expect(t, 406)
	ecg := h.put(t, phantom.ECG12(study(4, "DIARRA^Fatou", "SEGOU-1", 3), phantom.Sinus))[0]
	h.get(t, at(ecg)+"/frames/1", "").expect(t, 404)
	h.get(t, at(ecg)+"/rendered", "").expect(t, 406)
	list := h.get(t, at(ecg)+"/metadata", "").list(t)
	waves, _ := json.Marshal(list[0]["54000100"])
	i := strings.Index(string(waves), `"BulkDataURI":"`)
	if i < 0 {
		t.Fatalf("no bulk in %.300s", waves)
	}
	uri := string(waves)[i+15:]
	uri = uri[:strings.IndexByte(uri, '"')]
	if a := h.get(t, uri, "").expect(t, 200); len(a.body) < 10_000 {
		t.Errorf("%d bytes of waveform", len(a.body))
	}
}

func picture(t *testing.T, a answer, kind string) image.Image {
	t.Helper()
	if a.Header.Get("Content-Type") != kind {
		t.Errorf("%s as %s", a.Request.URL.Path, a.Header.Get("Content-Type"))
	}
	m, _, err := image.Decode(bytes.NewReader(a.body))
	if err != nil {
		t.Fatalf("%s: %v", a.Request.URL.Path, err)
	}
	return m
}

func grey(m image.Image, x, y int) int {
	return int(color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y)
}

func TestRendered(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	ct := h.put(t, phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
	us := h.put(t, phantom.USCine(4, study(3, "DIARRA^Fatou", "SEGOU-1", 3)))[0]
	series := "/studies/" + ct[0].StudyUID + "/series/" + ct[0].SeriesUID
	for _, path := range []string{at(ct[1]) + "/rendered", at(ct[1]) + "/frames/1/rendered", series + "/rendered", "/studies/" + ct[0].StudyUID + "/rendered"} {
		for accept, kind := range map[string]string{"": "image/jpeg", "image/png": "image/png", "image/jpeg;q=0.3, image/png": "image/png", "image/*": "image/jpeg"} {
			if m := picture(t, h.get(t, path, accept).expect(t, 200), kind); m.Bounds().Dx() != 512 {
				t.Errorf("%s: %v", path, m.Bounds())
			}
		}
		h.get(t, path, "image/gif").expect(t, 406)
	}
	if m := picture(t, h.get(t, at(ct[1])+"/rendered?accept=image/png", "image/gif").expect(t, 200), "image/png"); m.Bounds().Dx() != 512 {
		t.Error(m.Bounds())
	}
	// A window so wide that all is middle grey, one so low that all is white.
	m := picture(t, h.get(t, at(ct[1])+"/rendered?window=0,1000000,linear", "image/png").expect(t, 200), "image/png")
	if v := grey(m, 256, 256); v < 120 || v > 135 {
		t.Errorf("in a wide window: %d", v)
	}
	m = picture(t, h.get(t, at(ct[1])+"/rendered?window=-20000,10,sigmoid", "image/png").expect(t, 200), "image/png")
	if v := grey(m, 256, 256); v != 255 {
		t.Errorf("above the window: %d", v)
	}
	for query, want := range map[string]image.Point{
		"viewport=128,64": {64, 64}, "viewport=1024,1024": {1024, 1024}, "viewport=100,100,0,0,256,128": {100, 50},
		"viewport=100,100,,,,": {100, 100}, "viewport=64,64,9999,9999,10,10": {64, 64}, "quality=5": {512, 512},
	} {
		m := picture(t, h.get(t, at(ct[1])+"/rendered?"+query, "").expect(t, 200), "image/jpeg")
		if m.Bounds().Size() != want {
			t.Errorf("%s: %v", query, m.Bounds())
		}
	}
	for _, query := range []string{"viewport=0,5", "viewport=5", "viewport=99999,5", "viewport=8000,8000", "viewport=1,1,-1,0,1,1", "viewport=1,1,NaN,0,1,1",
		"window=1", "window=a,b,linear", "window=1,0,linear", "window=1,2,cubic", "window=NaN,2", "quality=0", "quality=101"} {
		h.get(t, at(ct[1])+"/rendered?"+query, "").expect(t, 400)
	}
	if parts := h.get(t, series+"/rendered", `multipart/related; type="image/png"`).expect(t, 200).parts(t); len(parts) != 3 {
		t.Errorf("%d pictures of the series", len(parts))
	}
	if parts := h.get(t, at(us)+"/rendered", `multipart/related; type="image/jpeg"`).expect(t, 200).parts(t); len(parts) != 4 {
		t.Errorf("%d pictures of the cine", len(parts))
	}
	if parts := h.get(t, at(us)+"/frames/2,4/rendered", "").expect(t, 200).parts(t); len(parts) != 2 {
		t.Errorf("%d pictures", len(parts))
	}
	h.get(t, at(us)+"/frames/5/rendered", "").expect(t, 404)
	for _, path := range []string{at(us), series, "/studies/" + us.StudyUID, at(us) + "/frames/2"} {
		m := picture(t, h.get(t, path+"/thumbnail", "").expect(t, 200), "image/jpeg")
		if b := m.Bounds(); max(b.Dx(), b.Dy()) != 256 {
			t.Errorf("thumbnail %v", b)
		}
		m = picture(t, h.get(t, path+"/thumbnail?viewport=64,64", "image/png").expect(t, 200), "image/png")
		if b := m.Bounds(); max(b.Dx(), b.Dy()) != 64 {
			t.Errorf("thumbnail %v", b)
		}
	}
	a := h.get(t, at(ct[1])+"/rendered", "").expect(t, 200)
	req, _ := http.NewRequest("GET", a.Request.URL.String(), nil)
	req.Header.Set("If-None-Match", a.Header.Get("ETag"))
	res, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 304 {
		t.Errorf("known picture: %d", res.StatusCode)
	}
}

// TestRealFrames: of files of every syntax, frames come as they are stored.
func TestRealFrames(t *testing.T) {
	dir := corpus(t)
	h := build(t, storagetest.NewDB(t))
	seen := map[string]bool{}
	for _, pattern := range []string{"pydicom/*", "htj2k/*.dcm", "video/*", "cs3d/CTImage.dcm_JPEG*_*0.dcm", "cs3d/CTImage.dcm_*1.dcm"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			data := read(t, path)
			res, err := h.ingest.File(t.Context(), bytes.NewReader(data), int64(len(data)))
			if err != nil || res.Duplicate {
				continue
			}
			in := res.Instance
			if a := h.get(t, at(in), "application/dicom").expect(t, 200); !bytes.Equal(a.body, data) {
				t.Errorf("%s: other bytes: %d for %d", path, len(a.body), len(data))
			}
			var list []map[string]any
			if err := json.Unmarshal(h.get(t, at(in)+"/metadata", "").expect(t, 200).body, &list); err != nil || len(list) != 1 {
				t.Errorf("%s: metadata %v", path, err)
			}
			if in.Frames == 0 {
				continue
			}
			a := h.get(t, at(in)+"/frames/1", allBytes)
			if a.StatusCode != 200 {
				if a.StatusCode >= 500 {
					t.Errorf("%s: frame %d %s", path, a.StatusCode, a.body)
				}
				continue
			}
			p := a.parts(t)[0]
			encapsulated := !strings.HasSuffix(p.header.Get("Content-Type"), "=1.2.840.10008.1.2.1")
			stored := data
			if encapsulated && !bytes.Contains(stored, p.body[:min(len(p.body), 1000)]) {
				t.Errorf("%s: frame of %d bytes is not in the file", path, len(p.body))
			}
			seen[in.TransferSyntax] = true
			for _, path := range []string{"/rendered", "/thumbnail", "/frames/1"} {
				if a := h.get(t, at(in)+path, ""); a.StatusCode >= 500 {
					t.Errorf("%s %s: %d %s", in.TransferSyntax, path, a.StatusCode, a.body)
				}
			}
		}
	}
	t.Logf("%d syntaxes", len(seen))
	if len(seen) < 9 {
		t.Errorf("only %v", seen)
	}
}

// TestBigEndianFrame: native frames are little endian whatever the file is.
func TestBigEndianFrame(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	in := h.put(t, bigEndian())[0]
	a := h.get(t, at(in)+"/frames/1", "application/octet-stream").expect(t, 200)
	if len(a.body) != 8 || binary.LittleEndian.Uint16(a.body[2:]) != 0x0102 {
		t.Errorf("%x", a.body)
	}
	b := h.get(t, at(in)+"/bulkdata/7FE00010", "").expect(t, 200)
	if !bytes.Equal(a.body, b.body) {
		t.Errorf("bulk %x", b.body)
	}
}

// bigEndian is a small image in Explicit VR Big Endian.
func bigEndian() []byte {
	b := append(make([]byte, 128), "DICM"...)
	b = append(b, 2, 0, 0x10, 0, 'U', 'I', 20, 0)
	b = append(b, "1.2.840.10008.1.2.2\x00"...)
	put := func(group, element uint16, vr, value string) {
		if len(value)%2 == 1 {
			value += "\x00"
		}
		b = binary.BigEndian.AppendUint16(b, group)
		b = binary.BigEndian.AppendUint16(b, element)
		b = append(b, vr...)
		if vr == "OW" {
			b = binary.BigEndian.AppendUint32(append(b, 0, 0), uint32(len(value)))
		} else {
			b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
		}
		b = append(b, value...)
	}
	put(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.7")
	put(0x0008, 0x0018, "UI", "1.2.9.1.1")
	put(0x0008, 0x0060, "CS", "OT")
	put(0x0020, 0x000D, "UI", "1.2.9")
	put(0x0020, 0x000E, "UI", "1.2.9.1")
	put(0x0028, 0x0002, "US", "\x00\x01")
	put(0x0028, 0x0004, "CS", "MONOCHROME2 ")
	put(0x0028, 0x0010, "US", "\x00\x02")
	put(0x0028, 0x0011, "US", "\x00\x02")
	put(0x0028, 0x0100, "US", "\x00\x10")
	put(0x0028, 0x0101, "US", "\x00\x10")
	put(0x0028, 0x0102, "US", "\x00\x0F")
	put(0x0028, 0x0103, "US", "\x00\x00")
	put(0x7FE0, 0x0010, "OW", "\x00\x00\x01\x02\x03\x04\x05\x06")
	return b
}
