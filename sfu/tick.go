package sfu

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

// Cadence of a peer's housekeeping.
const (
	tickEvery     = 20 * time.Millisecond
	ticksFeedback = 5  // 100 ms
	ticksThin     = 12 // 240 ms: the same on a thin uplink, where feedback weighs
	ticksAllot    = 10 // 200 ms
	ticksReport   = 50 // 1 s
)

func (p *Peer) tick(now time.Time, feedback, report bool) {
	p.mu.Lock()
	ins := append(p.ticked[:0], p.active...)
	p.ticked = ins // used by this goroutine only
	p.mu.Unlock()
	for _, in := range ins {
		in.tick(now, report)
	}
	if !p.connected.Load() {
		return
	}
	p.listen(now)
	p.echo(now)
	p.sendStills(now)
	if p.down.tick(now) {
		p.fill(now)
	}
	p.congestion.up.collect(now)
	p.lead(now, feedback)
	if report {
		p.sendReports(ins, now)
		p.follow()
	}
}

// follow tells the estimates how far away the peer is and what kind of path there
// is, which may change in a call: UDP that begins to pass, or no longer does.
func (p *Peer) follow() {
	p.congestion.up.measured(p.roundTrip())
	if !p.moved.Swap(false) {
		return
	}
	path := p.path()
	if path == "" {
		p.moved.Store(true) // to where is told later
	}
	inOrder := path == PathTCP || path == PathRelay
	p.inOrder.Store(inOrder)
	p.down.mu.Lock()
	p.down.est.InOrder(inOrder)
	p.down.mu.Unlock()
}

// fill gives a trial what it lacks: copies of what was sent last.
func (p *Peer) fill(now time.Time) {
	p.mu.Lock()
	outs := append(p.filling[:0], p.link.outlets...)
	p.filling = outs
	p.mu.Unlock()
	for _, o := range outs {
		for o.kind == video && p.down.room(now) && (o.fill(now) || o.pad(now)) {
		}
	}
}

// weighsBelow is an uplink on which feedback weighs, bit/s.
const weighsBelow = 128_000

// thinUplink measures what the peer sends, each second.
func (p *Peer) thinUplink(now time.Time) bool {
	if d := now.Sub(p.upAt); d >= time.Second {
		bytes := p.link.bytesIn.Load()
		p.thin = float64(bytes-p.upBytes)*8/d.Seconds() < weighsBelow
		p.upAt, p.upBytes = now, bytes
	}
	return p.thin
}

func (p *Peer) sendReports(ins []*inlet, now time.Time) {
	var pkts []rtcp.Packet
	rr := &rtcp.ReceiverReport{SSRC: p.ssrc}
	for _, in := range ins {
		if b, ok := in.block(now); ok {
			rr.Reports = append(rr.Reports, b)
		}
	}
	if len(rr.Reports) > 0 {
		pkts = append(pkts, rr)
	}
	p.mu.Lock()
	outs := slices.Clone(p.link.outlets)
	p.mu.Unlock()
	for _, o := range outs {
		if sr := o.senderReport(now); sr != nil {
			pkts = append(pkts, sr)
		}
	}
	p.writeRTCP(pkts...)
}

// writeRTCP sends packets to the peer; an error means that it is not
// connected, which others notice.
func (p *Peer) writeRTCP(pkts ...rtcp.Packet) {
	if len(pkts) > 0 {
		_ = p.pc.WriteRTCP(pkts)
	}
}
