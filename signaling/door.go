package signaling

import (
	"slices"
	"time"
)

// waitingMost is how many guests may wait at the door of one room.
const waitingMost = 8

// Waiting is a guest at the door of a room.
type Waiting struct {
	UserID, Name string
	Since        time.Time
}

// Reason is why a guest is sent away.
type Reason string

// The reasons.
const (
	Refused   = Reason(codeRefused)
	Removed   = Reason(codeRemoved)
	Withdrawn = Reason(codeWithdrawn) // the invitation was taken back
)

// OnWaiting sets the function called after each change of who waits at the door
// of a room, as OnPresence.
func (s *Server) OnWaiting(fn func(room string, waiting []Waiting)) {
	s.door.Lock()
	s.door.fn = fn
	s.door.Unlock()
}

func (s *Server) announceDoor(name string) {
	s.door.Lock()
	defer s.door.Unlock()
	if s.door.fn != nil {
		s.door.fn(name, s.Waiting(name))
	}
}

// Waiting lists who waits at the door of a room, the longest first.
func (s *Server) Waiting(name string) []Waiting {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Waiting{}
	for _, x := range s.waiting[name] {
		list = append(list, Waiting{x.user.ID, x.user.Name, x.since})
	}
	return list
}

// WaitingInAll is how many wait, for metrics.
func (s *Server) WaitingInAll() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.waiting {
		n += len(list)
	}
	return n
}

// knock puts a guest who waits at the door of its room, in the place of a
// former connection of theirs, and tells a guest whether they wait.
func (s *Server) knock(x *session) {
	if !x.user.Guest {
		return
	}
	if !x.held.Load() {
		x.queue(doorMessage{Type: "admitted"})
		return
	}
	s.mu.Lock()
	list := s.waiting[x.room]
	if i := slices.IndexFunc(list, func(o *session) bool { return o.user.ID == x.user.ID }); i >= 0 {
		former := list[i]
		x.since = former.since
		list[i] = x
		former.finish(codeReplaced)
	} else if len(list) >= waitingMost {
		s.mu.Unlock()
		x.finish(codeDoorFull)
		return
	} else {
		s.waiting[x.room] = append(list, x)
	}
	x.queue(doorMessage{Type: "waiting"})
	s.mu.Unlock()
	s.announceDoor(x.room)
	s.log.Info("guest waits", "room", x.room, "user", x.user.ID)
}

// leaveDoor takes a connection from the door, if it is there.
func (s *Server) leaveDoor(x *session) {
	s.mu.Lock()
	there := s.unqueue(x)
	s.mu.Unlock()
	if there {
		s.announceDoor(x.room)
	}
}

// unqueue is leaveDoor with the lock held.
func (s *Server) unqueue(x *session) bool {
	list := s.waiting[x.room]
	if !slices.Contains(list, x) {
		return false
	}
	if list = slices.DeleteFunc(list, func(o *session) bool { return o == x }); len(list) == 0 {
		delete(s.waiting, x.room)
	} else {
		s.waiting[x.room] = list
	}
	return true
}

// Admit lets a guest in who waits at the door. False: nobody of that ID does.
func (s *Server) Admit(name, user string) bool {
	s.mu.Lock()
	list := s.waiting[name]
	i := slices.IndexFunc(list, func(o *session) bool { return o.user.ID == user })
	if i < 0 {
		s.mu.Unlock()
		return false
	}
	x := list[i]
	s.unqueue(x)
	x.held.Store(false)
	x.expect(s.opts.Timing.Join)
	if x.ahead != nil && !s.closed {
		s.wg.Add(1)
		go s.usher(x, x.ahead)
	} else {
		x.queue(doorMessage{Type: "admitted"})
	}
	x.ahead = nil
	s.mu.Unlock()
	s.announceDoor(name)
	return true
}

// Evict sends a guest away, from the door and out of the room, and says whether
// they were in the room. Whether they may come back is for Authorize to say.
func (s *Server) Evict(name, user string, why Reason) (inside bool) {
	s.mu.Lock()
	for _, x := range s.waiting[name] {
		if x.user.ID == user {
			x.finish(code(why))
		}
	}
	if r := s.rooms[name]; r != nil {
		for _, m := range r.members {
			if m.user.ID == user && m.user.Guest {
				inside = inside || m.present
				m.end(code(why))
			}
		}
	}
	s.mu.Unlock()
	return inside
}

// Sees says whether the user is in the room and the still is before all there.
func (s *Server) Sees(name, user, still string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[name]
	return r != nil && r.still != nil && r.still.ID == still &&
		slices.ContainsFunc(r.members, func(m *member) bool { return m.present && m.user.ID == user })
}

// mind ends the guests of a room after a while in which nobody else was in it.
// Devices are nobody; who is parked is there. The lock is held.
func (s *Server) mind(name string) {
	r := s.rooms[name]
	if r == nil {
		return
	}
	if !r.onlyGuests() {
		if r.alone != nil {
			r.alone.Stop()
			r.alone = nil
		}
		return
	}
	if r.alone == nil {
		r.alone = time.AfterFunc(s.opts.Timing.Alone, func() { s.dismiss(name, r) })
	}
}

func (r *room) onlyGuests() bool {
	guests := false
	for _, m := range r.members {
		if m.present && m.via == "" {
			if !m.user.Guest {
				return false
			}
			guests = true
		}
	}
	return guests
}

func (s *Server) dismiss(name string, r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[name] != r || r.alone == nil || !r.onlyGuests() {
		return
	}
	r.alone = nil
	for _, m := range r.members {
		if m.user.Guest {
			m.end(codeAlone)
		}
	}
}

// forGuests says whether guests may send a message: what brings sound and
// picture and says how well, nothing that is kept in a case or shown in
// somebody's name.
func forGuests(m any) bool {
	switch m.(type) {
	case *joinMessage, *prepareMessage, *resumeMessage, *leaveMessage, *offerMessage, *candidateMessage, *stateMessage, *receiveMessage,
		*sendMessage, *uplinkMessage, *reportMessage, *pingMessage, *pongMessage, nil:
		return true
	}
	return false
}

// who is the user of the connection as they stand now.
func (x *session) who() User {
	u := x.user
	u.Waiting = x.held.Load()
	return u
}
