package sfu

import (
	"sync"
	"sync/atomic"
	"time"

	"sira/sfu/estimate"
)

const (
	// wireIn is what a publisher's packet has around what SRTP leaves us: IP,
	// UDP and the tag.
	wireIn = 38

	arrivalSettles = 50 * time.Millisecond // what is later than this behind a later one is lost
	arrivalsMost   = 1024                  // packets remembered between two collections
	arrivalGap     = 500                   // numbers; more missing is an outage, not a loss
	astUnits       = 1 << 18               // of abs-send-time in a second (6.18 fixed point)
	uplinkStart    = 110_000               // bit/s of a link not known
)

// arrivals notes a publisher's packets: when they left by its own clock
// (abs-send-time, draft-alvestrand-rmcat-remb-03), when they came, which did
// not come (transport-wide numbers). From that the uplink's limit is found.
type arrivals struct {
	limit atomic.Int64 // bit/s, 0 as long as nothing is known

	mu     sync.Mutex
	est    *estimate.Inbound
	kept   []arrivedPacket // in order of number
	next   uint64          // first number not yet collected
	high   uint64          // highest number
	origin time.Time       // arrival of the first packet
	units  int64           // abs-send-time of the newest since the first
	raw    uint32
	at     time.Time // its arrival
	size   int       // of the last one, for those that did not come
	left   time.Time // departure of the last one collected
}

type arrivedPacket struct {
	ext     uint64
	sent    time.Time
	arrived time.Time
	size    int
}

func newArrivals(start float64) *arrivals {
	return &arrivals{est: estimate.NewInbound(estimate.Config{Start: start})}
}

// note takes a packet: its transport-wide number, abs-send-time and size.
func (a *arrivals) note(seq uint16, ast uint32, size int, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.origin.IsZero()
	if first {
		a.origin, a.raw, a.at = now, ast, now
		a.high = 1<<32 | uint64(seq)
		a.next = a.high
	}
	ext := uint64(int64(a.high) + int64(int16(seq-uint16(a.high))))
	if ext < a.next || len(a.kept) >= arrivalsMost {
		return
	}
	p := arrivedPacket{ext: ext, sent: a.departure(ast, now), arrived: now, size: size + wireIn}
	i := len(a.kept)
	for i > 0 && a.kept[i-1].ext > ext {
		i--
	}
	if i > 0 && a.kept[i-1].ext == ext {
		return
	}
	a.kept = append(a.kept, p)
	copy(a.kept[i+1:], a.kept[i:])
	a.kept[i] = p
	a.high = max(a.high, ext)
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
	upTo := 0
	for i, p := range a.kept {
		if now.Sub(p.arrived) >= arrivalSettles {
			upTo = i + 1
		}
	}
	if upTo == 0 {
		return
	}
	var out []estimate.Packet
	for _, p := range a.kept[:upTo] {
		if p.ext-a.next > arrivalGap {
			a.next = p.ext
		}
		for ; a.next < p.ext; a.next++ {
			out = append(out, estimate.Packet{Sent: a.leftOr(p.sent), Size: a.size})
		}
		out = append(out, estimate.Packet{Sent: p.sent, Size: p.size, Arrived: true, Arrival: p.arrived.Sub(a.origin)})
		a.next, a.size, a.left = p.ext+1, p.size, p.sent
	}
	a.kept = append(a.kept[:0], a.kept[upTo:]...)
	a.est.OnArrivals(now, out)
	a.limit.Store(int64(a.est.Limit()))
}

// loss is the share that the uplink loses by itself, 0 to 1; false as long as
// nothing is known.
func (a *arrivals) loss() (float64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.est.InherentLoss(), a.limit.Load() > 0
}

func (a *arrivals) leftOr(t time.Time) time.Time {
	if a.left.IsZero() {
		return t
	}
	return a.left
}

// uplinkKbps is what the publisher's link has for a picture beside its voice,
// kbit/s of payload; false when it is not known.
func (p *Peer) uplinkKbps() (int, bool) {
	limit := float64(p.congestion.up.limit.Load())
	if limit == 0 {
		return 0, false
	}
	return payloadKbps(limit - p.voiceOut()), true
}

// voiceOut is what the peer's own voice takes of its uplink, bit/s.
func (p *Peer) voiceOut() float64 {
	for _, in := range p.ticked {
		if in.kind == audio {
			return in.voiceRate(true)
		}
	}
	return 0
}
