// Package live pushes notices to browsers over WebSocket. It knows users by
// their IDs and messages as values to be encoded; who may be told what is
// decided by whoever sends.
package live

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of one connection.
const (
	queueLen     = 256              // notices waiting for a slow reader
	readLimit    = 4 << 10          // bytes of one message from the browser
	writeTimeout = 10 * time.Second // for one message
	pingEvery    = 25 * time.Second
	pongTimeout  = 60 * time.Second
	maxPerUser   = 20
)

// Hub holds the open connections.
type Hub struct {
	log      *slog.Logger
	upgrader websocket.Upgrader

	mu     sync.Mutex
	users  map[string]map[*client]bool
	closed bool
	wg     sync.WaitGroup
}

// New makes a hub. allowed says whether a request's origin may connect.
func New(log *slog.Logger, allowed func(*http.Request) bool) *Hub {
	return &Hub{log: log, users: map[string]map[*client]bool{},
		upgrader: websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 4096, CheckOrigin: allowed,
			Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) { w.WriteHeader(status) }}}
}

type client struct {
	conn    *websocket.Conn
	user    string
	session string
	queue   chan []byte
	gone    chan struct{}
	once    sync.Once
}

// drop ends the connection, once.
func (c *client) drop(code int, why string) {
	c.once.Do(func() {
		close(c.gone)
		_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(time.Second))
		_ = c.conn.Close()
	})
}

// Serve takes the request over until the connection ends. hello is the first
// message. session, when not empty, lets EndSession find the connection.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, user, session string, hello any, alive func() bool) {
	first, err := json.Marshal(hello)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	conn, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	c := &client{conn: conn, user: user, session: session, queue: make(chan []byte, queueLen), gone: make(chan struct{})}
	c.queue <- first
	if !h.add(c) {
		c.drop(websocket.CloseTryAgainLater, "")
		return
	}
	defer h.remove(c)
	h.wg.Go(func() { c.write(alive) })
	c.read()
}

func (h *Hub) add(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.users[c.user]) >= maxPerUser {
		return false
	}
	if h.users[c.user] == nil {
		h.users[c.user] = map[*client]bool{}
	}
	h.users[c.user][c] = true
	return true
}

func (h *Hub) remove(c *client) {
	c.drop(websocket.CloseNormalClosure, "")
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.users[c.user], c)
	if len(h.users[c.user]) == 0 {
		delete(h.users, c.user)
	}
}

// read discards what browsers send: this road goes one way. It returns when
// the connection breaks, is too talkative, or sends what isn't text.
func (c *client) read() {
	c.conn.SetReadLimit(readLimit)
	_ = c.conn.SetReadDeadline(time.Now().Add(pongTimeout))
	c.conn.SetPongHandler(func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongTimeout)) })
	const burst = 100
	count, since := 0, time.Now()
	for {
		kind, _, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			c.drop(websocket.CloseUnsupportedData, "")
			return
		}
		if time.Since(since) > time.Minute {
			count, since = 0, time.Now()
		}
		if count++; count > burst {
			c.drop(websocket.ClosePolicyViolation, "")
			return
		}
	}
}

func (c *client) write(alive func() bool) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case msg := <-c.queue:
			_ = c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if err := c.conn.WriteMessage(websocket.TextMessage, msg); err != nil {
				c.drop(websocket.CloseGoingAway, "")
				return
			}
		case <-ping.C:
			if alive != nil && !alive() {
				c.drop(websocket.ClosePolicyViolation, "session ended")
				return
			}
			if err := c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)); err != nil {
				c.drop(websocket.CloseGoingAway, "")
				return
			}
		case <-c.gone:
			return
		}
	}
}

// Send pushes a message to every connection of the users. It never waits: a
// reader whose queue is full is dropped, and reads all anew when it is back.
func (h *Hub) Send(users []string, msg any) error {
	raw, err := json.Marshal(msg)
	if err != nil {
		return fmt.Errorf("encoding a notice: %w", err)
	}
	var slow []*client
	h.mu.Lock()
	seen := make(map[string]bool, len(users))
	for _, u := range users {
		if seen[u] {
			continue
		}
		seen[u] = true
		for c := range h.users[u] {
			select {
			case c.queue <- raw:
			default:
				slow = append(slow, c)
			}
		}
	}
	h.mu.Unlock()
	for _, c := range slow {
		// The close frame may itself wait for the reader: not on this path.
		h.wg.Go(func() { c.drop(websocket.CloseTryAgainLater, "too slow") })
	}
	return nil
}

// Users lists who is connected.
func (h *Hub) Users() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]string, 0, len(h.users))
	for u := range h.users {
		out = append(out, u)
	}
	return out
}

// Count tells how many connections are open.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, cs := range h.users {
		n += len(cs)
	}
	return n
}

// EndSession drops the connections of a session that was ended.
func (h *Hub) EndSession(session string) {
	if session == "" {
		return
	}
	var ended []*client
	h.mu.Lock()
	for _, cs := range h.users {
		for c := range cs {
			if c.session == session {
				ended = append(ended, c)
			}
		}
	}
	h.mu.Unlock()
	for _, c := range ended {
		c.drop(websocket.ClosePolicyViolation, "session ended")
	}
}

// Close drops all connections and refuses new ones.
func (h *Hub) Close() {
	var all []*client
	h.mu.Lock()
	h.closed = true
	for _, cs := range h.users {
		for c := range cs {
			all = append(all, c)
		}
	}
	h.mu.Unlock()
	for _, c := range all {
		c.drop(websocket.CloseGoingAway, "server stops")
	}
	h.wg.Wait()
}
