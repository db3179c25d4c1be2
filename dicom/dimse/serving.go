package dimse

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"sira/dicom/dimse/pdu"
)

// serving is one association that a peer asked this server for.
type serving struct {
	*association
	server *Server
	info   Association
	// Features of queries negotiated, by SOP class.
	features map[string][]byte
	seat     seat

	// Storage commitments of this association: how many are under way, those
	// ready to report, the one whose answer is awaited.
	base       context.Context // of the server, outlives the association
	jobs       int
	reports    chan *report
	reporting  *report
	lastReport uint16
	gone       chan struct{} // closed at the end
	cancel     context.CancelFunc
}

func newServing(s *Server, conn net.Conn, remote netip.AddrPort, seat seat, cancel context.CancelFunc) *serving {
	limits, timeouts := s.Limits.withDefaults(), s.Timeouts.withDefaults()
	w := &wire{conn: prepared(conn, s.TLS), timeout: timeouts.Message}
	var id [8]byte
	_, _ = rand.Read(id[:])
	return &serving{
		association: newAssociation(w, false, limits, timeouts),
		server:      s, seat: seat, cancel: cancel,
		reports: make(chan *report), gone: make(chan struct{}),
		info: Association{ID: hex.EncodeToString(id[:]), Remote: remote},
	}
}

// prepared makes a connection fit for request and response: without it, the
// last short segment of each message waits for an acknowledgement.
func prepared(conn net.Conn, config *tls.Config) net.Conn {
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true)
	}
	if config != nil {
		return tls.Server(conn, config)
	}
	return conn
}

func (v *serving) run(ctx context.Context) {
	if v.base == nil {
		v.base = ctx
	}
	_, _ = v.machine.step(accepted)
	if err := v.establish(ctx); err != nil {
		return
	}
	v.tell(Event{Kind: EventAssociated, Detail: v.describe()})
	var err error
	for err == nil {
		err = v.serveMessage(ctx)
	}
	v.abandon(err)
	kind := EventAborted
	switch {
	case errors.Is(err, ErrReleased):
		v.tell(Event{Kind: EventReleased})
		return
	case errors.Is(err, ErrLost):
		kind = EventLost
	}
	v.tell(Event{Kind: kind, Detail: err.Error()})
}

// establish takes the peer's request and answers it. An error means that there
// is no association; the event has been told.
func (v *serving) establish(ctx context.Context) error {
	rq, err := v.awaitRequest(ctx)
	if err != nil {
		v.tell(Event{Kind: EventFailed, Detail: err.Error()})
		return err
	}
	v.info.CallingAET, v.info.CalledAET, v.info.Peer = rq.Calling, rq.Called, rq.User
	if rj, why := v.verdict(ctx, rq); why != nil {
		_, _ = v.machine.step(localReject)
		v.tell(Event{Kind: EventRejected, Detail: fmt.Sprintf("%v (%v)", rj, why)})
		return v.close(rj.Append(nil), why)
	}
	ac, accepted := v.server.negotiate(rq)
	v.accept(rq, ac, accepted)
	out, err := ac.Append(nil)
	if err != nil {
		err = v.violation("answering the request: %w", err)
	} else if _, err = v.machine.step(localAccept); err == nil {
		err = v.write(out)
	}
	if err != nil {
		v.tell(Event{Kind: EventFailed, Detail: err.Error()})
	}
	return err
}

func (v *serving) awaitRequest(ctx context.Context) (*pdu.Associate, error) {
	if err := v.wire.by(v.timeouts.Association); err != nil {
		return nil, v.failed(err)
	}
	if t, ok := v.wire.conn.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(ctx, v.timeouts.Association)
		defer cancel()
		if err := t.HandshakeContext(ctx); err != nil {
			_, _ = v.machine.step(transportClosed)
			return nil, v.finish(fmt.Errorf("TLS handshake: %w", err))
		}
		state := t.ConnectionState()
		v.info.TLS = &state
	}
	got, err := v.receive()
	return got.associate, err
}

func (v *serving) accept(rq, ac *pdu.Associate, accepted map[byte]PresentationContext) {
	v.sendMax, v.contexts = rq.User.MaxLength, accepted
	v.features = map[string][]byte{}
	for _, x := range ac.User.Extended {
		v.features[x.SOPClass] = x.Info
	}
	for _, c := range ac.Contexts {
		if c.Result == pdu.Accepted {
			v.info.Contexts = append(v.info.Contexts, accepted[c.ID])
		}
	}
}

// verdict decides whether to reject; why is nil when not.
func (v *serving) verdict(ctx context.Context, rq *pdu.Associate) (rj pdu.Reject, why error) {
	s := v.server
	switch {
	case v.seat == seatRejected:
		return pdu.RejectLimit, errors.New("too many associations")
	case s.isClosing():
		return pdu.RejectCongestion, ErrServerClosed
	case !rq.VersionSupported():
		return pdu.RejectProtocolVersion, fmt.Errorf("protocol version %#x", rq.Version)
	case rq.ApplicationContext != pdu.ApplicationContext:
		return pdu.RejectApplicationContext, errors.New("application context " + rq.ApplicationContext)
	case s.AET != "" && rq.Called != s.AET:
		return pdu.RejectCalledAE, errors.New("called " + rq.Called)
	case !s.allows(v.info):
		return pdu.RejectCallingAE, errors.New("not in the list of allowed peers")
	case rq.User.MaxLength != 0 && rq.User.MaxLength < minPDU:
		return pdu.RejectNoReason, fmt.Errorf("maximum PDU length %d", rq.User.MaxLength)
	}
	if s.Admit != nil {
		if err := s.Admit(ctx, v.info); err != nil {
			return pdu.RejectCallingAE, err
		}
	}
	return rj, nil
}

// minPDU is the smallest maximum length of a peer that makes sense: a value
// header and a few bytes.
const minPDU = 16

func (v *serving) describe() string {
	return fmt.Sprintf("%d presentation contexts, peer %s %s",
		len(v.info.Contexts), v.info.Peer.ImplementationUID, v.info.Peer.ImplementationVersion)
}

func (v *serving) tell(e Event) { v.server.tell(v.info, e) }

func (s *Server) tell(a Association, e Event) {
	e.At = time.Now()
	e.Association, e.Remote = a.ID, a.Remote.String()
	e.CallingAET, e.CalledAET = a.CallingAET, a.CalledAET
	s.log().Info("dimse", "event", string(e.Kind), "association", e.Association, "remote", e.Remote,
		"calling", e.CallingAET, "status", e.Status, "detail", e.Detail)
	if s.Events != nil {
		s.Events(e)
	}
}
