package sfu

import "fmt"

// Direction is what a participant's media may do, whatever is offered.
type Direction int

// The directions: a cart sends and is spared what the others send, a screen
// only watches.
const (
	BothWays Direction = iota
	SendOnly
	ReceiveOnly
)

// held gives the sections in which the participant may receive. A cart may
// offer both ways, as GStreamer's webrtcbin does, and is answered recvonly
// (RFC 9725, 4.2); another way than the allowed one is a misunderstanding.
func (d Direction) held(sections []section) (receiving []section, err error) {
	for _, s := range sections {
		switch {
		case s.way == "inactive":
			continue
		case d == SendOnly && s.way == "recvonly", d == ReceiveOnly && s.way != "recvonly":
			return nil, fmt.Errorf("%w: section %q is %s", ErrBadSDP, s.mid, s.way)
		case s.way == "sendonly", d == SendOnly:
			continue
		}
		s.both = s.way == "sendrecv"
		receiving = append(receiving, s)
	}
	return receiving, nil
}
