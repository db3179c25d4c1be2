package pdu

import (
	"encoding/binary"
	"fmt"
)

// ApplicationContext is DICOM's one application context name (PS3.7 annex A.2.1).
const ApplicationContext = "1.2.840.10008.3.1.1.1"

// Item types within A-ASSOCIATE (PS3.8 sections 9.3.2 and 9.3.3).
const (
	itemApplication    = 0x10
	itemContextRQ      = 0x20
	itemContextAC      = 0x21
	itemAbstractSyntax = 0x30
	itemTransferSyntax = 0x40
	itemUser           = 0x50
)

// Result of one presentation context in A-ASSOCIATE-AC (PS3.8 table 9-18).
type Result byte

// Results of a presentation context.
const (
	Accepted              Result = 0
	UserRejected          Result = 1
	NoReason              Result = 2
	AbstractNotSupported  Result = 3
	TransfersNotSupported Result = 4
)

// Layout of the fixed part and of items, in bytes.
const (
	fixedSize       = 68 // version, reserved, two AE titles, reserved
	aeSize          = 16
	calledOffset    = 4
	callingOffset   = calledOffset + aeSize
	contextReserved = 4 // ID, reserved, result, reserved
	itemHeaderSize  = 4
	maxItem         = 1<<16 - 1
	maxItems        = 4096
)

const version1 = 1 // bit 0 of the protocol version

// Context is a presentation context: offered (RQ: abstract syntax and one or
// more transfer syntaxes) or answered (AC: a result and, when accepted, the one
// transfer syntax).
type Context struct {
	ID               byte
	Result           Result
	AbstractSyntax   string
	TransferSyntaxes []string
}

// Associate is the content of A-ASSOCIATE-RQ (Answer false) or A-ASSOCIATE-AC
// (Answer true). AE titles carry no padding.
type Associate struct {
	Answer             bool
	Version            uint16 // bit field; bit 0 is version 1
	Called, Calling    string
	ApplicationContext string
	Contexts           []Context
	User               UserInfo
}

// Type of the PDU that carries it.
func (a *Associate) Type() Type {
	if a.Answer {
		return TypeAssociateAC
	}
	return TypeAssociateRQ
}

// VersionSupported tells whether the peer speaks version 1 of the protocol.
func (a *Associate) VersionSupported() bool { return a.Version&version1 != 0 }

// DecodeAssociate reads the body of a PDU of type t (RQ or AC). Items it does
// not know are skipped, as PS3.8 section 9.3.1 asks; what it knows is checked.
func DecodeAssociate(t Type, body []byte) (*Associate, error) {
	if len(body) < fixedSize {
		return nil, invalid("%v of %d bytes", t, len(body))
	}
	a := &Associate{Answer: t == TypeAssociateAC, Version: binary.BigEndian.Uint16(body)}
	var err error
	if a.Called, err = aeTitle(body[calledOffset:][:aeSize]); err == nil {
		a.Calling, err = aeTitle(body[callingOffset:][:aeSize])
	}
	// The titles in an AC are not to be tested (PS3.8 table 9-17).
	if err != nil && !a.Answer {
		return nil, err
	}
	users := 0
	err = eachItem(body[fixedSize:], func(kind byte, b []byte) error {
		switch kind {
		case itemApplication:
			a.ApplicationContext, err = uid(b)
			return err
		case itemContextRQ, itemContextAC:
			return a.addContext(kind, b)
		case itemUser:
			if users++; users > 1 {
				return invalid("second user information item")
			}
			return a.User.decode(b)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Associate) addContext(kind byte, b []byte) error {
	if a.Answer != (kind == itemContextAC) {
		return invalid("context item %#02x in %v", kind, a.Type())
	}
	c, err := decodeContext(a.Answer, b)
	if err != nil {
		return err
	}
	for _, other := range a.Contexts {
		if other.ID == c.ID {
			return invalid("presentation context ID %d twice", c.ID)
		}
	}
	a.Contexts = append(a.Contexts, c)
	return nil
}

func decodeContext(answer bool, b []byte) (Context, error) {
	if len(b) < contextReserved {
		return Context{}, invalid("presentation context of %d bytes", len(b))
	}
	c := Context{ID: b[0]}
	if c.ID&1 == 0 {
		return c, invalid("presentation context ID %d is even", c.ID)
	}
	if answer {
		c.Result = Result(b[2])
	}
	err := eachItem(b[contextReserved:], func(kind byte, b []byte) (err error) {
		switch kind {
		case itemAbstractSyntax:
			if answer || c.AbstractSyntax != "" {
				return invalid("unexpected abstract syntax in context %d", c.ID)
			}
			c.AbstractSyntax, err = uid(b)
		case itemTransferSyntax:
			// A refused context's transfer syntax is not significant, and some
			// peers leave it empty (PS3.8 table 9-18).
			if answer && c.Result != Accepted {
				return nil
			}
			var ts string
			if ts, err = uid(b); err != nil {
				return err
			}
			if c.TransferSyntaxes = append(c.TransferSyntaxes, ts); len(c.TransferSyntaxes) > MaxSyntaxes {
				return invalid("more than %d transfer syntaxes in context %d", MaxSyntaxes, c.ID)
			}
		}
		return err
	})
	if err != nil {
		return c, err
	}
	return c, c.complete(answer)
}

func (c *Context) complete(answer bool) error {
	switch {
	case answer && c.Result == Accepted && len(c.TransferSyntaxes) != 1:
		return invalid("accepted context %d has %d transfer syntaxes", c.ID, len(c.TransferSyntaxes))
	case !answer && c.AbstractSyntax == "":
		return invalid("context %d has no abstract syntax", c.ID)
	case !answer && len(c.TransferSyntaxes) == 0:
		return invalid("context %d has no transfer syntax", c.ID)
	}
	return nil
}

// Append appends the whole PDU to b. It fails when an item does not fit its
// 16-bit length or a title its 16 bytes.
func (a *Associate) Append(b []byte) ([]byte, error) {
	if len(a.Called) > aeSize || len(a.Calling) > aeSize {
		return b, fmt.Errorf("AE title longer than %d bytes", aeSize)
	}
	if len(a.Contexts) > MaxContexts {
		return b, fmt.Errorf("%d presentation contexts, at most %d", len(a.Contexts), MaxContexts)
	}
	start := len(b)
	b = append(b, byte(a.Type()), 0, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, a.Version)
	b = append(b, 0, 0)
	b = appendTitle(b, a.Called)
	b = appendTitle(b, a.Calling)
	b = append(b, make([]byte, 32)...)
	e := encoder{b: b}
	if a.ApplicationContext != "" {
		e.text(itemApplication, a.ApplicationContext)
	}
	for _, c := range a.Contexts {
		e.context(a.Answer, c)
	}
	e.item(itemUser, a.User.encode)
	if e.err != nil {
		return b[:start], e.err
	}
	binary.BigEndian.PutUint32(e.b[start+2:], uint32(len(e.b)-start-HeaderSize))
	return e.b, nil
}

func (e *encoder) context(answer bool, c Context) {
	kind := byte(itemContextRQ)
	if answer {
		kind = itemContextAC
	}
	e.item(kind, func(e *encoder) {
		e.b = append(e.b, c.ID, 0, byte(c.Result), 0)
		if !answer {
			e.text(itemAbstractSyntax, c.AbstractSyntax)
		}
		for _, ts := range c.TransferSyntaxes {
			e.text(itemTransferSyntax, ts)
		}
		if answer && c.Result != Accepted && len(c.TransferSyntaxes) == 0 {
			e.text(itemTransferSyntax, "") // the sub-item must be there, its value is not tested
		}
	})
}
