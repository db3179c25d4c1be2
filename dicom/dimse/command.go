package dimse

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sira/dicom/dimse/pdu"
)

// Element numbers of group 0000 (PS3.7 annex E.1).
const (
	tagGroupLength         = 0x0000
	tagAffectedClass       = 0x0002
	tagRequestedClass      = 0x0003
	tagCommandField        = 0x0100
	tagMessageID           = 0x0110
	tagRespondedTo         = 0x0120
	tagMoveDestination     = 0x0600
	tagPriority            = 0x0700
	tagDataSetType         = 0x0800
	tagStatus              = 0x0900
	tagOffendingElement    = 0x0901
	tagErrorComment        = 0x0902
	tagAffectedInstance    = 0x1000
	tagRequestedInstance   = 0x1001
	tagEventType           = 0x1002
	tagActionType          = 0x1008
	tagRemaining           = 0x1020
	tagCompleted           = 0x1021
	tagFailed              = 0x1022
	tagWarning             = 0x1023
	tagMoveOriginator      = 0x1030
	tagMoveOriginatorMsgID = 0x1031
)

// Values of Command Field; a response has the high bit too.
const (
	fieldStore    = 0x0001
	fieldGet      = 0x0010
	fieldFind     = 0x0020
	fieldMove     = 0x0021
	fieldEcho     = 0x0030
	fieldReport   = 0x0100 // N-EVENT-REPORT
	fieldAction   = 0x0130 // N-ACTION
	fieldCancel   = 0x0FFF
	responseBit   = 0x8000
	noDataSet     = 0x0101 // value of Command Data Set Type
	withDataSet   = 0x0001
	maxElements   = 64
	elementHeader = 8
)

// Command is a command set (PS3.7 section 6.3): the elements of group 0000 in
// ascending order, without the group length, values with their padding.
type Command struct{ elements []commandElement }

type commandElement struct {
	number uint16
	value  []byte
}

var errCommand = errors.New("malformed")

// DecodeCommand reads a command set in implicit VR little endian. The group
// length is not checked against the rest: the last fragment ends the set, and
// peers that count wrongly do exist.
func DecodeCommand(b []byte) (Command, error) {
	var c Command
	for previous := -1; len(b) > 0; {
		if len(b) < elementHeader {
			return c, fmt.Errorf("%w: %d bytes after the last element", errCommand, len(b))
		}
		group, number := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		size := binary.LittleEndian.Uint32(b[4:])
		b = b[elementHeader:]
		switch {
		case group != 0:
			return c, fmt.Errorf("%w: element of group %04x", errCommand, group)
		case int(number) <= previous:
			return c, fmt.Errorf("%w: element %04x not in ascending order", errCommand, number)
		case uint64(size) > uint64(len(b)):
			return c, fmt.Errorf("%w: element %04x of %d bytes where %d remain", errCommand, number, size, len(b))
		case len(c.elements) == maxElements:
			return c, fmt.Errorf("%w: more than %d elements", errCommand, maxElements)
		}
		previous = int(number)
		if number != tagGroupLength {
			c.elements = append(c.elements, commandElement{number, b[:size:size]})
		}
		b = b[size:]
	}
	if _, ok := c.uint16(tagCommandField); !ok {
		return c, fmt.Errorf("%w: no command field", errCommand)
	}
	return c, nil
}

// Encode writes the set with its group length.
func (c Command) Encode() []byte {
	b := make([]byte, 12, 160)
	b[4] = 4
	for _, e := range c.elements {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.number)<<16)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.value)))
		b = append(b, e.value...)
	}
	binary.LittleEndian.PutUint32(b[8:], uint32(len(b)-12))
	return b
}

func (c Command) get(number uint16) ([]byte, bool) {
	for _, e := range c.elements {
		if e.number == number {
			return e.value, true
		}
	}
	return nil, false
}

// uint16 gives a US element; false when it is absent or not of two bytes.
func (c Command) uint16(number uint16) (uint16, bool) {
	v, ok := c.get(number)
	if !ok || len(v) != 2 {
		return 0, false
	}
	return binary.LittleEndian.Uint16(v), true
}

// uid gives a UI element: "" when absent, an error when it is no UID.
func (c Command) uid(number uint16) (string, error) {
	v, _ := c.get(number)
	s := strings.TrimRight(string(v), "\x00 ")
	if s != "" && !pdu.ValidUID(s) {
		return "", fmt.Errorf("%w: element %04x is no UID", errCommand, number)
	}
	return s, nil
}

// title gives an AE element, "" when it is absent or no title.
func (c Command) title(number uint16) string {
	v, _ := c.get(number)
	if s := strings.Trim(string(v), "\x00 "); pdu.ValidTitle(s) {
		return s
	}
	return ""
}

// comment gives the error comment, fit for a log line.
func (c Command) comment() string {
	v, _ := c.get(tagErrorComment)
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(v[:min(len(v), 64)])))
}

func (c Command) field() uint16 { f, _ := c.uint16(tagCommandField); return f }

// hasData tells whether a data set follows; absence of the element means so
// only by mistake, and is taken as none.
func (c Command) hasData() bool {
	t, ok := c.uint16(tagDataSetType)
	return ok && t != noDataSet
}

// set puts an element in its place, or another value into it.
func (c *Command) set(number uint16, value []byte) {
	i, found := slices.BinarySearchFunc(c.elements, number, func(e commandElement, n uint16) int {
		return int(e.number) - int(n)
	})
	if found {
		c.elements[i].value = value
		return
	}
	c.elements = slices.Insert(c.elements, i, commandElement{number, value})
}

func (c *Command) setUint16(number, v uint16) {
	c.set(number, binary.LittleEndian.AppendUint16(nil, v))
}

func (c *Command) setUID(number uint16, uid string) {
	if uid != "" {
		c.setText(number, uid, 0)
	}
}

func (c *Command) setText(number uint16, s string, pad byte) {
	v := []byte(s)
	if len(v)%2 == 1 {
		v = append(v, pad)
	}
	c.set(number, v)
}

// response answers request c. Class and instance are repeated where c has them;
// what a normalised request names "requested" is the "affected" of its answer.
func (c Command) response(status uint16, comment string) Command {
	var r Command
	class, _ := c.uid(tagAffectedClass)
	instance, _ := c.uid(tagAffectedInstance)
	if class == "" {
		class, _ = c.uid(tagRequestedClass)
		instance, _ = c.uid(tagRequestedInstance)
	}
	id, _ := c.uint16(tagMessageID)
	r.setUID(tagAffectedClass, class)
	r.setUint16(tagCommandField, c.field()|responseBit)
	r.setUint16(tagRespondedTo, id)
	r.setUint16(tagDataSetType, noDataSet)
	r.setUint16(tagStatus, status)
	if comment != "" {
		r.setText(tagErrorComment, comment[:min(len(comment), 64)], ' ')
	}
	r.setUID(tagAffectedInstance, instance)
	return r
}
