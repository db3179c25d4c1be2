// Package signaling runs the rooms of calls over WebSocket: who is there,
// the offers and answers, mute flags, quality. It drives package sfu and
// knows its messages (docs/signaling.md). It must not know patients or
// cases: a room is a name, a user is an ID, a name and a role. Whoever
// serves HTTP authenticates and authorises before ServeRoom.
package signaling

import (
	"context"
	"log/slog"
	"net/http"

	"sira/sfu"
)

// User is who opens the WebSocket, already authenticated.
type User struct{ ID, Name, Role string }

// Authorize says whether the user may be in the room: nil, or why not. It
// is asked again while the call lasts, so that a right withdrawn ends it.
type Authorize func(ctx context.Context, user User, room string) error

// Options tune a Server. The zero value is usable.
type Options struct {
	Authorize Authorize    // nil: whoever reaches ServeRoom may be there
	Logger    *slog.Logger // nil discards
}

// Participant is someone in a room, as the others see them.
type Participant struct {
	ID     string `json:"id"`
	UserID string `json:"userId"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Audio  bool   `json:"audio"` // microphone on
	Video  bool   `json:"video"` // camera on
}

// RoomInfo is one room's size, for metrics.
type RoomInfo struct {
	Room         string
	Participants int
}

// Server is the signaling of all rooms of one SFU.
type Server struct{}

// New makes a server that drives the given SFU.
func New(s *sfu.SFU, opts Options) *Server { return &Server{} }

// ServeRoom takes the request over as the WebSocket of the user in the room
// and returns when the call is over for them.
func (s *Server) ServeRoom(w http.ResponseWriter, r *http.Request, room string, u User) {
	http.Error(w, "not yet", http.StatusNotImplemented)
}

// OnPresence sets the function called after each change of who is in a room
// (an empty list: the room is over). Calls come one at a time.
func (s *Server) OnPresence(fn func(room string, participants []Participant)) {}

// Participants lists who is in the room now.
func (s *Server) Participants(room string) []Participant { return nil }

// Rooms lists the rooms with someone in them.
func (s *Server) Rooms() []RoomInfo { return nil }

// Close ends all calls and waits for them.
func (s *Server) Close(ctx context.Context) error { return nil }
