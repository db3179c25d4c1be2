package sfu

import (
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"sira/sfu/bulk"
	"sira/sfu/estimate"
)

// Traffic is what the bytes on a link are for.
type Traffic int

// The kinds of traffic. Repair is what was sent again because it was lost, or
// ahead of its loss by a trial of the link. Stills and files go beside the
// media, by HTTP, and are counted without headers.
const (
	Voice Traffic = iota
	Picture
	Repair
	Still // frozen pictures
	Files // uploads, images that load
	Traffics
)

func (t Traffic) String() string {
	return [...]string{"voice", "picture", "repair", "still", "files"}[t]
}

// Silence is after how long without any packet a transport counts as cut.
const Silence = iceDisconnected

// Observation is what a peer's link carried since it joined, and is like now.
// Counters only grow; whoever observes takes differences.
type Observation struct {
	Connected bool
	Path      string           // PathUDP, PathTCP, PathRelay, "" before there is any
	RTT       time.Duration    // 0 when not yet known
	Estimate  float64          // what the way to the peer is believed to carry, bit/s, 0 when not known
	Uplink    float64          // what the way from it is
	Up, Down  [Traffics]uint64 // bytes from and to the peer, headers included
	Delivered uint64           // of the bytes to it, those that it said arrived

	UpExpected, UpLost uint64 // packets of the peer's, and those that did not reach us at first
	DownTold, DownLost uint64 // packets that the peer reported on, and those that did not reach it at first
	Picture            string // as in Quality
}

// carried counts what a link carries.
type carried struct {
	up, down           [Traffics]atomic.Uint64
	downTold, downLost atomic.Uint64

	upExpected, upLost uint64 // guarded by Peer.mu, as
	beside             [2][2]uint64
}

// upOverhead is what a packet has besides what we read: IP, UDP, SRTP's tag.
const upOverhead = 28 + 10

func (p *Peer) carriedUp(t Traffic, n int) { p.link.carried.up[t].Add(uint64(n + upOverhead)) }

func (p *Peer) carriedDown(t Traffic, payload int) {
	p.link.carried.down[t].Add(uint64(payload + wireOverhead))
}

// trafficOf says what a packet of the outlet is for, by the stream it is in.
func (o *outlet) trafficOf(ssrc uint32) Traffic {
	switch {
	case ssrc != o.ssrc:
		return Repair
	case o.kind == video:
		return Picture
	}
	return Voice
}

func (k kind) traffic() Traffic {
	if k == video {
		return Picture
	}
	return Voice
}

// reported counts what the peer's receiver reports say of one of its outlets.
func (c *carried) reported(all, lost int64) {
	c.downTold.Add(uint64(all))
	c.downLost.Add(uint64(lost))
}

// told is what the peer's transport-wide feedback said in all.
type told struct {
	bytes           atomic.Uint64 // that arrived
	packets, missed atomic.Uint64
}

func (t *told) hear(pkts []estimate.Packet) {
	var bytes, missed uint64
	for _, p := range pkts {
		if p.Arrived {
			bytes += uint64(p.Size)
		} else {
			missed++
		}
	}
	t.bytes.Add(bytes)
	t.packets.Add(uint64(len(pkts)))
	t.missed.Add(missed)
}

// Observe reads the counters. It may be called by one goroutine at a time, and
// disturbs nobody who calls Quality.
func (p *Peer) Observe() Observation {
	o := Observation{Connected: p.connected.Load(), RTT: time.Duration(p.link.rtt.Load())}
	if o.RTT == 0 {
		o.RTT = time.Duration(p.link.hint.Load())
	}
	if o.Connected {
		o.Path = p.path()
	}
	if bps, heard := p.down.known(); heard {
		o.Estimate = bps
	}
	c := &p.link.carried
	for t := range Traffics {
		o.Up[t], o.Down[t] = c.up[t].Load(), c.down[t].Load()
	}
	t := &p.down.told
	o.Delivered, o.DownTold, o.DownLost = t.bytes.Load(), t.packets.Load(), t.missed.Load()
	if !p.down.gated.Load() {
		// Receiver reports blame the viewer for what came late from the publisher.
		o.DownTold, o.DownLost = c.downTold.Load(), c.downLost.Load()
	}
	p.mu.Lock()
	expected, received := p.upSince(func(in *inlet) *tally { return &in.observed })
	c.upExpected += expected
	c.upLost += expected - min(received, expected)
	o.UpExpected, o.UpLost = c.upExpected, c.upLost
	p.mu.Unlock()
	o.Uplink = float64(p.congestion.up.limit.Load())
	p.countFiles(&o)
	o.Picture = pictureWords[p.limited.Load()]
	return o
}

// countFiles reads what the participant's transfers took, which may give back
// a little: what was told once stands.
func (p *Peer) countFiles(o *Observation) {
	call := p.part.Files
	if call == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for w, to := range map[bulk.Way]*[Traffics]uint64{bulk.Up: &o.Up, bulk.Down: &o.Down} {
		for k, t := range map[bulk.Class]Traffic{bulk.Asked: Still, bulk.Files: Files} {
			n := &p.link.carried.beside[w][k]
			*n = max(*n, uint64(max(call.Taken(w, k), 0)))
			to[t] = *n
		}
	}
}

// tally is how far somebody counted an inlet's packets.
type tally struct{ expected, received uint64 }

// upSince counts the packets since the marks that of gives, and moves these.
// The peer's lock is held.
func (p *Peer) upSince(of func(*inlet) *tally) (expected, received uint64) {
	for _, in := range p.active {
		in.mu.Lock()
		e, r, mark := in.rec.expected(), in.rec.received, of(in)
		if e < mark.expected || r < mark.received { // the stream started anew
			*mark = tally{}
		}
		expected += e - mark.expected
		received += r - mark.received
		*mark = tally{e, r}
		in.mu.Unlock()
	}
	return expected, received
}

// By which protocol a peer's packets come.
const (
	PathUDP   = "udp"
	PathTCP   = "tcp"
	PathRelay = "relay" // ours takes nothing but TCP
)

// path is by which protocol the peer's packets come.
func (p *Peer) path() string {
	pair, err := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Remote == nil {
		return ""
	}
	if relayed := p.sfu.relayed.Load(); relayed != nil && (*relayed)(pair.Remote.Address, int(pair.Remote.Port)) {
		return PathRelay
	}
	if pair.Local != nil && pair.Local.Protocol == webrtc.ICEProtocolTCP {
		return PathTCP
	}
	return PathUDP
}

// Relayed sets how to know that an address is that of a relay's socket, for
// Observation.Path.
func (s *SFU) Relayed(f func(ip string, port int) bool) { s.relayed.Store(&f) }
