//go:build !linux

package batch

import (
	"net"
	"net/netip"
)

// manyOf is nil: there is no such call.
func manyOf(*net.UDPConn) func([]Datagram) (int, error) { return nil }

// readOf is nil: the usual way will do.
func readOf(*net.UDPConn) func([]byte) (int, netip.AddrPort, error) { return nil }
