package dimse

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"sira/dicom/dimse/pdu"
)

// What a peer may send instead of what it should, and the A-ABORT it gets. The
// server must go on serving others each time.
func TestMalformedInput(t *testing.T) {
	addr := serve(t, &Server{Store: (&recorder{}).store})
	data := bytes.Repeat([]byte{0}, 100)
	cases := map[string]struct {
		before bool // before the association
		send   []byte
		want   pdu.Abort
	}{
		"HTTP":                 {true, []byte("GET / HTTP/1.1\r\n\r\n"), pdu.Abort{Source: 0}},
		"release first":        {true, pdu.AppendRelease(nil, pdu.TypeReleaseRQ), pdu.Abort{Source: 0}},
		"huge request":         {true, []byte{1, 0, 255, 255, 255, 255}, pdu.Abort{Source: 0}},
		"short request":        {true, []byte{1, 0, 0, 0, 0, 2, 0, 1}, pdu.Abort{Source: 0}},
		"unknown type":         {false, []byte{9, 0, 0, 0, 0, 4, 0, 0, 0, 0}, pdu.Abort{Source: 2, Reason: 1}},
		"second request":       {false, associateRQ(t, nil), pdu.Abort{Source: 2, Reason: 2}},
		"release reply":        {false, pdu.AppendRelease(nil, pdu.TypeReleaseRP), pdu.Abort{Source: 2, Reason: 2}},
		"oversized P-DATA":     {false, []byte{4, 0, 0, 2, 0, 1}, pdu.Abort{Source: 2, Reason: 6}},
		"4 GiB of P-DATA":      {false, []byte{4, 0, 255, 255, 255, 255}, pdu.Abort{Source: 2, Reason: 6}},
		"empty P-DATA":         {false, []byte{4, 0, 0, 0, 0, 0}, pdu.Abort{Source: 2, Reason: 6}},
		"value over its PDU":   {false, []byte{4, 0, 0, 0, 0, 6, 0, 0, 1, 0, 1, 3}, pdu.Abort{Source: 2, Reason: 6}},
		"data without command": {false, value(3, false, true, data), pdu.Abort{}},
		"context not accepted": {false, value(5, true, true, echoRQ()), pdu.Abort{}},
		"command set of zeros": {false, value(1, true, true, data), pdu.Abort{}},
		"endless command set":  {false, bytes.Repeat(value(1, true, false, bytes.Repeat(data, 50)), 4), pdu.Abort{}},
		"response unasked":     {false, value(1, true, true, Command{}.response(0, "").Encode()), pdu.Abort{}},
		"command within data":  {false, append(value(3, true, true, storeRQ("1.2")), value(3, true, true, echoRQ())...), pdu.Abort{}},
		"data in other context": {false, append(value(3, true, true, storeRQ("1.2")), value(1, false, true, data)...),
			pdu.Abort{}},
		"release within data": {false, append(value(3, true, true, storeRQ("1.2")), pdu.AppendRelease(nil, pdu.TypeReleaseRQ)...),
			pdu.Abort{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var r raw
			if c.before {
				r = dialRaw(t, addr)
			} else {
				r = associated(t, addr)
			}
			body := r.send(c.send).expect(pdu.TypeAbort)
			if got, err := pdu.DecodeAbort(body); err != nil || got != c.want {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
			_ = r.Close()
			if err := dial(t, addr).Echo(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestNoiseOfEveryKind(t *testing.T) {
	addr := serve(t, &Server{Store: (&recorder{}).store, Limits: Limits{PerAddress: 64}})
	for range 50 {
		noise := make([]byte, 300)
		_, _ = rand.Read(noise)
		noise[0] &= 7
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(noise)
		_ = conn.Close()
	}
	if err := dial(t, addr).Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

// A whole session is played to the server and cut after each byte in turn: the
// instance arrives whole or the callback's reader fails.
func TestCutAnywhere(t *testing.T) {
	data := object(testUID(1), 40)
	session := associateRQ(t, nil)
	session = append(session, value(3, true, true, storeRQ(testUID(1)))...)
	session = append(session, value(3, false, false, data[:60])...)
	session = append(session, value(3, false, true, data[60:])...)
	complete := len(session)
	session = append(session, pdu.AppendRelease(nil, pdu.TypeReleaseRQ)...)
	var r recorder
	s := &Server{Store: r.store, Events: r.event, Limits: Limits{Associations: 2000, PerAddress: 2000}}
	addr := serve(t, s)
	whole := 0
	for n := range len(session) + 1 {
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
		if n >= complete {
			whole++
		}
	}
	got := 0
	for _, k := range r.all() {
		switch {
		case k.err == nil && bytes.Equal(k.data, data):
			got++
		case k.err == nil:
			t.Errorf("%d bytes of %d taken for the whole", len(k.data), len(data))
		case !errors.Is(k.err, ErrLost):
			t.Errorf("reader failed with %v", k.err)
		}
	}
	if got != whole {
		t.Errorf("%d whole instances, want %d", got, whole)
	}
	r.heard(t, EventLost)
}

// The same from the other side: a provider that goes away at any point of its
// answers leaves no exchange that claims success.
func TestProviderCutAnywhere(t *testing.T) {
	answers := func() []byte {
		rq, err := pdu.DecodeAssociate(pdu.TypeAssociateRQ, associateRQ(t, nil)[pdu.HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		rq.Contexts = rq.Contexts[:1]
		ac, _ := (&Server{}).negotiate(rq)
		b, err := ac.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := DecodeCommand(echoRQ())
		c.elements[2].value = []byte{1, 0} // message ID of a first message
		return append(b, value(1, true, true, c.response(0, "").Encode())...)
	}()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for n := range len(answers) + 1 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write(answers[:n])
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}()
		c, err := Dial(t.Context(), ln.Addr().String(), DialOptions{AET: "A", CalledAET: "B"})
		if err == nil {
			err = c.Echo(t.Context())
			c.Abort()
		}
		if (err == nil) != (n == len(answers)) {
			t.Errorf("cut after %d of %d: %v", n, len(answers), err)
		}
		<-done
	}
}

func TestRejections(t *testing.T) {
	elsewhere := netip.MustParsePrefix("192.0.2.0/24")
	here := netip.MustParsePrefix("127.0.0.0/8")
	admit := func(context.Context, Association) error { return errors.New("no") }
	cases := map[string]struct {
		server *Server
		change func(*pdu.Associate)
		want   pdu.Reject
	}{
		"called title":        {&Server{AET: "OTHER"}, nil, pdu.RejectCalledAE},
		"calling title":       {&Server{Allowed: []Peer{{AET: "CT1"}}}, nil, pdu.RejectCallingAE},
		"address":             {&Server{Allowed: []Peer{{AET: "RAW", Network: elsewhere}}}, nil, pdu.RejectCallingAE},
		"callback":            {&Server{Allowed: []Peer{{AET: "RAW", Network: here}}, Admit: admit}, nil, pdu.RejectCallingAE},
		"application context": {&Server{}, func(a *pdu.Associate) { a.ApplicationContext = "1.2.3" }, pdu.RejectApplicationContext},
		"version":             {&Server{}, func(a *pdu.Associate) { a.Version = 2 }, pdu.RejectProtocolVersion},
		"tiny PDUs":           {&Server{}, func(a *pdu.Associate) { a.User.MaxLength = 7 }, pdu.RejectNoReason},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var r recorder
			c.server.Events = r.event
			addr := serve(t, c.server)
			p := dialRaw(t, addr).send(associateRQ(t, c.change))
			if got, err := pdu.DecodeReject(p.expect(pdu.TypeAssociateRJ)); err != nil || got != c.want {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
			_ = p.Close()
			if e := r.heard(t, EventRejected); e.Detail == "" || e.CallingAET != "RAW" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestRejectionReachesTheDialler(t *testing.T) {
	addr := serve(t, &Server{AET: "OTHER"})
	_, err := Dial(t.Context(), addr, DialOptions{AET: "A", CalledAET: "SIRA"})
	var rejected *RejectError
	if !errors.As(err, &rejected) || rejected.Reject != pdu.RejectCalledAE {
		t.Error(err)
	}
}

func TestTooManyAssociations(t *testing.T) {
	addr := serve(t, &Server{Limits: Limits{PerAddress: 2}, Timeouts: Timeouts{Release: time.Second}})
	a, b := dial(t, addr), dial(t, addr)
	p := dialRaw(t, addr).send(associateRQ(t, nil))
	if got, _ := pdu.DecodeReject(p.expect(pdu.TypeAssociateRJ)); got != pdu.RejectLimit {
		t.Errorf("%v", got)
	}
	_ = p.Close()
	for _, c := range []*Client{a, b} {
		if err := c.Echo(t.Context()); err != nil {
			t.Error(err)
		}
		if err := c.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "a free seat", func() bool {
		c, err := Dial(t.Context(), addr, DialOptions{AET: "A", CalledAET: "B"})
		if err != nil {
			return false
		}
		return c.Release(t.Context()) == nil
	})
}

func TestSeatsOfOneIPv6Site(t *testing.T) {
	var s seats
	l := Limits{Associations: 100, PerAddress: 1}
	if v := s.take(netip.MustParseAddr("2001:db8::1"), l); v != seatTaken {
		t.Errorf("first: %v", v)
	}
	if v := s.take(netip.MustParseAddr("2001:db8::2"), l); v != seatRejected {
		t.Errorf("neighbour: %v", v)
	}
	if v := s.take(netip.MustParseAddr("2001:db8:1::1"), l); v != seatTaken {
		t.Errorf("other site: %v", v)
	}
	for range 100 {
		s.take(netip.MustParseAddr("2001:db8::3"), l)
	}
	if s.total > 10 {
		t.Errorf("%d connections held", s.total)
	}
}

func TestTimeouts(t *testing.T) {
	short := 300 * time.Millisecond
	t.Run("no request", func(t *testing.T) {
		addr := serve(t, &Server{Timeouts: Timeouts{Association: short}})
		dialRaw(t, addr).closed()
	})
	t.Run("idle", func(t *testing.T) {
		r := associated(t, serve(t, &Server{Timeouts: Timeouts{Idle: short}}))
		r.expect(pdu.TypeAbort)
	})
	t.Run("within a command", func(t *testing.T) {
		r := associated(t, serve(t, &Server{Timeouts: Timeouts{Message: short}}))
		r.send(value(1, true, true, echoRQ())[:20]).expect(pdu.TypeAbort)
	})
	t.Run("within a data set", func(t *testing.T) {
		var rec recorder
		r := associated(t, serve(t, &Server{Store: rec.store, Timeouts: Timeouts{Message: short}}))
		r.send(value(3, true, true, storeRQ("1.2.3")), value(3, false, false, make([]byte, 50))).expect(pdu.TypeAbort)
		_ = r.Close()
		if k := rec.first(t); !errors.Is(k.err, ErrTimeout) {
			t.Errorf("%+v", k)
		}
	})
	t.Run("dripping data set", func(t *testing.T) {
		var rec recorder
		r := associated(t, serve(t, &Server{Store: rec.store, Timeouts: Timeouts{Message: 3 * short}}))
		r.send(value(3, true, true, storeRQ("1.2.3")))
		go func() {
			for {
				if _, err := r.Write(value(3, false, false, nil)); err != nil {
					return
				}
				time.Sleep(2 * short)
			}
		}()
		r.expect(pdu.TypeAbort)
		_ = r.Close()
	})
	t.Run("slow consumer is not a slow peer", func(t *testing.T) {
		s := &Server{Timeouts: Timeouts{Message: short}, Store: func(_ context.Context, req StoreRequest) uint16 {
			_, _ = req.Data.Read(make([]byte, 10))
			time.Sleep(3 * short)
			if n, err := io.Copy(io.Discard, req.Data); err != nil || n == 0 {
				return StatusProcessingFailure
			}
			return StatusSuccess
		}}
		r := associated(t, serve(t, s))
		r.send(value(3, true, true, storeRQ("1.2.3")), value(3, false, true, make([]byte, 5000)))
		if status := responseOf(t, r.expect(pdu.TypeData)); status != StatusSuccess {
			t.Errorf("%#x", status)
		}
		_ = r.Close()
	})
}

func TestObjectLimit(t *testing.T) {
	var rec recorder
	r := associated(t, serve(t, &Server{Store: rec.store, Limits: Limits{Object: 1000}}))
	r.send(value(3, true, true, storeRQ("1.2.3")), value(3, false, false, make([]byte, 900)), value(3, false, true, make([]byte, 200)))
	r.expect(pdu.TypeAbort)
	_ = r.Close()
	if k := rec.first(t); !errors.Is(k.err, ErrTooLarge) {
		t.Errorf("%+v", k)
	}
}

// Requests with a wrong content are answered and do no harm to the association.
func TestRefusedRequests(t *testing.T) {
	var rec recorder
	r := associated(t, serve(t, &Server{Store: rec.store}))
	request := func(class, instance string, field uint16) []byte {
		var c Command
		c.setUID(tagAffectedClass, class)
		c.setUint16(tagCommandField, field)
		c.setUint16(tagMessageID, 9)
		c.setUint16(tagDataSetType, withDataSet)
		if instance != "" {
			c.setText(tagAffectedInstance, instance, 0)
		}
		return c.Encode()
	}
	cases := map[string]struct {
		context byte
		command []byte
		want    uint16
	}{
		"no instance":   {3, request(ctStorage, "", fieldStore), StatusMissingAttribute},
		"not a UID":     {3, request(ctStorage, "../../etc", fieldStore), StatusInvalidInstance},
		"another class": {3, request("1.2.3", "1.2", fieldStore), StatusDataSetMismatch},
		"wrong context": {1, request(ctStorage, "1.2", fieldStore), StatusClassNotSupported},
		"echo of CT":    {3, request(ctStorage, "", fieldEcho), StatusClassNotSupported},
		"N-ACTION":      {3, request(ctStorage, "1.2", 0x0130), StatusUnrecognized},
	}
	for name, c := range cases {
		r.send(value(c.context, true, true, c.command), value(c.context, false, true, make([]byte, 100)))
		if status := responseOf(t, r.expect(pdu.TypeData)); status != c.want {
			t.Errorf("%s: %#04x, want %#04x", name, status, c.want)
		}
	}
	if len(rec.all()) != 0 {
		t.Error("callback called")
	}
	r.send(pdu.AppendRelease(nil, pdu.TypeReleaseRQ)).expect(pdu.TypeReleaseRP)
	r.closed()
}

// Two messages and both their sets in one PDU, fragments of all sizes: legal,
// if rare.
func TestManyValuesInOnePDU(t *testing.T) {
	var rec recorder
	r := associated(t, serve(t, &Server{Store: rec.store}))
	data := object("1.2.3", 100)
	var values []byte
	for _, v := range [][]byte{
		value(3, true, false, storeRQ("1.2.3")[:30]), value(3, true, true, storeRQ("1.2.3")[30:]),
		value(3, false, false, data[:1]), value(3, false, false, nil), value(3, false, false, data[1:]), value(3, false, true, nil),
		value(1, true, true, echoRQ()),
	} {
		values = append(values, v[pdu.HeaderSize:]...)
	}
	header := []byte{byte(pdu.TypeData), 0, 0, 0, byte(len(values) >> 8), byte(len(values))}
	r.send(header, values)
	for range 2 {
		if status := responseOf(t, r.expect(pdu.TypeData)); status != StatusSuccess {
			t.Errorf("%#x", status)
		}
	}
	if k := rec.all(); len(k) != 1 || !bytes.Equal(k[0].data, data) {
		t.Errorf("%+v", k)
	}
	_ = r.Close()
}

func TestDiallerRefusesOddAnswers(t *testing.T) {
	for name, spoil := range map[string]func(*pdu.Associate){
		"context not offered": func(a *pdu.Associate) { a.Contexts[0].ID = 9 },
		"syntax not offered":  func(a *pdu.Associate) { a.Contexts[0].TransferSyntaxes[0] = "1.2.3" },
		"tiny PDUs":           func(a *pdu.Associate) { a.User.MaxLength = 3 },
	} {
		ac := &pdu.Associate{
			Answer: true, Version: 1, ApplicationContext: pdu.ApplicationContext,
			Contexts: []pdu.Context{{ID: 1, TransferSyntaxes: []string{ImplicitVRLittleEndian}}},
		}
		spoil(ac)
		b, err := ac.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		addr := answering(t, func(r raw) {
			r.expect(pdu.TypeAssociateRQ)
			r.send(b).expect(pdu.TypeAbort)
		})
		if _, err := Dial(t.Context(), addr, DialOptions{AET: "A", CalledAET: "B"}); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// answering runs a provider by hand for one association.
func answering(t *testing.T, serve func(raw)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		serve(raw{conn, t})
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String()
}

// acceptAll answers any request as our server would.
func acceptAll(r raw) {
	rq, err := pdu.DecodeAssociate(pdu.TypeAssociateRQ, r.expect(pdu.TypeAssociateRQ))
	if err != nil {
		r.t.Error(err)
		return
	}
	ac, _ := (&Server{}).negotiate(rq)
	b, err := ac.Append(nil)
	if err != nil {
		r.t.Error(err)
		return
	}
	r.send(b)
}

func TestReleaseCollision(t *testing.T) {
	addr := answering(t, func(r raw) {
		acceptAll(r)
		r.expect(pdu.TypeReleaseRQ)
		r.send(pdu.AppendRelease(nil, pdu.TypeReleaseRQ)) // at the same time
		r.expect(pdu.TypeReleaseRP)                       // the requestor answers first
		r.send(pdu.AppendRelease(nil, pdu.TypeReleaseRP))
		r.closed()
	})
	if err := dial(t, addr).Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// The acceptor's side of it, which our server never begins.
func TestReleaseCollisionAccepting(t *testing.T) {
	ours, theirs := net.Pipe()
	a := newAssociation(&wire{conn: ours, timeout: time.Minute}, false, Limits{}.withDefaults(), Timeouts{}.withDefaults())
	a.machine.state = established
	done := make(chan error, 1)
	go func() { done <- a.release() }()
	r := raw{theirs, t}
	r.expect(pdu.TypeReleaseRQ)
	r.send(pdu.AppendRelease(nil, pdu.TypeReleaseRQ), pdu.AppendRelease(nil, pdu.TypeReleaseRP))
	r.expect(pdu.TypeReleaseRP)
	_ = theirs.Close()
	if err := <-done; err != nil || a.machine.state != idle {
		t.Errorf("%v in %v", err, a.machine.state)
	}
}

// P-DATA that crosses our A-RELEASE-RQ is dropped, not an error.
func TestDataWhileReleasing(t *testing.T) {
	addr := answering(t, func(r raw) {
		acceptAll(r)
		r.expect(pdu.TypeReleaseRQ)
		r.send(value(1, true, true, echoRQ()), pdu.AppendRelease(nil, pdu.TypeReleaseRP))
		r.closed()
	})
	if err := dial(t, addr).Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPeerReleasesOrAborts(t *testing.T) {
	for want, last := range map[error][]byte{
		ErrReleased: pdu.AppendRelease(nil, pdu.TypeReleaseRQ),
		nil:         pdu.Abort{Source: pdu.AbortByProvider, Reason: 2}.Append(nil),
	} {
		addr := answering(t, func(r raw) {
			acceptAll(r)
			r.expect(pdu.TypeData)
			r.send(last)
			if want != nil {
				r.expect(pdu.TypeReleaseRP)
			}
		})
		err := dial(t, addr).Echo(t.Context())
		var abort *AbortError
		if want != nil && !errors.Is(err, want) || want == nil && (!errors.As(err, &abort) || abort.Reason != 2) {
			t.Error(err)
		}
	}
}

func TestCancelledExchange(t *testing.T) {
	got := make(chan struct{})
	addr := answering(t, func(r raw) {
		acceptAll(r)
		r.expect(pdu.TypeData)
		close(got)
		r.expect(pdu.TypeAbort)
	})
	c := dial(t, addr)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-got; cancel() }()
	if err := c.Echo(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
}

func TestShutdown(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	var status error
	s := &Server{Store: func(ctx context.Context, req StoreRequest) uint16 {
		close(began)
		<-goOn
		if _, err := io.Copy(io.Discard, req.Data); err != nil || ctx.Err() != nil {
			status = fmt.Errorf("%v, %v", err, ctx.Err())
		}
		return StatusSuccess
	}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	resting := associated(t, ln.Addr().String())
	busy := dial(t, ln.Addr().String(), ctProposal())
	stored := make(chan error, 1)
	go func() {
		_, err := busy.Store(context.Background(), bytes.NewReader(file(testUID(1), object(testUID(1), 1<<20))))
		stored <- err
	}()
	<-began
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	resting.expect(pdu.TypeAbort) // at rest: ended at once
	_ = resting.Close()
	close(goOn) // at work: answered first
	if err := <-stored; err != nil || status != nil {
		t.Errorf("stored: %v, callback: %v", err, status)
	}
	busy.Abort()
	if err := <-down; err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, ErrServerClosed) {
		t.Error(err)
	}
	if err := s.Serve(context.Background(), ln); !errors.Is(err, ErrServerClosed) {
		t.Error(err)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	var rec recorder
	s := &Server{Store: rec.store, Timeouts: Timeouts{Release: time.Second}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	r := associated(t, ln.Addr().String())
	r.send(value(3, true, true, storeRQ("1.2.3")), value(3, false, false, make([]byte, 100)))
	cancel()
	r.expect(pdu.TypeAbort)
	_ = r.Close()
	if err := <-served; !errors.Is(err, ErrServerClosed) {
		t.Error(err)
	}
	for _, k := range rec.all() {
		if k.err == nil {
			t.Error("a part taken for the whole")
		}
	}
}

func FuzzServer(f *testing.F) {
	store := func(_ context.Context, req StoreRequest) uint16 {
		if _, err := io.Copy(io.Discard, req.Part10()); err != nil {
			return StatusOutOfResources
		}
		return StatusSuccess
	}
	s := &Server{Store: store, Timeouts: Timeouts{
		Association: time.Second, Idle: time.Second, Message: time.Second, Release: time.Second,
	}}
	f.Add(value(1, true, true, echoRQ()))
	f.Add(append(value(3, true, true, storeRQ("1.2.3")), value(3, false, true, object("1.2.3", 20))...))
	f.Add(pdu.AppendRelease(nil, pdu.TypeReleaseRQ))
	rq := associateRQ(f, nil)
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
	})
}
