package sfu

import (
	"io"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/pion/ice/v4"

	"sira/sfu/batch"
)

// boxedMux gives ICE its connections of the one UDP port, such that the media
// of a room leaves in the room's batches.
type boxedMux struct {
	ice.UDPMux
	box *batch.Writer
}

// GetConn implements ice.UDPMux.
func (m boxedMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	c, err := m.UDPMux.GetConn(ufrag, addr)
	if err != nil {
		return nil, err
	}
	plain, ok := c.(addrPortConn)
	if !ok {
		return c, nil
	}
	return &boxedConn{addrPortConn: plain, box: m.box}, nil
}

// Close implements ice.UDPMux. The port is not a peer's to close.
func (boxedMux) Close() error { return nil }

type addrPortConn interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

// boxedConn is one ICE session's view of the port.
type boxedConn struct {
	addrPortConn
	box    *batch.Writer
	closed atomic.Bool
}

// WriteToAddrPort implements ice.AddrPortReaderWriter. What is not media goes
// by the mux, which learns from it whose an address is.
func (c *boxedConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if len(b) == 0 || !isMedia(b[0]) {
		return c.addrPortConn.WriteToAddrPort(b, to)
	}
	if c.closed.Load() {
		return 0, io.ErrClosedPipe
	}
	if err := c.box.Write(b, to); err != nil {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (c *boxedConn) Close() error {
	c.closed.Store(true)
	return c.addrPortConn.Close()
}

// isMedia tells RTP and RTCP from what else comes by the same port, by the
// first byte (RFC 7983, 7).
func isMedia(first byte) bool { return first >= 128 && first <= 191 }
