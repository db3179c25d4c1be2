package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"sira/sfu/estimate"
)

// wireOverhead is what a packet has besides header and payload as we count
// them: IP and UDP, the RTP header, SRTP's tag, the transport-wide number.
const wireOverhead = 28 + 12 + 10 + 8

// sentKept is how many packets may be on their way at once, a power of two.
const sentKept = 1024

// sentLog remembers what left under which transport-wide number, until the
// peer says what became of it. It reads feedback as pion's interceptor
// rtpfb does, but in a ring: that one keeps each packet in three maps, for
// ever when no feedback comes, and trusts the counts in a message.
type sentLog struct {
	next  uint16
	slots [sentKept]sentEntry
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
	l.slots[seq%sentKept] = sentEntry{at: momentOf(now), size: int32(size), seq: seq, open: true}
	return seq
}

// take turns feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01,
// 3.1) into reports on packets that nothing was said of before, in the order
// they left.
func (l *sentLog) take(fb *rtcp.TransportLayerCC) []estimate.Packet {
	var out []estimate.Packet
	left := int(fb.PacketStatusCount)
	seq := fb.BaseSequenceNumber
	at := time.Duration(fb.ReferenceTime) * 64 * time.Millisecond
	deltas := fb.RecvDeltas
	one := func(symbol uint16) bool {
		if left == 0 {
			return false
		}
		left--
		e := &l.slots[seq%sentKept]
		p := estimate.Packet{Sent: e.at.time(), Size: int(e.size)}
		if symbol == rtcp.TypeTCCPacketReceivedSmallDelta || symbol == rtcp.TypeTCCPacketReceivedLargeDelta {
			if len(deltas) == 0 {
				left = 0
				return false
			}
			at += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
			p.Arrived, p.Arrival = true, at
		}
		if e.open && e.seq == seq {
			e.open = false
			out = append(out, p)
		}
		seq++
		return true
	}
	for _, chunk := range fb.PacketChunks {
		switch chunk := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range chunk.RunLength {
				if !one(chunk.PacketStatusSymbol) {
					return out
				}
			}
		case *rtcp.StatusVectorChunk:
			for _, s := range chunk.SymbolList {
				if !one(s) {
					return out
				}
			}
		}
	}
	return out
}
