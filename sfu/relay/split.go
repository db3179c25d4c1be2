package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// handshakeTime bounds a TLS handshake, and the wait for the first byte where
// that has to tell what is spoken.
const handshakeTime = 15 * time.Second

// Split takes TLS off the connections of ln and tells the two protocols of one
// port apart. Browsers name HTTP by ALPN; what names nothing is known by its
// first byte, for a STUN message begins with two zero bits (RFC 8489, section
// 5) and HTTP with a letter. Closing web closes ln; closing turn ends what was
// not yet accepted there.
func Split(ln net.Listener, cfg *tls.Config) (web, turn net.Listener) {
	s := &splitter{ln: ln, cfg: cfg.Clone(), quit: make(chan struct{})}
	s.cfg.NextProtos = []string{"h2", "http/1.1"}
	w := &side{s: s, conns: make(chan net.Conn), quit: make(chan struct{}), owner: true}
	t := &side{s: s, conns: make(chan net.Conn), quit: make(chan struct{})}
	go s.accept(w, t)
	return w, t
}

type splitter struct {
	ln   net.Listener
	cfg  *tls.Config
	quit chan struct{} // accept has ended
	err  error         // why, before quit is closed
}

func (s *splitter) accept(web, turn *side) {
	defer close(s.quit)
	for {
		c, err := s.ln.Accept()
		if err != nil {
			var again interface{ Temporary() bool }
			if errors.As(err, &again) && again.Temporary() && !errors.Is(err, net.ErrClosed) {
				time.Sleep(20 * time.Millisecond) // out of descriptors: others will go
				continue
			}
			s.err = err
			return
		}
		go s.route(c, web, turn)
	}
}

// route finds out what is spoken and hands the connection over.
func (s *splitter) route(raw net.Conn, web, turn *side) {
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
	defer cancel()
	c := tls.Server(raw, s.cfg)
	_ = raw.SetDeadline(time.Now().Add(handshakeTime))
	if err := c.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return
	}
	if c.ConnectionState().NegotiatedProtocol != "" {
		_ = raw.SetDeadline(time.Time{})
		web.give(c)
		return
	}
	first := make([]byte, 1)
	if _, err := c.Read(first); err != nil {
		_ = c.Close()
		return
	}
	_ = raw.SetDeadline(time.Time{})
	to := web
	if first[0]>>6 == 0 {
		to = turn
	}
	to.give(&begun{Conn: c, first: first})
}

// begun is a connection whose first byte was read already.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 && len(p) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}

// side is one of the two listeners.
type side struct {
	s     *splitter
	conns chan net.Conn
	quit  chan struct{}
	once  sync.Once
	owner bool
}

func (l *side) give(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.quit:
		_ = c.Close()
	case <-l.s.quit:
		_ = c.Close()
	}
}

func (l *side) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.quit:
		return nil, net.ErrClosed
	case <-l.s.quit:
		return nil, l.s.err
	}
}

func (l *side) Close() (err error) {
	l.once.Do(func() {
		close(l.quit)
		if l.owner {
			err = l.s.ln.Close()
		}
	})
	return err
}

func (l *side) Addr() net.Addr { return l.s.ln.Addr() }
