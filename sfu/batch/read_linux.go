package batch

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reader reads by recvfrom(2), raw for the same reason as kernel sends: each
// reader of a socket that is mostly empty would wake the runtime's watch.
type reader struct {
	conn  syscall.RawConn
	name  name
	zones map[uint32]string

	// Of the call under way.
	buf   []byte
	got   int
	errno syscall.Errno
	call  func(fd uintptr) bool
}

func readOf(c *net.UDPConn) func([]byte) (int, netip.AddrPort, error) {
	r := &reader{zones: map[uint32]string{}}
	var err error
	if r.conn, err = c.SyscallConn(); err != nil {
		return nil
	}
	r.call = func(fd uintptr) bool {
		for {
			size := uint32(len(r.name))
			n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&r.buf[0])), uintptr(len(r.buf)), unix.MSG_DONTWAIT,
				uintptr(unsafe.Pointer(&r.name[0])), uintptr(unsafe.Pointer(&size)))
			r.got, r.errno = int(n), errno
			if errno != unix.EINTR {
				return errno != unix.EAGAIN
			}
		}
	}
	return r.read
}

func (r *reader) read(b []byte) (int, netip.AddrPort, error) {
	if len(b) == 0 {
		return 0, netip.AddrPort{}, nil
	}
	r.buf = b
	err := r.conn.Read(r.call)
	r.buf = nil
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	if r.errno != 0 {
		return 0, netip.AddrPort{}, &net.OpError{Op: "read", Net: "udp", Err: r.errno}
	}
	return r.got, r.from(), nil
}

// from is where the last datagram came from.
func (r *reader) from() netip.AddrPort {
	n := &r.name
	port := binary.BigEndian.Uint16(n[2:])
	if binary.NativeEndian.Uint16(n[:]) == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[4:8])), port)
	}
	addr := netip.AddrFrom16([16]byte(n[8:24]))
	if scope := binary.NativeEndian.Uint32(n[24:]); scope != 0 {
		addr = addr.WithZone(r.zone(scope))
	}
	return netip.AddrPortFrom(addr, port)
}

// zone is the name of an interface, remembered: there are few.
func (r *reader) zone(scope uint32) string {
	z, ok := r.zones[scope]
	if !ok {
		if i, err := net.InterfaceByIndex(int(scope)); err == nil {
			z = i.Name
		}
		r.zones[scope] = z
	}
	return z
}
