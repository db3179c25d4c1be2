package signaling

import (
	"context"
	"errors"
	"slices"
	"time"

	"sira/sfu"
)

// readyMost is how many transports may stand ready, of all users together; of
// one user it is one.
const readyMost = 128

// voiceFirst is how long pictures wait at most for the WebSocket of a guest who
// enters with a transport that stands ready: over a thin link the first picture
// would hold it up, and with it the word on how to encode.
const voiceFirst = 3 * time.Second

// ErrGone is a word to enter with a transport that is no longer there.
var ErrGone = errors.New("signaling: nothing stands ready")

// A page that shows a running call may have its transport set up before
// anybody clicks: then the first sound needs no more than the way there and
// back. Such a guest is in no room: unseen, unheard, sent nothing. It leaves
// after Timing.Ready, or when its user makes another one ready.

// makeReady sets a transport up ahead of joining.
func (s *Server) makeReady(ctx context.Context, g *guest, place string, m *readyMessage) (ready readyTold, err error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ready, ErrClosing
	}
	s.name(&g.member)
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	g.files = s.bulk.Join(g.user.ID)
	peer, err := s.sfu.Prepare(ctx, g.room, g.participant(place))
	if err != nil {
		g.leave()
		return ready, err
	}
	g.peer, g.media = peer, peer
	answer, err := peer.Negotiate(ctx, m.SDP)
	if err != nil {
		g.leave()
		return ready, err
	}
	if !s.stand(g) {
		g.leave()
		return ready, ErrClosing
	}
	return readyTold{Type: "ready", Token: g.token, SDP: answer}, nil
}

// stand lists a guest that is ready, in the place of another one of the same
// user or of the oldest. False: the server is closing.
func (s *Server) stand(g *guest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	i := slices.IndexFunc(s.ready, func(o *guest) bool { return o.user.ID == g.user.ID })
	if i < 0 && len(s.ready) >= readyMost {
		i = 0
	}
	if i >= 0 {
		s.ready[i].end(codeNone)
		s.ready = slices.Delete(s.ready, i, i+1)
	}
	back := make(chan struct{})
	g.back = back
	s.ready = append(s.ready, g)
	s.wg.Add(1)
	go g.keep(back, s.opts.Timing.Ready)
	return true
}

// enterReady brings a guest that stands ready into its room.
func (s *Server) enterReady(ctx context.Context, room string, u User, m *enterMessage) (joined joinedMessage, err error) {
	g := s.unready(room, u, m.Token)
	if g == nil {
		return joined, ErrGone
	}
	defer s.wg.Done()
	if err := s.bringReady(ctx, g); err != nil {
		g.leave()
		return joined, err
	}
	return s.settle(g, "", m.Audio, m.Video)
}

// bringReady seats the guest of a transport that is set up.
func (s *Server) bringReady(ctx context.Context, g *guest) error {
	if !s.admit(&g.member, ctx.Done()) {
		return ErrClosing
	}
	g.peer.VoiceFirst(voiceFirst)
	err := g.peer.Enter()
	for errors.Is(err, sfu.ErrRoomFull) && s.yieldSeat(g.room, ctx.Done()) {
		err = g.peer.Enter()
	}
	return err
}

// unready takes the guest of a token from the list. Nil: there is none for this
// user. The server waits for who took it.
func (s *Server) unready(room string, u User, token string) *guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.ready, func(g *guest) bool { return g.token == token && g.room == room && g.user.ID == u.ID })
	if i < 0 || s.closed {
		return nil
	}
	g := s.ready[i]
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return nil
	}
	s.ready = slices.Delete(s.ready, i, i+1)
	s.wg.Add(1)
	close(g.back)
	g.back, g.moving = nil, true // its keeper, who may be about to end it, lets it go
	return g
}
