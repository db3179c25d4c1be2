package signaling

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"
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

// session is one WebSocket: a reader (ServeRoom's goroutine) that drives the
// guest who joined or resumed, and a writer.
type session struct {
	room  string
	user  User
	srv   *Server
	conn  *websocket.Conn
	relay *Relay // told with joined; nil: none
	out   chan any

	held  atomic.Bool  // waits at the door; set by newSession, cleared by admit
	since time.Time    // when it came to the door
	ahead *joinMessage // left at the door; guarded by Server.mu

	place string // user and network, by which the SFU remembers the link

	stop   chan struct{} // closed by finish
	once   sync.Once
	why    code          // set before stop is closed
	quiet  chan struct{} // closed when the reader ended
	closed chan struct{} // closed when the writer ended

	// Of the reader.
	guest   *guest // once admitted
	joined  bool
	limiter *rate.Limiter

	opened atomic.Pointer[guest] // for the writer, once joined
}

func newSession(s *Server, conn *websocket.Conn, room string, u User) *session {
	x := &session{
		room: room, user: u, srv: s, conn: conn,
		out:  make(chan any, sendQueue),
		stop: make(chan struct{}), quiet: make(chan struct{}), closed: make(chan struct{}),
		limiter: rate.NewLimiter(messageRate, messageBurst), since: time.Now(),
	}
	x.held.Store(u.Waiting)
	return x
}

// run serves the connection until its end.
func (x *session) run(ctx context.Context) {
	if !x.srv.enrol(x) {
		x.finish(codeClosing)
	}
	x.srv.knock(x)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go x.write(ctx)

	err := x.read(ctx)
	close(x.quiet)
	x.srv.leaveDoor(x)
	var f *failure
	switch {
	case errors.As(err, &f):
		x.finish(f.code)
	default:
		x.finish(codeNone)
	}
	x.srv.log.Info("call connection ended", "room", x.room, "user", x.user.ID, "why", string(x.why), "err", err)
	if x.guest != nil {
		x.srv.release(x, x.why == codeNone && isLost(err))
	}
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

// finish says goodbye for a reason and lets the connection go. It never blocks
// and may be called by anyone.
func (x *session) finish(c code) {
	x.once.Do(func() {
		x.why = c
		close(x.stop)
		// The reader stops waiting for the client; the writer still writes.
		_ = x.conn.SetReadDeadline(time.Now())
	})
}

// drop ends a connection that no longer takes messages.
func (x *session) drop() {
	x.finish(codeNone)
	_ = x.conn.NetConn().Close()
}

// queue takes a message to send; a full queue ends the session.
func (x *session) queue(m any) {
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
	if x.held.Load() {
		x.expect(t.Silence)
	}
	x.conn.SetPongHandler(x.onPong)
	for {
		kind, raw, err := x.next()
		if err != nil {
			return x.readError(err)
		}
		if x.joined || x.held.Load() {
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
	case errors.As(err, &timeout) && timeout.Timeout() && !x.joined && !x.held.Load():
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
	if !x.joined && !x.held.Load() {
		return nil // the time to join is not extended
	}
	x.expect(x.srv.opts.Timing.Silence)
	if !x.joined {
		return nil
	}
	var sent time.Time
	if sent.UnmarshalText([]byte(data)) == nil {
		if d := time.Since(sent); d > 0 && d < time.Minute {
			x.guest.peer.HintRTT(d)
		}
	}
	return nil
}
