package devices_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"encoding/json"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/dimse/identifier"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/dicom/phantom"
	"sira/storage"
	"sira/storage/storagetest"
	"sira/web/devices"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // suyashkumar/dicom's
	os.Exit(m.Run())
}

// house is a DICOM port on real parts.
type house struct {
	t     *testing.T
	addr  string
	db    *storage.DB
	blobs storage.Blobs
	cfg   devices.Config
	clin  directory.User

	mu          sync.Mutex
	noted, sent map[string]string // SOP UID → AE title; noted becomes sent when the transaction is through
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

func build(t *testing.T, nodes map[string]dimse.Node) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{t: t, db: storagetest.NewDB(t), blobs: storagetest.NewBlobs(t), noted: map[string]string{}, sent: map[string]string{}}
	idx := must(index.Open(ctx, h.db))(t)
	dir := must(directory.Open(ctx, h.db))(t)
	if err := dir.PutFacility(ctx, directory.Facility{ID: "kati", Name: "CSRéf de Kati", Kind: "CSRéf", Code: "KAT"}); err != nil {
		t.Fatal(err)
	}
	h.clin = must(dir.CreateUser(ctx, directory.User{Login: "clin", Name: "Fatoumata Diarra", Role: directory.Clinician,
		Facility: directory.Facility{ID: "kati"}}, ""))(t)
	h.clin = must(dir.User(ctx, h.clin.ID))(t)
	in := ingest.New(h.blobs, idx, dicom.Limits{})
	in.TempDir = t.TempDir()
	h.cfg = devices.Config{Blobs: h.blobs, Index: idx, Ingest: in, Directory: dir, Audit: must(audit.Open(ctx, h.db))(t),
		Cases:      must(cases.Open(ctx, h.db, dir, cases.Options{}))(t),
		Facilities: map[string]string{"CART1": "kati", "CART2": "gao"},
		Senders:    []dimse.Peer{{AET: "CART1", Network: loopback}, {AET: "CART2"}},
		Readers:    []dimse.Peer{{AET: "WS", Network: loopback}},
		Sent: func(_ context.Context, aet string, in dicom.Instance) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.sent[in.SOPUID] = aet
			return nil
		},
		Note: func(_ context.Context, _ storage.Querier, aet string, in dicom.Instance) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.noted[in.SOPUID] = aet
			return nil
		},
		Noted: func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			maps.Copy(h.sent, h.noted)
		}}
	s := &dimse.Server{AET: "SIRA", UnknownClasses: true, Nodes: dimse.KnownNodes(nodes)}
	devices.New(h.cfg).Equip(s)
	h.addr = serve(t, s)
	return h
}

func serve(t *testing.T, s *dimse.Server) string {
	t.Helper()
	ln := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-done
	})
	return ln.Addr().String()
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *house) dial(aet string, proposals ...dimse.Proposal) *dimse.Client {
	h.t.Helper()
	c := must(dimse.Dial(h.t.Context(), h.addr, dimse.DialOptions{AET: aet, CalledAET: "SIRA", Proposals: proposals}))(h.t)
	h.t.Cleanup(c.Abort)
	return c
}

func (h *house) send(aet string, objects ...[]byte) []error {
	h.t.Helper()
	var metas []dimse.Meta
	for _, o := range objects {
		f := must(dicom.Read(h.t.Context(), bytes.NewReader(o), int64(len(o)), dicom.Limits{}))(h.t)
		in := must(dicom.Describe(f))(h.t)
		metas = append(metas, dimse.Meta{SOPClass: in.SOPClass, SOPUID: in.SOPUID, TransferSyntax: in.TransferSyntax})
	}
	c := h.dial(aet, must(dimse.Proposals(metas...))(h.t)...)
	var out []error
	for _, o := range objects {
		status, err := c.Store(h.t.Context(), bytes.NewReader(o))
		if err == nil && dimse.StatusFailed(status) {
			err = &dimse.StatusError{Status: status}
		}
		out = append(out, err)
	}
	return out
}

// entries lists what the journal has, as action:outcome.
func (h *house) entries(actor string) []string {
	h.t.Helper()
	rows := must(h.db.Query(h.t.Context(), `SELECT action, outcome, object FROM audit_entries WHERE actor = ? ORDER BY seq`, actor))(h.t)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var action, outcome, object string
		if err := rows.Scan(&action, &outcome, &object); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, action+":"+outcome+":"+object)
	}
	return out
}

func (h *house) eventually(what string, is func() bool) {
	h.t.Helper()
	for range 500 {
		if is() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	h.t.Fatalf("%s did not come", what)
}

func study(seed uint64, name, id, accession string) phantom.Study {
	return phantom.Study{Patient: phantom.Patient{Name: name, ID: id, Sex: "F", BirthDate: "19950101"},
		Date: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC), Seed: seed, Accession: accession}
}

// request opens a case and asks a device for an examination.
func (h *house) request(patient cases.Patient, x cases.ScheduledData) cases.State {
	h.t.Helper()
	id := uuid.NewString()
	event := func(kind cases.EventType, data any) cases.NewEvent {
		return cases.NewEvent{ID: uuid.NewString(), Type: kind, Data: must(json.Marshal(data))(h.t)}
	}
	st, _, err := h.cfg.Cases.Append(h.t.Context(), h.clin, id, []cases.NewEvent{
		event(cases.Opened, cases.OpenedData{Patient: patient, Specialty: "cardiologie", Urgency: "U1", Question: "?", Consent: cases.Consent{How: "oral"}}),
		event(cases.ProcedureScheduled, x)})
	if err != nil {
		h.t.Fatal(err)
	}
	return st
}

func TestWorklistOfADevice(t *testing.T) {
	h := build(t, nil)
	at := time.Date(2026, 3, 4, 9, 30, 0, 0, time.Local)
	woman := cases.Patient{Name: "Aïssata TRAORÉ", Sex: "F", BirthDate: "1995-01-01", Identifiers: []cases.Identifier{{System: "CSRéf", Value: `K^7\7`}}}
	mine := h.request(woman, cases.ScheduledData{Modality: "ECG", Device: "CART1", At: at, Description: "ECG 12 dérivations"})
	anyone := h.request(cases.Patient{Name: "Moussa Keïta", Sex: "U", BirthDate: "1970"}, cases.ScheduledData{Modality: "US", At: at, Description: "Écho"})
	h.request(woman, cases.ScheduledData{Modality: "CT", Device: "CT9", At: at, Description: "Crâne"})

	ask := func(aet string) []*identifier.Set {
		t.Helper()
		c := h.dial(aet, dimse.QueryProposal(dimse.ModalityWorklistFind))
		keys := &identifier.Set{}
		for _, k := range []dicom.Tag{identifier.PatientName, identifier.PatientID, identifier.PatientBirthDate, identifier.PatientSex,
			identifier.AccessionNumber, identifier.StudyInstanceUID, identifier.RequestedProcedureID, identifier.ReferringPhysicianName, 0x00401003} {
			keys.Put(k)
		}
		keys.PutItems(identifier.ScheduledProcedureStepSequence, identifier.Of(map[dicom.Tag]string{identifier.ScheduledStationAETitle: "",
			identifier.ScheduledStartDate: "20260304", identifier.ScheduledStartTime: "", identifier.Modality: "", identifier.ScheduledProcedureStepID: ""}))
		var out []*identifier.Set
		if err := c.Find(t.Context(), dimse.Query{SOPClass: dimse.ModalityWorklistFind, Keys: keys}, func(s *identifier.Set) error {
			out = append(out, s)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	got := ask("CART1")
	if len(got) != 2 {
		t.Fatalf("%d entries", len(got))
	}
	byNumber := map[string]*identifier.Set{}
	for _, s := range got {
		byNumber[s.String(identifier.AccessionNumber)] = s
	}
	s := byNumber[mine.Number]
	step := s.Item(identifier.ScheduledProcedureStepSequence)
	for tag, want := range map[dicom.Tag]string{identifier.PatientName: "TRAORÉ^Aïssata", identifier.PatientID: "K 7 7", identifier.PatientBirthDate: "19950101",
		identifier.PatientSex: "F", identifier.StudyInstanceUID: mine.Procedure.StudyUID(), identifier.ReferringPhysicianName: "Diarra^Fatoumata",
		identifier.RequestedProcedureID: mine.Procedure.Code(), 0x00401003: "HIGH"} {
		if s.String(tag) != want {
			t.Errorf("%s is %q, want %q", tag, s.String(tag), want)
		}
	}
	if step.String(identifier.ScheduledStationAETitle) != "CART1" || step.String(identifier.ScheduledStartTime) != "093000" || step.String(identifier.Modality) != "ECG" {
		t.Errorf("step %+v", step)
	}
	if s := byNumber[anyone.Number]; s.String(identifier.PatientBirthDate) != "" || s.String(identifier.PatientSex) != "" || s.String(identifier.PatientID) != anyone.Number {
		t.Errorf("%+v", s)
	}
	if got := ask("CART2"); len(got) != 0 {
		t.Errorf("a device of another place sees %d entries", len(got))
	}
	if got := ask("WS"); len(got) != 3 {
		t.Errorf("a reader sees %d entries", len(got))
	}
	ask("CART1")
	seen := must(h.cfg.Audit.ByCase(t.Context(), mine.ID, 100))(t)
	n := 0
	for _, e := range seen {
		if e.Actor == "aet:CART1" && e.Action == "worklist" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d journal entries of what CART1 saw: %+v", n, seen)
	}
	if _, err := dimse.Dial(t.Context(), h.addr, dimse.DialOptions{AET: "STRANGER", CalledAET: "SIRA"}); err == nil {
		t.Error("a stranger was let in")
	}
}

func TestStoreFindRetrieveCommit(t *testing.T) {
	inbox := make(chan string, 100)
	far := &dimse.Server{AET: "FAR", UnknownClasses: true, Store: func(_ context.Context, req dimse.StoreRequest) uint16 {
		_, _ = io.Copy(io.Discard, req.Data)
		inbox <- req.SOPUID
		return dimse.StatusSuccess
	}}
	h := build(t, map[string]dimse.Node{"FAR": {Addr: serve(t, far)}})
	ctx := t.Context()
	ct := phantom.CT(3, study(1, "TRAORE^AWA", "K-1", "A-1"))
	other := phantom.DX(study(2, "KEITA^MOUSSA", "K-2", "A-2"), phantom.ChestOptions{})
	for _, err := range h.send("CART1", append(slices.Clone(ct), other)...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(h.sent) != 4 {
		t.Fatalf("%d noted for their case", len(h.sent))
	}
	changed := bytes.Replace(ct[0], []byte("TRAORE^AWA"), []byte("DIALLO^AWA"), 1)
	if err := h.send("CART1", changed)[0]; err == nil || !strings.Contains(err.Error(), "0x0111") {
		t.Errorf("another object of the same UID: %v", err)
	}
	if held := must(h.cfg.Index.InQuarantine(ctx))(t); len(held) != 1 || held[0].Device != "CART1" || held[0].Remote != "127.0.0.1" {
		t.Errorf("quarantine %+v", held)
	}
	if err := h.send("WS", ct[0])[0]; err == nil {
		t.Error("a reader stored")
	}

	ws := h.dial("WS", dimse.QueryProposal(dimse.StudyRootFind), dimse.QueryProposal(dimse.PatientRootFind), dimse.QueryProposal(dimse.StudyRootMove))
	find := func(class string, level dimse.Level, keys map[dicom.Tag]string, want dicom.Tag) []string {
		t.Helper()
		var out []string
		q := identifier.Of(keys)
		if !q.Has(want) {
			q.Put(want)
		}
		if err := ws.Find(ctx, dimse.Query{SOPClass: class, Level: level, Keys: q}, func(s *identifier.Set) error {
			out = append(out, s.String(want))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(out)
		return out
	}
	root := dimse.StudyRootFind
	for _, c := range []struct {
		keys map[dicom.Tag]string
		want []string
	}{
		{nil, []string{"K-1", "K-2"}},
		{map[dicom.Tag]string{identifier.PatientName: "traoré*"}, []string{"K-1"}},
		{map[dicom.Tag]string{identifier.AccessionNumber: "A-2"}, []string{"K-2"}},
		{map[dicom.Tag]string{identifier.ModalitiesInStudy: "CT"}, []string{"K-1"}},
		{map[dicom.Tag]string{identifier.StudyDate: "20260301-20260305", identifier.PatientID: "K-?"}, []string{"K-1", "K-2"}},
		{map[dicom.Tag]string{identifier.StudyDate: "20260305-"}, nil},
		{map[dicom.Tag]string{identifier.StudyDate: "-20260304", identifier.PatientID: "K-1"}, []string{"K-1"}},
	} {
		if got := find(root, dimse.LevelStudy, c.keys, identifier.PatientID); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.keys, got, c.want)
		}
	}
	if got := find(dimse.PatientRootFind, dimse.LevelPatient, map[dicom.Tag]string{identifier.PatientName: ""}, identifier.PatientID); !slices.Equal(got, []string{"K-1", "K-2"}) {
		t.Errorf("patients %v", got)
	}
	uid := find(root, dimse.LevelStudy, map[dicom.Tag]string{identifier.PatientID: "K-1"}, identifier.StudyInstanceUID)[0]
	sops := find(root, dimse.LevelImage, map[dicom.Tag]string{identifier.StudyInstanceUID: uid}, identifier.SOPInstanceUID)
	if len(sops) != 3 {
		t.Fatalf("images %v", sops)
	}

	res := must(ws.Move(ctx, dimse.Query{SOPClass: dimse.StudyRootMove, Level: dimse.LevelStudy,
		Keys: identifier.Of(map[dicom.Tag]string{identifier.StudyInstanceUID: uid})}, "FAR", nil))(t)
	if res.Completed != 3 || res.Failed != 0 || len(inbox) != 3 {
		t.Errorf("moved %+v, %d arrived", res, len(inbox))
	}
	if _, err := ws.Move(ctx, dimse.Query{SOPClass: dimse.StudyRootMove, Level: dimse.LevelStudy,
		Keys: identifier.Of(map[dicom.Tag]string{identifier.StudyInstanceUID: uid})}, "NOWHERE", nil); err == nil {
		t.Error("moved to where nobody knows")
	}

	cart := h.dial("CART1", dimse.QueryProposal(root), dimse.QueryProposal(dimse.StorageCommitment))
	err := cart.Find(ctx, dimse.Query{SOPClass: root, Level: dimse.LevelStudy, Keys: identifier.Of(map[dicom.Tag]string{identifier.PatientID: ""})},
		func(*identifier.Set) error { t.Error("a sender was answered"); return nil })
	if err == nil || !strings.Contains(err.Error(), "0x0124") {
		t.Errorf("a sender's query: %v", err)
	}
	class := must(h.cfg.Index.Instance(ctx, sops[0]))(t).SOPClass
	if err := cart.RequestCommit(ctx, "1.2.3.4.5", []dimse.Reference{{SOPClass: class, SOPUID: sops[0]}, {SOPClass: class, SOPUID: "1.2.3"}, {SOPClass: "1.2.840", SOPUID: sops[1]}}); err != nil {
		t.Fatal(err)
	}
	report := must(cart.AwaitCommit(ctx))(t)
	if len(report.Committed) != 1 || report.Committed[0].SOPUID != sops[0] || len(report.Failed) != 2 {
		t.Errorf("%+v", report)
	}
	h.eventually("the journal", func() bool { return slices.Contains(h.entries("aet:CART1"), "dicom-commit-report:ok:1/3") })
	for _, want := range []string{"dicom-move:ok:" + uid, "dicom-move-end:ok:STUDY FAR 3/3", "dicom-find:ok:STUDY 2", "dicom-sent:ok:" + sops[0]} {
		if !slices.Contains(h.entries("aet:WS"), want) {
			t.Errorf("the journal lacks %s: %v", want, h.entries("aet:WS"))
		}
	}
	for _, sop := range sops { // each with its object
		if n := countOf(h.entries("aet:CART1"), "dicom-store:ok:"+sop); n != 1 {
			t.Errorf("%d journal entries of one object's storage", n)
		}
	}
	if err := h.send("CART1", ct[0])[0]; err != nil {
		t.Fatal(err)
	}
	h.eventually("the second storage of an object in the journal", func() bool { return countOf(h.entries("aet:CART1"), "dicom-store:ok:"+sops[0]) == 2 })
	if list := h.entries("aet:CART1"); !slices.Contains(list, "dicom-store:ok:"+sops[0]) || !slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, "dicom-find:denied") }) ||
		!slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, "dicom-store:conflict") }) {
		t.Errorf("journal of CART1: %v", list)
	}
}

func TestGetGivesTheDataSetBack(t *testing.T) {
	h := build(t, nil)
	ct := phantom.CT(1, study(1, "TRAORE^AWA", "K-1", ""))[0]
	// Without file meta information, as some programs export it.
	f := must(dicom.Read(t.Context(), bytes.NewReader(ct), int64(len(ct)), dicom.Limits{}))(t)
	bare := ct[f.DataSetOffset():]
	res := must(h.cfg.Ingest.Stream(t.Context(), bytes.NewReader(bare)))(t)
	in := res.Instance
	c := h.dial("WS", dimse.QueryProposal(dimse.StudyRootGet),
		dimse.Proposal{SOPClass: in.SOPClass, TransferSyntaxes: []string{in.TransferSyntax}, SCP: true})
	var got []byte
	result := must(c.Get(t.Context(), dimse.Query{SOPClass: dimse.StudyRootGet, Level: dimse.LevelStudy,
		Keys: identifier.Of(map[dicom.Tag]string{identifier.StudyInstanceUID: in.StudyUID})},
		func(_ context.Context, req dimse.StoreRequest) uint16 {
			got, _ = io.ReadAll(req.Data)
			return dimse.StatusSuccess
		}, nil))(t)
	if result.Completed != 1 || !bytes.Equal(got, bare) {
		t.Errorf("%+v, %d bytes of %d", result, len(got), len(bare))
	}
}

// TestGetInASyntaxTheReceiverTakes: one that takes implicit VR only.
func TestGetInASyntaxTheReceiverTakes(t *testing.T) {
	h := build(t, nil)
	cine := phantom.USCine(2, study(1, "TRAORE^AWA", "K-1", "")) // JPEG baseline
	ct := phantom.CT(1, study(2, "TRAORE^AWA", "K-1", ""))[0]
	for _, data := range [][]byte{cine, ct} {
		in := must(h.cfg.Ingest.Stream(t.Context(), bytes.NewReader(data)))(t).Instance
		c := h.dial("WS", dimse.QueryProposal(dimse.StudyRootGet),
			dimse.Proposal{SOPClass: in.SOPClass, TransferSyntaxes: []string{dimse.ImplicitVRLittleEndian}, SCP: true})
		var got []byte
		result := must(c.Get(t.Context(), dimse.Query{SOPClass: dimse.StudyRootGet, Level: dimse.LevelStudy,
			Keys: identifier.Of(map[dicom.Tag]string{identifier.StudyInstanceUID: in.StudyUID})},
			func(_ context.Context, req dimse.StoreRequest) uint16 {
				got, _ = io.ReadAll(req.Part10())
				return dimse.StatusSuccess
			}, nil))(t)
		if result.Completed != 1 {
			t.Fatalf("%+v", result)
		}
		f := must(dicom.Read(t.Context(), bytes.NewReader(got), int64(len(got)), dicom.Limits{}))(t)
		back := must(dicom.Describe(f))(t)
		if !f.Implicit || f.Pixel == nil || f.Pixel.Native == nil || back.SOPUID != in.SOPUID || back.Rows != in.Rows || back.Frames != in.Frames {
			t.Errorf("%+v", back)
		}
	}
}

func TestPersonName(t *testing.T) {
	for name, want := range map[string]string{
		"Aminata Zoumana Traoré": "Traoré^Aminata Zoumana", "TRAORÉ Aminata": "TRAORÉ^Aminata", "Aminata TRAORÉ DIARRA": "TRAORÉ DIARRA^Aminata",
		"AMINATA TRAORE": "TRAORE^AMINATA", "Awa": "Awa", "": "", `A^B=C\D`: "D^A B C", "  Ɲɛnɛba   Kɔnɛ ": "Kɔnɛ^Ɲɛnɛba",
	} {
		if got := devices.PersonName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := []rune(devices.PersonName(strings.Repeat("é", 200))); len(got) != 64 {
		t.Errorf("%d characters", len(got))
	}
}

func countOf(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}
