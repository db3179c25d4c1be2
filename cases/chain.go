package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// ErrBroken says that a log is not what was once written.
var ErrBroken = errors.New("cases: the log is broken")

// HashEvent is the hash of an event: the SHA-256 (FIPS 180-4) of its canonical
// encoding, in lower-case hexadecimal. The encoding is the line "sira-event-1"
// and then, each as decimal length in bytes, ":", content, "\n", the fields
//
//	prev, case, seq, id, type, actor, at, received, data
//
// with numbers in decimal, times as Unix milliseconds, and data byte for byte as
// stored. The length in front makes the encoding unambiguous. Prev is the hash
// of the event before, "" for the first, so that none can be altered, dropped or
// put in between without changing every hash after it.
func HashEvent(ev Event) string {
	h := sha256.New()
	io.WriteString(h, "sira-event-1\n")
	for _, field := range []string{
		ev.Prev, ev.Case, fmt.Sprint(ev.Seq), ev.ID, string(ev.Type), ev.Actor,
		fmt.Sprint(ev.At.UnixMilli()), fmt.Sprint(ev.Received.UnixMilli()), string(ev.Data),
	} {
		netstring(h, field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func netstring(h hash.Hash, s string) { fmt.Fprintf(h, "%d:%s\n", len(s), s) }

// chain gives ev its place after st (nil at the start of a log), its time and
// its hash, and the state after it.
func chain(st *State, ev Event) (*State, Event, error) {
	ev.Seq, ev.Prev = 1, ""
	next := State{}
	if st != nil {
		ev.Seq, ev.Prev = st.Seq+1, st.Head
		next = *st
	}
	if ev.Seq > maxEvents {
		return nil, Event{}, refuse("case-full", "", "max", itoa(maxEvents))
	}
	ev.At = claimed(ev.At, ev.Received)
	ev.Hash = HashEvent(ev)
	if err := next.apply(ev); err != nil {
		return nil, Event{}, err
	}
	return &next, ev, nil
}

// VerifyChain checks that events are one whole log from its start: sequence,
// case, and every hash. Errors: ErrBroken.
func VerifyChain(events []Event) error {
	prev := ""
	for i, ev := range events {
		switch {
		case ev.Seq != int64(i)+1:
			return fmt.Errorf("%w: event %d has sequence %d", ErrBroken, i+1, ev.Seq)
		case ev.Case != events[0].Case:
			return fmt.Errorf("%w: event %d belongs to another case", ErrBroken, ev.Seq)
		case ev.Prev != prev:
			return fmt.Errorf("%w: event %d does not follow the one before it", ErrBroken, ev.Seq)
		case HashEvent(ev) != ev.Hash:
			return fmt.Errorf("%w: event %d was altered", ErrBroken, ev.Seq)
		}
		prev = ev.Hash
	}
	return nil
}
