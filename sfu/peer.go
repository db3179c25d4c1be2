package sfu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// Participant is someone joining a room, and what to call when something
// changes for them. Callbacks come from the room's own goroutine: they must
// return at once and must not call back into the SFU.
type Participant struct {
	ID            string                 // unique in the room
	OnSlots       func([]Slot)           // the slots now filled, complete list
	OnRenegotiate func(audio, video int) // a new offer with so many recvonly sections is wanted
}

// Slot is one of a peer's receiving media sections, filled with someone.
type Slot struct {
	Mid         string // media section of the peer's own description
	Participant string // whose media it carries
	Kind        string // "audio" or "video"
}

// Peer is one participant's connection.
type Peer struct {
	sfu        *SFU
	room       *room
	part       Participant
	pc         *webrtc.PeerConnection
	ssrc       uint32 // ours in RTCP about the peer's media
	congestion *congestion
	clock      clockOffset
	link       link

	negotiating sync.Mutex

	mu      sync.Mutex
	active  []*inlet // being read
	leaving bool
	wg      sync.WaitGroup // readers, the ticker
	quit    chan struct{}
	once    sync.Once

	connected atomic.Bool

	// Owned by the room's goroutine.
	outlets    [kinds][]*outlet
	inlets     [kinds]*inlet
	seats      []*Peer
	slots      []Slot
	asked      int
	negotiated bool
}

func newPeer(s *SFU, r *room, part Participant) (*Peer, error) {
	p := &Peer{sfu: s, room: r, part: part, ssrc: rand.Uint32() | 1, quit: make(chan struct{})}
	p.congestion = newCongestion(p.ssrc)
	pc, err := s.newConnection(&repairTap{peer: p})
	if err != nil {
		return nil, err
	}
	p.pc = pc
	pc.OnTrack(p.onTrack)
	pc.OnConnectionStateChange(p.onState)
	p.wg.Go(p.run)
	return p, nil
}

// ID is the participant's.
func (p *Peer) ID() string { return p.part.ID }

// Connected says whether the media transport is up.
func (p *Peer) Connected() bool { return p.connected.Load() }

// AddCandidate adds a remote candidate.
func (p *Peer) AddCandidate(c Candidate) error {
	err := p.pc.AddICECandidate(webrtc.ICECandidateInit{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex,
		UsernameFragment: c.UsernameFragment,
	})
	if err != nil {
		return fmt.Errorf("adding a candidate: %w", err)
	}
	return nil
}

// Candidate is an ICE candidate of the remote side, as in a browser's
// RTCIceCandidateInit.
type Candidate struct {
	Candidate        string
	SDPMid           *string
	SDPMLineIndex    *uint16
	UsernameFragment *string
}

// Slots is the list of filled slots.
func (p *Peer) Slots() (slots []Slot) {
	p.room.do(func() { slots = slices.Clone(p.slots) })
	return slots
}

// Close makes the participant leave the room. It returns when all its
// goroutines ended.
func (p *Peer) Close() error {
	p.once.Do(func() {
		p.room.do(func() { p.room.remove(p) })
		p.shut()
		p.sfu.counters.peers.Add(-1)
		p.sfu.release(p.room)
	})
	return nil
}

// shut ends the transport and waits for the readers.
func (p *Peer) shut() {
	p.mu.Lock()
	p.leaving = true
	p.mu.Unlock()
	close(p.quit)
	if err := p.pc.GracefulClose(); err != nil {
		p.sfu.log.Debug("closing a peer connection", "err", err)
	}
	p.wg.Wait()
}

// spawn runs f as one of the peer's goroutines, unless the peer is leaving.
func (p *Peer) spawn(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaving {
		return false
	}
	p.wg.Go(f)
	return true
}

// onState opens the outlets when the transport comes up.
func (p *Peer) onState(s webrtc.PeerConnectionState) {
	p.sfu.log.Debug("peer connection", "participant", p.part.ID, "state", s.String())
	up := s == webrtc.PeerConnectionStateConnected
	p.connected.Store(up)
	if !up {
		return
	}
	p.room.do(func() {
		for _, list := range p.outlets {
			for _, o := range list {
				o.setLive(time.Now())
			}
		}
	})
}

// onTrack reads a publisher's track until it ends.
func (p *Peer) onTrack(track *webrtc.TrackRemote, recv *webrtc.RTPReceiver) {
	p.spawn(func() {
		in := newInlet(p, track, recv)
		if !in.usable() {
			p.sfu.log.Info("track of unknown codec", "participant", p.part.ID, "codec", in.format.mime)
			return
		}
		ok := false
		p.room.do(func() { ok = p.room.publish(p, in) })
		if !ok {
			p.sfu.log.Info("more than one track of a kind", "participant", p.part.ID, "kind", in.kind.String())
			return
		}
		p.mu.Lock()
		p.active = append(p.active, in)
		p.mu.Unlock()
		p.spawn(func() { in.readReports(recv) })
		in.read(track)
		p.mu.Lock()
		p.active = slices.DeleteFunc(p.active, func(x *inlet) bool { return x == in })
		p.mu.Unlock()
		p.room.do(func() { p.room.unpublish(p, in) })
	})
}

// readReports reads the publisher's RTCP about the inlet.
func (in *inlet) readReports(recv *webrtc.RTPReceiver) {
	buf := make([]byte, 1600)
	for {
		n, _, err := recv.Read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		pkts, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, pkt := range pkts {
			if sr, ok := pkt.(*rtcp.SenderReport); ok && sr.SSRC == in.ssrc {
				in.learnReport(sr, now)
			}
		}
	}
}

// readFeedback reads what the subscriber says about the outlet.
func (o *outlet) readFeedback(sender *webrtc.RTPSender) {
	buf := make([]byte, 1600)
	for {
		n, _, err := sender.Read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		pkts, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, pkt := range pkts {
			o.feedback(pkt, now)
		}
	}
}

func (o *outlet) feedback(pkt rtcp.Packet, now time.Time) {
	c := &o.peer.sfu.counters
	switch pkt := pkt.(type) {
	case *rtcp.TransportLayerNack:
		if pkt.MediaSSRC != o.ssrc {
			return
		}
		for _, pair := range pkt.Nacks {
			seqs := pair.PacketList()
			c.nacksIn.Add(uint64(len(seqs)))
			o.resend(seqs, now)
		}
	case *rtcp.PictureLossIndication:
		if pkt.MediaSSRC == o.ssrc {
			o.wantKeyframe(now)
		}
	case *rtcp.FullIntraRequest:
		for _, e := range pkt.FIR {
			if e.SSRC == o.ssrc {
				o.wantKeyframe(now)
			}
		}
	case *rtcp.ReceiverReport:
		o.hearAll(pkt.Reports, now)
	case *rtcp.SenderReport:
		o.hearAll(pkt.Reports, now)
	}
}

func (o *outlet) wantKeyframe(now time.Time) {
	o.peer.sfu.counters.plisIn.Add(1)
	o.mu.Lock()
	in := o.in
	o.mu.Unlock()
	if in != nil && in.kind == video {
		in.requestKeyframe(now)
	}
}

func (o *outlet) hearAll(blocks []rtcp.ReceptionReport, now time.Time) {
	for _, b := range blocks {
		if b.SSRC != o.ssrc {
			continue
		}
		if rtt := o.hear(b, now); rtt > 0 {
			o.peer.link.measured(rtt)
		}
	}
}

// Cadence of a peer's housekeeping.
const (
	tickEvery       = 20 * time.Millisecond
	ticksFeedback   = 5  // 100 ms
	ticksReport     = 50 // 1 s
	rtcpPacketLimit = 1200
)

// run is the peer's clock: repeated requests, feedback, reports.
func (p *Peer) run() {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for n := 0; ; n++ {
		select {
		case <-p.quit:
			return
		case now := <-t.C:
			p.tick(now, n%ticksFeedback == 0, n%ticksReport == 0)
		}
	}
}

func (p *Peer) tick(now time.Time, feedback, report bool) {
	p.mu.Lock()
	active := p.active
	if report {
		active = slices.Clone(active)
	}
	var arr [2 * kinds]*inlet
	ins := append(arr[:0], active...)
	p.mu.Unlock()
	for _, in := range ins {
		in.tick(now, report)
	}
	if !p.connected.Load() {
		return
	}
	if feedback {
		p.writeRTCP(p.congestion.feedback()...)
	}
	if report {
		p.sendReports(ins, now)
	}
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
