package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sira/sfu/estimate"
)

const (
	// wireIn is what a publisher's packet has around what SRTP leaves us: IP,
	// UDP and the tag.
	wireIn = 38

	// wireMessage is the same around a message of a data channel: IP, UDP, DTLS
	// and SCTP.
	wireMessage = 93

	arrivalSettles = 50 * time.Millisecond // what comes later than this after a later one is lost
	arrivalStreams = 16
	arrivalsMost   = 1024    // packets remembered between two collections
	arrivalGap     = 500     // numbers; more missing is an outage, not a loss
	astUnits       = 1 << 18 // of abs-send-time in a second (6.18 fixed point)
	uplinkStart    = 95_000  // bit/s of a link not known
)

// arrivals notes a publisher's packets: when they left by its own clock
// (abs-send-time, draft-alvestrand-rmcat-remb-03), when they came, and by the
// numbers of each stream which did not come. From that the uplink's limit is
// found.
type arrivals struct {
	limit atomic.Int64 // bit/s, 0 as long as nothing is known

	mu      sync.Mutex
	est     *estimate.Inbound
	rows    lossRows
	kept    []arrivedPacket
	streams map[uint32]*numbers
	origin  time.Time // arrival of the first packet
	units   int64     // abs-send-time of the newest since the first
	raw     uint32
	at      time.Time // its arrival
}

// numbers follows one stream.
type numbers struct {
	high uint64 // highest, extended
	next uint64 // first not yet collected
}

type arrivedPacket struct {
	of      *numbers
	ext     uint64
	sent    time.Time
	arrived time.Time
	size    int
}

func newArrivals(start float64) *arrivals {
	return &arrivals{est: estimate.NewInbound(estimate.Config{Start: start}), streams: map[uint32]*numbers{}}
}

// note takes a packet: its stream and number, abs-send-time and size.
func (a *arrivals) note(ssrc uint32, seq uint16, ast uint32, size int, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.kept) >= arrivalsMost {
		return
	}
	if a.origin.IsZero() {
		a.origin, a.raw, a.at = now, ast, now
	}
	n := a.streams[ssrc]
	if n == nil {
		if len(a.streams) >= arrivalStreams {
			clear(a.streams) // of tracks that ended
		}
		first := 1<<32 | uint64(seq)
		n = &numbers{high: first, next: first}
		a.streams[ssrc] = n
	}
	ext := uint64(int64(n.high) + int64(int16(seq-uint16(n.high))))
	n.high = max(n.high, ext)
	a.kept = append(a.kept, arrivedPacket{of: n, ext: ext, sent: a.departure(ast, now), arrived: now, size: size + wireIn})
}

// beside takes a message of so many bytes that came by data channel: it uses
// the uplink, and bears no time of departure.
func (a *arrivals) beside(size int, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.origin.IsZero() {
		a.est.Beside(now, now.Sub(a.origin), size+wireMessage)
	}
}

// departure is when a packet left, by the publisher's clock moved to ours. Its
// 24 bits turn over each 64 seconds: our own clock tells how often they did.
func (a *arrivals) departure(ast uint32, now time.Time) time.Time {
	passed := int64(now.Sub(a.at).Seconds() * astUnits)
	diff := int64(ast-a.raw) & (1<<24 - 1)
	off := (diff - passed) & (1<<24 - 1)
	if off >= 1<<23 {
		off -= 1 << 24
	}
	a.units += passed + off
	a.raw, a.at = ast, now
	return a.origin.Add(time.Duration(float64(a.units) / astUnits * float64(time.Second)))
}

// collect gives the estimate what is settled since the last time.
func (a *arrivals) collect(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	settled := 0
	for settled < len(a.kept) && now.Sub(a.kept[settled].arrived) >= arrivalSettles {
		settled++
	}
	if settled == 0 {
		return
	}
	list := a.kept[:settled]
	slices.SortStableFunc(list, func(x, y arrivedPacket) int { return x.sent.Compare(y.sent) })
	var out []estimate.Packet
	for _, p := range list {
		if missing := int64(p.ext - p.of.next); missing > 0 && missing < arrivalGap {
			for range missing {
				out = append(out, estimate.Packet{Sent: p.sent, Size: p.size})
			}
		}
		p.of.next = max(p.of.next, p.ext+1)
		out = append(out, estimate.Packet{Sent: p.sent, Size: p.size, Arrived: true, Arrival: p.arrived.Sub(a.origin)})
	}
	a.kept = append(a.kept[:0], a.kept[settled:]...)
	a.est.OnArrivals(now, out)
	a.rows.add(out)
	a.limit.Store(int64(a.est.Limit()))
}

// measured tells the estimate how far away the publisher is.
func (a *arrivals) measured(rtt time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.est.RoundTrip(rtt)
}

// loss is the share that the uplink loses by itself, 0 to 1; false as long as
// nothing is known.
func (a *arrivals) loss() (float64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.est.InherentLoss(), a.limit.Load() > 0
}

// lossInRows is the same where packets are lost in rows, else 0.
func (a *arrivals) lossInRows() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rows.of(a.est.InherentLoss())
}

// uplinkKbps is what the publisher's link has for a picture beside its voice,
// kbit/s of payload; false when it is not known.
func (p *Peer) uplinkKbps() (int, bool) {
	limit := float64(p.congestion.up.limit.Load())
	if limit == 0 {
		return 0, false
	}
	return payloadKbps(limit - p.voiceOut() - p.pointerUp() - p.filesUp(limit)), true
}

// voiceOut is what the peer's own voice takes of its uplink, bit/s.
func (p *Peer) voiceOut() float64 {
	for _, in := range p.ticked {
		if in.kind == audio {
			return in.voiceRate(in.copiesUp())
		}
	}
	return 0
}
