package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"sira/sfu"
)

// Limits of one connection.
const (
	sendQueue      = 64  // messages waiting to leave; more is a reader that does not read
	messageRate    = 20  // messages a second
	messageBurst   = 100 // a join with its candidates
	candidatesMost = 64  // in one call
	offersMost     = 200
	authorizeEvery = time.Minute
	farewell       = 3 * time.Second // for the last messages to leave
	drainFor       = time.Second
	drainMost      = 1 << 20 // bytes

	// Above maxMessage, so that a client that is a little too long is told
	// so; beyond, the connection is closed without a word.
	readLimit = 4 * maxMessage

	// Descriptions shrink to a fifth: a second of a 64 kbit/s link saved.
	compressFrom = 512 // bytes
)

// session is one WebSocket: a reader (ServeRoom's goroutine) that owns the
// media peer, and a writer.
type session struct {
	srv  *Server
	conn *websocket.Conn
	room string
	user User
	out  chan any
	gone chan struct{} // closed when it has left its room

	stop   chan struct{} // closed by end
	once   sync.Once
	why    code          // set before stop is closed
	closed chan struct{} // closed when the writer ended

	// Guarded by Server.mu.
	self    Participant
	present bool

	// Of the reader.
	peer       *sfu.Peer
	candidates int
	offers     int
	limiter    *rate.Limiter

	mu     sync.Mutex
	opened *sfu.Peer // for the writer, once joined
	slots  []slot
	more   *renegotiateMessage
}

func newSession(s *Server, conn *websocket.Conn, room string, u User) *session {
	return &session{
		srv: s, conn: conn, room: room, user: u,
		out: make(chan any, sendQueue), gone: make(chan struct{}),
		stop: make(chan struct{}), closed: make(chan struct{}),
		limiter: rate.NewLimiter(messageRate, messageBurst),
	}
}

// run serves the connection until its end.
func (x *session) run(ctx context.Context) {
	if !x.srv.enrol(x) {
		x.end(codeClosing)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go x.write(ctx)

	err := x.read(ctx)
	var f *failure
	switch {
	case errors.As(err, &f):
		x.end(f.code)
	default:
		x.end(codeNone)
	}
	x.srv.log.Info("call left", "room", x.room, "user", x.user.ID, "why", string(x.why), "err", err)
	x.srv.depart(x)
	if x.peer != nil {
		_ = x.peer.Close()
	}
	close(x.gone)
	<-x.closed
	x.drain()
	x.srv.strike(x)
}

// drain reads on for a moment: closing with unread bytes would reset the
// connection, and the client might not get our last words.
func (x *session) drain() {
	c := x.conn.NetConn()
	_ = c.SetReadDeadline(time.Now().Add(drainFor))
	_, _ = io.CopyN(io.Discard, c, drainMost)
	_ = c.Close()
}

func (s *Server) enrol(x *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[x] = struct{}{}
	return !s.closed
}

func (s *Server) strike(x *session) {
	s.mu.Lock()
	delete(s.sessions, x)
	s.mu.Unlock()
}

// end says goodbye for a reason and lets the connection go. It never blocks
// and may be called by anyone.
func (x *session) end(c code) {
	x.once.Do(func() {
		x.why = c
		close(x.stop)
		// The reader stops waiting for the client; the writer still writes.
		_ = x.conn.SetReadDeadline(time.Now())
	})
}

// drop ends a connection that no longer takes messages.
func (x *session) drop() {
	x.end(codeNone)
	_ = x.conn.NetConn().Close()
}

// send queues a message; a full queue ends the session.
func (x *session) send(m any) {
	select {
	case x.out <- m:
	case <-x.stop:
	default:
		x.srv.log.Info("slow reader dropped", "room", x.room, "user", x.user.ID)
		x.drop()
	}
}

// read handles the client's messages until one is wrong or the end.
func (x *session) read(ctx context.Context) error {
	t := x.srv.opts.Timing
	x.conn.SetReadLimit(readLimit)
	x.expect(t.Join)
	x.conn.SetPongHandler(x.onPong)
	for {
		kind, raw, err := x.next()
		if err != nil {
			return x.readError(err)
		}
		if x.peer != nil {
			x.expect(t.Silence)
		}
		if kind != websocket.TextMessage {
			return fail(codeBadMessage, "binary frame")
		}
		if !x.limiter.Allow() {
			return fail(codeTooFast, "more than %d messages a second", messageRate)
		}
		m, err := decode(raw)
		if err != nil {
			return fail(codeBadMessage, "%w", err)
		}
		done, err := x.handle(ctx, m)
		if done || err != nil {
			return err
		}
	}
}

// next reads one message. What it unpacks to is bounded, for a compressed
// one may be a thousand times its size.
func (x *session) next() (kind int, raw []byte, err error) {
	kind, r, err := x.conn.NextReader()
	if err != nil {
		return 0, nil, err
	}
	raw, err = io.ReadAll(io.LimitReader(r, maxMessage+1))
	return kind, raw, err
}

func (x *session) readError(err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return fail(codeBadMessage, "message of more than %d bytes", readLimit)
	case errors.As(err, &timeout) && timeout.Timeout() && x.peer == nil:
		return fail(codeLate, "no join")
	}
	return err
}

// expect gives the client so long for its next sign of life; not when the
// session is ending, whose deadline is past on purpose.
func (x *session) expect(d time.Duration) {
	_ = x.conn.SetReadDeadline(time.Now().Add(d))
	select {
	case <-x.stop:
		_ = x.conn.SetReadDeadline(time.Now())
	default:
	}
}

// onPong measures the round trip of the WebSocket by the time in our ping.
func (x *session) onPong(data string) error {
	if x.peer == nil {
		return nil // the time to join is not extended
	}
	x.expect(x.srv.opts.Timing.Silence)
	var sent time.Time
	if sent.UnmarshalText([]byte(data)) == nil {
		if d := time.Since(sent); d > 0 && d < time.Minute {
			x.peer.HintRTT(d)
		}
	}
	return nil
}

// handle acts on one message; done means that the client left.
func (x *session) handle(ctx context.Context, m any) (done bool, err error) {
	if j, ok := m.(*joinMessage); ok {
		return false, x.join(ctx, j)
	}
	switch m := m.(type) {
	case *leaveMessage:
		return true, nil
	case *pingMessage:
		x.send(timeMessage{"pong", m.T})
		return false, nil
	case nil, *pongMessage:
		return false, nil
	}
	if x.peer == nil {
		return false, fail(codeBadMessage, "%T before join", m)
	}
	switch m := m.(type) {
	case *offerMessage:
		return false, x.offer(ctx, m)
	case *candidateMessage:
		x.candidate(m)
	case *stateMessage:
		x.srv.setState(x, m)
	}
	return false, nil
}

func (x *session) candidate(m *candidateMessage) {
	if m.Candidate == nil || m.Candidate.Candidate == "" || x.candidates >= candidatesMost {
		return // the end of candidates, or more than anyone has
	}
	x.candidates++
	c := m.Candidate
	err := x.peer.AddCandidate(sfu.Candidate{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
	if err != nil {
		// The call may well work without it.
		x.srv.log.Debug("candidate ignored", "room", x.room, "user", x.user.ID, "err", err)
	}
}

func (x *session) offer(ctx context.Context, m *offerMessage) error {
	x.offers++
	if x.offers > offersMost {
		return fail(codeTooFast, "more than %d offers", offersMost)
	}
	x.candidates = 0
	answer, err := x.peer.Negotiate(ctx, m.SDP)
	if err != nil {
		return sfuFailure(err)
	}
	x.send(answerMessage{"answer", answer, m.ID})
	return nil
}

// join brings the session into its room.
func (x *session) join(ctx context.Context, m *joinMessage) error {
	if x.peer != nil {
		return fail(codeBadMessage, "join twice")
	}
	for {
		former, ok := x.srv.admit(x)
		if !ok {
			return fail(codeClosing, "server closing")
		}
		if former == nil {
			break
		}
		select {
		case <-former.gone:
		case <-x.stop:
			return nil
		}
	}
	peer, err := x.srv.sfu.Join(ctx, x.room, sfu.Participant{
		ID: x.self.ID, OnSlots: x.onSlots, OnRenegotiate: x.onRenegotiate,
	})
	if err != nil {
		return sfuFailure(err)
	}
	x.peer = peer
	answer, err := peer.Negotiate(ctx, m.SDP)
	if err != nil {
		return sfuFailure(err)
	}
	x.expect(x.srv.opts.Timing.Silence)
	x.srv.enter(x, m.Audio, m.Video, answer)
	x.srv.log.Info("call joined", "room", x.room, "user", x.user.ID, "participant", x.self.ID)
	return nil
}

func sfuFailure(err error) error {
	switch {
	case errors.Is(err, sfu.ErrRoomFull):
		return &failure{codeRoomFull, err}
	case errors.Is(err, sfu.ErrBadSDP):
		return &failure{codeBadSDP, err}
	case errors.Is(err, sfu.ErrClosed):
		return &failure{codeClosing, err}
	}
	return &failure{codeInternal, err}
}

// welcome is the first message: the answer and what there is. What the SFU
// reported before waits for it.
func (x *session) welcome(answer string, list []Participant) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.opened = x.peer
	slots := x.slots
	if slots == nil {
		slots = []slot{}
	}
	x.send(joinedMessage{"joined", x.self.ID, answer, list, slots})
	if x.more != nil {
		x.send(*x.more)
	}
}

// onSlots is called by the SFU's room.
func (x *session) onSlots(list []sfu.Slot) {
	slots := make([]slot, 0, len(list))
	for _, s := range list {
		slots = append(slots, slot(s))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.slots = slots
	if x.opened != nil {
		x.send(slotsMessage{"slots", slots})
	}
}

// onRenegotiate is called by the SFU's room.
func (x *session) onRenegotiate(audio, video int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.more = &renegotiateMessage{"renegotiate", audio, video}
	if x.opened != nil {
		x.send(*x.more)
	}
}

// write sends what is queued, pings and quality, until the end.
func (x *session) write(ctx context.Context) {
	defer close(x.closed)
	t := x.srv.opts.Timing
	ping, quality, right := time.NewTicker(t.Ping), time.NewTicker(t.Quality), time.NewTicker(authorizeEvery)
	defer ping.Stop()
	defer quality.Stop()
	defer right.Stop()
	for {
		var err error
		select {
		case m := <-x.out:
			err = x.put(m, t.Write)
		case <-ping.C:
			now, _ := time.Now().MarshalText()
			err = x.conn.WriteControl(websocket.PingMessage, now, time.Now().Add(t.Write))
		case <-quality.C:
			err = x.putQuality(t.Write)
		case <-right.C:
			x.stillAllowed(ctx)
		case <-x.stop:
			x.sayGoodbye()
			return
		}
		if err != nil {
			x.end(codeNone)
			return
		}
	}
}

func (x *session) put(m any, limit time.Duration) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_ = x.conn.SetWriteDeadline(time.Now().Add(limit))
	x.conn.EnableWriteCompression(len(b) >= compressFrom)
	return x.conn.WriteMessage(websocket.TextMessage, b)
}

func (x *session) putQuality(limit time.Duration) error {
	x.mu.Lock()
	peer := x.opened
	x.mu.Unlock()
	if peer == nil {
		return nil
	}
	q := peer.Quality()
	return x.put(qualityMessage{
		Type: "quality", Connected: q.Connected, RTTMs: round(q.RTTMs, 1), LossUp: round(q.LossUp, 1000), LossDown: round(q.LossDown, 1000),
		KbpsUp: round(q.KbpsUp, 10), KbpsDown: round(q.KbpsDown, 10),
	}, limit)
}

// round keeps the message short: f to 1/per.
func round(f, per float64) float64 { return float64(int64(f*per+0.5)) / per }

func (x *session) stillAllowed(ctx context.Context) {
	if x.srv.opts.Authorize == nil {
		return
	}
	if err := x.srv.opts.Authorize(ctx, x.user, x.room); err != nil && ctx.Err() == nil {
		x.end(codeForbidden)
	}
}

// sayGoodbye sends what is still queued, why it ends, and the close frame.
func (x *session) sayGoodbye() {
	deadline := time.Now().Add(farewell)
	for len(x.out) > 0 {
		if x.put(<-x.out, time.Until(deadline)) != nil {
			return
		}
	}
	if x.why != codeNone {
		if x.put(errorMessage{"error", x.why, text(x.why)}, time.Until(deadline)) != nil {
			return
		}
	}
	msg := websocket.FormatCloseMessage(reasons[x.why].close, string(x.why))
	_ = x.conn.WriteControl(websocket.CloseMessage, msg, deadline)
}
