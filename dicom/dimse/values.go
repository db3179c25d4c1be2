package dimse

import (
	"fmt"
	"io"
	"time"

	"sira/dicom/dimse/pdu"
)

// errReleaseAsked interrupts a read of P-DATA: the peer wants to end.
var errReleaseAsked = fmt.Errorf("%w: release asked", ErrReleased)

// nextValue moves to the next presentation data value, across PDUs.
func (a *association) nextValue() error {
	for a.dataLeft == 0 {
		got, err := a.receive()
		if err != nil {
			return err
		}
		if got.do == indicateRelease {
			return errReleaseAsked
		}
	}
	var b [pdu.PDVHeaderSize]byte
	if _, err := io.ReadFull(a.in, b[:]); err != nil {
		return a.failed(err)
	}
	v, err := pdu.ParsePDV(b, a.dataLeft)
	if err != nil {
		return a.failed(err)
	}
	a.value, a.valueLeft = v, v.Length
	a.dataLeft -= pdu.PDVHeaderSize + v.Length
	return nil
}

// readCommand waits up to patience for the next message and reads its command
// set. A release asked for meanwhile is answered and gives ErrReleased.
func (a *association) readCommand(patience time.Duration) (PresentationContext, Command, error) {
	var none PresentationContext
	if err := a.awaitMessage(patience); err != nil {
		return none, Command{}, err
	}
	var set []byte
	for fragments := 0; fragments == 0 || !a.value.Last; fragments++ {
		context := a.value.Context
		switch err := a.nextValue(); {
		case err == errReleaseAsked && fragments == 0:
			return none, Command{}, a.replyRelease()
		case err == errReleaseAsked:
			return none, Command{}, a.violation("release within a command set")
		case err != nil:
			return none, Command{}, err
		case fragments > 0 && a.value.Context != context:
			return none, Command{}, a.violation("command set in contexts %d and %d", context, a.value.Context)
		}
		var err error
		if set, err = a.appendCommand(set); err != nil {
			return none, Command{}, err
		}
	}
	c, err := DecodeCommand(set)
	if err != nil {
		return none, Command{}, a.violation("command set: %w", err)
	}
	return a.contexts[a.value.Context], c, nil
}

// awaitMessage waits for the first byte, then starts the message clock.
func (a *association) awaitMessage(patience time.Duration) error {
	if a.over != nil {
		return a.over
	}
	if a.dataLeft == 0 && a.in.Buffered() == 0 {
		err := a.wire.rest(patience)
		if err == nil {
			_, err = a.in.Peek(1)
		}
		if err != nil {
			return a.failed(err)
		}
		a.wire.rested()
	}
	if err := a.wire.by(a.timeouts.Message); err != nil {
		return a.failed(err)
	}
	return nil
}

func (a *association) appendCommand(set []byte) ([]byte, error) {
	v := a.value
	if !v.Command {
		return nil, a.violation("data set where a command set was due")
	}
	if _, ok := a.contexts[v.Context]; !ok {
		return nil, a.violation("command set in context %d, which was not accepted", v.Context)
	}
	if uint64(len(set))+uint64(v.Length) > uint64(a.limits.Command) {
		return nil, a.violation("command set over %d bytes", a.limits.Command)
	}
	start := len(set)
	set = append(set, make([]byte, v.Length)...)
	if _, err := io.ReadFull(a.in, set[start:]); err != nil {
		return nil, a.failed(err)
	}
	a.valueLeft = 0
	return set, nil
}

const outHead = pdu.HeaderSize + pdu.PDVHeaderSize

// fragment is the largest value to send, in bytes: what the peer takes, even as
// PS3.8 annex E.1 asks.
func (a *association) fragment() int {
	room := a.sendMax
	if room == 0 || room > maxOut {
		room = maxOut
	}
	return (int(room) - pdu.PDVHeaderSize) &^ 1
}

// sendCommand sends a command set.
func (a *association) sendCommand(context byte, set []byte) error {
	size := a.fragment()
	for last := false; !last; {
		n := min(size, len(set))
		last = n == len(set)
		b := make([]byte, outHead, outHead+n)
		if err := a.sendValue(append(b, set[:n]...), pdu.PDV{Context: context, Command: true, Last: last}); err != nil {
			return err
		}
		set = set[n:]
	}
	return nil
}

// sendData sends r to its end as a data set, reading straight into the PDU.
// When r fails the message stays unfinished: the association must be aborted.
func (a *association) sendData(context byte, r io.Reader) error {
	size := a.fragment()
	if len(a.out) < outHead+size+1 {
		a.out = make([]byte, outHead+size+1)
	}
	source := lookAhead{r: r}
	for last := false; !last; {
		var n int
		var err error
		if n, last, err = source.fill(a.out[outHead : outHead+size+1]); err != nil {
			return a.abort(pdu.Abort{Source: pdu.AbortByUser}, fmt.Errorf("reading the data set: %w", err))
		}
		if err = a.sendValue(a.out[:outHead+n], pdu.PDV{Context: context, Last: last}); err != nil {
			return err
		}
	}
	return nil
}

// sendValue sends a fragment that lies in b after room for its headers.
func (a *association) sendValue(b []byte, v pdu.PDV) error {
	if a.over != nil {
		return a.over
	}
	if _, err := a.machine.step(localData); err != nil {
		return err
	}
	v.Length = uint32(len(b) - outHead)
	pdu.PutData(b, v)
	return a.write(b)
}
