package signaling

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"sira/sfu"
)

// Errors of endpoints that callers tell apart, beside those of sfu.
var (
	ErrClosing = errors.New("signaling: server closing")
	ErrTag     = errors.New("signaling: another ICE session")
)

// Way is what an Endpoint is for.
type Way string

// The ways: an ultrasound cart with an encoder publishes (WHIP, RFC 9725), a
// screen watches (WHEP, draft-ietf-wish-whep).
const (
	Publish Way = "whip"
	Watch   Way = "whep"
)

// Endpoint is a participant whose signaling is a few HTTP requests. The others
// see it in the room like anyone: nobody watches unseen.
type Endpoint struct {
	member
	srv  *Server
	id   string
	peer *sfu.Peer
	quit chan struct{} // closed by end
	once sync.Once

	mu    sync.Mutex // one negotiation at a time
	offer string     // the one in force
	tag   string     // names the ICE session in force
}

// ID is unguessable: it names the endpoint in its URL.
func (e *Endpoint) ID() string { return e.id }

// UserID is whose token opened it.
func (e *Endpoint) UserID() string { return e.user.ID }

// Room is where it is.
func (e *Endpoint) Room() string { return e.room }

// Tag is the entity tag of the ICE session in force (RFC 9725, 4.3.1).
func (e *Endpoint) Tag() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tag
}

// Open answers an offer of an endpoint. It lives until End, until nothing was
// heard of it for Timing.Silence, or until the user may no longer be there. A
// user publishes from one device at a time: a newer one ends the former, as a
// device that lost its link does not know that it is still in the room.
// Errors: those of Options.Authorize, sfu.ErrBadSDP, sfu.ErrRoomFull,
// ErrClosing.
func (s *Server) Open(ctx context.Context, room string, u User, way Way, offer string) (*Endpoint, string, error) {
	if s.opts.Authorize != nil {
		if err := s.opts.Authorize(ctx, u, room); err != nil {
			return nil, "", err
		}
	}
	e := &Endpoint{
		member: member{room: room, user: u, via: way, gone: make(chan struct{})},
		srv:    s, id: rand.Text(), tag: rand.Text(), offer: offer, quit: make(chan struct{}),
	}
	if way == Publish {
		e.key = string(Publish) + " " + u.ID
	}
	e.end = func(code) { e.once.Do(func() { close(e.quit) }) }
	if !s.register(e) {
		return nil, "", ErrClosing
	}
	answer, err := e.enter(ctx, way)
	if err != nil {
		e.leave()
		return nil, "", err
	}
	go e.live()
	return e, answer, nil
}

// register makes the endpoint known, so that Close waits for it.
func (s *Server) register(e *Endpoint) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	s.open[e.id] = e
	return true
}

func (e *Endpoint) enter(ctx context.Context, way Way) (answer string, err error) {
	if !e.srv.admit(&e.member, e.quit) {
		return "", ErrClosing
	}
	direction := map[Way]sfu.Direction{Publish: sfu.SendOnly, Watch: sfu.ReceiveOnly}[way]
	peer, err := e.srv.sfu.Join(ctx, e.room, sfu.Participant{ID: e.self.ID, Direction: direction, OnConnected: e.linked, HeedsREMB: sfu.OffersREMB(e.offer)})
	if err != nil {
		return "", err
	}
	e.peer, e.media = peer, peer
	if answer, err = peer.Negotiate(ctx, e.offer); err != nil {
		return "", err
	}
	sends := way == Publish
	e.srv.enter(&e.member, sends, sends, nil)
	e.srv.log.Info("call joined", "room", e.room, "user", e.user.ID, "participant", e.self.ID, "way", string(way))
	return answer, nil
}

// live watches over the endpoint until its end.
func (e *Endpoint) live() {
	t := e.srv.opts.Timing
	look, right := time.NewTicker(t.Quality), time.NewTicker(authorizeEvery)
	defer look.Stop()
	defer right.Stop()
	defer e.leave()
	heard := time.Now()
	for {
		select {
		case <-e.quit:
			return
		case now := <-look.C:
			if e.peer.Connected() {
				heard = now
			} else if now.Sub(heard) > t.Silence {
				return
			}
		case <-right.C:
			if !e.srv.allowed(e.user, e.room) {
				return
			}
		}
	}
}

// leave undoes Open.
func (e *Endpoint) leave() {
	e.srv.depart(&e.member)
	if e.peer != nil {
		_ = e.peer.Close()
		e.srv.log.Info("call left", "room", e.room, "user", e.user.ID, "participant", e.self.ID)
	}
	e.srv.mu.Lock()
	delete(e.srv.open, e.id)
	e.srv.mu.Unlock()
	close(e.gone)
	e.srv.wg.Done()
}

// End takes the endpoint out of its room and waits until it has left.
func (e *Endpoint) End() {
	e.bye.Store(true)
	e.end(codeNone)
	<-e.gone
}

// Endpoint finds an open one by its ID, or nil.
func (s *Server) Endpoint(id string) *Endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[id]
}

// Trickle adds the candidates of a fragment to the ICE session that tag names;
// another one is ErrTag (RFC 9725, 4.3.2).
func (e *Endpoint) Trickle(tag string, f Fragment) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if tag != e.tag {
		return ErrTag
	}
	for i, c := range f.Candidates {
		if i == candidatesMost {
			break
		}
		if err := e.peer.AddCandidate(c); err != nil {
			// The call may well work without it.
			e.srv.log.Debug("candidate ignored", "room", e.room, "user", e.user.ID, "err", err)
		}
	}
	return nil
}

// Restart begins a new ICE session under the credentials of the fragment, for
// a device whose network changed: media goes on under the same keys. It
// returns our side as a fragment (RFC 9725, 4.3.3) and the new tag.
func (e *Endpoint) Restart(ctx context.Context, f Fragment) (ours Fragment, tag string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	offer, err := f.into(e.offer)
	if err != nil {
		return Fragment{}, "", fmt.Errorf("%w: %w", sfu.ErrBadSDP, err)
	}
	answer, err := e.peer.Negotiate(ctx, offer)
	if err != nil {
		return Fragment{}, "", err
	}
	if ours, err = fragmentOf(answer); err != nil {
		return Fragment{}, "", err
	}
	e.offer, e.tag = offer, rand.Text()
	return ours, e.tag, nil
}
