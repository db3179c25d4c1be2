package signaling

import (
	"fmt"
	"slices"
)

// room is who is in a call, in order of joining. It is guarded by Server.mu.
type room struct{ members []*session }

func (r *room) participants() []Participant {
	out := make([]Participant, 0, len(r.members))
	for _, m := range r.members {
		if m.present {
			out = append(out, m.self)
		}
	}
	return out
}

// admit gives the session its place and name in the room. When the same user
// is there already (a lost link, another tab), that session is ended and
// returned: wait until it is gone and ask again.
func (s *Server) admit(x *session) (former *session, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	r := s.rooms[x.room]
	if r == nil {
		r = &room{}
		s.rooms[x.room] = r
	}
	for _, m := range r.members {
		if m.user.ID == x.user.ID {
			m.end(codeReplaced)
			return m, true
		}
	}
	s.lastID++
	x.self = Participant{ID: fmt.Sprintf("p%d", s.lastID), UserID: x.user.ID, Name: x.user.Name, Role: x.user.Role}
	r.members = append(r.members, x)
	return nil, true
}

// enter shows the session to the room, with all it has to know.
func (s *Server) enter(x *session, audio, video bool, answer string) {
	s.mu.Lock()
	x.self.Audio, x.self.Video = audio, video
	x.present = true
	list := s.rooms[x.room].participants()
	x.welcome(answer, list)
	s.tell(x.room, x)
	s.mu.Unlock()
	s.announce(x.room)
}

// setState changes the mute flags and tells the others.
func (s *Server) setState(x *session, m *stateMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := x.self
	if m.Audio != nil {
		x.self.Audio = *m.Audio
	}
	if m.Video != nil {
		x.self.Video = *m.Video
	}
	if x.present && x.self != was {
		s.tell(x.room, nil)
	}
}

// depart removes the session from its room.
func (s *Server) depart(x *session) {
	s.mu.Lock()
	r := s.rooms[x.room]
	if r == nil || !slices.Contains(r.members, x) {
		s.mu.Unlock()
		return
	}
	r.members = slices.DeleteFunc(r.members, func(m *session) bool { return m == x })
	if len(r.members) == 0 {
		delete(s.rooms, x.room)
	}
	was := x.present
	x.present = false
	if was {
		s.tell(x.room, nil)
	}
	s.mu.Unlock()
	if was {
		s.announce(x.room)
	}
}

// tell sends the list of participants to all present but one. The lock is
// held: lists arrive in the order of the changes.
func (s *Server) tell(name string, but *session) {
	r := s.rooms[name]
	if r == nil {
		return
	}
	list := participantsMessage{"participants", r.participants()}
	for _, m := range r.members {
		if m.present && m != but {
			m.send(list)
		}
	}
}
