package sfu

import (
	"sync/atomic"
	"time"
)

// roundTripGuess is used until something was measured.
const roundTripGuess = 200 * time.Millisecond

// link is what is known about a peer's link.
type link struct {
	rtt               atomic.Int64 // smoothed, from RTCP
	hint              atomic.Int64 // from elsewhere, for when RTCP tells nothing
	bytesIn, bytesOut atomic.Uint64
	outlets           []*outlet // all of the peer's, guarded by Peer.mu
	carried           carried

	last            time.Time // of Quality, guarded by Peer.mu
	lastIn, lastOut uint64
}

func (l *link) measured(rtt time.Duration) {
	old := time.Duration(l.rtt.Load())
	if old == 0 {
		old = rtt
	}
	l.rtt.Store(int64(old + (rtt-old)/4))
}

// roundTrip is the best guess of the time to the peer and back.
func (p *Peer) roundTrip() time.Duration {
	if d := p.link.rtt.Load(); d > 0 {
		return time.Duration(d)
	}
	if d := p.link.hint.Load(); d > 0 {
		return time.Duration(d)
	}
	return roundTripGuess
}

// HintRTT tells a round trip measured outside media, used until media
// reports one.
func (p *Peer) HintRTT(d time.Duration) { p.link.hint.Store(int64(d)) }

func (p *Peer) countIn(n int) {
	p.link.bytesIn.Add(uint64(n))
	p.sfu.counters.packetsIn.Add(1)
	p.sfu.counters.bytesIn.Add(uint64(n))
}

func (p *Peer) countOut(n int) {
	p.link.bytesOut.Add(uint64(n))
	p.sfu.counters.packetsOut.Add(1)
	p.sfu.counters.bytesOut.Add(uint64(n))
}

// Quality is what a peer's link was like lately.
type Quality struct {
	Connected bool    // the media transport is up
	RTTMs     float64 // round trip, 0 when not yet known
	LossUp    float64 // share of the peer's packets that did not reach us at first, 0..1
	LossDown  float64 // share of ours that did not reach the peer at first, 0..1
	KbpsUp    float64 // RTP from the peer
	KbpsDown  float64 // RTP to the peer
	KbpsPath  float64 // what the way to the peer is believed to carry, 0 when not known
	Picture   string  // what the peer sees of others by its own link or wish: "" all there is, "small", "stills", "off", or "unwanted"
	Others    []Seen  // of whom it sees less for reasons of theirs
}

// pictureWords are a limitation's.
var pictureWords = [...]string{"", "small", "stills", "off", "unwanted"}

// Quality measures since the last call of Quality.
func (p *Peer) Quality() Quality {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	q := Quality{Connected: p.connected.Load()}
	if d := p.link.rtt.Load(); d > 0 {
		q.RTTMs = float64(d) / 1e6
	} else {
		q.RTTMs = float64(p.link.hint.Load()) / 1e6
	}
	in, out := p.link.bytesIn.Load(), p.link.bytesOut.Load()
	if ms := float64(now.Sub(p.link.last).Milliseconds()); !p.link.last.IsZero() && ms > 0 {
		q.KbpsUp = float64(in-p.link.lastIn) * 8 / ms
		q.KbpsDown = float64(out-p.link.lastOut) * 8 / ms
	}
	p.link.last, p.link.lastIn, p.link.lastOut = now, in, out
	q.LossUp, q.LossDown = p.lossUp(), p.lossDown()
	if bps, heard := p.down.known(); heard {
		q.KbpsPath = bps / 1000
	}
	q.Picture = pictureWords[p.limited.Load()]
	if others := p.others.Load(); others != nil {
		q.Others = *others
	}
	return q
}

func (p *Peer) lossUp() float64 {
	expected, received := p.upSince(func(in *inlet) *tally { return &in.measured })
	if expected == 0 || received >= expected {
		return 0
	}
	return float64(expected-received) / float64(expected)
}

func (p *Peer) lossDown() float64 {
	var lost, reached int64
	for _, o := range p.link.outlets {
		o.mu.Lock()
		lost += o.report.lost
		reached += o.report.reached
		o.report.lost, o.report.reached = 0, 0
		o.mu.Unlock()
	}
	if lost+reached == 0 {
		return 0
	}
	return float64(lost) / float64(lost+reached)
}
