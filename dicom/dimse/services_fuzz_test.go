package dimse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"sira/dicom/dimse/identifier"
	"sira/dicom/dimse/pdu"
)

var impatient = Timeouts{Association: time.Second, Idle: time.Second, Message: time.Second, Release: time.Second,
	Query: time.Second, Retrieve: time.Second}

// FuzzServices plays anything to a server with all services, after an
// association of good standing.
func FuzzServices(f *testing.F) {
	a := newArchive()
	s := &Server{
		Store: func(_ context.Context, req StoreRequest) uint16 {
			_, _ = io.Copy(io.Discard, req.Data)
			return StatusSuccess
		},
		Find: a.find, Worklist: worklist, Retrieve: a.retrieve, Commit: durable, Transcode: toImplicit,
		Committed: func(context.Context, Association, CommitResult) uint16 { return StatusSuccess },
		Nodes:     func(string) (Node, bool) { return Node{}, false },
		Timeouts:  impatient, Retries: Retry{Attempts: 1},
	}
	level := keys(identifier.QueryRetrieveLevel, "STUDY", identifier.StudyInstanceUID, "1.2.10")
	request := func(context byte, field uint16, class string, set *identifier.Set) []byte {
		c, _ := DecodeCommand(findRQ(3))
		c.setUint16(tagCommandField, field)
		c.setUID(tagAffectedClass, class)
		c.setText(tagMoveDestination, "DEST", ' ')
		return append(value(context, true, true, c.Encode()), value(context, false, true, encoded(f, set))...)
	}
	commit := keys(identifier.TransactionUID, "1.9")
	commit.PutItems(identifier.ReferencedSOPSequence, references(refs("1.2.3"))...)
	var reply Command
	reply.setUint16(tagCommandField, fieldStore|responseBit)
	reply.setUint16(tagRespondedTo, 1)
	reply.setUint16(tagDataSetType, noDataSet)
	reply.setUint16(tagStatus, 0)
	f.Add(request(1, fieldFind, StudyRootFind, level))
	f.Add(append(request(1, fieldFind, StudyRootFind, level), value(1, true, true, cancelRQ(3))...))
	f.Add(append(request(3, fieldGet, StudyRootGet, level), value(7, true, true, reply.Encode())...))
	f.Add(request(5, fieldMove, StudyRootMove, level))
	f.Add(append(value(9, true, true, actionRQ(nil)), value(9, false, true, encoded(f, commit))...))
	f.Add(append(value(9, true, true, reportRequest(1, CommitResult{}).Encode()), value(9, false, true, encoded(f, commit))...))
	rq := queryRQ(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, theirs := net.Pipe()
		ctx, cancel := context.WithCancel(context.Background())
		v := newServing(s, ours, netip.AddrPort{}, seatTaken, cancel)
		done := make(chan struct{})
		go func() { v.run(ctx); close(done) }()
		go func() {
			_, _ = theirs.Write(rq)
			_, _ = theirs.Write(b)
			_ = theirs.Close()
		}()
		_, _ = io.Copy(io.Discard, theirs)
		<-done
		cancel()
		s.running.Wait()
	})
}

// FuzzAnswers plays anything to a client that has asked for something.
func FuzzAnswers(f *testing.F) {
	rq, _ := DecodeCommand(findRQ(1))
	pending := rq.response(StatusPending, "")
	pending.setUint16(tagDataSetType, withDataSet)
	final := rq.response(StatusSuccess, "")
	match := encoded(f, keys(identifier.PatientID, "1"))
	f.Add(bytes.Join([][]byte{value(1, true, true, pending.Encode()), value(1, false, true, match), value(1, true, true, final.Encode())}, nil), byte(0))
	get := final
	get.elements = append([]commandElement(nil), final.elements...)
	get.setUint16(tagCommandField, fieldGet|responseBit)
	f.Add(bytes.Join([][]byte{value(3, true, true, storeRQ("1.2.3")), value(3, false, true, object("1.2.3", 10)), value(1, true, true, get.Encode())}, nil), byte(1))
	action := final
	action.elements = append([]commandElement(nil), final.elements...)
	action.setUint16(tagCommandField, fieldAction|responseBit)
	f.Add(bytes.Join([][]byte{value(1, true, true, action.Encode()), value(1, true, true, reportRequest(1, CommitResult{}).Encode()), value(1, false, true, match)}, nil), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, what byte) {
		ours, theirs := net.Pipe()
		class := []string{StudyRootFind, StudyRootGet, StorageCommitment}[what%3]
		a := newAssociation(&wire{conn: ours, timeout: time.Second}, true, Limits{}.withDefaults(), impatient.withDefaults())
		a.machine.state = established
		a.contexts = map[byte]PresentationContext{
			1: {ID: 1, SOPClass: class, TransferSyntax: ImplicitVRLittleEndian, RequestorSCU: true},
			3: {ID: 3, SOPClass: ctStorage, TransferSyntax: ExplicitVRLittleEndian, RequestorSCU: true, RequestorSCP: true},
		}
		c := &Client{a: a, accepted: []PresentationContext{a.contexts[1], a.contexts[3]},
			serves: map[uint16]func(PresentationContext, Command) error{}}
		written := make(chan struct{})
		go func() {
			defer close(written)
			_, _ = theirs.Write(b)
			_ = theirs.Close()
		}()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		ctx := context.Background()
		switch what % 3 {
		case 0:
			_ = c.Find(ctx, Query{class, LevelStudy, keys()}, func(*identifier.Set) error { return errors.New("enough") })
		case 1:
			_, _ = c.Get(ctx, Query{class, LevelStudy, keys()}, func(_ context.Context, req StoreRequest) uint16 {
				_, _ = io.Copy(io.Discard, req.Data)
				return StatusSuccess
			}, func(Counters) error { return nil })
		case 2:
			if c.RequestCommit(ctx, "1.9", refs("1.2")) == nil {
				_, _ = c.AwaitCommit(ctx)
			}
		}
		c.Abort()
		_ = ours.Close()
		<-written
	})
}

// Queries, cancels and reports interrupt a read that waits; with TLS that must
// not harm the stream.
func TestOperationsOverTLS(t *testing.T) {
	_, _, pair, pool := certificate(t, t.TempDir())
	a := newArchive()
	addr := serve(t, &Server{Find: a.find, Retrieve: a.retrieve, Commit: durable, TLS: serverTLS(pair)})
	c, err := Dial(t.Context(), addr, DialOptions{AET: "A", CalledAET: "B", TLS: clientTLS(pool),
		Proposals: append(getProposals(), QueryProposal(StudyRootFind), QueryProposal(StorageCommitment))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	enough := errors.New("enough")
	for i := range 20 {
		if got := collect(t, c, Query{StudyRootFind, LevelStudy, keys(identifier.StudyInstanceUID, "")}, identifier.StudyInstanceUID); len(got) != 4 {
			t.Fatalf("%d: %v", i, got)
		}
		if err := c.Find(t.Context(), Query{StudyRootFind, LevelImage, keys(identifier.StudyInstanceUID, "")}, func(*identifier.Set) error { return enough }); !errors.Is(err, enough) {
			t.Fatal(err)
		}
		if err := c.RequestCommit(t.Context(), "1.9", refs("1.2.3")); err != nil {
			t.Fatal(err)
		}
		if result, err := c.Get(t.Context(), Query{StudyRootGet, LevelStudy, studyKeys("1.2.20")}, func(context.Context, StoreRequest) uint16 { return 0 }, nil); err != nil || result.Completed != 4 {
			t.Fatalf("%+v, %v", result, err)
		}
		if _, err := c.AwaitCommit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// Every service's conversation, cut after each byte: no callback is left
// behind, and nothing is taken for whole.
func TestServicesCutAnywhere(t *testing.T) {
	a := newArchive()
	s := &Server{Find: a.find, Retrieve: a.retrieve, Commit: durable, Limits: Limits{Associations: 5000, PerAddress: 5000},
		Retries: Retry{Attempts: 1}}
	addr := serve(t, s)
	level := keys(identifier.QueryRetrieveLevel, "STUDY", identifier.StudyInstanceUID, "1.2.10")
	get, _ := DecodeCommand(findRQ(3))
	get.setUint16(tagCommandField, fieldGet)
	get.setUID(tagAffectedClass, StudyRootGet)
	commit := keys(identifier.TransactionUID, "1.9")
	commit.PutItems(identifier.ReferencedSOPSequence, references(refs("1.2.3"))...)
	head := queryRQ(t)
	session := bytes.Join([][]byte{head,
		value(1, true, true, findRQ(1)), value(1, false, true, encoded(t, level)),
		value(9, true, true, actionRQ(nil)), value(9, false, true, encoded(t, commit)),
		value(3, true, true, get.Encode()), value(3, false, true, encoded(t, level)),
	}, nil)
	for n := len(head); n <= len(session); n += 3 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(session[:n]); err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).CloseWrite()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
	r := dialRaw(t, addr).send(head)
	r.expect(pdu.TypeAssociateAC)
	r.send(pdu.AppendRelease(nil, pdu.TypeReleaseRQ)).expect(pdu.TypeReleaseRP)
}
