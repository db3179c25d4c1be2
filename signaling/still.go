package signaling

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of what is drawn on a still.
const (
	coordinateMost = 9_999 // of a picture's width or height
	pointsMost     = 256   // of one mark
	marksMost      = 200   // of one person
	pointsInAll    = 8_000 // of all marks of a still
	freezeEvery    = time.Second
)

// Still is a frozen picture, stored already, that all in a room look at.
type Still struct {
	ID, Hash      string // of the stored file; SHA-256, hexadecimal
	Width, Height int    // pixels
	By, Of        User   // who stored it, and whose camera it is
	Received      bool   // frozen from the received video of a device
}

// Mark is a stroke or an arrow on a still. Points are x, y, x, y… from 0 to
// 9999 of its width and height.
type Mark struct {
	Kind   string
	Points []int
}

// Drawn is told, for each person who drew, when a still is put away.
type Drawn func(room, still string, by User, marks []Mark)

// shown is the still of a room. It is guarded by Server.mu.
type shown struct {
	Still
	marks  []mark
	points int
}

// mark is a Mark and who made it, as clients see it.
type mark struct {
	By     string `json:"by"` // participant
	UserID string `json:"userId"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Points []int  `json:"points,omitempty"`

	author User
}

// OnDrawn sets the function called with what was drawn. Before anyone is let
// in. It is called without locks and may take a moment.
func (s *Server) OnDrawn(f Drawn) { s.drawn = f }

// Publishes says whether a device of the user is in the room, whose picture
// somebody else has to freeze.
func (s *Server) Publishes(name, user string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[name]; r != nil {
		for _, m := range r.members {
			if m.present && m.via == Publish && m.user.ID == user {
				return m.user, true
			}
		}
	}
	return User{}, false
}

// Show puts a still before everybody in the room, in the place of the one
// before. Showing what is shown, or to a room with nobody in it, does nothing.
func (s *Server) Show(name string, still Still) {
	s.mu.Lock()
	r := s.rooms[name]
	if r == nil || !r.listens() || r.still != nil && r.still.ID == still.ID {
		s.mu.Unlock()
		return
	}
	former := r.still
	r.still = &shown{Still: still}
	r.cast(r.still.message(), nil)
	s.mu.Unlock()
	s.keep(name, former)
}

func (x *shown) message() stillMessage {
	marks := slices.Clone(x.marks) // sent later, by others
	if marks == nil {
		marks = []mark{}
	}
	return stillMessage{"still", x.ID, x.Hash, x.Width, x.Height, x.By.ID, x.By.Name, x.Of.ID, x.Of.Name, x.Received, marks}
}

// keep hands over what was drawn on a still that was put away, if any was.
func (s *Server) keep(name string, x *shown) {
	if x == nil || s.drawn == nil {
		return
	}
	var authors []User
	by := map[string][]Mark{}
	for _, m := range x.marks {
		if by[m.UserID] == nil {
			authors = append(authors, m.author)
		}
		by[m.UserID] = append(by[m.UserID], Mark{m.Kind, m.Points})
	}
	for _, u := range authors {
		s.drawn(name, x.ID, u, by[u.ID])
	}
}

// listens says whether somebody with a WebSocket is in the room.
func (r *room) listens() bool {
	return slices.ContainsFunc(r.members, func(m *member) bool { return m.present && m.send != nil })
}

// cast sends to all present but one. The lock is held.
func (r *room) cast(message any, but *member) {
	for _, m := range r.members {
		if m.present && m != but && m.send != nil {
			m.send(message)
		}
	}
}

// forsake takes the still from a room that nobody looks at any more. The lock
// is held.
func (r *room) forsake() *shown {
	if r.still == nil || r.listens() {
		return nil
	}
	x := r.still
	r.still = nil
	return x
}

// freeze asks a participant's browser for a still of its own camera.
func (s *Server) freeze(x *member, of string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[x.room]
	if r == nil {
		return
	}
	for _, m := range r.members {
		if now := time.Now(); m.self.ID == of && m.present && m.send != nil && !m.user.Guest && now.Sub(m.frozen) >= freezeEvery {
			m.frozen = now
			m.send(freezeAsked{"freeze", x.self.ID})
		}
	}
}

// relay tells the others what leaves no trace.
func (s *Server) relay(x *member, message any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[x.room]; r != nil && x.present {
		r.cast(message, x)
	}
}

// draw changes the drawing of the still and tells all, the author included,
// in one order. What was meant for another still is too late.
func (s *Server) draw(x *member, m *drawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[x.room]
	if r == nil || r.still == nil || r.still.ID != m.Still || !x.present {
		return
	}
	still := r.still
	own := func(k mark) bool { return k.UserID == x.user.ID }
	mine := 0
	for _, k := range still.marks {
		if own(k) {
			mine++
		}
	}
	made := mark{x.self.ID, x.user.ID, x.user.Name, m.Kind, m.Points, x.user}
	switch m.Kind {
	case "clear":
		still.marks = slices.DeleteFunc(slices.Clone(still.marks), own)
	case "undo":
		for i := len(still.marks) - 1; i >= 0; i-- {
			if own(still.marks[i]) {
				still.marks = slices.Delete(slices.Clone(still.marks), i, i+1)
				break
			}
		}
	default:
		if mine >= marksMost || still.points+len(m.Points)/2 > pointsInAll {
			made.Kind, made.Points = "full", nil
			x.send(drawnMessage{"draw", still.ID, made})
			return
		}
		still.marks = append(still.marks, made)
	}
	still.points = 0
	for _, k := range still.marks {
		still.points += len(k.Points) / 2
	}
	r.cast(drawnMessage{"draw", still.ID, made}, nil)
}

// putAway closes the still for all.
func (s *Server) putAway(x *member, id string) {
	s.mu.Lock()
	r := s.rooms[x.room]
	if r == nil || r.still == nil || r.still.ID != id || !x.present {
		s.mu.Unlock()
		return
	}
	still := r.still
	r.still = nil
	r.cast(stillClosed{"still-closed", id, x.self.ID}, nil)
	s.mu.Unlock()
	s.keep(x.room, still)
}

// gesture shows a movement of the probe to whoever holds it: the screens of the
// participant's user, or everybody else's when a device has none beside it.
func (s *Server) gesture(x *member, m *gestureMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[x.room]
	if r == nil {
		return
	}
	i := slices.IndexFunc(r.members, func(o *member) bool { return o.present && o.self.ID == m.To })
	if i < 0 {
		return
	}
	user, message, seen := r.members[i].user.ID, gestureShown{"gesture", x.self.ID, m.To, m.Move, m.Direction}, false
	for _, o := range r.members {
		if o.present && o != x && o.send != nil && o.user.ID == user {
			o.send(message)
			seen = true
		}
	}
	if !seen {
		r.cast(message, x)
	}
}

// gestures are the movements of a probe and the directions of each.
var gestures = map[string][]string{
	"slide":  {"left", "right", "up", "down"},
	"tilt":   {"left", "right", "up", "down"},
	"rotate": {"left", "right"},
	"press":  {"more", "less"},
}

func (m *gestureMessage) check() error {
	if !slices.Contains(gestures[m.Move], m.Direction) {
		return fmt.Errorf("no gesture %.20q %.20q", m.Move, m.Direction)
	}
	return nil
}

func (m *atMessage) check() error { return checkPoints(m.At, 1, 1) }

func (m *drawMessage) check() error {
	switch m.Kind {
	case "stroke":
		return checkPoints(m.Points, 1, pointsMost)
	case "arrow":
		return checkPoints(m.Points, 2, 2)
	case "undo", "clear":
		return checkPoints(m.Points, 0, 0)
	}
	return fmt.Errorf("no mark %.20q", m.Kind)
}

func (m *freezingMessage) check() error {
	if m.Sent < 0 || m.Size < m.Sent || m.Size > 1<<30 {
		return fmt.Errorf("sent %d of %d", m.Sent, m.Size)
	}
	return nil
}

func checkPoints(points []int, least, most int) error {
	if n := len(points); n%2 != 0 || n < 2*least || n > 2*most {
		return fmt.Errorf("%d coordinates", n)
	}
	for _, p := range points {
		if p < 0 || p > coordinateMost {
			return fmt.Errorf("coordinate %d", p)
		}
	}
	return nil
}
