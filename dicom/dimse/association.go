package dimse

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"sira/dicom/dimse/pdu"
)

// association moves PDUs over one connection as the machine rules. One
// goroutine owns it: data sets are pulled from the connection by whoever reads
// them, so back-pressure is TCP's own and nothing is queued here.
type association struct {
	machine  machine
	wire     *wire
	in       *bufio.Reader
	out      []byte // one PDU, grown to the size in use
	limits   Limits
	timeouts Timeouts
	sendMax  uint32 // the peer's largest P-DATA-TF body, 0 without limit
	contexts map[byte]PresentationContext
	over     error // why it ended

	// The P-DATA-TF being read: what is left of it, and of its current value.
	dataLeft  uint32
	value     pdu.PDV
	valueLeft uint32
}

const readBuffer = 64 << 10

// maxOut limits the P-DATA-TF sent to peers that take any size.
const maxOut = 128 << 10

func newAssociation(w *wire, requestor bool, l Limits, t Timeouts) *association {
	return &association{
		machine: machine{requestor: requestor},
		wire:    w, in: bufio.NewReaderSize(w, readBuffer),
		limits: l, timeouts: t,
	}
}

// arrival is what a PDU brought. Of P-DATA-TF only the header has been read.
type arrival struct {
	do        action
	associate *pdu.Associate
	reject    pdu.Reject
}

// receive reads the next PDU and does what the machine says of it. Its errors
// are final: the association is over and its connection closed.
func (a *association) receive() (arrival, error) {
	if a.over != nil {
		return arrival{}, a.over
	}
	h, err := pdu.ReadHeader(a.in, a.limits.PDU)
	if err != nil {
		return arrival{}, a.failed(err)
	}
	if h.Type == pdu.TypeData {
		return a.take(gotData, arrival{}, func() { a.dataLeft = h.Length })
	}
	body, err := pdu.ReadBody(a.in, h)
	if err != nil {
		return arrival{}, a.failed(err)
	}
	return a.receiveControl(h.Type, body)
}

func (a *association) receiveControl(t pdu.Type, body []byte) (got arrival, err error) {
	var (
		trig  trigger
		abort pdu.Abort
	)
	switch t {
	case pdu.TypeAssociateRQ, pdu.TypeAssociateAC:
		trig = gotRequest
		if t == pdu.TypeAssociateAC {
			trig = gotAccept
		}
		got.associate, err = pdu.DecodeAssociate(t, body)
	case pdu.TypeAssociateRJ:
		trig = gotReject
		got.reject, err = pdu.DecodeReject(body)
	case pdu.TypeReleaseRQ:
		trig = gotReleaseRQ
	case pdu.TypeReleaseRP:
		trig = gotReleaseRP
	case pdu.TypeAbort:
		trig = gotAbort
		abort, err = pdu.DecodeAbort(body)
	}
	if err != nil {
		return got, a.failed(err)
	}
	return a.take(trig, got, func() {
		switch t {
		case pdu.TypeAbort:
			a.finish(&AbortError{abort})
		case pdu.TypeAssociateRJ:
			a.finish(&RejectError{got.reject})
		}
	})
}

// take steps the machine for a PDU and carries out what ends the association;
// ok runs when the PDU was in its place.
func (a *association) take(t trigger, got arrival, ok func()) (arrival, error) {
	before := a.machine.state
	do, err := a.machine.step(t)
	if err != nil {
		return got, a.abort(pdu.Abort{Source: pdu.AbortByProvider}, err)
	}
	got.do = do
	switch do {
	case abortAsUser:
		a.close(pdu.Abort{Source: pdu.AbortByUser}.Append(nil), protocolError("trigger %d in %v", t, before))
	case abortAsProvider:
		a.close(pdu.Abort{Source: pdu.AbortByProvider, Reason: pdu.AbortUnexpectedPDU}.Append(nil),
			protocolError("trigger %d in %v", t, before))
	case confirmRelease:
		a.finish(ErrReleased)
	default:
		ok()
	}
	return got, a.over
}

// failed ends the association after a read or a decoding that went wrong.
func (a *association) failed(err error) error {
	if a.over != nil {
		return a.over
	}
	var malformed *pdu.Error
	switch {
	case errors.As(err, &malformed):
		do, _ := a.machine.step(gotInvalid)
		abort := pdu.Abort{Source: pdu.AbortByProvider, Reason: malformed.Reason}
		if do == abortAsUser {
			abort = pdu.Abort{Source: pdu.AbortByUser}
		}
		return a.close(abort.Append(nil), protocolError("%w", malformed))
	case a.wire.halted():
		return a.abort(pdu.Abort{Source: pdu.AbortByUser}, ErrStopped)
	case isTimeout(err):
		return a.tooSlow()
	}
	_, _ = a.machine.step(transportClosed)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return a.finish(fmt.Errorf("%w: %w", ErrLost, err))
}

func (a *association) tooSlow() error {
	if a.machine.state == awaitingRequest {
		_, _ = a.machine.step(artimExpired)
		return a.finish(ErrTimeout)
	}
	return a.abort(pdu.Abort{Source: pdu.AbortByProvider}, ErrTimeout)
}

// abort ends the association from this side because of err.
func (a *association) abort(ab pdu.Abort, err error) error {
	if a.over != nil {
		return a.over
	}
	if _, impossible := a.machine.step(localAbort); impossible != nil {
		return a.finish(err)
	}
	return a.close(ab.Append(nil), err)
}

// violation is what a peer does wrong above the upper layer: the user aborts.
func (a *association) violation(format string, args ...any) error {
	return a.abort(pdu.Abort{Source: pdu.AbortByUser}, protocolError(format, args...))
}

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrProtocol, fmt.Errorf(format, args...))
}

// close says the last word in awaitingClose, then waits there for the peer.
func (a *association) close(last []byte, err error) error {
	t := artimExpired
	if a.wire.lastWord(last, a.timeouts.Release) {
		t = transportClosed
	}
	_, _ = a.machine.step(t)
	return a.finish(err)
}

func (a *association) abortTooLarge() error {
	return a.abort(pdu.Abort{Source: pdu.AbortByUser}, ErrTooLarge)
}

// finish closes the connection; err is what every later call answers.
func (a *association) finish(err error) error {
	if a.over == nil {
		a.over = err
		_ = a.wire.conn.Close()
	}
	return a.over
}

// write sends PDUs that the machine has allowed.
func (a *association) write(b []byte) error {
	if a.over != nil {
		return a.over
	}
	if _, err := a.wire.Write(b); err != nil {
		return a.failed(err)
	}
	return nil
}

// replyRelease answers an A-RELEASE-RQ in established or after a collision.
func (a *association) replyRelease() error {
	do, err := a.machine.step(localReleaseReply)
	if err != nil {
		return err
	}
	reply := pdu.AppendRelease(nil, pdu.TypeReleaseRP)
	if do == sendReleaseRP {
		return a.write(reply)
	}
	return a.close(reply, ErrReleased)
}

// release ends the association in order; P-DATA still on its way is dropped.
// nil means that both sides agreed.
func (a *association) release() error {
	if _, err := a.machine.step(localRelease); err != nil {
		return err
	}
	if err := a.wire.by(a.timeouts.Release); err != nil {
		return a.failed(err)
	}
	if err := a.write(pdu.AppendRelease(nil, pdu.TypeReleaseRQ)); err != nil {
		return err
	}
	for {
		got, err := a.receive()
		switch {
		case errors.Is(err, ErrReleased):
			return nil
		case err != nil:
			return err
		case got.do == takeData:
			err = a.skipData()
		case got.do == collide && a.machine.requestor, got.do == confirmCollision:
			if err = a.replyRelease(); errors.Is(err, ErrReleased) {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

func (a *association) skipData() error {
	if _, err := a.in.Discard(int(a.dataLeft)); err != nil {
		return a.failed(err)
	}
	a.dataLeft, a.valueLeft = 0, 0
	return nil
}
