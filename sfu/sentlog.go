package sfu

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"

	"sira/sfu/estimate"
)

// wireOverhead is what a packet has besides header and payload as we count
// them: IP and UDP, the RTP header, SRTP's tag, the transport-wide number.
const wireOverhead = 28 + 12 + 10 + 8

// How many packets may be on their way at once; powers of two.
const (
	sentLeast = 64
	sentMost  = 1024
)

// sentGrows is how lately something must have left of which nothing was said,
// for room to be made beside it: a packet so old was lost together with what
// was said of it.
const sentGrows = 10 * time.Second

// sentLog remembers what left under which transport-wide number, until the
// peer says what became of it. It reads feedback as pion's interceptor
// rtpfb does, but in a ring: that one keeps each packet in three maps, for
// ever when no feedback comes, and trusts the counts in a message.
type sentLog struct {
	next  uint16
	slots []sentEntry
}

type sentEntry struct {
	at   moment
	size int32
	seq  uint16
	open bool // nothing was said of it yet
}

func (l *sentLog) note(size int, now time.Time) (seq uint16) {
	seq = l.next
	l.next++
	if e := l.of(seq); e == nil || e.open && len(l.slots) < sentMost && e.at.before(now) < sentGrows {
		l.grow()
	}
	*l.of(seq) = sentEntry{at: momentOf(now), size: int32(size), seq: seq, open: true}
	return seq
}

// of is where a number has its place, nil as long as there is none.
func (l *sentLog) of(seq uint16) *sentEntry {
	if len(l.slots) == 0 {
		return nil
	}
	return &l.slots[int(seq)%len(l.slots)]
}

// grow doubles the log.
func (l *sentLog) grow() {
	old := l.slots
	l.slots = make([]sentEntry, max(2*len(old), sentLeast))
	for _, e := range old {
		*l.of(e.seq) = e
	}
}

// Where things are in feedback with transport-wide numbers
// (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1), bytes.
const (
	numbersBase   = 12
	numbersCount  = 14
	numbersTime   = 16
	numbersChunks = 20
)

// isNumbers says whether an RTCP packet is such feedback.
func isNumbers(b []byte) bool {
	return len(b) >= numbersChunks && b[0]&0x1f == rtcp.FormatTCC && b[1] == uint8(rtcp.TypeTransportSpecificFeedback)
}

// take turns feedback into reports on packets that nothing was said of before,
// in the order they left, and appends them. It comes ten times a second from
// each viewer, and is read where it lies.
func (l *sentLog) take(b []byte, out []estimate.Packet) []estimate.Packet {
	if !isNumbers(b) {
		return out
	}
	seq := binary.BigEndian.Uint16(b[numbersBase:])
	left := int(binary.BigEndian.Uint16(b[numbersCount:]))
	at := time.Duration(binary.BigEndian.Uint32(b[numbersTime:])>>8) * 64 * time.Millisecond
	chunks, deltas, ok := splitChunks(b[numbersChunks:], left)
	if !ok {
		return out
	}
	for ; len(chunks) > 0; chunks = chunks[2:] {
		c := chunk(binary.BigEndian.Uint16(chunks))
		for i := range min(c.packets(), left) {
			size := c.symbol(i)
			if size > len(deltas) {
				return out
			}
			at += deltaOf(deltas[:size])
			deltas = deltas[size:]
			if e := l.of(seq); e != nil && e.open && e.seq == seq {
				e.open = false
				p := estimate.Packet{Sent: e.at.time(), Size: int(e.size)}
				if size > 0 {
					p.Arrived, p.Arrival = true, at
				}
				out = append(out, p)
			}
			seq++
			left--
		}
	}
	return out
}

// splitChunks finds where the times begin: behind the chunks that speak of all
// the packets.
func splitChunks(b []byte, packets int) (chunks, deltas []byte, ok bool) {
	n := 0
	for ; packets > 0; n += 2 {
		if len(b) < n+2 {
			return nil, nil, false
		}
		packets -= chunk(binary.BigEndian.Uint16(b[n:])).packets()
	}
	return b[:n], b[n:], true
}

// chunk says of some packets whether they arrived, and in how many bytes the
// time is told.
type chunk uint16

func (c chunk) packets() int {
	switch c >> 14 {
	case 2:
		return 14 // of a bit each
	case 3:
		return 7 // of two
	}
	return int(c & 0x1fff) // the same of all
}

func (c chunk) symbol(i int) int {
	s := c >> 13
	switch c >> 14 {
	case 2:
		return int(c >> (13 - i) & 1)
	case 3:
		s = c >> (12 - 2*i)
	}
	if s &= 3; s == 3 {
		return 0 // reserved
	}
	return int(s)
}

// deltaOf is the time since the packet before: in one byte, in two with a sign,
// none of what did not arrive.
func deltaOf(b []byte) time.Duration {
	const unit = 250 * time.Microsecond
	switch len(b) {
	case 1:
		return time.Duration(b[0]) * unit
	case 2:
		return time.Duration(int16(binary.BigEndian.Uint16(b))) * unit
	}
	return 0
}
