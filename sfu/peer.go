package sfu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"sira/sfu/batch"
	"sira/sfu/bulk"
)

// Participant is someone joining a room, and what to call when something
// changes for them. Callbacks come from the room's own goroutine: they must
// return at once and must not call back into the SFU.
type Participant struct {
	ID            string                 // unique in the room
	Direction     Direction              // what its media may do
	OnSlots       func([]Slot)           // the slots now filled, complete list
	OnRenegotiate func(audio, video int) // a new offer with so many recvonly sections is wanted
	OnTarget      func(Target)           // how the participant's picture is to be encoded
	HeedsREMB     bool                   // a device that follows a limit (see OffersREMB)
	OnGrant       func(Grant)            // what the participant's transfers may take
	OnPointer     func(time.Duration)    // how often the participant may point
	OnHold        func(Hold)             // which voices the participant is to hold back
	OnStills      func(Stills)           // what stills of the participant's picture are needed
	Files         *bulk.Call             // holds them to it; nil: they take what they can
	OnConnected   func(bool)             // the media transport came up, or went down

	// Place is where the participant is, as a user and a network: what its
	// link carried is remembered by it. Empty: not remembered.
	Place string
}

// Slot is one of a peer's receiving media sections, filled with someone.
type Slot struct {
	Mid         string // media section of the peer's own description
	Participant string // whose media it carries
	Kind        string // "audio" or "video"
	Why         string // it stays empty: "codec", for the two have none in common
}

// Peer is one participant's connection.
type Peer struct {
	sfu        *SFU
	room       *room
	box        *batch.Writer // the room's
	part       Participant
	pc         *webrtc.PeerConnection
	ssrc       uint32 // ours in RTCP about the peer's media
	congestion *congestion
	upStart    float64 // bit/s that the way up is believed to carry at first
	down       *downlink
	moved      atomic.Bool // to another path, of which the estimate was not told
	inOrder    atomic.Bool // only TCP passes
	echoes     echoes
	clock      clockOffset
	link       link
	files      files
	agreed     agreement
	stills     stills
	pointing   pointing
	heard      sync.Map // outlets by the number of their stream

	negotiating sync.Mutex

	mu      sync.Mutex
	active  []*inlet // being read
	ticked  []*inlet // the same, for the clock
	leaving bool
	wg      sync.WaitGroup // readers
	quit    chan struct{}
	once    sync.Once
	entered chan struct{} // closed when it is in the room

	askedRung     atomic.Bool            // for a low one
	secondPicture atomic.Pointer[string] // section in which it comes

	voiceFirstTill atomic.Int64 // Unix nanoseconds

	connected   atomic.Bool
	silent      atomic.Bool  // it was, and nothing comes any more
	noVideo     atomic.Bool  // the participant wishes to receive no picture
	limited     atomic.Int32 // a limitation
	others      atomic.Pointer[[]Seen]
	voice       atomic.Int32 // kbit/s that the participant's voice was asked to be
	packets     packets      // and in packets of which length
	deep        atomic.Bool  // voices to the participant are said three times: losses come in rows
	deepUp      atomic.Bool  // its own is to be said three times by its browser: the same on the way up
	redundant   atomic.Bool  // voices to the participant are said twice
	redundantUp atomic.Bool  // the participant's voice is said twice to all: packets are lost before they reach us

	turn    sync.Mutex // held by the clock during the peer's turn
	turns   int
	stopped bool

	// Of the clock.
	allotted, filling []*outlet
	speakers          speakers
	upAt              time.Time
	upBytes           uint64
	thin              bool
	voiceAt           time.Time
	cleanDown         time.Time // since when a way loses nothing
	cleanUp           time.Time
	shallowAt         time.Time
	shallowUpAt       time.Time
	againTold         int     // ms
	held              Hold    // last told
	remb              float64 // bit/s last told
	rembAt            time.Time

	// Owned by the room's goroutine.
	outlets    [kinds][]*outlet
	inlets     [kinds]*inlet
	rung       *inlet // the low one of its picture
	seats      []*Peer
	slots      []Slot
	asked      int
	negotiated bool
}

func newPeer(s *SFU, r *room, part Participant) (*Peer, error) {
	p := &Peer{sfu: s, room: r, box: r.box, part: part, ssrc: rand.Uint32() | 1, quit: make(chan struct{}), entered: make(chan struct{})}
	p.voice.Store(voiceAtFirst)
	p.redundant.Store(true)
	p.redundantUp.Store(true)
	p.upStart = s.places.start(upFrom(part.Place), uplinkStart, time.Now())
	p.congestion = newCongestion(p.ssrc, p.upStart)
	p.down = newDownlink(s.places.start(part.Place, startBps, time.Now()))
	pc, err := s.newConnection(p)
	if err != nil {
		return nil, err
	}
	p.pc = pc
	pc.OnTrack(p.onTrack)
	pc.OnConnectionStateChange(p.onState)
	p.moved.Store(true)
	pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(func(*webrtc.ICECandidatePair) { p.moved.Store(true) })
	r.clock.add(p)
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

// ReceiveVideo says whether the participant wishes to receive pictures.
func (p *Peer) ReceiveVideo(yes bool) { p.noVideo.Store(!yes) }

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
		if bps, heard := p.down.known(); heard {
			p.sfu.places.learn(p.part.Place, bps, time.Now())
		}
		if limit := p.congestion.up.limit.Load(); limit > 0 {
			p.sfu.places.learn(upFrom(p.part.Place), float64(limit), time.Now())
		}
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
	p.room.clock.drop(p)
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

// onState opens and shuts the outlets with the transport.
func (p *Peer) onState(s webrtc.PeerConnectionState) {
	p.sfu.log.Debug("peer connection", "participant", p.part.ID, "state", s.String())
	p.room.do(func() {
		// States are told by goroutines of their own: ask for the newest.
		now := p.pc.ConnectionState()
		up := now == webrtc.PeerConnectionStateConnected
		p.silent.Store(now == webrtc.PeerConnectionStateDisconnected)
		if p.connected.Swap(up) != up && p.part.OnConnected != nil {
			p.part.OnConnected(up)
		}
		for _, list := range p.outlets {
			for _, o := range list {
				o.setLive(up, time.Now())
			}
		}
	})
}

// onTrack reads a publisher's track until it ends.
func (p *Peer) onTrack(track *webrtc.TrackRemote, recv *webrtc.RTPReceiver) {
	p.spawn(func() {
		select { // what is sent with the word to enter may overtake it
		case <-p.entered:
		case <-p.quit:
			return
		}
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
		p.spawn(func() { in.readReports(recv, track.RID()) })
		in.read(track)
		p.mu.Lock()
		p.active = slices.DeleteFunc(p.active, func(x *inlet) bool { return x == in })
		p.mu.Unlock()
		p.room.do(func() { p.room.unpublish(p, in) })
	})
}
