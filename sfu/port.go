package sfu

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/pion/ice/v4"
)

// Socket buffers for bursts of all rooms together, in bytes. The kernel may
// give less.
const socketBuffer = 1 << 20

// port is the one UDP socket that all peers share.
type port struct {
	conn *net.UDPConn
	mux  *ice.UDPMuxDefault
}

// openPort listens on addr ("HOST:PORT"). An empty host is one socket on
// every address, so that an address that appears later works too.
func openPort(addr string, log *slog.Logger) (*port, error) {
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
		UDPConn: conn,
		Logger:  pionLogs{log}.NewLogger("ice"),
	})
	return &port{conn: conn, mux: mux}, nil
}

// Addr is where the socket listens.
func (p *port) Addr() net.Addr { return p.conn.LocalAddr() }

// loopbackToo says whether candidates on loopback addresses make sense:
// always, unless the socket is bound to an outside address.
func (p *port) loopbackToo() bool {
	ip := p.conn.LocalAddr().(*net.UDPAddr).IP
	return ip.IsUnspecified() || ip.IsLoopback()
}

// Close frees the socket; the mux closes what is still using it.
func (p *port) Close() error {
	err := p.mux.Close()
	_ = p.conn.Close()
	if err != nil {
		return fmt.Errorf("closing the media port: %w", err)
	}
	return nil
}
