package sfu

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/pion/ice/v4"

	"sira/sfu/batch"
)

// Socket buffers for bursts of all rooms together, in bytes. The kernel may
// give less.
const socketBuffer = 1 << 20

// What one TCP peer may have waiting, in bytes. The kernel's share is small, so
// that a slow link is noticed here, where what is too much is dropped.
const (
	tcpKernel = 32 << 10
	tcpQueue  = 128 << 10
	tcpReads  = 32 // packets
)

// port is the one UDP socket that all peers share, and the TCP one of those
// whose network lets no UDP pass (RFC 6544).
type port struct {
	conn *net.UDPConn
	mux  *ice.UDPMuxDefault
	tcp  *ice.TCPMuxDefault // nil: none
}

// openPort listens on addr ("HOST:PORT"), and on tcpAddr unless empty. An
// empty host is one socket on every address, so that an address that appears
// later works too.
func openPort(addr, tcpAddr string, log *slog.Logger) (*port, error) {
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("reading the media address %q: %w", addr, err)
	}
	conn, err := net.ListenUDP("udp", a)
	if err != nil {
		return nil, fmt.Errorf("opening the media port %s/udp: %w", addr, err)
	}
	_ = conn.SetReadBuffer(socketBuffer)
	_ = conn.SetWriteBuffer(socketBuffer)
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{
		UDPConn: batch.SocketOf(conn),
		Logger:  pionLogs{log}.NewLogger("ice"),
	})
	p := &port{conn: conn, mux: mux}
	if tcpAddr == "" {
		return p, nil
	}
	ln, err := net.Listen("tcp", tcpAddr)
	if err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("opening the media port %s/tcp: %w", tcpAddr, err)
	}
	p.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: slowReaders{ln}, Logger: pionLogs{log}.NewLogger("ice"),
		ReadBufferSize: tcpReads, WriteBufferSize: tcpQueue,
	})
	return p, nil
}

// slowReaders keeps little in the kernel for each connection.
type slowReaders struct{ net.Listener }

func (l slowReaders) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(tcpKernel)
	}
	return c, err
}

// Addr is where the socket listens.
func (p *port) Addr() net.Addr { return p.conn.LocalAddr() }

// loopbackToo says whether candidates on loopback addresses make sense:
// always, unless the socket is bound to an outside address.
func (p *port) loopbackToo() bool {
	ip := p.conn.LocalAddr().(*net.UDPAddr).IP
	return ip.IsUnspecified() || ip.IsLoopback()
}

// Close frees the sockets; the mux closes what is still using it.
func (p *port) Close() error {
	err := p.mux.Close()
	_ = p.conn.Close()
	if p.tcp != nil {
		err = errors.Join(err, p.tcp.Close())
	}
	if err != nil {
		return fmt.Errorf("closing the media port: %w", err)
	}
	return nil
}
