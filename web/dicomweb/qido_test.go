package dicomweb_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sira/dicom/index"
	"sira/dicom/phantom"
	"sira/storage"
	"sira/storage/storagetest"
	"sira/web/dicomweb"
)

func TestSearch(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		h := build(t, db)
		ct := h.put(t, phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
		h.put(t, phantom.ECG12(study(1, "TRAORÉ^Awa", "KATI-1", 1), phantom.Sinus))
		h.put(t, phantom.DX(study(2, "KEITA^Moussa", "KATI-2", 2), phantom.ChestOptions{}))
		h.put(t, phantom.USCine(3, study(3, "DIARRA^Fatou", "SEGOU-1", 3)))
		uid := ct[0].StudyUID
		for path, want := range map[string]int{
			"/studies": 3, "/series": 4, "/instances": 6,
			"/studies/" + uid + "/series": 2, "/studies/" + uid + "/instances": 4,
			"/studies/" + uid + "/series/" + ct[0].SeriesUID + "/instances": 3,
			"/studies/1.2.3/series":                                                 0,
			"/studies?PatientName=traore*":                                          1,
			"/studies?00100010=TRAORE%5EAWA":                                        1,
			"/studies?PatientName=awa&fuzzymatching=true":                           1,
			"/studies?PatientName=awa":                                              0,
			"/studies?PatientID=KATI-?":                                             2,
			"/studies?StudyDate=20260301-20260302":                                  2,
			"/studies?StudyDate=20260302-":                                          2,
			"/studies?StudyDate=-20260302":                                          2,
			"/studies?StudyDate=20260303":                                           1,
			"/studies?StudyDate=2026.03.03":                                         1,
			"/studies?StudyTime=09-10":                                              3,
			"/studies?StudyTime=0916-":                                              0,
			"/studies?ModalitiesInStudy=ECG":                                        1,
			"/studies?ModalitiesInStudy=DX,US":                                      2,
			"/studies?AccessionNumber=ACC2":                                         1,
			"/studies?StudyInstanceUID=" + uid + ",1.2.3":                           1,
			"/studies?PatientName=*&PatientID=":                                     3,
			"/series?Modality=CT":                                                   1,
			"/series?Modality=CT&PatientID=KATI-2":                                  0,
			"/instances?SOPInstanceUID=" + ct[2].SOPUID:                             1,
			"/instances?SeriesInstanceUID=" + ct[2].SeriesUID + "&InstanceNumber=2": 1,
			"/studies?limit=2":                                                      2,
			"/studies?limit=0":                                                      0,
			"/studies?limit=2&offset=2":                                             1,
			"/studies?offset=9":                                                     0,
			"/studies?includefield=all":                                             3,
			"/instances?includefield=all&limit=2":                                   2,
		} {
			a := h.get(t, path, jsonType)
			if got := len(a.list(t)); got != want || want == 0 && a.StatusCode != http.StatusNoContent {
				t.Errorf("%s: %d rows (%d), want %d", path, got, a.StatusCode, want)
			}
			if w := a.Header.Get("Warning"); w != "" {
				t.Errorf("%s: warning %s", path, w)
			}
		}
		if a := h.last(); a.Action != "search" || a.Denied {
			t.Errorf("journal: %+v", a)
		}
	})
}

func TestSearchAnswer(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	ct := h.put(t, phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
	got := h.get(t, "/studies", "*/*").expect(t, 200).list(t)[0]
	for tag, want := range map[string]string{
		"00080005": "ISO_IR 192", "00080020": "20260301", "00080050": "ACC1", "00080056": "ONLINE", "00080061": "CT",
		"00081190": h.URL + "/dicomweb/studies/" + ct[0].StudyUID, "00100010": "TRAORÉ^Awa", "00100020": "KATI-1",
		"00100030": "19900101", "00100040": "F", "0020000D": ct[0].StudyUID, "00201206": "1", "00201208": "3",
	} {
		if value(got, tag) != want {
			t.Errorf("%s is %q, want %q", tag, value(got, tag), want)
		}
	}
	raw := string(h.get(t, "/studies?includefield=all", "").body)
	last := ""
	for _, m := range strings.Split(raw, `":{"vr"`) {
		tag := m[max(0, len(m)-8):]
		if tag <= last && strings.HasPrefix(tag, "00") {
			t.Errorf("%s after %s", tag, last)
		}
		last = tag
	}
	row := h.get(t, "/studies/"+ct[0].StudyUID+"/series/"+ct[0].SeriesUID+"/instances?includefield=PixelSpacing,00280101", "").list(t)[0]
	if value(row, "00280030") == "" || value(row, "00280101") == "" || value(row, "00280102") != "" || value(row, "00280010") != "512" {
		t.Errorf("included: %v", row)
	}
}

func TestSearchRefusesAndWarns(t *testing.T) {
	h := build(t, storagetest.NewDB(t))
	h.put(t, phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
	for path, status := range map[string]int{
		"/studies?limit=-1": 400, "/studies?limit=x": 400, "/studies?offset=1e3": 400, "/studies?fuzzymatching=oui": 400,
		"/studies?StudyDate=hier": 400, "/studies?StudyDate=-": 400, "/studies?StudyTime=25h": 400,
		"/studies?StudyInstanceUID=a*b": 400, "/studies?StudyInstanceUID=,": 400, "/series?SeriesNumber=x": 400,
		"/studies?PatientID=" + strings.Repeat("x", 300): 400, "/studies?PatientID=*a*a*a*a*a*a*b": 400,
		"/studies?%zz=1": 400, "/studies?" + strings.Repeat("a=1&", 300): 400,
		"/studies?" + strings.Repeat("a", 70_000): 414,
		"/nothing": 404, "/studies/..%2Fx/series": 404, "/studies/1.2.3/foo": 404,
	} {
		h.get(t, path, "").expect(t, status)
	}
	h.get(t, "/studies", `multipart/related; type="application/dicom+xml"`).expect(t, 406)
	h.get(t, "/studies", "text/html").expect(t, 406)
	h.do(t, http.MethodDelete, "/studies", "", nil, "").expect(t, 405)
	a := h.get(t, "/studies?PatientShoeSize=44&00189999=x&Modality=CT&00400275.00400009=3", "").expect(t, 200)
	if w := a.Header.Get("Warning"); !strings.HasPrefix(w, "299 http://") || !strings.Contains(w, "00189999, 00400275.00400009, Modality, PatientShoeSize") || len(a.list(t)) != 1 {
		t.Errorf("warning %q", w)
	}
	a = h.get(t, "/studies?x%22%0d%0ay=1", "").expect(t, 200)
	if w := a.Header.Get("Warning"); strings.Contains(w, "y=") || !strings.Contains(w, "some parameters") {
		t.Errorf("warning %q", w)
	}
	h.set(nil, dicomweb.ErrForbidden)
	h.get(t, "/studies", "").expect(t, 403)
}

func TestOnlyWhatMayBeSeen(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		h := build(t, db)
		ct := h.put(t, phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
		dx := h.put(t, phantom.DX(study(2, "KEITA^Moussa", "KATI-2", 2), phantom.ChestOptions{}))[0]
		v := index.NewVisible()
		v.AddInstance(ct[1].StudyUID, ct[1].SeriesUID, ct[1].SOPUID)
		h.set(v, nil)
		list := h.get(t, "/studies", "").list(t)
		if len(list) != 1 || value(list[0], "00201208") != "1" {
			t.Errorf("studies: %v", list)
		}
		if n := len(h.get(t, "/instances", "").list(t)); n != 1 {
			t.Errorf("%d instances", n)
		}
		for _, path := range []string{"", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/bulkdata/7FE00010", "/frames/1/rendered"} {
			h.get(t, at(ct[0])+path, "").expect(t, 404)
			if a := h.last(); !a.Denied || a.SOP != ct[0].SOPUID {
				t.Errorf("%s: journal %+v", path, a)
			}
			h.get(t, at(dx)+path, "").expect(t, 404)
			h.get(t, at(ct[1])+path, "").expect(t, 200)
			if a := h.last(); a.Denied {
				t.Errorf("%s: journal %+v", path, a)
			}
		}
		series := "/studies/" + ct[0].StudyUID + "/series/" + ct[0].SeriesUID
		for _, path := range []string{"/studies/" + ct[0].StudyUID, series} {
			if parts := h.get(t, path, anyDICOM).expect(t, 200).parts(t); len(parts) != 1 {
				t.Errorf("%s: %d objects", path, len(parts))
			}
			if n := len(h.get(t, path+"/metadata", "").expect(t, 200).list(t)); n != 1 {
				t.Errorf("%s: metadata of %d", path, n)
			}
			if parts := h.get(t, path+"/rendered", `multipart/related; type="image/jpeg"`).expect(t, 200).parts(t); len(parts) != 1 {
				t.Errorf("%s: %d pictures", path, len(parts))
			}
			h.get(t, path+"/thumbnail", "").expect(t, 200)
		}
		h.get(t, "/studies/"+dx.StudyUID, "").expect(t, 404)
		h.get(t, "/studies/"+dx.StudyUID+"/thumbnail", "").expect(t, 404)
	})
}

// FuzzSearch: any query string is answered, by rows or by a reason.
func FuzzSearch(f *testing.F) {
	f.Add("PatientName=TRA*&StudyDate=20260101-&limit=3&includefield=all")
	f.Add("00100010=%5E%5E&fuzzymatching=true&ModalitiesInStudy=C?%5CMR")
	f.Add("StudyInstanceUID=1.2,3.4&offset=99999999&StudyTime=10-11")
	f.Add("PatientID=%00%ff[%25_\\*&SeriesNumber=-1&SOPInstanceUID=1")
	h := build(f, storagetest.NewDB(f))
	h.put(f, bigEndian())
	f.Fuzz(func(t *testing.T, query string) {
		for _, level := range []string{"studies", "series", "instances"} {
			req := httptest.NewRequest(http.MethodGet, "/dicomweb/"+level, nil)
			req.URL.RawQuery = query
			rec := httptest.NewRecorder()
			h.handler.ServeHTTP(rec, req)
			if rec.Code >= 500 {
				t.Fatal(level, rec.Code, rec.Body)
			}
			if rec.Code == 200 && !json.Valid(rec.Body.Bytes()) {
				t.Fatalf("%s: no JSON: %q", level, rec.Body)
			}
		}
	})
}
