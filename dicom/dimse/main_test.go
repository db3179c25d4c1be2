package dimse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sira/dicom/dimse/pdu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ctStorage = "1.2.840.10008.5.1.4.1.1.2"

// object is a data set in explicit VR little endian whose pixel data has size
// bytes, all different enough to notice a shift.
func object(uid string, size int) []byte {
	var b []byte
	add := func(group, element uint16, vr, value string) {
		b = binary.LittleEndian.AppendUint16(b, group)
		b = binary.LittleEndian.AppendUint16(b, element)
		b = append(b, vr...)
		if len(value)%2 == 1 {
			value += "\x00"
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
	}
	add(8, 0x16, "UI", ctStorage)
	add(8, 0x18, "UI", uid)
	b = append(b, 0xE0, 0x7F, 0x10, 0, 'O', 'W', 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	for i := range size {
		b = append(b, byte(i)^byte(i>>8)^byte(i>>16))
	}
	return b
}

func file(uid string, data []byte) []byte {
	return append(Meta{ctStorage, uid, ExplicitVRLittleEndian}.Encode(), data...)
}

// kept is what a recording callback saw of one instance.
type kept struct {
	req  StoreRequest
	data []byte
	err  error
}

type recorder struct {
	mu     sync.Mutex
	kept   []kept
	events []Event
}

func (r *recorder) store(_ context.Context, req StoreRequest) uint16 {
	data, err := io.ReadAll(req.Data)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, kept{req, data, err})
	if err != nil {
		return StatusOutOfResources
	}
	return StatusSuccess
}

func (r *recorder) event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) all() []kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]kept(nil), r.kept...)
}

// first waits for the first instance.
func (r *recorder) first(t testing.TB) kept {
	t.Helper()
	eventually(t, "an instance", func() bool { return len(r.all()) > 0 })
	return r.all()[0]
}

// heard waits for an event of that kind.
func (r *recorder) heard(t testing.TB, kind EventKind) Event {
	t.Helper()
	var e Event
	eventually(t, "event "+string(kind), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, e = range r.events {
			if e.Kind == kind {
				return true
			}
		}
		return false
	})
	return e
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not come", what)
}

// serve runs s on a free port of loopback until the test ends.
func serve(t testing.TB, s *Server) string {
	t.Helper()
	if s.Timeouts.Release == 0 {
		s.Timeouts.Release = 2 * time.Second
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; !errors.Is(err, ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return ln.Addr().String()
}

func dial(t testing.TB, addr string, proposals ...Proposal) *Client {
	t.Helper()
	c, err := Dial(context.Background(), addr, DialOptions{AET: "TEST", CalledAET: "SIRA", Proposals: proposals})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Abort)
	return c
}

func ctProposal() Proposal {
	return Proposal{SOPClass: ctStorage, TransferSyntaxes: []string{ExplicitVRLittleEndian}}
}

func verification() Proposal {
	return Proposal{SOPClass: Verification, TransferSyntaxes: []string{ImplicitVRLittleEndian}}
}

func testUID(n int) string { return fmt.Sprintf("1.2.826.0.1.3680043.10.1%d", n) }

// raw is a peer that says what no client would.
type raw struct {
	net.Conn
	t testing.TB
}

func dialRaw(t testing.TB, addr string) raw {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return raw{conn, t}
}

func (r raw) send(b ...[]byte) raw {
	r.t.Helper()
	for _, p := range b {
		if _, err := r.Write(p); err != nil {
			r.t.Fatal(err)
		}
	}
	return r
}

// expect reads one PDU and gives its body.
func (r raw) expect(want pdu.Type) []byte {
	r.t.Helper()
	h, err := pdu.ReadHeader(r, 1<<20)
	if err != nil {
		r.t.Fatalf("waiting for %v: %v", want, err)
	}
	body, err := pdu.ReadBody(r, h)
	if err != nil || h.Type != want {
		r.t.Fatalf("got %v % x, %v; want %v", h.Type, body, err, want)
	}
	return body
}

// closed waits for the server to close.
func (r raw) closed() {
	r.t.Helper()
	if n, err := io.Copy(io.Discard, r); n != 0 || err != nil {
		r.t.Fatalf("%d more bytes, %v", n, err)
	}
}

func associateRQ(t testing.TB, change func(*pdu.Associate)) []byte {
	t.Helper()
	rq := &pdu.Associate{
		Version: 1, Called: "SIRA", Calling: "RAW", ApplicationContext: pdu.ApplicationContext,
		Contexts: []pdu.Context{
			{ID: 1, AbstractSyntax: Verification, TransferSyntaxes: []string{ImplicitVRLittleEndian}},
			{ID: 3, AbstractSyntax: ctStorage, TransferSyntaxes: []string{ExplicitVRLittleEndian}},
		},
		User: pdu.UserInfo{MaxLength: 16384, ImplementationUID: "1.2.3"},
	}
	if change != nil {
		change(rq)
	}
	b, err := rq.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// value is a P-DATA-TF with one fragment.
func value(context byte, command, last bool, b []byte) []byte {
	p := make([]byte, outHead, outHead+len(b))
	pdu.PutData(p, pdu.PDV{Length: uint32(len(b)), Context: context, Command: command, Last: last})
	return append(p, b...)
}

func storeRQ(uid string) []byte {
	var c Command
	c.setUID(tagAffectedClass, ctStorage)
	c.setUint16(tagCommandField, fieldStore)
	c.setUint16(tagMessageID, 7)
	c.setUint16(tagPriority, 0)
	c.setUint16(tagDataSetType, withDataSet)
	c.setUID(tagAffectedInstance, uid)
	return c.Encode()
}

func echoRQ() []byte {
	var c Command
	c.setUID(tagAffectedClass, Verification)
	c.setUint16(tagCommandField, fieldEcho)
	c.setUint16(tagMessageID, 7)
	c.setUint16(tagDataSetType, noDataSet)
	return c.Encode()
}

// associated is a raw association.
func associated(t testing.TB, addr string) raw {
	t.Helper()
	r := dialRaw(t, addr).send(associateRQ(t, nil))
	r.expect(pdu.TypeAssociateAC)
	return r
}

func responseOf(t testing.TB, body []byte) (status uint16) {
	t.Helper()
	c, err := DecodeCommand(body[pdu.PDVHeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	status, _ = c.uint16(tagStatus)
	return status
}
