// Package sfu forwards the audio and video of a call between its
// participants over one UDP port. It owns media only: transports,
// forwarding, repair of losses (NACK, PLI), sender and receiver reports.
// It must not know who the people are, what the call is about, nor how
// offers and answers travel: it sees participant IDs, room names and SDP.
//
// A publisher's track is an inlet, a subscriber's receiving section an
// outlet; the room, one goroutine, says which inlet feeds which outlet.
package sfu

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"sira/sfu/batch"
)

// Errors that callers tell apart.
var (
	ErrRoomFull = errors.New("sfu: room is full")
	ErrClosed   = errors.New("sfu: closed")
	ErrBadSDP   = errors.New("sfu: bad session description")
)

// DefaultRoomLimit is the number of participants a room takes when
// Config.RoomLimit is 0.
const DefaultRoomLimit = 8

// Config says where the SFU listens.
type Config struct {
	UDPAddr   string       // "HOST:PORT", the one port of all media; port 0 picks a free one; empty host listens on every address
	TCPAddr   string       // "HOST:PORT" for those whose network lets no UDP pass; empty: none
	PublicIPs []string     // addresses announced instead of the local ones, when behind a 1:1 NAT
	RoomLimit int          // participants a room takes; 0 is DefaultRoomLimit
	Logger    *slog.Logger // nil discards
}

// SFU is a media server: any number of rooms behind one UDP port.
type SFU struct {
	limit    int
	log      *slog.Logger
	port     *port
	settings webrtc.SettingEngine
	cert     webrtc.Certificate
	counters counters
	places   places
	relayed  atomic.Pointer[func(ip string, port int) bool] // nil: there is no relay

	mu     sync.Mutex
	rooms  map[string]*room
	closed bool
}

// New opens the UDP port. The error of a port already in use wraps
// syscall.EADDRINUSE.
func New(cfg Config) (*SFU, error) {
	s := &SFU{limit: cfg.RoomLimit, log: cfg.Logger, rooms: map[string]*room{}}
	if s.limit == 0 {
		s.limit = DefaultRoomLimit
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the DTLS key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, fmt.Errorf("making the DTLS certificate: %w", err)
	}
	s.cert = *cert
	if s.port, err = openPort(cfg.UDPAddr, cfg.TCPAddr, s.log); err != nil {
		return nil, err
	}
	if s.settings, err = newSettings(s.port, cfg.PublicIPs, s.log); err != nil {
		_ = s.port.Close()
		return nil, err
	}
	return s, nil
}

// Addr is the address of the UDP port.
func (s *SFU) Addr() net.Addr { return s.port.Addr() }

// TCPAddr is the address of the TCP port, nil when there is none.
func (s *SFU) TCPAddr() net.Addr {
	if s.port.tcp == nil {
		return nil
	}
	return s.port.tcp.LocalAddr()
}

// Join makes a peer for the participant in the named room, which comes to
// life with its first peer and ends with its last. The peer is silent until
// Negotiate. A full room is ErrRoomFull.
func (s *SFU) Join(ctx context.Context, name string, part Participant) (*Peer, error) {
	p, err := s.Prepare(ctx, name, part)
	if err != nil {
		return nil, err
	}
	if err := p.Enter(); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// Prepare makes a peer as Join does that is not in the room yet: its transport
// may be set up by Negotiate ahead of time, nobody sees it, nothing is sent to
// it and nothing taken from it until Enter.
func (s *SFU) Prepare(ctx context.Context, name string, part Participant) (*Peer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := s.acquire(name)
	if err != nil {
		return nil, err
	}
	p, err := newPeer(s, r, part)
	if err != nil {
		s.release(r)
		return nil, err
	}
	r.do(func() { r.ahead = append(r.ahead, p) })
	s.counters.peers.Add(1)
	return p, nil
}

// VoiceFirst keeps pictures from a peer for so long, 0 ends it, unless its
// link is known to be good: what else a client needs at first must not wait
// behind them.
func (p *Peer) VoiceFirst(d time.Duration) {
	now := time.Now()
	p.voiceFirstTill.Store(now.Add(d).UnixNano())
	if !p.voiceFirst(now) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.link.outlets {
		o.mu.Lock()
		o.off = o.off || o.kind == video // until the clock finds that the time is over
		o.mu.Unlock()
	}
}

// good is a link on which a first picture is in nobody's way, bit/s.
const good = 200_000

func (p *Peer) voiceFirst(now time.Time) bool {
	if p.voiceFirstTill.Load() <= now.UnixNano() {
		return false
	}
	bps, _ := p.down.known()
	return bps < good
}

// Enter brings a prepared peer into its room, once. A full room is ErrRoomFull.
func (p *Peer) Enter() error {
	in := false
	p.room.do(func() { in = p.room.add(p) })
	if !in {
		return fmt.Errorf("joining room: %w (%d)", ErrRoomFull, p.sfu.limit)
	}
	close(p.entered)
	return nil
}

// acquire returns the live room of that name, made if needed, counted as
// used once more.
func (s *SFU) acquire(name string) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	r, ok := s.rooms[name]
	if !ok {
		r = newRoom(s.limit, s.log)
		r.name, r.box = name, batch.New(s.port.conn, &s.counters.unsent)
		s.rooms[name] = r
		go r.run()
		go r.clock.run(r.quit, r.box)
	}
	r.users++
	return r, nil
}

// release undoes acquire; the last one ends the room.
func (s *SFU) release(r *room) {
	s.mu.Lock()
	r.users--
	last := r.users == 0
	if last {
		delete(s.rooms, r.name)
	}
	s.mu.Unlock()
	if last {
		close(r.quit)
		<-r.done
		<-r.clock.ended
		r.box.Close()
	}
}

// Close ends all rooms and frees the port. Peers still open are closed.
func (s *SFU) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	rooms := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
	}
	s.mu.Unlock()

	var wg sync.WaitGroup
	for _, r := range rooms {
		var peers []*Peer
		r.do(func() { peers = slices.Concat(r.peers, r.ahead) })
		for _, p := range peers {
			wg.Go(func() { _ = p.Close() })
		}
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		_ = s.port.Close()
		return fmt.Errorf("closing peers: %w", ctx.Err())
	}
	return s.port.Close()
}
