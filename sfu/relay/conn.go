package relay

import (
	"net"
	"sync"
	"time"
)

// conn is the relayed side of one allocation. The SFU has several addresses on
// one port, and ICE wants answers from the address it asked: each address gets
// a socket of its own to the SFU, its alias.
type conn struct {
	relay *Relay
	local *net.UDPAddr
	in    chan packet
	quit  chan struct{}
	once  sync.Once
	wg    sync.WaitGroup

	mu      sync.Mutex
	aliases map[string]*alias

	deadlineMu sync.Mutex
	deadline   time.Time
}

type alias struct {
	as     net.Addr // what the client calls the SFU
	socket *net.UDPConn
}

type packet struct {
	data []byte
	from net.Addr
}

// inQueue is in packets: a fraction of a second of a call. What does not fit
// is lost, as on any link that is too slow.
const inQueue = 64

func newConn(r *Relay) *conn {
	return &conn{relay: r, in: make(chan packet, inQueue), quit: make(chan struct{}), aliases: map[string]*alias{}}
}

// alias finds or opens the socket for one of the SFU's addresses.
func (c *conn) alias(as *net.UDPAddr) (*alias, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := as.String()
	if a := c.aliases[key]; a != nil {
		return a, nil
	}
	select {
	case <-c.quit:
		return nil, net.ErrClosed
	default:
	}
	if len(c.aliases) >= aliasesMost {
		return nil, net.ErrClosed
	}
	socket, err := net.DialUDP("udp", nil, c.relay.target)
	if err != nil {
		return nil, err
	}
	a := &alias{as: as, socket: socket}
	c.aliases[key] = a
	c.relay.door(socket, 1)
	c.wg.Go(func() { c.read(a) })
	return a, nil
}

func (c *conn) read(a *alias) {
	buf := make([]byte, 1600)
	for {
		n, err := a.socket.Read(buf)
		if err != nil {
			select {
			case <-c.quit:
				return
			default:
				// The SFU's port may be closed for a moment (ICMP).
				time.Sleep(10 * time.Millisecond)
				continue
			}
		}
		select {
		case c.in <- packet{append([]byte(nil), buf[:n]...), a.as}:
		default:
		}
	}
}

// WriteTo sends to the SFU; whatever is meant for another address is dropped.
func (c *conn) WriteTo(p []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok || to.Port != c.relay.target.Port || !c.relay.announced(to.IP) {
		return len(p), nil
	}
	a, err := c.alias(to)
	if err != nil {
		return len(p), nil
	}
	_, _ = a.socket.Write(p) // UDP: lost is lost
	return len(p), nil
}

// ReadFrom gives what the SFU sends, as from the address that was written to.
func (c *conn) ReadFrom(p []byte) (int, net.Addr, error) {
	var timeout <-chan time.Time
	c.deadlineMu.Lock()
	deadline := c.deadline
	c.deadlineMu.Unlock()
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		timeout = t.C
	}
	select {
	case in := <-c.in:
		return copy(p, in.data), in.from, nil
	case <-c.quit:
		return 0, nil, net.ErrClosed
	case <-timeout:
		return 0, nil, errTimeout{}
	}
}

type errTimeout struct{}

func (errTimeout) Error() string   { return "relay: timeout" }
func (errTimeout) Timeout() bool   { return true }
func (errTimeout) Temporary() bool { return true }

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.quit)
		c.mu.Lock()
		for _, a := range c.aliases {
			c.relay.door(a.socket, -1)
			_ = a.socket.Close()
		}
		c.mu.Unlock()
	})
	c.wg.Wait()
	return nil
}

func (c *conn) LocalAddr() net.Addr { return c.local }

func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

func (c *conn) SetReadDeadline(t time.Time) error {
	c.deadlineMu.Lock()
	c.deadline = t
	c.deadlineMu.Unlock()
	return nil
}

func (c *conn) SetWriteDeadline(time.Time) error { return nil }
