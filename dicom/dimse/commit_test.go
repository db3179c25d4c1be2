package dimse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sira/dicom/dimse/identifier"
	"sira/dicom/dimse/pdu"
)

func refs(uids ...string) []Reference {
	var list []Reference
	for _, uid := range uids {
		list = append(list, Reference{ctStorage, uid})
	}
	return list
}

// durable has all but 1.2.9.
func durable(_ context.Context, req CommitRequest) ([]CommitFailure, error) {
	if slices.Contains(req.Instances, Reference{ctStorage, "1.2.9"}) {
		return []CommitFailure{{Reference{ctStorage, "1.2.9"}, ReasonNoSuchInstance}, {Reference{ctStorage, "not asked"}, 1}}, nil
	}
	return nil, nil
}

func commitProposals() []Proposal {
	return []Proposal{QueryProposal(StorageCommitment), verification(), ctProposal()}
}

func TestCommitInTheSameAssociation(t *testing.T) {
	var r recorder
	addr := serve(t, &Server{AET: "SIRA", Commit: durable, Retrieve: newArchive().retrieve, Events: r.event, Store: r.store})
	c := dial(t, addr, commitProposals()...)
	if err := c.RequestCommit(t.Context(), "1.9.1", refs("1.2.3", "1.2.4")); err != nil {
		t.Fatal(err)
	}
	got, err := c.AwaitCommit(t.Context())
	want := CommitResult{TransactionUID: "1.9.1", RetrieveAET: "SIRA", Committed: refs("1.2.3", "1.2.4")}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.RequestCommit(t.Context(), "1.9.2", refs("1.2.3", "1.2.9")); err != nil {
		t.Fatal(err)
	}
	got, err = c.AwaitCommit(t.Context())
	if err != nil || len(got.Committed) != 1 || len(got.Failed) != 1 || got.Failed[0] != (CommitFailure{Reference{ctStorage, "1.2.9"}, ReasonNoSuchInstance}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
	if e := r.heard(t, EventCommit); e.Counters.Remaining != 2 {
		t.Errorf("%+v", e)
	}
	if e := r.heard(t, EventReport); e.Counters.Completed != 2 || e.Status != StatusSuccess || e.Destination != "TEST" {
		t.Errorf("%+v", e)
	}
}

// Reports may come in the middle of other exchanges.
func TestReportsAmongOtherMessages(t *testing.T) {
	var r recorder
	addr := serve(t, &Server{Commit: durable, Store: r.store, Events: r.event})
	c := dial(t, addr, commitProposals()...)
	const n = 20
	for i := range n {
		if err := c.RequestCommit(t.Context(), fmt.Sprintf("1.9.%d", i+1), refs("1.2.3")); err != nil {
			t.Fatal(err)
		}
		uid := testUID(i)
		if _, err := c.Store(t.Context(), bytes.NewReader(file(uid, object(uid, 20_000)))); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for range n {
		got, err := c.AwaitCommit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen[got.TransactionUID] = true
	}
	if len(seen) != n {
		t.Errorf("%d results", len(seen))
	}
	if err := c.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCommitCallbackThatFails(t *testing.T) {
	for name, commit := range map[string]CommitFunc{
		"error": func(context.Context, CommitRequest) ([]CommitFailure, error) { return nil, errors.New("disk on fire") },
		"panic": func(context.Context, CommitRequest) ([]CommitFailure, error) { panic("boom") },
	} {
		c := dial(t, serve(t, &Server{Commit: commit}), commitProposals()...)
		if err := c.RequestCommit(t.Context(), "1.9", refs("1.2.3")); err != nil {
			t.Fatal(err)
		}
		got, err := c.AwaitCommit(t.Context())
		if err != nil || len(got.Failed) != 1 || got.Failed[0].Reason != ReasonProcessingFailure {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A cart that asks and hangs up gets the report in an association from us.
func TestReportInAnAssociationOfItsOwn(t *testing.T) {
	results := make(chan CommitResult, 1)
	roles := make(chan []pdu.Role, 1)
	cart := &Server{AET: "TEST",
		Admit: func(_ context.Context, a Association) error { roles <- a.Peer.Roles; return nil },
		Committed: func(_ context.Context, from Association, r CommitResult) uint16 {
			if from.CallingAET != "SIRA" {
				t.Errorf("%+v", from)
			}
			results <- r
			return StatusSuccess
		}}
	goOn := make(chan struct{})
	var heard recorder
	addr := serve(t, &Server{AET: "SIRA", Events: heard.event, Nodes: KnownNodes(map[string]Node{"TEST": {Addr: serve(t, cart)}}),
		Commit: func(ctx context.Context, req CommitRequest) ([]CommitFailure, error) {
			<-goOn
			return durable(ctx, req)
		}})
	c := dial(t, addr, commitProposals()...)
	if err := c.RequestCommit(t.Context(), "1.9.1", refs("1.2.3", "1.2.9")); err != nil {
		t.Fatal(err)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Error(err)
	}
	close(goOn)
	if r := <-results; r.TransactionUID != "1.9.1" || len(r.Committed) != 1 || len(r.Failed) != 1 {
		t.Errorf("%+v", r)
	}
	if r := <-roles; len(r) != 1 || r[0] != (pdu.Role{SOPClass: StorageCommitment, SCP: true}) {
		t.Errorf("%+v", r)
	}
	if e := heard.heard(t, EventReport); e.Status != StatusSuccess || e.Counters.Failed != 1 {
		t.Errorf("%+v", e)
	}
}

// A peer that takes the request and cannot be reached is tried a few times.
func TestReportsAreTriedAFewTimes(t *testing.T) {
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
			_ = conn.Close()
		}
	}()
	defer func() { _ = ln.Close(); <-done }()
	for _, want := range []struct {
		aet    string
		tries  int32
		detail string
	}{{"TEST", 3, "attempt 3 of 3"}, {"STRANGER", 0, "no address is known"}} {
		tries.Store(0)
		goOn := make(chan struct{})
		var heard recorder
		addr := serve(t, &Server{Events: heard.event, Retries: Retry{Attempts: 3, Wait: time.Millisecond},
			Nodes:  KnownNodes(map[string]Node{"TEST": {Addr: ln.Addr().String()}}),
			Commit: func(context.Context, CommitRequest) ([]CommitFailure, error) { <-goOn; return nil, nil }})
		c, err := Dial(t.Context(), addr, DialOptions{AET: want.aet, CalledAET: "SIRA", Proposals: commitProposals()})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.RequestCommit(t.Context(), "1.9.1", refs("1.2.3")); err != nil {
			t.Fatal(err)
		}
		c.Abort()
		heard.heard(t, EventAborted)
		close(goOn)
		if e := heard.heard(t, EventReport); !StatusFailed(e.Status) || !strings.Contains(e.Detail, want.detail) || tries.Load() != want.tries {
			t.Errorf("%s: %+v after %d tries", want.aet, e, tries.Load())
		}
	}
}

// Stopping the server ends what is being checked and what waits for a retry.
func TestShutdownEndsCommitments(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	var checking atomic.Int32
	s := &Server{Timeouts: Timeouts{Release: time.Second}, Retries: Retry{Wait: time.Hour},
		Nodes: KnownNodes(map[string]Node{"TEST": {Addr: gone.Addr().String()}}),
		Commit: func(ctx context.Context, req CommitRequest) ([]CommitFailure, error) {
			checking.Add(1)
			if req.TransactionUID == "1.9.1" {
				<-ctx.Done()
			}
			return nil, ctx.Err()
		}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	for _, transaction := range []string{"1.9.1", "1.9.2"} {
		c := dial(t, ln.Addr().String(), commitProposals()...)
		if err := c.RequestCommit(t.Context(), transaction, refs("1.2.3")); err != nil {
			t.Fatal(err)
		}
		c.Abort()
	}
	eventually(t, "both checks", func() bool { return checking.Load() == 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the check that waits for its context: %v", err)
	}
	if err := <-served; !errors.Is(err, ErrServerClosed) {
		t.Error(err)
	}
}

// Shutdown does not wait for an association that rests with a commitment under
// way longer than for any other.
func TestShutdownWakesARestingAssociation(t *testing.T) {
	checking := make(chan struct{})
	s := &Server{Timeouts: Timeouts{Release: time.Second}, Commit: func(ctx context.Context, _ CommitRequest) ([]CommitFailure, error) {
		close(checking)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	c := dial(t, ln.Addr().String(), commitProposals()...)
	if err := c.RequestCommit(t.Context(), "1.9", refs("1.2.3")); err != nil {
		t.Fatal(err)
	}
	<-checking
	awaited := make(chan error, 1)
	go func() { _, err := c.AwaitCommit(context.Background()); awaited <- err }()
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(ctx) }()
	var abort *AbortError
	if err := <-awaited; !errors.As(err, &abort) {
		t.Error(err)
	}
	cancel()
	<-stopped
	<-served
}

func actionRQ(change func(*Command)) []byte {
	var c Command
	c.setUID(tagRequestedClass, StorageCommitment)
	c.setUint16(tagCommandField, fieldAction)
	c.setUint16(tagMessageID, 4)
	c.setUint16(tagDataSetType, withDataSet)
	c.setUID(tagRequestedInstance, commitmentInstance)
	c.setUint16(tagActionType, 1)
	if change != nil {
		change(&c)
	}
	return c.Encode()
}

func TestRefusedCommitments(t *testing.T) {
	good := func() *identifier.Set {
		s := keys(identifier.TransactionUID, "1.9")
		s.PutItems(identifier.ReferencedSOPSequence, references(refs("1.2.3"))...)
		return s
	}
	without := func(f func(*identifier.Set)) *identifier.Set { s := good(); f(s); return s }
	blocked := make(chan struct{})
	s := &Server{Limits: Limits{Commitments: 1, Instances: 3}, Commit: func(context.Context, CommitRequest) ([]CommitFailure, error) {
		<-blocked
		return nil, nil
	}}
	addr := serve(t, s)
	r := dialRaw(t, addr).send(queryRQ(t))
	r.expect(pdu.TypeAssociateAC)
	for name, x := range map[string]struct {
		change func(*Command)
		set    *identifier.Set
		want   uint16
	}{
		"action":         {func(c *Command) { c.setUint16(tagActionType, 2) }, good(), StatusNoSuchAction},
		"instance":       {func(c *Command) { c.setUID(tagRequestedInstance, "1.2.3") }, good(), StatusNoSuchInstance},
		"class":          {func(c *Command) { c.setUID(tagRequestedClass, "1.2.3") }, good(), StatusClassNotSupported},
		"no transaction": {nil, without(func(s *identifier.Set) { s.Delete(identifier.TransactionUID) }), StatusInvalidArgument},
		"odd UID":        {nil, without(func(s *identifier.Set) { s.Put(identifier.TransactionUID, "../..") }), StatusInvalidArgument},
		"no references":  {nil, without(func(s *identifier.Set) { s.Delete(identifier.ReferencedSOPSequence) }), StatusInvalidArgument},
		"odd reference":  {nil, without(func(s *identifier.Set) { s.PutItems(identifier.ReferencedSOPSequence, &identifier.Set{}) }), StatusInvalidArgument},
		"too many": {nil, without(func(s *identifier.Set) {
			s.PutItems(identifier.ReferencedSOPSequence, references(refs("1", "2", "3", "4"))...)
		}), StatusInvalidArgument},
		"report to nobody": {func(c *Command) { c.setUint16(tagCommandField, fieldReport) }, good(), StatusNotAuthorized},
	} {
		r.send(value(9, true, true, actionRQ(x.change)), value(9, false, true, encoded(t, x.set)))
		if status := responseOf(t, r.expect(pdu.TypeData)); status != x.want {
			t.Errorf("%s: %#x, want %#x", name, status, x.want)
		}
	}
	for i, want := range []uint16{StatusSuccess, StatusResourceLimitation} {
		r.send(value(9, true, true, actionRQ(nil)), value(9, false, true, encoded(t, good())))
		if status := responseOf(t, r.expect(pdu.TypeData)); status != want {
			t.Errorf("request %d: %#x, want %#x", i, status, want)
		}
	}
	close(blocked)
	// The report comes; a request that crosses it is served before its answer.
	body := r.expect(pdu.TypeData)
	rq, err := DecodeCommand(body[pdu.PDVHeaderSize:])
	if err != nil || rq.field() != fieldReport {
		t.Fatalf("%#x, %v", rq.field(), err)
	}
	r.expect(pdu.TypeData)
	r.send(value(9, true, true, actionRQ(func(c *Command) { c.setUint16(tagActionType, 2) })), value(9, false, true, encoded(t, good())))
	if status := responseOf(t, r.expect(pdu.TypeData)); status != StatusNoSuchAction {
		t.Errorf("%#x", status)
	}
	r.send(value(9, true, true, rq.response(StatusSuccess, "").Encode()))
	// A second answer answers nothing.
	r.send(value(9, true, true, rq.response(StatusSuccess, "").Encode())).expect(pdu.TypeAbort)
}

func TestReportsRefusedByTheReceiver(t *testing.T) {
	cart := &Server{Committed: func(context.Context, Association, CommitResult) uint16 { panic("boom") }}
	addr := serve(t, cart)
	c := dial(t, addr, proposalForReports())
	var status *StatusError
	if err := c.report(t.Context(), CommitResult{TransactionUID: "1.9", Committed: refs("1.2")}); !errors.As(err, &status) || status.Status != StatusProcessingFailure {
		t.Error(err)
	}
	if err := c.report(t.Context(), CommitResult{TransactionUID: "odd", Committed: refs("1.2")}); !errors.As(err, &status) || status.Status != StatusInvalidArgument {
		t.Error(err)
	}
	if err := c.RequestCommit(t.Context(), "1.9", refs("1.2")); !errors.Is(err, ErrNoContext) {
		t.Errorf("asking in the provider's role: %v", err)
	}
	if err := c.RequestCommit(t.Context(), "odd", nil); err == nil {
		t.Error("an empty request was sent")
	}
}

// Ten thousand instances in one request.
func TestCommitOfManyInstances(t *testing.T) {
	var list []Reference
	for i := range 10_000 {
		list = append(list, Reference{ctStorage, fmt.Sprintf("1.2.826.0.1.3680043.10.1.2.3.4.5.6.7.8.%d", i)})
	}
	c := dial(t, serve(t, &Server{Commit: durable}), commitProposals()...)
	if err := c.RequestCommit(t.Context(), "1.9", list); err != nil {
		t.Fatal(err)
	}
	got, err := c.AwaitCommit(t.Context())
	if err != nil || !slices.Equal(got.Committed, list) {
		t.Errorf("%d, %v", len(got.Committed), err)
	}
}
