package dimse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"sira/dicom/dimse/identifier"
	"sira/dicom/dimse/pdu"
)

func studyKeys(uids ...string) *identifier.Set {
	s := &identifier.Set{}
	s.Put(identifier.StudyInstanceUID, uids...)
	return s
}

// destination is a second server to which C-MOVE sends.
func destination(t *testing.T, s *Server) func(string) (Node, bool) {
	return KnownNodes(map[string]Node{"DEST": {Addr: serve(t, s)}})
}

func sops(list []kept) []string {
	var out []string
	for _, k := range list {
		out = append(out, k.req.SOPUID)
	}
	return out
}

func TestMove(t *testing.T) {
	a := newArchive()
	var got, heard recorder
	addr := serve(t, &Server{AET: "SIRA", Retrieve: a.retrieve, Events: heard.event, Nodes: destination(t, &Server{AET: "DEST", Store: got.store})})
	c := dial(t, addr, QueryProposal(StudyRootMove), QueryProposal(PatientRootMove), verification())
	var progress []Counters
	result, err := c.Move(t.Context(), Query{StudyRootMove, LevelStudy, studyKeys("1.2.10", "1.2.30")}, "DEST",
		func(n Counters) error { progress = append(progress, n); return nil })
	if err != nil || result.Status != StatusSuccess || result.Completed != 8 || result.Failed+result.Warning+result.Remaining != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if len(progress) != 7 || progress[0] != (Counters{Remaining: 7, Completed: 1}) || progress[6] != (Counters{Remaining: 1, Completed: 7}) {
		t.Errorf("%+v", progress)
	}
	kept := got.all()
	if len(kept) != 8 {
		t.Fatalf("%d instances", len(kept))
	}
	for _, k := range kept {
		i := slices.IndexFunc(a.entries, func(e entry) bool { return e.meta.SOPUID == k.req.SOPUID })
		if want := a.entries[i].file[len(a.entries[i].meta.Encode()):]; k.err != nil || !bytes.Equal(k.data, want) {
			t.Errorf("%s: %d bytes, %v", k.req.SOPUID, len(k.data), k.err)
		}
		if k.req.MoveOriginator != "TEST" || k.req.MoveMessageID != 1 || k.req.CallingAET != "SIRA" {
			t.Errorf("%+v", k.req)
		}
	}
	if e := heard.heard(t, EventMove); e.Destination != "DEST" || e.Counters.Completed != 8 || e.Level != LevelStudy {
		t.Errorf("%+v", e)
	}
	if e := heard.heard(t, EventSent); e.SOPUID != "1.2.10.1.1" || e.Status != StatusSuccess || e.Destination != "DEST" {
		t.Errorf("%+v", e)
	}
	for _, q := range []Query{
		{StudyRootMove, LevelImage, keys(identifier.SOPInstanceUID, "1.2.20.1.2")},
		{StudyRootMove, LevelSeries, keys(identifier.SeriesInstanceUID, "1.2.20.1")},
		{PatientRootMove, LevelPatient, keys(identifier.PatientID, "ML-1")},
		{StudyRootMove, LevelStudy, studyKeys("9.9.9")},
	} {
		if _, err := c.Move(t.Context(), q, "DEST", nil); err != nil {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if n := len(got.all()); n != 8+1+2+8 {
		t.Errorf("%d instances", n)
	}
}

func TestRefusedRetrievals(t *testing.T) {
	a := newArchive()
	retrieve := func(ctx context.Context, req RetrieveRequest) ([]Instance, error) {
		switch req.StudyUIDs[0] {
		case "1.1":
			return nil, &StatusError{Status: StatusNotAuthorized}
		case "1.2":
			return nil, errors.New("database away")
		case "1.3":
			return make([]Instance, 11), nil
		case "1.4":
			panic("boom")
		}
		return a.retrieve(ctx, req)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	addr := serve(t, &Server{Retrieve: retrieve, Limits: Limits{Instances: 10}, Nodes: KnownNodes(map[string]Node{
		"GONE": {Addr: gone.Addr().String()},
	})})
	c := dial(t, addr, QueryProposal(StudyRootMove), QueryProposal(PatientRootMove), QueryProposal(StudyRootGet), verification())
	for name, x := range map[string]struct {
		q    Query
		dest string
		want uint16
	}{
		"unknown destination": {Query{StudyRootMove, LevelStudy, studyKeys("1.2.10")}, "OTHER", StatusUnknownDestination},
		"no destination":      {Query{StudyRootMove, LevelStudy, studyKeys("1.2.10")}, "", StatusUnknownDestination},
		"destination away":    {Query{StudyRootMove, LevelStudy, studyKeys("1.2.10")}, "GONE", StatusSubOperationsFailed},
		"not allowed":         {Query{StudyRootMove, LevelStudy, studyKeys("1.1")}, "GONE", StatusNotAuthorized},
		"callback fails":      {Query{StudyRootMove, LevelStudy, studyKeys("1.2")}, "GONE", StatusCannotUnderstand},
		"too many":            {Query{StudyRootMove, LevelStudy, studyKeys("1.3")}, "GONE", StatusCannotCount},
		"panic":               {Query{StudyRootMove, LevelStudy, studyKeys("1.4")}, "GONE", StatusCannotUnderstand},
		"no level":            {Query{StudyRootMove, "", studyKeys("1.2.10")}, "GONE", StatusDataSetMismatch},
		"level of no model":   {Query{StudyRootMove, LevelPatient, keys(identifier.PatientID, "1")}, "GONE", StatusDataSetMismatch},
		"everything":          {Query{StudyRootMove, LevelStudy, keys()}, "GONE", StatusDataSetMismatch},
		"pattern":             {Query{StudyRootMove, LevelStudy, studyKeys("*")}, "GONE", StatusDataSetMismatch},
		"pattern of patients": {Query{PatientRootMove, LevelPatient, keys(identifier.PatientID, "ML-?")}, "GONE", StatusDataSetMismatch},
		"get of everything":   {Query{StudyRootGet, LevelStudy, keys()}, "-", StatusDataSetMismatch},
		"get without storage": {Query{StudyRootGet, LevelStudy, studyKeys("1.2.10")}, "-", StatusSubOperationsFailed},
	} {
		var err error
		var result RetrieveResult
		if x.dest == "-" {
			result, err = c.Get(t.Context(), x.q, func(context.Context, StoreRequest) uint16 { return 0 }, nil)
		} else {
			result, err = c.Move(t.Context(), x.q, x.dest, nil)
		}
		var status *StatusError
		if !errors.As(err, &status) || status.Status != x.want {
			t.Errorf("%s: %v", name, err)
		}
		if x.want == StatusSubOperationsFailed && (result.Failed != 4 || len(result.FailedUIDs) != 4 || result.FailedUIDs[0] != "1.2.10.1.1") {
			t.Errorf("%s: %+v", name, result)
		}
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

// spoiled is an archive some of whose instances cannot be sent.
func spoiled(a *archive, spoil map[string]func(Instance) Instance) RetrieveFunc {
	return func(ctx context.Context, req RetrieveRequest) ([]Instance, error) {
		list, err := a.retrieve(ctx, req)
		for i, in := range list {
			if f := spoil[in.SOPUID]; f != nil {
				list[i] = f(in)
			}
		}
		return list, err
	}
}

func opening(f func() (io.ReadCloser, error)) func(Instance) Instance {
	return func(in Instance) Instance {
		in.Open = func(context.Context) (io.ReadCloser, error) { return f() }
		return in
	}
}

var spoils = map[string]func(Instance) Instance{
	"1.2.10.1.1": opening(func() (io.ReadCloser, error) { return nil, errors.New("no such blob") }),
	"1.2.10.1.2": opening(func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("not DICOM")), nil }),
	"1.2.10.2.1": func(in Instance) Instance { in.SOPUID = "6.6.6"; return in },
}

func TestPartlyFailedMove(t *testing.T) {
	var got recorder
	dest := &Server{Store: func(ctx context.Context, req StoreRequest) uint16 {
		status := got.store(ctx, req)
		switch req.SOPUID {
		case "1.2.11.1.1":
			return StatusOutOfResources
		case "1.2.11.1.2":
			return StatusWarningCoercion
		}
		return status
	}}
	addr := serve(t, &Server{Retrieve: spoiled(newArchive(), spoils), Nodes: destination(t, dest)})
	c := dial(t, addr, QueryProposal(StudyRootMove))
	result, err := c.Move(t.Context(), Query{StudyRootMove, LevelStudy, studyKeys("1.2.10", "1.2.11")}, "DEST", nil)
	want := RetrieveResult{Counters{Completed: 3, Failed: 4, Warning: 1}, StatusWarningIncomplete,
		[]string{"1.2.10.1.1", "1.2.10.1.2", "6.6.6", "1.2.11.1.1"}}
	if err != nil || fmt.Sprint(result) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", result, err)
	}
	if n := len(got.all()); n != 5 {
		t.Errorf("%d instances arrived", n)
	}
}

// A source that breaks, or a destination that does, costs its instance; the
// rest goes over a new association.
func TestMoveGoesOnAfterABreak(t *testing.T) {
	broken := errors.New("disk on fire")
	var got recorder
	var associations atomic.Int32
	dest := &Server{Store: got.store, Events: func(e Event) {
		if e.Kind == EventAssociated {
			associations.Add(1)
		}
	}}
	addr := serve(t, &Server{Nodes: destination(t, dest), Retrieve: spoiled(newArchive(), map[string]func(Instance) Instance{
		"1.2.10.1.2": opening(func() (io.ReadCloser, error) {
			head := file("1.2.10.1.2", object("1.2.10.1.2", 100_000))
			return io.NopCloser(io.MultiReader(bytes.NewReader(head), failing{broken})), nil
		}),
	})})
	c := dial(t, addr, QueryProposal(StudyRootMove))
	result, err := c.Move(t.Context(), Query{StudyRootMove, LevelStudy, studyKeys("1.2.10")}, "DEST", nil)
	if err != nil || result.Completed != 3 || result.Failed != 1 || associations.Load() != 2 {
		t.Errorf("%+v, %v, %d associations", result, err, associations.Load())
	}
}

// A destination that hangs up each time is not tried for ever.
func TestDestinationThatKeepsHangingUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var tries atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			tries.Add(1)
			h, err := pdu.ReadHeader(conn, 1<<20)
			if err == nil {
				body, _ := pdu.ReadBody(conn, h)
				rq, _ := pdu.DecodeAssociate(pdu.TypeAssociateRQ, body)
				ac, _ := (&Server{Store: (&recorder{}).store}).negotiate(rq)
				b, _ := ac.Append(nil)
				_, _ = conn.Write(b)
				_, _ = io.CopyN(io.Discard, conn, 100)
			}
			_ = conn.Close()
		}
	}()
	defer func() { _ = ln.Close(); <-done }()
	addr := serve(t, &Server{Retrieve: newArchive().retrieve, Nodes: KnownNodes(map[string]Node{"DEST": {Addr: ln.Addr().String()}})})
	c := dial(t, addr, QueryProposal(PatientRootMove))
	result, err := c.Move(t.Context(), Query{PatientRootMove, LevelPatient, keys(identifier.PatientID, "ML-1")}, "DEST", nil)
	var status *StatusError
	if !errors.As(err, &status) || status.Status != StatusSubOperationsFailed || result.Failed != 8 || tries.Load() != maxBreaks {
		t.Errorf("%+v, %v, %d tries", result, err, tries.Load())
	}
}

// A long move stops soon after the requestor has had enough.
func TestCancelledMove(t *testing.T) {
	const many = 5000
	enough := errors.New("enough")
	var arrived atomic.Int32
	dest := &Server{Store: func(context.Context, StoreRequest) uint16 { arrived.Add(1); return StatusSuccess }}
	one := file("1.2.3", object("1.2.3", 100))
	retrieve := func(context.Context, RetrieveRequest) ([]Instance, error) {
		return slices.Repeat([]Instance{{ctStorage, "1.2.3", ExplicitVRLittleEndian, func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(one)), nil
		}}}, many), nil
	}
	c := dial(t, serve(t, &Server{Retrieve: retrieve, Nodes: destination(t, dest)}), QueryProposal(StudyRootMove), verification())
	result, err := c.Move(t.Context(), Query{StudyRootMove, LevelStudy, studyKeys("1")}, "DEST", func(Counters) error { return enough })
	if !errors.Is(err, enough) || result.Status != StatusCancel || result.Completed+result.Remaining != many || result.Completed != int(arrived.Load()) {
		t.Errorf("%+v, %v, %d arrived", result, err, arrived.Load())
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

// The instances of more classes than one association has contexts for.
func TestMoveOfManyClasses(t *testing.T) {
	var list []Instance
	for i := range 300 {
		meta := Meta{fmt.Sprintf("1.2.826.0.1.3680043.10.9.%d", i), testUID(i), ExplicitVRLittleEndian}
		b := append(meta.Encode(), object(meta.SOPUID, 10)...)
		list = append(list, Instance{meta.SOPClass, meta.SOPUID, meta.TransferSyntax, func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(b)), nil
		}})
	}
	for _, convertible := range []bool{false, true} {
		var got recorder
		s := &Server{
			Retrieve: func(context.Context, RetrieveRequest) ([]Instance, error) { return list, nil },
			Nodes:    destination(t, &Server{Store: got.store, UnknownClasses: true}),
		}
		if convertible {
			s.Transcode = func(context.Context, Instance, []string) (Instance, error) { return Instance{}, errors.New("no") }
		}
		c := dial(t, serve(t, s), QueryProposal(StudyRootMove))
		result, err := c.Move(t.Context(), Query{StudyRootMove, LevelStudy, studyKeys("1")}, "DEST", nil)
		if err != nil || result.Completed != 300 || len(got.all()) != 300 {
			t.Errorf("%+v, %v", result, err)
		}
	}
}

// toImplicit stands for a transcoder: it changes the label only.
func toImplicit(_ context.Context, in Instance, accepted []string) (Instance, error) {
	if !slices.Contains(accepted, ImplicitVRLittleEndian) {
		return in, errors.New("cannot")
	}
	if in.SOPUID == "1.2.10.1.1" {
		panic("boom")
	}
	out := in
	out.TransferSyntax = ImplicitVRLittleEndian
	out.Open = func(context.Context) (io.ReadCloser, error) {
		b := append(Meta{in.SOPClass, in.SOPUID, out.TransferSyntax}.Encode(), "converted "...)
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	return out, nil
}

func TestReceiverThatTakesAnotherSyntax(t *testing.T) {
	implicitOnly := func(_ string, offered []string) string {
		if slices.Contains(offered, ImplicitVRLittleEndian) {
			return ImplicitVRLittleEndian
		}
		return ""
	}
	for name, transcode := range map[string]TranscodeFunc{"without": nil, "with": toImplicit} {
		var got recorder
		s := &Server{Retrieve: newArchive().retrieve, Transcode: transcode,
			Nodes: destination(t, &Server{Store: got.store, Choose: implicitOnly})}
		addr := serve(t, s)
		c := dial(t, addr, QueryProposal(StudyRootMove), QueryProposal(StudyRootGet),
			Proposal{SOPClass: ctStorage, TransferSyntaxes: []string{ImplicitVRLittleEndian}, SCP: true})
		moved, errMove := c.Move(t.Context(), Query{StudyRootMove, LevelStudy, studyKeys("1.2.10")}, "DEST", nil)
		fetched, errGet := c.Get(t.Context(), Query{StudyRootGet, LevelStudy, studyKeys("1.2.10")}, got.store, nil)
		var status *StatusError
		if transcode == nil {
			if !errors.As(errMove, &status) || !errors.As(errGet, &status) || moved.Failed != 4 || fetched.Failed != 4 {
				t.Errorf("%s: %+v %+v", name, moved, fetched)
			}
			continue
		}
		if errMove != nil || errGet != nil || moved.Completed != 3 || fetched.Completed != 3 || fetched.FailedUIDs[0] != "1.2.10.1.1" {
			t.Errorf("%s: %+v %v, %+v %v", name, moved, errMove, fetched, errGet)
		}
		for _, k := range got.all() {
			if k.req.TransferSyntax != ImplicitVRLittleEndian || string(k.data) != "converted " {
				t.Errorf("%+v", k)
			}
		}
	}
}

func getProposals() []Proposal {
	return []Proposal{QueryProposal(StudyRootGet), QueryProposal(PatientRootGet), verification(),
		{SOPClass: ctStorage, TransferSyntaxes: []string{ExplicitVRLittleEndian}, SCP: true}}
}

func TestGet(t *testing.T) {
	a := newArchive()
	var got, heard recorder
	addr := serve(t, &Server{AET: "SIRA", Retrieve: a.retrieve, Events: heard.event})
	c := dial(t, addr, getProposals()...)
	n := 0
	result, err := c.Get(t.Context(), Query{PatientRootGet, LevelPatient, keys(identifier.PatientID, "ML-1")}, got.store,
		func(Counters) error { n++; return nil })
	if err != nil || result.Completed != 8 || n != 7 || len(got.all()) != 8 {
		t.Errorf("%+v, %v, %d pending, %v", result, err, n, sops(got.all()))
	}
	for _, k := range got.all() {
		i := slices.IndexFunc(a.entries, func(e entry) bool { return e.meta.SOPUID == k.req.SOPUID })
		if want := a.entries[i].file[len(a.entries[i].meta.Encode()):]; !bytes.Equal(k.data, want) || k.req.CallingAET != "SIRA" || k.req.CalledAET != "TEST" {
			t.Errorf("%+v: %d bytes", k.req, len(k.data))
		}
	}
	if e := heard.heard(t, EventGet); e.Counters.Completed != 8 {
		t.Errorf("%+v", e)
	}
	// What the receiver refuses counts as failed, and the association goes on.
	result, err = c.Get(t.Context(), Query{StudyRootGet, LevelStudy, studyKeys("1.2.20")}, func(_ context.Context, req StoreRequest) uint16 {
		switch req.SOPUID {
		case "1.2.20.1.1":
			return StatusOutOfResources
		case "1.2.20.1.2":
			panic("boom")
		}
		return StatusSuccess
	}, nil)
	if err != nil || result.Status != StatusWarningIncomplete || result.Failed != 2 || !slices.Equal(result.FailedUIDs, []string{"1.2.20.1.1", "1.2.20.1.2"}) {
		t.Errorf("%+v, %v", result, err)
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCancelledGet(t *testing.T) {
	enough := errors.New("enough")
	c := dial(t, serve(t, &Server{Retrieve: newArchive().retrieve}), getProposals()...)
	n := 0
	result, err := c.Get(t.Context(), Query{PatientRootGet, LevelPatient, keys(identifier.PatientID, "ML-1")},
		func(_ context.Context, req StoreRequest) uint16 { n++; return StatusSuccess },
		func(Counters) error { return enough })
	if !errors.Is(err, enough) || result.Completed != n || result.Status != StatusCancel || result.Remaining+n != 8 || n > 3 {
		t.Errorf("%+v, %v, %d instances", result, err, n)
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestGetThatIsCutOff(t *testing.T) {
	var heard recorder
	closed := make(chan struct{}, 1)
	a := newArchive()
	retrieve := func(ctx context.Context, req RetrieveRequest) ([]Instance, error) {
		list, err := a.retrieve(ctx, req)
		for i := range list {
			open := list[i].Open
			list[i].Open = func(ctx context.Context) (io.ReadCloser, error) {
				r, err := open(ctx)
				return closing{r, closed}, err
			}
		}
		return list, err
	}
	c := dial(t, serve(t, &Server{Retrieve: retrieve, Events: heard.event}), getProposals()...)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Get(ctx, Query{StudyRootGet, LevelStudy, studyKeys("1.2.10")}, func(context.Context, StoreRequest) uint16 {
		cancel()
		return StatusSuccess
	}, nil)
	if !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	heard.heard(t, EventGet)
	<-closed
}

type closing struct {
	io.ReadCloser
	closed chan struct{}
}

func (c closing) Close() error {
	select {
	case c.closed <- struct{}{}:
	default:
	}
	return c.ReadCloser.Close()
}

// Roles: who proposes the provider's role gets it only for retrieval.
func TestRoleSelection(t *testing.T) {
	a := newArchive()
	propose := func(scu, scp bool) *pdu.Associate {
		rq, err := pdu.DecodeAssociate(pdu.TypeAssociateRQ, associateRQ(t, func(rq *pdu.Associate) {
			rq.User.Roles = []pdu.Role{{SOPClass: ctStorage, SCU: scu, SCP: scp}}
		})[pdu.HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		return rq
	}
	for name, c := range map[string]struct {
		server   *Server
		scu, scp bool
		result   pdu.Result
		role     string
	}{
		"both of both":        {&Server{Store: (&recorder{}).store, Retrieve: a.retrieve}, true, true, pdu.Accepted, "{true true}"},
		"provider only":       {&Server{Store: (&recorder{}).store, Retrieve: a.retrieve}, false, true, pdu.Accepted, "{false true}"},
		"archive cannot give": {&Server{Store: (&recorder{}).store}, true, true, pdu.Accepted, "{true false}"},
		"nothing to give":     {&Server{Store: (&recorder{}).store}, false, true, pdu.UserRejected, ""},
		"nothing to take":     {&Server{Retrieve: a.retrieve}, true, false, pdu.UserRejected, ""},
		"no role":             {&Server{Store: (&recorder{}).store}, false, false, pdu.UserRejected, ""},
	} {
		ac, _ := c.server.negotiate(propose(c.scu, c.scp))
		role := ""
		if len(ac.User.Roles) == 1 {
			role = fmt.Sprint(struct{ a, b bool }{ac.User.Roles[0].SCU, ac.User.Roles[0].SCP})
		}
		if ac.Contexts[1].Result != c.result || role != c.role {
			t.Errorf("%s: %v, %s", name, ac.Contexts[1].Result, role)
		}
	}
}

// A requestor of C-GET that answers sub-operations wrongly.
func TestHostileGet(t *testing.T) {
	addr := serve(t, &Server{Retrieve: newArchive().retrieve, Limits: Limits{PerAddress: 100}})
	get := func(r raw) Command {
		rq, _ := DecodeCommand(findRQ(3))
		rq.setUint16(tagCommandField, fieldGet)
		rq.setUID(tagAffectedClass, StudyRootGet)
		r.send(value(3, true, true, rq.Encode()), value(3, false, true, encoded(t, keys(identifier.QueryRetrieveLevel, "STUDY", identifier.StudyInstanceUID, "1.2.10"))))
		body := r.expect(pdu.TypeData)
		store, err := DecodeCommand(body[pdu.PDVHeaderSize:])
		if err != nil || store.field() != fieldStore {
			t.Fatalf("%#x, %v", store.field(), err)
		}
		r.expect(pdu.TypeData)
		return store
	}
	for name, answer := range map[string]func(Command) []byte{
		"another message": func(c Command) []byte { c.setUint16(tagMessageID, 99); return c.response(0, "").Encode() },
		"no status": func(c Command) []byte {
			r := c.response(0, "")
			r.elements = r.elements[:len(r.elements)-2]
			return r.Encode()
		},
		"request": func(Command) []byte { return echoRQ() },
		"unsolicited data": func(c Command) []byte {
			r := c.response(0, "")
			r.setUint16(tagDataSetType, withDataSet)
			return r.Encode()
		},
	} {
		r := dialRaw(t, addr).send(queryRQ(t))
		r.expect(pdu.TypeAssociateAC)
		store := get(r)
		r.send(value(7, true, true, answer(store)))
		if name == "no status" {
			r.expect(pdu.TypeData) // counted as failed, goes on
		} else if !abortComes(r) {
			t.Errorf("%s: no abort", name)
		}
		_ = r.Close()
	}
	if err := dial(t, addr).Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCountersFitTheirElements(t *testing.T) {
	if clamp(70_000) != 0xFFFF || clamp(12) != 12 {
		t.Error("clamp")
	}
	long := slices.Repeat([]string{strings.Repeat("1", 64)}, 2000)
	if n := len(fitting(long)); n != 1008 {
		t.Errorf("%d UIDs of 65 bytes", n)
	}
}

func asStatus(err error, status **StatusError) bool { return errors.As(err, status) }
