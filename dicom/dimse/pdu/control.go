package pdu

import "fmt"

// AbortSource says who aborted (PS3.8 table 9-26).
type AbortSource byte

// Sources of A-ABORT.
const (
	AbortByUser     AbortSource = 0
	AbortByProvider AbortSource = 2
)

// AbortReason says why a provider aborted; a user gives 0.
type AbortReason byte

// Reasons of a provider's A-ABORT.
const (
	AbortNotSpecified          AbortReason = 0
	AbortUnrecognizedPDU       AbortReason = 1
	AbortUnexpectedPDU         AbortReason = 2
	AbortUnrecognizedParameter AbortReason = 4
	AbortUnexpectedParameter   AbortReason = 5
	AbortInvalidParameter      AbortReason = 6
)

// Abort is the content of A-ABORT (PS3.8 section 9.3.8).
type Abort struct {
	Source AbortSource
	Reason AbortReason
}

func (a Abort) String() string {
	if a.Source == AbortByUser {
		return "aborted by the user"
	}
	return fmt.Sprintf("aborted by the provider, reason %d", a.Reason)
}

// DecodeAbort reads the four bytes of an A-ABORT body.
func DecodeAbort(body []byte) (Abort, error) {
	if len(body) != controlSize {
		return Abort{}, invalid("A-ABORT of %d bytes", len(body))
	}
	return Abort{Source: AbortSource(body[2]), Reason: AbortReason(body[3])}, nil
}

// Append appends the whole PDU to b.
func (a Abort) Append(b []byte) []byte {
	return append(b, byte(TypeAbort), 0, 0, 0, 0, controlSize, 0, 0, byte(a.Source), byte(a.Reason))
}

// Reject is the content of A-ASSOCIATE-RJ (PS3.8 section 9.3.4).
type Reject struct{ Result, Source, Reason byte }

// The rejections this package's users send. A permanent one (result 1) tells
// the peer's operator to mend a setting, a transient one (2) to try again.
var (
	RejectNoReason           = Reject{1, 1, 1}
	RejectApplicationContext = Reject{1, 1, 2}
	RejectCallingAE          = Reject{1, 1, 3}
	RejectCalledAE           = Reject{1, 1, 7}
	RejectProtocolVersion    = Reject{1, 2, 2}
	RejectCongestion         = Reject{2, 3, 1}
	RejectLimit              = Reject{2, 3, 2}
)

func (r Reject) String() string {
	how := "permanently"
	if r.Result == 2 {
		how = "for now"
	}
	return "rejected " + how + ": " + r.why()
}

func (r Reject) why() string {
	switch [2]byte{r.Source, r.Reason} {
	case [2]byte{1, 1}, [2]byte{2, 1}:
		return "no reason given"
	case [2]byte{1, 2}:
		return "application context not supported"
	case [2]byte{1, 3}:
		return "calling AE title not recognised"
	case [2]byte{1, 7}:
		return "called AE title not recognised"
	case [2]byte{2, 2}:
		return "protocol version not supported"
	case [2]byte{3, 1}:
		return "temporary congestion"
	case [2]byte{3, 2}:
		return "local limit exceeded"
	}
	return fmt.Sprintf("source %d reason %d", r.Source, r.Reason)
}

// DecodeReject reads the four bytes of an A-ASSOCIATE-RJ body.
func DecodeReject(body []byte) (Reject, error) {
	if len(body) != controlSize {
		return Reject{}, invalid("A-ASSOCIATE-RJ of %d bytes", len(body))
	}
	return Reject{Result: body[1], Source: body[2], Reason: body[3]}, nil
}

// Append appends the whole PDU to b.
func (r Reject) Append(b []byte) []byte {
	return append(b, byte(TypeAssociateRJ), 0, 0, 0, 0, controlSize, 0, r.Result, r.Source, r.Reason)
}

// AppendRelease appends a whole A-RELEASE-RQ or A-RELEASE-RP to b.
func AppendRelease(b []byte, t Type) []byte {
	return append(b, byte(t), 0, 0, 0, 0, controlSize, 0, 0, 0, 0)
}
