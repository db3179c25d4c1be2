package signaling

import (
	"slices"
	"time"

	"sira/signaling/record"
)

// How long records are kept for administrators, who ask afterwards why a call
// was bad.
const (
	recordsKept = 50
	recordAge   = 48 * time.Hour
	recordGrace = 2 * time.Minute // an empty room is the same call when somebody comes back within
)

// records are those of calls that go on, by room, and of the last ones. They
// are guarded by Server.mu.
type records struct {
	open map[string]*openRecord
	past []*record.Call // oldest first
}

type openRecord struct {
	*record.Call
	quit    chan struct{} // of the goroutine that samples; nil: nobody is there
	emptied time.Time
}

// reportMessage is a record.Report as a browser sends it.
type reportMessage struct {
	Voice        int `json:"voice"`  // s
	Usable       int `json:"usable"` // s
	ConcealedMs  int `json:"concealedMs"`
	Freezes      int `json:"freezes"`
	FrozenMs     int `json:"frozenMs"`
	FirstAudioMs int `json:"firstAudioMs"`
	FirstVideoMs int `json:"firstVideoMs"`
	Width        int `json:"width"`
	Height       int `json:"height"`
	FPS          int `json:"fps"`
}

func (m *reportMessage) check() error { return record.Report(*m).Check() }

// chronicle begins or goes on with a member's line. The lock is held.
func (s *Server) chronicle(x *member, now time.Time) {
	if x.line.Load() != nil {
		return // resumed
	}
	r := s.records.open[x.room]
	if r != nil && r.quit == nil && now.Sub(r.emptied) > recordGrace {
		s.closeRecord(x.room, now)
		r = nil
	}
	if r == nil {
		if s.records.open == nil {
			s.records.open = map[string]*openRecord{}
		}
		r = &openRecord{Call: record.New(x.room, now)}
		s.records.open[x.room] = r
	}
	key := record.Key{User: x.user.ID, Via: string(x.via)}
	if x.key == "" {
		key.Seat = x.self.ID
	}
	line := r.Enter(key, record.Who{Name: x.user.Name, Role: x.user.Role}, now)
	if x.media != nil {
		line.Link(x.media.Connected(), now)
	}
	x.line.Store(line)
	if r.quit == nil {
		r.quit = make(chan struct{})
		s.wg.Add(1)
		go s.observe(x.room, r.quit)
	}
}

// conclude ends a member's line, with a last look at the link.
func (s *Server) conclude(x *member) {
	line := x.line.Load()
	if line == nil {
		return
	}
	now := time.Now()
	if x.media != nil {
		line.Sample(x.media.Observe(), now)
	}
	line.Leave(now)
}

// emptied stops sampling a room that nobody is in. The lock is held.
func (s *Server) emptied(room string) {
	if r := s.records.open[room]; r != nil && r.quit != nil {
		close(r.quit)
		r.quit, r.emptied = nil, time.Now()
	}
}

// linked is the SFU's word on a member's transport.
func (x *member) linked(up bool) {
	if line := x.line.Load(); line != nil {
		line.Link(up, time.Now())
	}
}

// heardAgain notes that a client asks for its media back.
func (x *member) heardAgain() {
	if line := x.line.Load(); line != nil {
		line.Knock(time.Now())
	}
}

// observe looks at the links of a room until it is empty, and shows everybody
// how they are.
func (s *Server) observe(room string, quit <-chan struct{}) {
	defer s.wg.Done()
	tick := time.NewTicker(s.opts.Timing.Quality)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case now := <-tick.C:
			s.look(room, now)
		}
	}
}

func (s *Server) look(room string, now time.Time) {
	s.mu.Lock()
	var members []*member
	if r := s.rooms[room]; r != nil {
		members = slices.Clone(r.members)
	}
	s.mu.Unlock()
	signs := make([]record.Sign, len(members))
	for i, m := range members {
		if line := m.line.Load(); line != nil && m.media != nil {
			signs[i] = line.Sample(m.media.Observe(), now)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for i, m := range members {
		if m.self.Away {
			signs[i] = record.Cut
		}
		changed = changed || m.present && m.self.Link != string(signs[i])
		m.self.Link = string(signs[i])
	}
	if changed {
		s.tell(room, nil)
	}
}

// report takes a browser's figures.
func (s *Server) report(x *member, m *reportMessage) {
	if line := x.line.Load(); line != nil {
		line.Report(record.Report(*m), time.Now())
	}
}

// Record is that of the call going on in a room, or just over: nil when there
// is none.
func (s *Server) Record(room string) *record.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records.open[room]; r != nil {
		return r.Call
	}
	return nil
}

// EndRecord says that a room's call is over for good; who comes now begins
// another. It does nothing while somebody is there.
func (s *Server) EndRecord(room string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records.open[room]; r != nil && r.quit == nil {
		s.closeRecord(room, time.Now())
	}
}

// closeRecord moves a record to the past. The lock is held.
func (s *Server) closeRecord(room string, now time.Time) {
	r := s.records.open[room]
	delete(s.records.open, room)
	r.End(now)
	s.records.past = append(s.records.past, r.Call)
	if extra := len(s.records.past) - recordsKept; extra > 0 {
		s.records.past = slices.Delete(s.records.past, 0, extra)
	}
}

// Records are those of the calls that go on and of the last ones, the newest
// last.
func (s *Server) Records() []*record.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for room, r := range s.records.open {
		if r.quit == nil && now.Sub(r.emptied) > recordGrace {
			s.closeRecord(room, now)
		}
	}
	s.records.past = slices.DeleteFunc(s.records.past, func(c *record.Call) bool { return now.Sub(c.Started) > recordAge })
	out := slices.Clone(s.records.past)
	for _, r := range s.records.open {
		out = append(out, r.Call)
	}
	slices.SortFunc(out, func(a, b *record.Call) int { return a.Started.Compare(b.Started) })
	return out
}
