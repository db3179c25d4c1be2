package dimse

import (
	"errors"
	"fmt"

	"sira/dicom/dimse/pdu"
)

// What callers must tell apart. Errors of this package wrap them.
var (
	ErrServerClosed = errors.New("dimse: server closed")
	ErrTimeout      = errors.New("dimse: peer too slow")
	ErrLost         = errors.New("dimse: connection lost")
	ErrProtocol     = errors.New("dimse: protocol violation")
	ErrTooLarge     = errors.New("dimse: data set exceeds the limit")
	ErrReleased     = errors.New("dimse: association released by the peer")
	ErrStopped      = errors.New("dimse: association stopped here")
	ErrNoContext    = errors.New("dimse: no accepted presentation context fits")
	ErrNotPart10    = errors.New("dimse: not a DICOM file with meta information")
)

// AbortError is an A-ABORT received.
type AbortError struct{ pdu.Abort }

func (e *AbortError) Error() string { return "dimse: " + e.Abort.String() }

// RejectError is an A-ASSOCIATE-RJ received.
type RejectError struct{ pdu.Reject }

func (e *RejectError) Error() string { return "dimse: association " + e.Reject.String() }

// StatusError is a response whose status is a failure (PS3.7 annex C).
type StatusError struct {
	Status  uint16
	Comment string // the peer's Error Comment (0000,0902), printable
}

func (e *StatusError) Error() string {
	if e.Comment == "" {
		return fmt.Sprintf("dimse: status %#04x", e.Status)
	}
	return fmt.Sprintf("dimse: status %#04x (%s)", e.Status, e.Comment)
}
