package dimse

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sira/dicom/dimse/identifier"
	"sira/dicom/dimse/pdu"
)

func TestFindAtEachLevel(t *testing.T) {
	var r recorder
	addr := serve(t, &Server{Find: newArchive().find, Events: r.event})
	c := dial(t, addr, QueryProposal(PatientRootFind), QueryProposal(StudyRootFind))
	for _, q := range []struct {
		model string
		level Level
		keys  *identifier.Set
		want  []string
	}{
		{PatientRootFind, LevelPatient, keys(identifier.PatientName, "*", identifier.PatientID, ""), []string{"ML-1", "ML-2", "ML-3"}},
		{PatientRootFind, LevelPatient, keys(identifier.PatientName, "traore*", identifier.PatientID, ""), []string{"ML-1"}},
		{PatientRootFind, LevelStudy, keys(identifier.PatientID, "ML-1", identifier.StudyInstanceUID, ""), []string{"1.2.10", "1.2.11"}},
		{StudyRootFind, LevelStudy, keys(identifier.StudyDate, "20260101-", identifier.StudyInstanceUID, ""), []string{"1.2.10", "1.2.11", "1.2.20"}},
		{StudyRootFind, LevelSeries, keys(identifier.StudyInstanceUID, "1.2.20", identifier.SeriesInstanceUID, ""), []string{"1.2.20.1", "1.2.20.2"}},
		{StudyRootFind, LevelImage, keys(identifier.SeriesInstanceUID, "1.2.20.2", identifier.SOPInstanceUID, ""), []string{"1.2.20.2.1", "1.2.20.2.2"}},
		{StudyRootFind, LevelStudy, keys(identifier.PatientName, "Nobody", identifier.StudyInstanceUID, ""), nil},
	} {
		if got := collect(t, c, Query{q.model, q.level, q.keys}, unique[q.level]); !slices.Equal(got, q.want) {
			t.Errorf("%s %s: %v, want %v", q.model, q.level, got, q.want)
		}
	}
	if e := r.heard(t, EventFind); e.Level != LevelPatient || e.Answers != 3 || e.SOPClass != PatientRootFind {
		t.Errorf("%+v", e)
	}
}

func TestAnswersHoldWhatWasAskedAndTheLevel(t *testing.T) {
	a := newArchive()
	for _, ts := range identifierSyntaxes {
		addr := serve(t, &Server{AET: "SIRA", Find: a.find, Retrieve: a.retrieve})
		c := dial(t, addr, Proposal{SOPClass: StudyRootFind, TransferSyntaxes: []string{ts}})
		n := 0
		err := c.Find(t.Context(), Query{StudyRootFind, LevelStudy,
			keys(identifier.PatientName, "KEITA^*", identifier.StudyDescription, "", identifier.AccessionNumber, "")},
			func(s *identifier.Set) error {
				n++
				if s.Len() != 5 || s.String(identifier.PatientName) != "Keïta^Modibo" || s.String(identifier.StudyDescription) != "Échographie" ||
					!s.Has(identifier.AccessionNumber) || s.String(identifier.QueryRetrieveLevel) != "STUDY" || s.String(identifier.RetrieveAETitle) != "SIRA" {
					t.Errorf("%s: %+v", ts, s)
				}
				return nil
			})
		if err != nil || n != 1 {
			t.Errorf("%s: %d answers, %v", ts, n, err)
		}
	}
}

func TestRefusedQueries(t *testing.T) {
	find := func(_ context.Context, req FindRequest, answer func(*identifier.Set) error) error {
		switch req.Keys.String(identifier.PatientID) {
		case "status":
			return &StatusError{Status: StatusNotAuthorized, Comment: "not yours"}
		case "error":
			return errors.New("database away")
		case "panic":
			panic("boom")
		case "many":
			for answer(req.Keys) == nil {
			}
		}
		return nil
	}
	var r recorder
	addr := serve(t, &Server{Find: find, Events: r.event, Limits: Limits{Answers: 7}})
	c := dial(t, addr, QueryProposal(StudyRootFind), verification())
	for id, want := range map[string]uint16{
		"status": StatusNotAuthorized, "error": StatusCannotUnderstand, "panic": StatusCannotUnderstand, "many": StatusOutOfResources,
	} {
		n := 0
		err := c.Find(t.Context(), Query{StudyRootFind, LevelStudy, keys(identifier.PatientID, id)}, func(*identifier.Set) error { n++; return nil })
		var status *StatusError
		if !errors.As(err, &status) || status.Status != want || id == "many" && n != 7 || strings.Contains(err.Error(), "database") {
			t.Errorf("%s: %v after %d", id, err, n)
		}
	}
	for _, level := range []Level{"", LevelPatient, "../../etc"} {
		err := c.Find(t.Context(), Query{StudyRootFind, level, keys(identifier.PatientID, "")}, func(*identifier.Set) error { return nil })
		var status *StatusError
		if !errors.As(err, &status) || status.Status != StatusDataSetMismatch {
			t.Errorf("level %q: %v", level, err)
		}
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

// A query that never ends does when the peer cancels, wherever the provider
// stands: between answers or waiting for something else.
func TestCancelledQuery(t *testing.T) {
	enough := errors.New("enough")
	for name, find := range map[string]FindFunc{
		"answering": func(_ context.Context, req FindRequest, answer func(*identifier.Set) error) error {
			for {
				if err := answer(req.Keys); err != nil {
					return err
				}
			}
		},
		"waiting": func(ctx context.Context, req FindRequest, answer func(*identifier.Set) error) error {
			if err := answer(req.Keys); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r recorder
			c := dial(t, serve(t, &Server{Find: find, Events: r.event}), QueryProposal(StudyRootFind), verification())
			err := c.Find(t.Context(), Query{StudyRootFind, LevelStudy, keys(identifier.PatientID, "x")}, func(*identifier.Set) error { return enough })
			if !errors.Is(err, enough) {
				t.Error(err)
			}
			if e := r.heard(t, EventFind); e.Status != StatusCancel || e.Answers == 0 {
				t.Errorf("%+v", e)
			}
			if err := c.Echo(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A requestor that does not read holds the query back, and one that goes away
// ends it.
func TestQueryWaitsForItsReader(t *testing.T) {
	var sent atomic.Int64
	ended := make(chan error, 1)
	find := func(ctx context.Context, req FindRequest, answer func(*identifier.Set) error) (err error) {
		defer func() { ended <- err }()
		big := keys(identifier.PatientID, strings.Repeat("x", 50_000))
		for {
			if err := answer(big); err != nil {
				return err
			}
			sent.Add(1)
		}
	}
	addr := serve(t, &Server{Find: find, Limits: Limits{Answers: 1 << 30}})
	began := make(chan struct{})
	goOn := make(chan struct{})
	c := dial(t, addr, QueryProposal(StudyRootFind))
	done := make(chan error, 1)
	go func() {
		var once bool
		done <- c.Find(context.Background(), Query{StudyRootFind, LevelStudy, keys(identifier.PatientID, "")}, func(*identifier.Set) error {
			if !once {
				once = true
				close(began)
				<-goOn
			}
			return nil
		})
	}()
	<-began
	last := int64(-1)
	eventually(t, "a standstill", func() bool { n := sent.Load(); same := n == last; last = n; return same })
	if last > 2000 {
		t.Errorf("%d answers sent to a reader that reads none", last)
	}
	close(goOn)
	eventually(t, "more answers", func() bool { return sent.Load() > last })
	c.Abort()
	<-done
	if err := <-ended; err == nil {
		t.Error("the query did not hear of the end")
	}
}

func TestQueryFeaturesAreNegotiated(t *testing.T) {
	got := make(chan FindRequest, 1)
	find := func(_ context.Context, req FindRequest, _ func(*identifier.Set) error) error { got <- req; return nil }
	addr := serve(t, &Server{Find: find, Queries: QueryFeatures{Relational: true, Fuzzy: true}})
	c, err := Dial(t.Context(), addr, DialOptions{AET: "A", CalledAET: "B", Proposals: []Proposal{QueryProposal(StudyRootFind)},
		Extended: []pdu.Extended{{SOPClass: StudyRootFind, Info: []byte{1, 1, 1, 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	if x := c.Peer().Extended; len(x) != 1 || !bytes.Equal(x[0].Info, []byte{1, 0, 1, 0}) {
		t.Errorf("%+v", x)
	}
	collect(t, c, Query{StudyRootFind, LevelStudy, keys()}, identifier.PatientID)
	if req := <-got; !req.Relational || !req.Options.Fuzzy || req.Options.DateTime {
		t.Errorf("%+v", req)
	}
}

// findscu runs dcmtk's findscu and reads the answers it wrote.
func findscu(t *testing.T, addr string, args ...string) []*identifier.Set {
	t.Helper()
	dir := t.TempDir()
	host, port := split(t, addr)
	runTool(t, "findscu", append(args, "-X", "-od", dir, "-aec", "SIRA", host, port)...)
	files, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var sets []*identifier.Set
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, responseFile(t, b))
	}
	return sets
}

// responseFile reads a data set written by dcmtk with meta information.
func responseFile(t *testing.T, b []byte) *identifier.Set {
	t.Helper()
	br := bufio.NewReader(bytes.NewReader(b))
	ts := ExplicitVRLittleEndian
	if m, err := ReadMeta(br); err == nil || m.TransferSyntax != "" {
		ts = m.TransferSyntax
	}
	rest, err := io.ReadAll(br)
	if err != nil {
		t.Fatal(err)
	}
	set, err := identifier.Decode(rest, ts, identifier.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", ts, err)
	}
	return set
}

func TestFromFindscu(t *testing.T) {
	tool(t, "findscu")
	addr := serve(t, &Server{AET: "SIRA", Find: newArchive().find})
	latin := "Tra" + "or\xe9*" // as a Latin-1 terminal gives it
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName", "-k", "StudyInstanceUID"}, 4},
		{[]string{"-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientName=traore*", "-k", "PatientID"}, 1},
		{[]string{"-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "SpecificCharacterSet=ISO_IR 100", "-k", "PatientName=" + latin}, 2},
		{[]string{"-S", "-k", "QueryRetrieveLevel=SERIES", "-k", "StudyInstanceUID=1.2.20", "-k", "SeriesInstanceUID"}, 2},
		{[]string{"-S", "-xi", "-k", "QueryRetrieveLevel=IMAGE", "-k", "SeriesInstanceUID=1.2.20.1", "-k", "SOPInstanceUID"}, 2},
		{[]string{"-S", "-xb", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyDate=20260105-20260105", "-k", "PatientName"}, 2},
		{[]string{"-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.10\\1.2.30", "-k", "PatientName"}, 2},
		{[]string{"-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=NONE"}, 0},
		{[]string{"-S", "-pdu", "4096", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID"}, 4},
	} {
		if got := findscu(t, addr, c.args...); len(got) != c.want {
			t.Errorf("%q: %d answers, want %d", c.args, len(got), c.want)
		}
	}
	one := findscu(t, addr, "-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientName=diarra*", "-k", "PatientID", "-k", "PatientSex")
	if len(one) != 1 || one[0].String(identifier.PatientName) != "Diarra^Fanta" || one[0].String(identifier.PatientID) != "ML-3" || !one[0].Has(identifier.PatientSex) {
		t.Errorf("%+v", one)
	}
}

func TestFindscuCancels(t *testing.T) {
	tool(t, "findscu")
	var r recorder
	find := func(ctx context.Context, req FindRequest, answer func(*identifier.Set) error) error {
		for i := range 5 {
			if err := answer(keys(identifier.PatientID, fmt.Sprint(i))); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}
	addr := serve(t, &Server{Find: find, Events: r.event})
	host, port := split(t, addr)
	runTool(t, "findscu", "-S", "--cancel", "3", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID", host, port)
	if e := r.heard(t, EventFind); e.Status != StatusCancel {
		t.Errorf("%+v", e)
	}
}

func findRQ(id uint16) []byte {
	var c Command
	c.setUID(tagAffectedClass, StudyRootFind)
	c.setUint16(tagCommandField, fieldFind)
	c.setUint16(tagMessageID, id)
	c.setUint16(tagPriority, 0)
	c.setUint16(tagDataSetType, withDataSet)
	return c.Encode()
}

func cancelRQ(id uint16) []byte {
	var c Command
	c.setUint16(tagCommandField, fieldCancel)
	c.setUint16(tagRespondedTo, id)
	c.setUint16(tagDataSetType, noDataSet)
	return c.Encode()
}

// queryRQ offers a query's contexts: 1 find, 3 get, 5 move in implicit VR, and
// 7 storage with both roles.
func queryRQ(t testing.TB) []byte {
	return associateRQ(t, func(a *pdu.Associate) {
		a.Contexts = nil
		for i, class := range []string{StudyRootFind, StudyRootGet, StudyRootMove, ctStorage, StorageCommitment} {
			ts := ImplicitVRLittleEndian
			if class == ctStorage {
				ts = ExplicitVRLittleEndian
			}
			a.Contexts = append(a.Contexts, pdu.Context{ID: byte(2*i + 1), AbstractSyntax: class, TransferSyntaxes: []string{ts}})
		}
		a.User.Roles = []pdu.Role{{SOPClass: ctStorage, SCU: true, SCP: true}}
	})
}

func encoded(t testing.TB, s *identifier.Set) []byte {
	t.Helper()
	b, err := s.Encode(ImplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What a hostile peer may do to a query.
func TestHostileQueries(t *testing.T) {
	var answered atomic.Int32
	find := func(ctx context.Context, req FindRequest, answer func(*identifier.Set) error) error {
		if err := answer(req.Keys); err != nil {
			return err
		}
		for req.Keys.String(identifier.PatientID) == "many" && answered.Add(1) < 500 {
			if err := answer(req.Keys); err != nil {
				return err
			}
		}
		if req.Keys.String(identifier.PatientID) == "wait" {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	addr := serve(t, &Server{Find: find, Limits: Limits{Identifier: 2000, PerAddress: 100}})
	study := keys(identifier.QueryRetrieveLevel, "STUDY", identifier.PatientID, "wait")
	request := func(id uint16, data []byte) []byte {
		return append(value(1, true, true, findRQ(id)), value(1, false, true, data)...)
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	t.Run("answered", func(t *testing.T) {
		for name, data := range map[string][]byte{
			"noise":         bytes.Repeat([]byte{0xA5}, 200),
			"length lies":   {8, 0, 0x52, 0, 255, 255, 255, 127, 'S', 'T'},
			"cut":           encoded(t, study)[:11],
			"no identifier": {},
		} {
			r := dialRaw(t, addr).send(queryRQ(t))
			r.expect(pdu.TypeAssociateAC)
			r.send(request(1, data))
			if status := responseOf(t, r.expect(pdu.TypeData)); !StatusFailed(status) {
				t.Errorf("%s: %#x", name, status)
			}
			r.send(pdu.AppendRelease(nil, pdu.TypeReleaseRQ)).expect(pdu.TypeReleaseRP)
			_ = r.Close()
		}
	})
	t.Run("aborted", func(t *testing.T) {
		for name, b := range map[string][]byte{
			"identifier over the limit":  request(1, make([]byte, 3000)),
			"second query meanwhile":     join(request(1, encoded(t, study)), request(2, encoded(t, study))),
			"response to nothing":        join(request(1, encoded(t, study)), value(1, true, true, Command{}.response(0, "").Encode())),
			"noise meanwhile":            join(request(1, encoded(t, study)), []byte{9, 9, 9, 9, 9, 9, 9}),
			"cancel with a data set":     join(request(1, encoded(t, study)), value(1, true, true, storeRQ("1.2"))),
			"data set without a command": join(request(1, encoded(t, study)), value(1, false, true, []byte("xx"))),
		} {
			r := dialRaw(t, addr).send(queryRQ(t))
			r.expect(pdu.TypeAssociateAC)
			r.send(b)
			if !abortComes(r) {
				t.Errorf("%s: no abort", name)
			}
			_ = r.Close()
		}
	})
	t.Run("cancel of another message is ignored", func(t *testing.T) {
		r := dialRaw(t, addr).send(queryRQ(t))
		r.expect(pdu.TypeAssociateAC)
		many := keys(identifier.QueryRetrieveLevel, "STUDY", identifier.PatientID, "many")
		r.send(join(request(3, encoded(t, many)), value(1, true, true, cancelRQ(2))))
		for range 500 {
			r.expect(pdu.TypeData)
			r.expect(pdu.TypeData)
		}
		if status := responseOf(t, r.expect(pdu.TypeData)); status != StatusSuccess {
			t.Errorf("cancelled by another message: %#x", status)
		}
		r.send(request(5, encoded(t, study)), value(1, true, true, cancelRQ(4)), value(1, true, true, cancelRQ(5)), value(1, true, true, cancelRQ(5)))
		r.expect(pdu.TypeData)
		r.expect(pdu.TypeData)
		if status := responseOf(t, r.expect(pdu.TypeData)); status != StatusCancel {
			t.Errorf("%#x", status)
		}
		r.send(value(1, true, true, cancelRQ(5)), pdu.AppendRelease(nil, pdu.TypeReleaseRQ)).expect(pdu.TypeReleaseRP)
	})
	t.Run("release and loss meanwhile", func(t *testing.T) {
		r := dialRaw(t, addr).send(queryRQ(t))
		r.expect(pdu.TypeAssociateAC)
		r.send(request(1, encoded(t, study)))
		r.expect(pdu.TypeData)
		r.expect(pdu.TypeData)
		r.send(pdu.AppendRelease(nil, pdu.TypeReleaseRQ)).expect(pdu.TypeReleaseRP)
		r = dialRaw(t, addr).send(queryRQ(t))
		r.expect(pdu.TypeAssociateAC)
		r.send(request(1, encoded(t, study)))
		_ = r.Close()
	})
	if err := dial(t, addr).Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

// abortComes reads until A-ABORT or the end.
func abortComes(r raw) bool {
	for {
		h, err := pdu.ReadHeader(r, 1<<20)
		if err != nil {
			return false
		}
		if _, err := pdu.ReadBody(r, h); err != nil {
			return false
		}
		if h.Type == pdu.TypeAbort {
			return true
		}
	}
}

func TestQueryTakesTooLong(t *testing.T) {
	find := func(ctx context.Context, _ FindRequest, _ func(*identifier.Set) error) error {
		<-ctx.Done()
		return ctx.Err()
	}
	c := dial(t, serve(t, &Server{Find: find, Timeouts: Timeouts{Query: 50 * time.Millisecond}}), QueryProposal(StudyRootFind))
	err := c.Find(t.Context(), Query{StudyRootFind, LevelStudy, keys()}, func(*identifier.Set) error { return nil })
	var status *StatusError
	if !errors.As(err, &status) || status.Status != StatusOutOfResources {
		t.Error(err)
	}
}

// A provider that answers what it should not.
func TestFindRefusesOddAnswers(t *testing.T) {
	pending := func(id uint16, data bool) []byte {
		rq, _ := DecodeCommand(findRQ(id))
		rsp := rq.response(StatusPending, "")
		if data {
			rsp.setUint16(tagDataSetType, withDataSet)
		}
		return value(1, true, true, rsp.Encode())
	}
	for name, b := range map[string][]byte{
		"pending without identifier": pending(1, false),
		"another message":            append(pending(9, true), value(1, false, true, nil)...),
		"noise as identifier":        append(pending(1, true), value(1, false, true, bytes.Repeat([]byte{7}, 99))...),
		"identifier over the limit":  append(pending(1, true), value(1, false, true, make([]byte, 5000))...),
		"a request":                  value(1, true, true, echoRQ()),
	} {
		addr := answering(t, func(r raw) {
			rq, err := pdu.DecodeAssociate(pdu.TypeAssociateRQ, r.expect(pdu.TypeAssociateRQ))
			if err != nil {
				t.Error(err)
				return
			}
			ac, _ := (&Server{Find: newArchive().find}).negotiate(rq)
			out, _ := ac.Append(nil)
			r.send(out)
			r.expect(pdu.TypeData)
			r.expect(pdu.TypeData)
			r.send(b).expect(pdu.TypeAbort)
		})
		c, err := Dial(t.Context(), addr, DialOptions{AET: "A", CalledAET: "B", Limits: Limits{Identifier: 4000},
			Proposals: []Proposal{{SOPClass: StudyRootFind, TransferSyntaxes: []string{ImplicitVRLittleEndian}}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Find(t.Context(), Query{StudyRootFind, LevelStudy, keys()}, func(*identifier.Set) error { return nil }); !errors.Is(err, ErrProtocol) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		c.Abort()
	}
}
