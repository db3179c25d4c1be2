package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/dimse/identifier"
	"sira/dicom/phantom"
)

// orthanc is Debian's Orthanc with its DICOMweb plugin, as a peer.
type orthanc struct {
	t          *testing.T
	url, dicom string
}

// startOrthanc runs it on the ports given; it knows p as "sira", by association
// and by DICOMweb.
func startOrthanc(t *testing.T, p *serverProcess, port string) *orthanc {
	t.Helper()
	binary, plugin := "/usr/sbin/Orthanc", "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
	dir, web := t.TempDir(), vacant(t)
	_, siraPort, _ := strings.Cut(p.dicom, ":")
	config, err := json.Marshal(map[string]any{
		"StorageDirectory": dir, "IndexDirectory": dir, "TemporaryDirectory": dir, "Plugins": []string{plugin},
		"HttpPort": json.Number(web), "DicomPort": json.Number(port), "DicomAet": "ORTHANC", "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
		"DicomModalities": map[string]any{"sira": []any{"SIRA", "127.0.0.1", json.Number(siraPort)}, "ws": []any{"WS", "127.0.0.1", 104}},
		"DicomWeb": map[string]any{"Servers": map[string]any{"sira": map[string]any{"Url": "http://" + p.web + "/dicomweb/",
			"HttpHeaders": map[string]string{"Authorization": "Bearer " + p.tokens["svc"]}}}},
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "orthanc.json"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(binary, filepath.Join(dir, "orthanc.json"))
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Orthanc: %s", clipped(out.String(), 4000))
		}
	})
	o := &orthanc{t: t, url: "http://127.0.0.1:" + web, dicom: "127.0.0.1:" + port}
	for range 600 {
		if res, err := http.Get(o.url + "/system"); err == nil {
			_ = res.Body.Close()
			return o
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("Orthanc does not answer")
	return nil
}

// needOrthanc says loudly when it is not installed.
func needOrthanc(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/usr/sbin/Orthanc", "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"} {
		if _, err := os.Stat(path); err != nil {
			if os.Getenv("SIRA_TEST_STRICT") == "1" {
				t.Fatalf("no %s (Debian packages orthanc, orthanc-dicomweb)", path)
			}
			t.Skipf("NOT RUN: no %s (Debian packages orthanc, orthanc-dicomweb)", path)
		}
	}
}

// do calls its REST interface and reads the JSON answer into v, or all of it
// when v is *[]byte.
func (o *orthanc) do(method, path string, body any, v any) {
	o.t.Helper()
	raw, ok := body.([]byte)
	if !ok && body != nil {
		raw, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, bytes.NewReader(raw))
	if err != nil {
		o.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		o.t.Fatalf("Orthanc: %s %s: %d, %v: %.600s", method, path, res.StatusCode, err, got)
	}
	switch v := v.(type) {
	case nil:
	case *[]byte:
		*v = got
	default:
		if err := json.Unmarshal(got, v); err != nil {
			o.t.Fatalf("Orthanc: %s %s: %v: %.300s", method, path, err, got)
		}
	}
}

// list gives the data sets that it holds, by SOP instance UID.
func (o *orthanc) list() map[string][]byte {
	o.t.Helper()
	var ids []string
	o.do("GET", "/instances", nil, &ids)
	out := map[string][]byte{}
	for _, id := range ids {
		var file []byte
		o.do("GET", "/instances/"+id+"/file", nil, &file)
		m, data := split(o.t, file)
		out[m.SOPUID] = data
	}
	return out
}

func (o *orthanc) clear() {
	o.t.Helper()
	var patients []string
	o.do("GET", "/patients", nil, &patients)
	for _, id := range patients {
		o.do("DELETE", "/patients/"+id, nil, nil)
	}
}

// split takes a file apart into what its meta information names and its data set.
func split(t testing.TB, file []byte) (dimse.Meta, []byte) {
	t.Helper()
	r := bufio.NewReader(bytes.NewReader(file))
	m, err := dimse.ReadMeta(r)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return m, data
}

// same compares data sets.
func same(t testing.TB, what string, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d objects, want %d", what, len(got), len(want))
	}
	for uid, data := range want {
		if !bytes.Equal(got[uid], data) {
			t.Errorf("%s: %s has %d bytes, want %d", what, uid, len(got[uid]), len(data))
		}
	}
}

// stored gives the data sets of a study at the server, read by WADO-RS.
func (p *serverProcess) studyObjects(uid string) map[string][]byte {
	p.t.Helper()
	status, head, body := p.do("svc", http.MethodGet, "/dicomweb/studies/"+uid, nil, "Accept", `multipart/related; type="application/dicom"; transfer-syntax=*`)
	if status != http.StatusOK {
		p.t.Fatalf("study %s: %d %.200s", uid, status, body)
	}
	out := map[string][]byte{}
	for _, part := range multiparts(p.t, head.Get("Content-Type"), body) {
		m, data := split(p.t, part)
		out[m.SOPUID] = data
	}
	return out
}

// TestOrthanc: what Orthanc sends here by association and by STOW-RS is kept,
// found by its queries and given back, data set by data set; and what we ask of
// Orthanc with our own user's side is the same.
func TestOrthanc(t *testing.T) {
	needOrthanc(t)
	port := vacant(t)
	p := startServer(t, "--dicom-destinations", "ORTHANC=127.0.0.1:"+port)
	o := startOrthanc(t, p, port)
	at := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	person := func(n int, name string) phantom.Study {
		return phantom.Study{Patient: phantom.Patient{Name: name, ID: fmt.Sprint("ML-", n), Sex: "F", BirthDate: "19950101"}, Date: at, Seed: uint64(n), Accession: fmt.Sprint("A", n)}
	}
	first := append(phantom.CT(3, person(1, "TRAORÉ^Aïssata")), phantom.USCine(2, person(1, "TRAORÉ^Aïssata")))
	second := append(phantom.CT(2, person(2, "KEÏTA^Moussa")), phantom.ECG12(person(2, "KEÏTA^Moussa"), phantom.Sinus))
	load := func(objects [][]byte) (studies []string, want map[string][]byte) {
		t.Helper()
		want = map[string][]byte{}
		for _, b := range objects {
			m, data := split(t, b)
			want[m.SOPUID] = data
			o.do("POST", "/instances", b, nil)
		}
		o.do("GET", "/studies", nil, &studies)
		return studies, want
	}
	uidOf := func(id string) string {
		t.Helper()
		var v struct {
			MainDicomTags struct{ StudyInstanceUID string }
		}
		o.do("GET", "/studies/"+id, nil, &v)
		return v.MainDicomTags.StudyInstanceUID
	}
	gathered := func(uids ...string) map[string][]byte {
		t.Helper()
		all := map[string][]byte{}
		for _, uid := range uids {
			for sop, data := range p.studyObjects(uid) {
				all[sop] = data
			}
		}
		return all
	}

	// C-ECHO and C-STORE from Orthanc.
	studies, want := load(first)
	var uids []string
	for _, id := range studies {
		uids = append(uids, uidOf(id))
	}
	o.do("POST", "/modalities/sira/echo", map[string]any{}, nil)
	o.do("POST", "/modalities/sira/store", map[string]any{"Resources": studies, "Synchronous": true}, nil)
	same(t, "C-STORE from Orthanc", gathered(uids...), want)
	o.do("POST", "/modalities/sira/store", map[string]any{"Resources": studies, "Synchronous": true}, nil) // twice is once
	same(t, "C-STORE from Orthanc again", gathered(uids...), want)

	// C-FIND and C-MOVE from Orthanc, which is the destination too.
	o.clear()
	var query struct{ ID string }
	o.do("POST", "/modalities/sira/query", map[string]any{"Level": "Study", "Query": map[string]string{"PatientID": "ML-*", "PatientName": "tra*", "StudyDate": "20260301-20260305"}}, &query)
	var answers []string
	o.do("GET", "/queries/"+query.ID+"/answers", nil, &answers)
	if len(answers) != len(studies) {
		t.Fatalf("%d studies found, want %d", len(answers), len(studies))
	}
	var found map[string]struct{ Value any }
	o.do("GET", "/queries/"+query.ID+"/answers/0/content", nil, &found)
	if got := found["0010,0010"].Value; got != "TRAORÉ^Aïssata" {
		t.Errorf("Orthanc finds %q", got)
	}
	o.do("POST", "/queries/"+query.ID+"/retrieve", map[string]any{"TargetAet": "ORTHANC", "Synchronous": true}, nil)
	same(t, "C-MOVE by Orthanc", o.list(), want)

	// C-MOVE by another, to Orthanc.
	o.clear()
	for _, uid := range uids {
		p.must("dicom", "move", "--aet", "WS", "--called", "SIRA", "--to", "ORTHANC", "--key", "StudyInstanceUID="+uid, p.dicom)
	}
	same(t, "C-MOVE to Orthanc", o.list(), want)

	var metas []dimse.Meta
	for _, b := range first {
		m, _ := split(t, b)
		metas = append(metas, m)
	}
	o.askedByUs(metas, want)
	if out := p.must("dicom", "echo", "--called", "ORTHANC", o.dicom); !strings.Contains(out, "ORTHANC at") {
		t.Errorf("echo: %s", out)
	}
	if out := p.must("dicom", "find", "--aet", "WS", "--called", "ORTHANC", "--key", "PatientID=ML-1", "--key", "PatientName", "--key", "0020000D", o.dicom); !strings.Contains(out, "PatientName: TRAORÉ^Aïssata") || !strings.Contains(out, uids[0]) {
		t.Errorf("find: %s", out)
	}
	o.clear()
	args := []string{"dicom", "send", "--called", "ORTHANC", o.dicom}
	for i, b := range first {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i, ".dcm"))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	p.must(args...)
	same(t, "sent by us", o.list(), want)

	// STOW-RS from Orthanc, then its DICOMweb client looks and takes it back.
	o.clear()
	studies, want = load(second)
	uids = uids[:0]
	for _, id := range studies {
		uids = append(uids, uidOf(id))
	}
	o.do("POST", "/dicom-web/servers/sira/stow", map[string]any{"Resources": studies, "Synchronous": true}, nil)
	same(t, "STOW-RS from Orthanc", gathered(uids...), want)
	o.clear()
	var rows []map[string]struct{ Value any }
	o.do("POST", "/dicom-web/servers/sira/qido", map[string]any{"Uri": "/studies", "Arguments": map[string]string{"00100020": "ML-2"}}, &rows)
	if len(rows) != len(uids) || !slices.Contains(uids, fmt.Sprint(rows[0]["0020000D"].Value)) {
		t.Errorf("QIDO-RS from Orthanc: %v, want %v", rows, uids)
	}
	var resources []map[string]string
	for _, uid := range uids {
		resources = append(resources, map[string]string{"Study": uid})
	}
	o.do("POST", "/dicom-web/servers/sira/retrieve", map[string]any{"Resources": resources, "Synchronous": true}, nil)
	same(t, "WADO-RS by Orthanc", o.list(), want)
}

// askedByUs is Orthanc as the provider of our user's side.
func (o *orthanc) askedByUs(metas []dimse.Meta, want map[string][]byte) {
	o.t.Helper()
	var classes []dimse.Proposal
	for i, m := range metas {
		if !slices.ContainsFunc(metas[:i], func(n dimse.Meta) bool { return n.SOPClass == m.SOPClass }) {
			classes = append(classes, dimse.Proposal{SOPClass: m.SOPClass, TransferSyntaxes: []string{m.TransferSyntax}, SCP: true})
		}
	}
	c, err := dimse.Dial(o.t.Context(), o.dicom, dimse.DialOptions{AET: "WS", CalledAET: "ORTHANC", Proposals: append(classes,
		dimse.Proposal{SOPClass: dimse.Verification, TransferSyntaxes: []string{dimse.ImplicitVRLittleEndian}},
		dimse.QueryProposal(dimse.StudyRootFind), dimse.QueryProposal(dimse.StudyRootGet))})
	if err != nil {
		o.t.Fatal(err)
	}
	defer c.Abort()
	if err := c.Echo(o.t.Context()); err != nil {
		o.t.Error(err)
	}
	var studies []string
	err = c.Find(o.t.Context(), dimse.Query{SOPClass: dimse.StudyRootFind, Level: dimse.LevelStudy,
		Keys: identifier.Of(map[dicom.Tag]string{identifier.PatientID: "ML-1", identifier.StudyInstanceUID: ""})}, func(s *identifier.Set) error {
		studies = append(studies, s.String(identifier.StudyInstanceUID))
		return nil
	})
	got := map[string][]byte{}
	for _, uid := range studies {
		res, gerr := c.Get(o.t.Context(), dimse.Query{SOPClass: dimse.StudyRootGet, Level: dimse.LevelStudy,
			Keys: identifier.Of(map[dicom.Tag]string{identifier.StudyInstanceUID: uid})}, func(_ context.Context, req dimse.StoreRequest) uint16 {
			got[req.SOPUID], _ = io.ReadAll(req.Data)
			return dimse.StatusSuccess
		}, nil)
		if err = errors.Join(err, gerr); res.Failed > 0 {
			o.t.Errorf("%+v", res)
		}
	}
	if err != nil {
		o.t.Error(err)
	}
	same(o.t, "C-GET from Orthanc", got, want)
}
