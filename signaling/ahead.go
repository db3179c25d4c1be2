package signaling

import "context"

// A guest at the door may leave their offer there, so that being let in and
// joining are one: it is kept unread, nothing is made of it before Admit.

// keepAhead keeps the newest offer of a guest who waits. One that comes as they
// are let in is not needed: they join by themselves.
func (s *Server) keepAhead(x *session, m *joinMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.held.Load() {
		x.ahead = m
	}
}

// usher brings in a guest who was let in, by the offer left at the door, and
// tells them as who joins by one exchange. When that fails they are told that
// they may join, and learn by joining what is wrong.
func (s *Server) usher(x *session, m *joinMessage) {
	defer s.wg.Done()
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timing.Write)
	defer cancel()
	seated := make(chan struct{})
	defer close(seated)
	go func() { // who goes away is not waited for
		select {
		case <-x.stop:
			cancel()
		case <-seated:
		}
	}()
	joined, err := s.exchange(ctx, newGuest(s, x.room, x.who(), nil), x.place, m)
	if err != nil {
		s.log.Info("offer left at the door failed", "room", x.room, "user", x.user.ID, "err", err)
		x.queue(doorMessage{Type: "admitted"})
		return
	}
	joined.Relay = x.relay
	x.queue(doorMessage{Type: "admitted", Joined: &joined})
}
