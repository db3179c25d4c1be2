package batch

import (
	"net"
	"net/netip"
)

// Socket is a UDP socket as ICE reads and writes it. One goroutine at a time
// may read.
type Socket struct {
	*net.UDPConn
	read func([]byte) (int, netip.AddrPort, error)
}

// SocketOf prepares a socket.
func SocketOf(c *net.UDPConn) *Socket {
	s := &Socket{UDPConn: c, read: readOf(c)}
	if s.read == nil {
		s.read = c.ReadFromUDPAddrPort
	}
	return s
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (s *Socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) { return s.read(b) }

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (s *Socket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return s.WriteToUDPAddrPort(b, to)
}
