// Package signaling runs the rooms of calls over WebSocket, and over HTTP for
// devices that publish or watch (WHIP, WHEP): who is there, the offers and
// answers, mute flags, quality. It drives package sfu and
// knows its messages (docs/signaling.md). It must not know patients or
// cases: a room is a name, a user is an ID, a name and a role. Whoever
// serves HTTP authenticates and authorises before ServeRoom.
package signaling

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"sira/sfu"
	"sira/sfu/bulk"
)

// User is who opens the WebSocket, already authenticated.
type User struct {
	ID, Name, Role string
	Guest          bool // invited to this one room: sees and hears, and nothing else
	Waiting        bool // a guest who was not let in yet
}

// Authorize says whether the user may be in the room: nil, or why not. It
// is asked at the door and each minute while the call lasts, so that a right
// withdrawn ends it.
type Authorize func(ctx context.Context, user User, room string) error

// Authorize sets what Options.Authorize is, for whoever can say it only once
// the server is made. Before anyone is let in.
func (s *Server) Authorize(f Authorize) { s.opts.Authorize = f }

// Options tune a Server. The zero value is usable.
type Options struct {
	Authorize   Authorize                  // nil: whoever reaches ServeRoom may be there
	CheckOrigin func(r *http.Request) bool // nil: pages of the same host only
	Logger      *slog.Logger               // nil discards
	Timing      Timing                     // zero fields are the defaults
}

// Relay is a TURN server for those whose network lets only HTTPS pass, as an
// RTCIceServer of the browser.
type Relay struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// RelayFor sets how a user who joins is told of a relay: nil when there is
// none. Before anyone is let in.
func (s *Server) RelayFor(f func(r *http.Request, u User) *Relay) { s.relayFor = f }

// Transfers holds what those in a call upload and load beside it to what the
// call leaves. Whoever serves these asks it.
func (s *Server) Transfers() *bulk.Book { return &s.bulk }

// Timing are the limits in time of a connection.
type Timing struct {
	Join    time.Duration // from opening to the join message; 20 s
	Ping    time.Duration // between pings; 10 s
	Silence time.Duration // without any sign of the client before it is given up; 45 s
	Write   time.Duration // for one message to leave; 15 s
	Quality time.Duration // between quality messages; 2 s
	Ready   time.Duration // for which a transport stands ready ahead of joining; 3 min
	Park    time.Duration // for which a participant whose connection was lost is kept; 10 min
	Alone   time.Duration // for which guests are left in a room without anybody else; 2 min
}

func (t Timing) orDefault() Timing {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&t.Join, 20*time.Second)
	set(&t.Ping, 10*time.Second)
	set(&t.Silence, 45*time.Second)
	set(&t.Write, 15*time.Second)
	set(&t.Quality, 2*time.Second)
	set(&t.Ready, 3*time.Minute)
	set(&t.Park, 10*time.Minute)
	set(&t.Alone, 2*time.Minute)
	return t
}

// Participant is someone in a room, as the others see them.
type Participant struct {
	ID       string `json:"id"`
	UserID   string `json:"userId"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Audio    bool   `json:"audio"`              // microphone on
	Video    bool   `json:"video"`              // camera on
	Away     bool   `json:"away"`               // the link is cut: they may come back
	NoCamera bool   `json:"noCamera,omitempty"` // has none: it is not that it is off
	Via      Way    `json:"via,omitempty"`      // a device that publishes (whip) or watches (whep)
	Guest    bool   `json:"guest,omitempty"`
	Link     string `json:"link,omitempty"` // "good", "weak" or "cut", once known
}

// RoomInfo is one room's size, for metrics.
type RoomInfo struct {
	Room         string
	Participants int
}

// Server is the signaling of all rooms of one SFU.
type Server struct {
	sfu      *sfu.SFU
	opts     Options
	log      *slog.Logger
	upgrader websocket.Upgrader
	wg       sync.WaitGroup // ServeRoom calls, endpoints, parked guests
	relayFor func(*http.Request, User) *Relay
	drawn    Drawn // nil: what is drawn is not kept
	bulk     bulk.Book

	mu       sync.Mutex
	rooms    map[string]*room
	sessions map[*session]struct{}
	guests   map[string]*guest     // by token
	parked   []*guest              // longest first
	ready    []*guest              // oldest first
	open     map[string]*Endpoint  // by ID
	waiting  map[string][]*session // guests at the door of a room, longest first
	lastID   int
	closed   bool
	records  records

	presence struct {
		sync.Mutex // held during the call, so that calls come in order
		fn         func(room string, participants []Participant)
		bye        func(room, user string)
	}
	door struct {
		sync.Mutex // as that of presence
		fn         func(room string, waiting []Waiting)
	}
}

// New makes a server that drives the given SFU.
func New(s *sfu.SFU, opts Options) *Server {
	opts.Timing = opts.Timing.orDefault()
	srv := &Server{
		sfu: s, opts: opts, log: opts.Logger,
		rooms: map[string]*room{}, sessions: map[*session]struct{}{}, guests: map[string]*guest{}, open: map[string]*Endpoint{},
		waiting: map[string][]*session{},
		upgrader: websocket.Upgrader{
			HandshakeTimeout: opts.Timing.Write,
			ReadBufferSize:   4 << 10,
			WriteBufferSize:  4 << 10,
			CheckOrigin:      opts.CheckOrigin,

			EnableCompression: true,
		},
	}
	if srv.log == nil {
		srv.log = slog.New(slog.DiscardHandler)
	}
	return srv
}

// ServeRoom takes the request over as the WebSocket of the user in the room
// and returns when it is closed. Lost without a goodbye, the user is parked
// and may come back over another one. A guest who waits (User.Waiting) is held
// at the door until Admit.
func (s *Server) ServeRoom(w http.ResponseWriter, r *http.Request, room string, u User) {
	if s.opts.Authorize != nil {
		if err := s.opts.Authorize(r.Context(), u, room); err != nil {
			http.Error(w, text(codeForbidden), http.StatusForbidden)
			return
		}
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		http.Error(w, text(codeClosing), http.StatusServiceUnavailable)
		return
	}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.log.Info("websocket refused", "room", room, "user", u.ID, "err", err)
		return // Upgrade has answered
	}
	x := newSession(s, conn, room, u)
	x.place = placeOf(r, u)
	if s.relayFor != nil {
		x.relay = s.relayFor(r, u)
	}
	x.run(r.Context())
}

// OnPresence sets the function called after each change of who is in a room
// (an empty list: the room is over). Calls come one at a time, each with the
// newest state.
func (s *Server) OnPresence(fn func(room string, participants []Participant)) {
	s.presence.Lock()
	s.presence.fn = fn
	s.presence.Unlock()
}

// OnFarewell sets the function called before presence changes because a user
// said that they leave for good: they hung up.
func (s *Server) OnFarewell(fn func(room, user string)) {
	s.presence.Lock()
	s.presence.bye = fn
	s.presence.Unlock()
}

// farewell tells that function of a member who left.
func (s *Server) farewell(x *member) {
	s.presence.Lock()
	defer s.presence.Unlock()
	if x.bye.Load() && s.presence.bye != nil {
		s.presence.bye(x.room, x.user.ID)
	}
}

// announce tells the presence function who is in the room now.
func (s *Server) announce(name string) {
	s.presence.Lock()
	defer s.presence.Unlock()
	if s.presence.fn != nil {
		s.presence.fn(name, s.Participants(name))
	}
}

// Participants lists who is in the room now.
func (s *Server) Participants(name string) []Participant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[name]; r != nil {
		return r.participants()
	}
	return []Participant{}
}

// Rooms lists the rooms with someone in them, by name.
func (s *Server) Rooms() []RoomInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]RoomInfo, 0, len(s.rooms))
	for name, r := range s.rooms {
		if n := len(r.participants()); n > 0 {
			out = append(out, RoomInfo{Room: name, Participants: n})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Room < out[j].Room })
	return out
}

// Close ends all calls and waits for them.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for x := range s.sessions {
		x.finish(codeClosing)
	}
	for _, g := range slices.Concat(s.parked, s.ready) {
		g.end(codeClosing)
	}
	for _, e := range s.open {
		e.end(codeClosing)
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { s.wg.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ending calls: %w", ctx.Err())
	}
}
