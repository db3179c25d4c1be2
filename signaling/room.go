package signaling

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"sira/sfu"
	"sira/signaling/record"
)

// room is who is in a call, in order of joining. It is guarded by Server.mu.
type room struct {
	members []*member
	still   *shown      // nil: none
	alone   *time.Timer // runs while only guests are there
}

// member is one participant in a room, whatever carries its signaling.
type member struct {
	room string
	user User
	via  Way           // "" for a WebSocket
	key  string        // who has the same is the same person on the same kind of device; "" is nobody else
	send func(any)     // takes a message for the client; must not block; nil: none are wanted
	end  func(code)    // ends the connection; must not block
	gone chan struct{} // closed when it has left its room

	media *sfu.Peer                     // set before it enters
	line  atomic.Pointer[record.Person] // of the call's record, once it entered
	bye   atomic.Bool                   // it said that it leaves for good

	// Guarded by Server.mu.
	self    Participant
	present bool
	frozen  time.Time // when its picture was last asked for
}

func (r *room) participants() []Participant {
	out := make([]Participant, 0, len(r.members))
	for _, m := range r.members {
		if m.present {
			out = append(out, m.self)
		}
	}
	return out
}

// admit gives a member its place and name in the room, after the same user's
// former connection (a lost link, another tab) has been ended. False: stop was
// closed, or the server is closing.
func (s *Server) admit(x *member, stop <-chan struct{}) bool {
	for {
		former, ok := s.seat(x)
		if former == nil {
			return ok
		}
		select {
		case <-former.gone:
		case <-stop:
			return false
		}
	}
}

// seat is one try of admit: former is who has to go first.
func (s *Server) seat(x *member) (former *member, ok bool) {
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
		if x.key != "" && m.key == x.key {
			m.end(codeReplaced)
			return m, true
		}
	}
	s.name(x)
	r.members = append(r.members, x)
	return nil, true
}

// name says who a member is to the others; its ID stays. The lock is held.
func (s *Server) name(x *member) {
	id := x.self.ID
	if id == "" {
		s.lastID++
		id = fmt.Sprintf("p%d", s.lastID)
	}
	x.self = Participant{ID: id, UserID: x.user.ID, Name: x.user.Name, Role: x.user.Role, Via: x.via, Guest: x.user.Guest}
}

// enter shows a member to the room; welcome, which may be nil, is given who is
// there before anything else is sent.
func (s *Server) enter(x *member, audio, video bool, welcome func([]Participant)) {
	s.mu.Lock()
	x.self.Audio, x.self.Video = audio, video
	x.self.Away = false
	x.present = true
	s.chronicle(x, time.Now())
	if welcome != nil {
		welcome(s.rooms[x.room].participants())
		if still := s.rooms[x.room].still; still != nil {
			x.send(still.message())
		}
	}
	s.tell(x.room, x)
	s.mind(x.room)
	s.mu.Unlock()
	s.announce(x.room)
}

// setState changes the mute flags and tells the others.
func (s *Server) setState(x *member, m *stateMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := x.self
	if m.Audio != nil {
		x.self.Audio = *m.Audio
	}
	if m.Video != nil {
		x.self.Video = *m.Video
	}
	if m.Camera != nil {
		x.self.NoCamera = !*m.Camera
	}
	if x.present && x.self != was {
		s.tell(x.room, nil)
	}
}

// mediaIs marks a guest whose media stopped as away, until it flows again.
func (s *Server) mediaIs(g *guest, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.met = g.met || up
	if away := g.met && !up; g.present && g.self.Away != away {
		g.self.Away = away
		s.tell(g.room, nil)
	}
}

// depart removes a member from its room.
func (s *Server) depart(x *member) {
	s.conclude(x)
	s.mu.Lock()
	r := s.rooms[x.room]
	if r == nil || !slices.Contains(r.members, x) {
		s.mu.Unlock()
		return
	}
	r.members = slices.DeleteFunc(r.members, func(m *member) bool { return m == x })
	was := x.present
	x.present = false
	s.mind(x.room)
	if len(r.members) == 0 {
		delete(s.rooms, x.room)
		s.emptied(x.room)
	}
	still := r.forsake()
	if was {
		s.tell(x.room, nil)
	}
	s.mu.Unlock()
	s.keep(x.room, still)
	if was {
		s.farewell(x)
		s.announce(x.room)
	}
}

// tell sends the list of participants to all present but one. The lock is
// held: lists arrive in the order of the changes.
func (s *Server) tell(name string, but *member) {
	r := s.rooms[name]
	if r == nil {
		return
	}
	list := participantsMessage{"participants", r.participants()}
	for _, m := range r.members {
		if m.present && m != but && m.send != nil {
			m.send(list)
		}
	}
}
