package batch

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel sends by sendmmsg(2). Its memory is used again and again.
//
// The call is made raw: it does not block, and Go's scheduler need not hear of
// it. Being told of a call that takes 100 µs it hands what is left to do to
// another thread, and wakes the one that watches over long calls, which costs
// more than the call.
type kernel struct {
	conn  syscall.RawConn
	ipv6  bool // the socket's family; such a socket speaks IPv4 too
	heads [Most]unix.Mmsghdr
	parts [Most]unix.Iovec
	names [Most]name

	// Of the call under way.
	count int
	sent  int
	errno syscall.Errno
	call  func(fd uintptr) bool
}

// name is a socket address of either family.
type name [unix.SizeofSockaddrInet6]byte

var errFamily = errors.New("an address that the socket does not speak, or that has a zone")

// manyOf is nil where sendmmsg cannot be used.
func manyOf(c *net.UDPConn) func([]Datagram) (int, error) {
	k := &kernel{}
	var err error
	if k.conn, err = c.SyscallConn(); err != nil {
		return nil
	}
	known := false
	err = k.conn.Control(func(fd uintptr) {
		family, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		k.ipv6, known = family == unix.AF_INET6, err == nil
	})
	if err != nil || !known {
		return nil
	}
	k.call = func(fd uintptr) bool {
		for {
			n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&k.heads[0])), uintptr(k.count), unix.MSG_DONTWAIT, 0, 0)
			k.sent, k.errno = int(n), errno
			if errno != unix.EINTR {
				return errno != unix.EAGAIN // else once more, when there is room
			}
		}
	}
	return k.send
}

func (k *kernel) send(list []Datagram) (int, error) {
	k.count = 0
	for i := range list[:min(len(list), Most)] {
		d := &list[i]
		n, ok := k.names[i].put(d, k.ipv6)
		if !ok || len(d.Bytes) == 0 {
			break
		}
		k.parts[i].Base = &d.Bytes[0]
		k.parts[i].SetLen(len(d.Bytes))
		h := &k.heads[i].Hdr
		h.Name, h.Namelen = &k.names[i][0], n
		h.Iov = &k.parts[i]
		h.SetIovlen(1)
		k.count++
	}
	if k.count == 0 {
		return 0, errFamily
	}
	if err := k.conn.Write(k.call); err != nil {
		return 0, err
	}
	if k.errno != 0 {
		return 0, k.errno
	}
	return k.sent, nil
}

// put writes the destination as the kernel wants it.
func (n *name) put(d *Datagram, ipv6 bool) (size uint32, ok bool) {
	addr := d.To.Addr()
	if addr.Zone() != "" {
		return 0, false
	}
	binary.BigEndian.PutUint16(n[2:], d.To.Port())
	if ipv6 {
		binary.NativeEndian.PutUint16(n[:], unix.AF_INET6)
		ip := addr.As16()
		copy(n[8:], ip[:])
		return unix.SizeofSockaddrInet6, true
	}
	if addr = addr.Unmap(); !addr.Is4() {
		return 0, false
	}
	binary.NativeEndian.PutUint16(n[:], unix.AF_INET)
	ip := addr.As4()
	copy(n[4:], ip[:])
	return unix.SizeofSockaddrInet4, true
}
