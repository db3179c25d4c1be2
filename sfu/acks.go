package sfu

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"sira/sfu/estimate"
)

// Feedback of RFC 8888 names packets by their stream and number: it takes
// nothing of the packets themselves, where a transport-wide number takes 8 bytes
// of each. It is read here and not by pion's rtpfb, for the reasons sentLog has.
const (
	ackKept    = 256 // packets of a stream that may be on their way at once, a power of two
	ackStreams = 64
	ackUnits   = 1024 // of an arrival time offset in a second (RFC 8888, 3.1)

	ackOld     = 0x1ffe // arrived longer ago than can be said
	ackUnknown = 0x1fff // arrived, the time is not known, or after the report's

	numberSize = 8 // of a transport-wide number, as wireOverhead counts it
)

// ackLog remembers what left in each stream, until the peer says what became of
// it.
type ackLog struct {
	streams map[uint32]*[ackKept]ackEntry
	last    uint32        // report timestamp, 1/65536 s
	at      time.Duration // the same since the first report
	begun   bool
}

type ackEntry struct {
	at   time.Time
	size int32
	seq  uint16
	open bool // nothing was said of it yet
}

func (l *ackLog) note(ssrc uint32, seq uint16, size int, now time.Time) {
	s := l.streams[ssrc]
	if s == nil {
		if l.streams == nil || len(l.streams) >= ackStreams {
			l.streams = map[uint32]*[ackKept]ackEntry{}
		}
		s = new([ackKept]ackEntry)
		l.streams[ssrc] = s
	}
	s[seq%ackKept] = ackEntry{at: now, size: int32(size), seq: seq, open: true}
}

// take turns a report into what became of packets of which nothing was said
// before, in the order they left. Streams that are not ours, numbers that were
// not sent, and what reports say again are passed over.
func (l *ackLog) take(fb *rtcp.CCFeedbackReport) []estimate.Packet {
	if l.begun {
		l.at += time.Duration(int32(fb.ReportTimestamp-l.last)) * time.Second / 65536
	}
	l.begun, l.last = true, fb.ReportTimestamp
	var out []estimate.Packet
	for _, b := range fb.ReportBlocks {
		s := l.streams[b.MediaSSRC]
		if s == nil {
			continue
		}
		seq := b.BeginSequence
		for _, m := range b.MetricBlocks {
			e := &s[seq%ackKept]
			if e.open && e.seq == seq {
				e.open = false
				if p := (estimate.Packet{Sent: e.at, Size: int(e.size)}); l.judge(&p, m) {
					out = append(out, p)
				}
			}
			seq++
		}
	}
	slices.SortStableFunc(out, func(a, b estimate.Packet) int { return a.Sent.Compare(b.Sent) })
	return out
}

// judge says what a report tells of a packet, false when nothing useful.
func (l *ackLog) judge(p *estimate.Packet, m rtcp.CCFeedbackMetricBlock) bool {
	switch {
	case !m.Received:
	case m.ArrivalTimeOffset == ackOld:
		return false
	case m.ArrivalTimeOffset == ackUnknown:
		p.Arrived, p.Arrival = true, l.at
	default:
		p.Arrived, p.Arrival = true, l.at-time.Duration(m.ArrivalTimeOffset)*time.Second/ackUnits
	}
	p.CE = p.Arrived && m.ECN == rtcp.ECNCE
	return true
}

// departAcked counts a packet that leaves now without a transport-wide number.
func (d *downlink) departAcked(ssrc uint32, seq uint16, size int, waited bool, now time.Time) {
	size += wireOverhead
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastSent = now
	if !waited {
		d.gate.Sent(now, size)
	}
	d.acks.note(ssrc, seq, size, now)
}

// hearAcks takes the peer's feedback of RFC 8888.
func (d *downlink) hearAcks(fb *rtcp.CCFeedbackReport, now time.Time) {
	d.mu.Lock()
	d.learn(d.acks.take(fb), now)
	d.mu.Unlock()
	d.drain(now)
}

// ackFeedback is how it is negotiated (RFC 8888, 6).
var ackFeedback = webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBACK, Parameter: "ccfb"}

// acknowledged says whether a section's packets are reported on so.
func acknowledged(codecs []webrtc.RTPCodecParameters) bool {
	return slices.ContainsFunc(codecs, func(c webrtc.RTPCodecParameters) bool { return slices.Contains(c.RTCPFeedback, ackFeedback) })
}
