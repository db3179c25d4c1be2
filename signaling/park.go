package signaling

import (
	"context"
	"errors"
	"slices"

	"github.com/gorilla/websocket"
)

// Limits of parked guests: each is a transport that waits.
const (
	parkedMost     = 256
	parkedMostEach = 4 // of one user, in as many rooms
)

// isLost says whether a connection ended without its client wishing so. A
// browser says goodbye when its page is closed.
func isLost(err error) bool {
	var f *failure
	return err != nil && !errors.As(err, &f) &&
		!websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived)
}

// release is called when the connection of x has ended. Lost, its guest is
// parked, else it leaves; one that went on with another connection is not
// touched.
func (s *Server) release(x *session, lost bool) {
	g := x.guest
	s.mu.Lock()
	g.mu.Lock()
	if g.line != x {
		g.mu.Unlock()
		s.mu.Unlock()
		return
	}
	g.line, g.live = nil, false
	if g.over || !lost || s.closed || !g.present {
		g.over = true
		g.mu.Unlock()
		s.mu.Unlock()
		g.leave()
		return
	}
	back := make(chan struct{})
	g.back = back
	g.mu.Unlock()
	s.makeRoom(g)
	s.parked = append(s.parked, g)
	s.wg.Add(1)
	g.self.Away = true
	s.tell(g.room, nil)
	s.mu.Unlock()
	go g.keep(back, s.opts.Timing.Park)
	s.announce(g.room)
}

// makeRoom ends the oldest parked guests beyond the limits. The lock is held.
func (s *Server) makeRoom(g *guest) {
	evict := func(i int) {
		s.parked[i].end(codeNone)
		s.parked = slices.Delete(s.parked, i, i+1)
	}
	own := func(p *guest) bool { return p.user.ID == g.user.ID }
	n := 0
	for _, p := range s.parked {
		if own(p) {
			n++
		}
	}
	if n >= parkedMostEach {
		evict(slices.IndexFunc(s.parked, own))
	}
	if len(s.parked) >= parkedMost {
		evict(0)
	}
}

// yieldSeat ends a parked guest of the room in favour of someone who is there,
// and waits until its seat is free. False: there is none.
func (s *Server) yieldSeat(room string, stop <-chan struct{}) bool {
	s.mu.Lock()
	i := slices.IndexFunc(s.parked, func(p *guest) bool { return p.room == room })
	if i < 0 {
		s.mu.Unlock()
		return false
	}
	g := s.parked[i]
	s.parked = slices.Delete(s.parked, i, i+1)
	g.end(codeNone)
	s.mu.Unlock()
	select {
	case <-g.gone:
		return true
	case <-stop:
		return false
	}
}

// take gives the guest of a token to the connection x: a parked one, or one
// whose former connection only seems alive. Nil: there is none for this user.
func (s *Server) take(token string, x *session) *guest {
	s.mu.Lock()
	g := s.guests[token]
	if g == nil || g.room != x.room || g.user.ID != x.user.ID || !g.present {
		s.mu.Unlock()
		return nil
	}
	g.mu.Lock()
	if g.over {
		g.mu.Unlock()
		s.mu.Unlock()
		return nil
	}
	former := g.line
	g.line, g.live = x, false
	if former == nil {
		close(g.back)
	}
	g.mu.Unlock()
	s.unpark(g)
	s.mu.Unlock()
	if former != nil {
		former.finish(codeReplaced)
		<-former.quiet // its reader, which drives the same peer
	}
	return g
}

// unpark strikes the guest off the list. The lock is held.
func (s *Server) unpark(g *guest) {
	s.parked = slices.DeleteFunc(s.parked, func(p *guest) bool { return p == g })
}

// forget undoes remember, parking and standing ready.
func (s *Server) forget(g *guest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.guests, g.token)
	s.unpark(g)
	s.ready = slices.DeleteFunc(s.ready, func(o *guest) bool { return o == g })
}

// remember makes the guest one that can be resumed.
func (s *Server) remember(g *guest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guests[g.token] = g
}

// allowed says whether the user may still be in the room.
func (s *Server) allowed(u User, room string) bool {
	if s.opts.Authorize == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timing.Write)
	defer cancel()
	err := s.opts.Authorize(ctx, u, room)
	return err == nil || ctx.Err() != nil // a slow database throws nobody out
}

// resume brings a guest back over a new connection, in one round trip: a
// client whose network changed sends its offer for an ICE restart along.
func (x *session) resume(ctx context.Context, m *resumeMessage) error {
	if x.guest != nil {
		return fail(codeBadMessage, "resume after join")
	}
	if x.held.Load() {
		return fail(codeForbidden, "resume before being let in")
	}
	g := x.srv.take(m.Token, x)
	if g == nil {
		return fail(codeGone, "nothing to resume")
	}
	x.guest = g
	g.heardAgain()
	g.candidates, g.offers = 0, 0
	var answer string
	if m.SDP != "" {
		var err error
		if answer, err = g.peer.Negotiate(ctx, m.SDP); err != nil {
			return sfuFailure(err)
		}
	}
	g.peer.VoiceFirst(0)
	x.enter(m.Audio, m.Video, func(list []Participant, slots []slot) any {
		return resumedMessage{"resumed", g.self.ID, answer, m.ID, list, slots, x.relay}
	})
	x.srv.log.Info("call resumed", "room", x.room, "user", x.user.ID, "participant", g.self.ID)
	return nil
}
