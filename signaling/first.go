package signaling

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"sira/sfu"
)

var errSentAway = errors.New("signaling: no longer let in")

// ErrMessage is a request to join that is none.
var ErrMessage = errors.New("signaling: no join message")

// Join lets a user into a room by one HTTP exchange, so that media need not
// wait for a WebSocket: raw is the message join, what is returned the message
// joined. Until a WebSocket resumes it by its token the guest is parked; it
// leaves when none does within Timing.Join. The message ready, answered by
// ready, sets the transport up ahead of that; enter, answered by joined, then
// joins with it. Errors: ErrMessage, ErrGone, ErrClosing, those of
// Options.Authorize, sfu.ErrBadSDP, sfu.ErrRoomFull.
func (s *Server) Join(r *http.Request, room string, u User, raw []byte) (any, error) {
	ctx := r.Context()
	if s.opts.Authorize != nil {
		if err := s.opts.Authorize(ctx, u, room); err != nil {
			return nil, err
		}
	}
	if u.Waiting {
		return nil, ErrMessage // the door is a WebSocket's
	}
	told, err := s.answer(ctx, newGuest(s, room, u, nil), placeOf(r, u), raw)
	if err != nil || s.relayFor == nil {
		return told, err
	}
	switch m := told.(type) {
	case joinedMessage:
		if m.SDP != "" {
			m.Relay = s.relayFor(r, u)
		}
		told = m
	case readyTold:
		m.Relay = s.relayFor(r, u)
		told = m
	}
	return told, nil
}

// exchange brings someone into the room whom no WebSocket holds yet.
func (s *Server) exchange(ctx context.Context, g *guest, place string, m *joinMessage) (joined joinedMessage, err error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return joined, ErrClosing
	}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	answer, err := s.bring(ctx, g, place, m.SDP, ctx.Done())
	if err != nil {
		g.leave()
		return joined, err
	}
	return s.settle(g, answer, m.Audio, m.Video)
}

// settle parks a guest that is seated until a WebSocket resumes it, and shows
// it to the room.
func (s *Server) settle(g *guest, answer string, audio, video bool) (joined joinedMessage, err error) {
	back, ok := s.await(g)
	if !ok {
		g.leave()
		return joined, ErrClosing
	}
	joined = joinedMessage{Type: "joined", Self: g.self.ID, Token: g.token, SDP: answer}
	s.enter(&g.member, audio, video, func(list []Participant) {
		joined.Participants = list
		joined.Slots = g.filled()
	})
	if g.peer.Connected() { // before it was seen
		g.linked(true)
	}
	go g.keep(back, s.opts.Timing.Join)
	s.log.Info("call joined", "room", g.room, "user", g.user.ID, "participant", g.self.ID, "by", "exchange")
	return joined, nil
}

// answer acts on a message that came by HTTP.
func (s *Server) answer(ctx context.Context, g *guest, place string, raw []byte) (any, error) {
	decoded, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	switch m := decoded.(type) {
	case *joinMessage:
		return s.exchange(ctx, g, place, m)
	case *readyMessage:
		if !g.user.Guest {
			return s.makeReady(ctx, g, place, m)
		}
	case *enterMessage:
		if !g.user.Guest {
			return s.enterReady(ctx, g.room, g.user, m)
		}
	}
	return nil, fmt.Errorf("%w: %T", ErrMessage, decoded)
}

// bring gives the guest its seat in the room and answers its offer.
func (s *Server) bring(ctx context.Context, g *guest, place, offer string, stop <-chan struct{}) (answer string, err error) {
	g.files = s.bulk.Join(g.user.ID)
	if !s.admit(&g.member, stop) {
		return "", ErrClosing
	}
	if g.user.Guest && s.opts.Authorize != nil {
		// From here on Evict finds the guest; sent away just before, it would have missed them.
		if err := s.opts.Authorize(ctx, g.user, g.room); err != nil {
			return "", fmt.Errorf("%w: %w", errSentAway, err)
		}
	}
	part := g.participant(place)
	peer, err := s.sfu.Join(ctx, g.room, part)
	for errors.Is(err, sfu.ErrRoomFull) && s.yieldSeat(g.room, stop) {
		peer, err = s.sfu.Join(ctx, g.room, part)
	}
	if err != nil {
		return "", err
	}
	g.peer, g.media = peer, peer
	return peer.Negotiate(ctx, offer)
}

// participant is the guest as the SFU sees it.
func (g *guest) participant(place string) sfu.Participant {
	return sfu.Participant{
		ID: g.self.ID, OnSlots: g.onSlots, OnRenegotiate: g.onRenegotiate,
		OnTarget: g.onTarget, OnGrant: g.onGrant, OnStills: g.onStills, OnPointer: g.onPointer, OnHold: g.onHold, Files: g.files, OnConnected: g.linked, Place: place,
	}
}

// await parks a guest who never had a WebSocket. False: the server is closing.
func (s *Server) await(g *guest) (back <-chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	s.makeRoom(g)
	ch := make(chan struct{})
	g.mu.Lock()
	g.back, g.moving = ch, false
	g.mu.Unlock()
	s.parked = append(s.parked, g)
	s.guests[g.token] = g
	s.wg.Add(1)
	return ch, true
}

// filled lists what the guest's slots show.
func (g *guest) filled() []slot {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]slot{}, g.slots...)
}

// placeOf is the user and network by which the SFU remembers a link.
func placeOf(r *http.Request, u User) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return u.ID + "@" + host
}
