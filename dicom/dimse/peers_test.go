package dimse

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sira/dicom/dimse/identifier"
	"sira/dicom/phantom"
)

// freePort gives a port nobody listens on for now.
func freePort(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port := split(t, ln.Addr().String())
	return port
}

// daemon runs one of dcmtk's providers until the test ends, and waits until it
// answers C-ECHO.
func daemon(t testing.TB, addr, aet, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, out.String())
		}
	})
	eventually(t, name, func() bool {
		c, err := Dial(context.Background(), addr, DialOptions{AET: "SIRA", CalledAET: aet})
		if err != nil {
			return false
		}
		return c.Echo(context.Background()) == nil && c.Release(context.Background()) == nil
	})
}

// dcmqrscp starts dcmtk's archive with a few CT slices in it, knowing a node
// SIRA at the port given.
func dcmqrscp(t *testing.T, siraPort string) (addr string, files map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	if err := os.Mkdir(store, 0o755); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	config := filepath.Join(dir, "dcmqrscp.cfg")
	text := fmt.Sprintf(`NetworkTCPPort = %s
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
sira = (SIRA, 127.0.0.1, %s)
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE %s RW (200, 1024mb) ANY
AETable END
`, port, siraPort, store)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	addr = "127.0.0.1:" + port
	daemon(t, addr, "ARCHIVE", "dcmqrscp", "-c", config)
	files = map[string][]byte{}
	c, err := Dial(t.Context(), addr, DialOptions{AET: "SIRA", CalledAET: "ARCHIVE", Proposals: []Proposal{ctProposal()}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range phantom.CT(3, phantom.Study{Patient: phantom.Patient{Name: "Traoré^Aïssata", ID: "ML-42", Sex: "F", BirthDate: "19900101"},
		Date: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), Seed: 7}) {
		m, err := ReadMeta(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			t.Fatal(err)
		}
		files[m.SOPUID] = b
		if status, err := c.Store(t.Context(), bytes.NewReader(b)); err != nil || status != StatusSuccess {
			t.Fatalf("%#x, %v", status, err)
		}
	}
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	return addr, files
}

func studyOf(t testing.TB, files map[string][]byte) *identifier.Set {
	t.Helper()
	for _, b := range files {
		br := bufio.NewReader(bytes.NewReader(b))
		m, _ := ReadMeta(br)
		head := make([]byte, 4000) // enough for what comes before the pixels
		n, _ := br.Read(head)
		_ = n
		i := bytes.Index(head, []byte{0x20, 0, 0x0D, 0, 'U', 'I'})
		if i < 0 {
			t.Fatalf("%s has no study", m.SOPUID)
		}
		size := int(head[i+6])
		return keys(identifier.StudyInstanceUID, string(bytes.TrimRight(head[i+8:i+8+size], "\x00")))
	}
	return nil
}

// Our user's side against dcmtk's archive: find, move to ourselves, get.
func TestDcmqrscp(t *testing.T) {
	tool(t, "dcmqrscp")
	var got recorder
	_, port := split(t, serve(t, &Server{AET: "SIRA", Store: got.store}))
	addr, files := dcmqrscp(t, port)
	c, err := Dial(t.Context(), addr, DialOptions{AET: "SIRA", CalledAET: "ARCHIVE", Proposals: append(getProposals(),
		QueryProposal(StudyRootFind), QueryProposal(PatientRootFind), QueryProposal(StudyRootMove))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	study := studyOf(t, files)

	q := study.Clone()
	q.Put(identifier.PatientID)
	q.Put(identifier.PatientName)
	if got := collect(t, c, Query{StudyRootFind, LevelStudy, q}, identifier.PatientID); !slices.Equal(got, []string{"ML-42"}) {
		t.Errorf("find: %v", got)
	}
	images := study.Clone()
	images.Put(identifier.SeriesInstanceUID)
	images.Put(identifier.SOPInstanceUID)
	if got := collect(t, c, Query{PatientRootFind, LevelPatient, keys(identifier.PatientID, "ML*", identifier.PatientName, "")}, identifier.PatientID); len(got) != 1 {
		t.Errorf("find patients: %v", got)
	}
	var names []string
	if err := c.Find(t.Context(), Query{StudyRootFind, LevelStudy, q}, func(s *identifier.Set) error {
		names = append(names, s.String(identifier.PatientName))
		return nil
	}); err != nil || !slices.Equal(names, []string{"Traoré^Aïssata"}) {
		t.Logf("dcmqrscp gives the name as %q (%v)", names, err) // it answers without a character set
	}

	result, err := c.Move(t.Context(), Query{StudyRootMove, LevelStudy, study}, "SIRA", nil)
	if err != nil || result.Completed != 3 {
		t.Errorf("move: %+v, %v", result, err)
	}
	_, err = c.Move(t.Context(), Query{StudyRootMove, LevelStudy, study}, "NOBODY", nil)
	var status *StatusError
	if !asStatus(err, &status) || status.Status != StatusUnknownDestination {
		t.Errorf("move to nobody: %v", err)
	}
	result, err = c.Get(t.Context(), Query{StudyRootGet, LevelStudy, study}, got.store, nil)
	if err != nil || result.Completed != 3 {
		t.Errorf("get: %+v, %v", result, err)
	}
	if n := len(got.all()); n != 6 {
		t.Errorf("%d instances", n)
	}
	for _, k := range got.all() {
		br := bufio.NewReader(bytes.NewReader(files[k.req.SOPUID]))
		if _, err := ReadMeta(br); err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(k.data, []byte{0xE0, 0x7F, 0x10, 0}); i < 0 || !bytes.HasSuffix(files[k.req.SOPUID], k.data[i+12:]) {
			t.Errorf("%s: pixels changed on the way", k.req.SOPUID)
		}
	}
	if err := c.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func dcmFiles(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, filepath.Join(dir, e.Name()))
	}
	return names
}

// dcmtk's movescu asks us to send to dcmtk's storescp, and to itself.
func TestFromMovescu(t *testing.T) {
	tool(t, "movescu")
	_, files := phantomArchive(t)
	dest, out := storescp(t)
	self := freePort(t)
	var heard recorder
	addr := serve(t, &Server{AET: "SIRA", Retrieve: files.retrieve, Events: heard.event, Nodes: KnownNodes(map[string]Node{
		"DEST": {Addr: dest}, "MOVESCU": {Addr: "127.0.0.1:" + self},
	})})
	host, port := split(t, addr)
	runTool(t, "movescu", "-S", "-aec", "SIRA", "-aem", "DEST", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", host, port)
	files.sameAs(t, out)
	own := t.TempDir()
	cmd := exec.Command(tool(t, "movescu"), "-P", "-aec", "SIRA", "+P", self, "+B",
		"-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", host, port)
	cmd.Dir = own // with +B it does not heed -od
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, b)
	}
	files.sameAs(t, own)
	if e := heard.heard(t, EventMove); e.Counters.Completed != len(files.entries) || e.Status != StatusSuccess {
		t.Errorf("%+v", e)
	}
	cmd = exec.Command(tool(t, "movescu"), "-S", "-aec", "SIRA", "-aem", "NOBODY", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", host, port)
	if b, err := cmd.CombinedOutput(); !bytes.Contains(b, []byte("MoveDestinationUnknown")) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestFromGetscu(t *testing.T) {
	tool(t, "getscu")
	_, files := phantomArchive(t)
	var heard recorder
	addr := serve(t, &Server{AET: "SIRA", Store: heard.store, Retrieve: files.retrieve, Events: heard.event})
	host, port := split(t, addr)
	for _, model := range []string{"-S", "-P"} {
		out := t.TempDir()
		runTool(t, "getscu", model, "+B", "-aec", "SIRA", "-od", out, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", host, port)
		files.sameAs(t, out)
	}
	if e := heard.heard(t, EventGet); e.Counters.Completed != len(files.entries) {
		t.Errorf("%+v", e)
	}
}

// phantomArchive has one study of generated objects under a made-up UID of the
// request: whatever is asked for, it gives them all.
func phantomArchive(t testing.TB) (string, *archive) {
	t.Helper()
	a := &archive{}
	for _, b := range phantom.CT(4, phantom.Study{Patient: phantom.Patient{Name: "A^B", ID: "1"}, Seed: 9}) {
		m, err := ReadMeta(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			t.Fatal(err)
		}
		a.entries = append(a.entries, entry{attributes: keys(identifier.StudyInstanceUID, "1.2.3"), file: b, meta: m})
	}
	for i := range a.entries {
		a.entries[i].attributes.Put(identifier.QueryRetrieveLevel, "STUDY")
	}
	return "1.2.3", a
}

// sameAs checks that a folder holds the archive's data sets, byte for byte.
func (a *archive) sameAs(t testing.TB, dir string) {
	t.Helper()
	got := map[string][]byte{}
	for _, path := range dcmFiles(t, dir) {
		m, data := dataSetOf(t, path)
		got[m.SOPUID] = data
	}
	if len(got) != len(a.entries) {
		t.Errorf("%d files, want %d", len(got), len(a.entries))
	}
	for _, e := range a.entries {
		br := bufio.NewReader(bytes.NewReader(e.file))
		if _, err := ReadMeta(br); err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		_, _ = want.ReadFrom(br)
		if !bytes.Equal(got[e.meta.SOPUID], want.Bytes()) {
			t.Errorf("%s: %d bytes, want %d", e.meta.SOPUID, len(got[e.meta.SOPUID]), want.Len())
		}
	}
}
