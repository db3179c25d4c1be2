// Package pdu is the wire format of the DICOM upper layer (PS3.8 section 9.3):
// it encodes and decodes protocol data units, and refuses those that break the
// standard or its limits. It holds no state, no timer and no connection; which
// unit may come when is the business of package dimse.
package pdu

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Type is the first byte of a PDU (PS3.8 section 9.3.1).
type Type byte

// The seven PDU types.
const (
	TypeAssociateRQ Type = 1
	TypeAssociateAC Type = 2
	TypeAssociateRJ Type = 3
	TypeData        Type = 4
	TypeReleaseRQ   Type = 5
	TypeReleaseRP   Type = 6
	TypeAbort       Type = 7
)

func (t Type) String() string {
	names := [...]string{"", "A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "A-ASSOCIATE-RJ",
		"P-DATA-TF", "A-RELEASE-RQ", "A-RELEASE-RP", "A-ABORT"}
	if t == 0 || int(t) >= len(names) {
		return fmt.Sprintf("PDU type %#02x", byte(t))
	}
	return names[t]
}

// Sizes in bytes.
const (
	HeaderSize    = 6       // type, reserved, length
	PDVHeaderSize = 6       // length, context ID, control header
	MaxAssociate  = 1 << 19 // limit on the body of A-ASSOCIATE-RQ and -AC
	MaxContexts   = 128     // odd IDs 1..255
	MaxSyntaxes   = 256     // limit on transfer syntaxes in one context
	MaxUID        = 64
	controlSize   = 4 // body of RJ, RELEASE-RQ, RELEASE-RP, ABORT
)

// Header is the fixed part of every PDU. Length counts the bytes after it.
type Header struct {
	Type   Type
	Length uint32
}

// Error is a PDU that cannot be understood. Reason is what A-ABORT says of it.
type Error struct {
	Reason AbortReason
	Detail string
}

func (e *Error) Error() string { return "malformed PDU: " + e.Detail }

func invalid(format string, args ...any) error {
	return &Error{Reason: AbortInvalidParameter, Detail: fmt.Sprintf(format, args...)}
}

// ReadHeader reads and checks one PDU header. maxData is the largest P-DATA-TF
// body the reader has announced. A clean end of stream before the first byte
// is io.EOF, one within the header io.ErrUnexpectedEOF.
func ReadHeader(r io.Reader, maxData uint32) (Header, error) {
	var b [HeaderSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Header{}, err
	}
	return ParseHeader(b, maxData)
}

// ParseHeader checks the six bytes of a PDU header against the limits.
func ParseHeader(b [HeaderSize]byte, maxData uint32) (Header, error) {
	h := Header{Type: Type(b[0]), Length: binary.BigEndian.Uint32(b[2:])}
	switch h.Type {
	case TypeAssociateRQ, TypeAssociateAC:
		if h.Length > MaxAssociate {
			return h, invalid("%v of %d bytes, at most %d", h.Type, h.Length, MaxAssociate)
		}
	case TypeData:
		if h.Length > maxData {
			return h, invalid("%v of %d bytes, announced maximum %d", h.Type, h.Length, maxData)
		}
		if h.Length < PDVHeaderSize {
			return h, invalid("%v of %d bytes holds no value", h.Type, h.Length)
		}
	case TypeAssociateRJ, TypeReleaseRQ, TypeReleaseRP, TypeAbort:
		if h.Length != controlSize {
			return h, invalid("%v of %d bytes, must be %d", h.Type, h.Length, controlSize)
		}
	default:
		return h, &Error{Reason: AbortUnrecognizedPDU, Detail: h.Type.String()}
	}
	return h, nil
}

// ReadBody reads the rest of any PDU but P-DATA-TF. Memory grows with the bytes
// that really arrive, not with the length announced.
func ReadBody(r io.Reader, h Header) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, int64(h.Length)))
	if err != nil {
		return nil, err
	}
	if len(body) < int(h.Length) {
		return nil, io.ErrUnexpectedEOF
	}
	return body, nil
}

// PDV is the header of a presentation data value (PS3.8 section 9.3.5.1 and
// annex E.2). Length counts the message fragment only.
type PDV struct {
	Length  uint32
	Context byte
	Command bool // the fragment belongs to the command set, else to the data set
	Last    bool // it is the last one of that set
}

// ParsePDV checks a value's header; left is what remains of the P-DATA-TF,
// this header included.
func ParsePDV(b [PDVHeaderSize]byte, left uint32) (PDV, error) {
	n := binary.BigEndian.Uint32(b[:])
	if n < 2 || left < PDVHeaderSize || n > left-4 {
		return PDV{}, invalid("value of %d bytes where %d remain", n, left)
	}
	if rest := left - 4 - n; rest != 0 && rest < PDVHeaderSize {
		return PDV{}, invalid("%d bytes after the last value", rest)
	}
	if b[4]&1 == 0 {
		return PDV{}, invalid("presentation context ID %d is even", b[4])
	}
	return PDV{Length: n - 2, Context: b[4], Command: b[5]&1 != 0, Last: b[5]&2 != 0}, nil
}

// PutData writes the headers of a P-DATA-TF with one value into b, which must
// hold HeaderSize+PDVHeaderSize bytes; the fragment of v.Length bytes follows.
func PutData(b []byte, v PDV) {
	b[0], b[1] = byte(TypeData), 0
	binary.BigEndian.PutUint32(b[2:], v.Length+PDVHeaderSize)
	binary.BigEndian.PutUint32(b[6:], v.Length+2)
	b[10], b[11] = v.Context, 0
	if v.Command {
		b[11] |= 1
	}
	if v.Last {
		b[11] |= 2
	}
}
