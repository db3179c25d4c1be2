package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// listen opens a socket, or skips where the machine has no such address.
func listen(t *testing.T, network, addr string) *net.UDPConn {
	t.Helper()
	a, err := net.ResolveUDPAddr(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenUDP(network, a)
	if err != nil {
		t.Skipf("no %s: %v", addr, err)
	}
	_ = c.SetReadBuffer(1 << 20)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func to(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

// read returns the next datagram, which is on its way or there.
func read(t *testing.T, c *net.UDPConn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 2000)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// nothing checks that no datagram is there. Loopback delivers before the
// sender's call returns.
func nothing(t *testing.T, c *net.UDPConn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, err := c.Read(make([]byte, 10)); err == nil {
		t.Fatalf("%d bytes came", n)
	}
}

func write(t *testing.T, w *Writer, to netip.AddrPort, text string) {
	t.Helper()
	if err := w.Write([]byte(text), to); err != nil {
		t.Fatal(err)
	}
}

// counted counts the batches that a writer sends.
func counted(w *Writer) *int {
	calls, many := new(int), w.many
	if many != nil {
		w.many = func(list []Datagram) (int, error) { *calls++; return many(list) }
	}
	return calls
}

func TestHeldUntilReleased(t *testing.T) {
	from, a, b := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0")
	var lost atomic.Uint64
	w := New(from, &lost)
	calls := counted(w)
	write(t, w, to(a), "at once")
	if got := read(t, a); got != "at once" {
		t.Fatalf("%q", got)
	}
	before := *calls
	w.Hold()
	w.Hold()
	for i := range 20 {
		write(t, w, to(a), fmt.Sprint("a", i))
		write(t, w, to(b), fmt.Sprint("b", i))
	}
	nothing(t, a)
	w.Release() // of one loop: what the other wrote leaves too
	for i := range 20 {
		if x, y := read(t, a), read(t, b); x != fmt.Sprint("a", i) || y != fmt.Sprint("b", i) {
			t.Fatalf("%d: %q, %q", i, x, y)
		}
	}
	if runtime.GOOS == "linux" && *calls != before+1 {
		t.Errorf("%d calls for 40 datagrams", *calls-before)
	}
	write(t, w, to(a), "held")
	nothing(t, a)
	w.Release()
	if got := read(t, a); got != "held" {
		t.Fatalf("%q", got)
	}
	if lost.Load() != 0 {
		t.Errorf("%d lost", lost.Load())
	}
}

// TestBounded: a loop that writes more than fits sends before its end, and the
// bytes written are the caller's again.
func TestBounded(t *testing.T) {
	from, a := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0")
	var lost atomic.Uint64
	w := New(from, &lost)
	w.Hold()
	b := make([]byte, 4)
	for i := range Most + 3 {
		binary.BigEndian.PutUint32(b, uint32(i))
		if err := w.Write(b, to(a)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range Most {
		if got := binary.BigEndian.Uint32([]byte(read(t, a))); got != uint32(i) {
			t.Fatalf("%d came as %d", got, i)
		}
	}
	nothing(t, a)
	w.Release()
	for i := range 3 {
		if got := binary.BigEndian.Uint32([]byte(read(t, a))); got != uint32(Most+i) {
			t.Fatalf("%d came as %d", got, Most+i)
		}
	}
}

// TestFamilies: one socket speaks both, in one batch; one that does not loses
// only what it cannot send.
func TestFamilies(t *testing.T) {
	v4, v6 := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp6", "[::1]:0")
	both, only4 := listen(t, "udp", ":0"), listen(t, "udp4", "127.0.0.1:0")
	for _, c := range []struct {
		name string
		from *net.UDPConn
		lost uint64
	}{{"both", both, 0}, {"IPv4 only", only4, 2}} {
		t.Run(c.name, func(t *testing.T) {
			var lost atomic.Uint64
			w := New(c.from, &lost)
			mapped := netip.AddrPortFrom(netip.AddrFrom16(to(v4).Addr().As16()), to(v4).Port())
			w.Hold()
			for i := range 2 {
				write(t, w, to(v4), fmt.Sprint("four ", i))
				write(t, w, to(v6), fmt.Sprint("six ", i))
				write(t, w, mapped, fmt.Sprint("mapped ", i))
			}
			w.Release()
			for i := range 2 {
				if x, y := read(t, v4), read(t, v4); x != fmt.Sprint("four ", i) || c.lost == 0 && y != fmt.Sprint("mapped ", i) {
					t.Errorf("%q, %q", x, y)
				}
				if c.lost == 0 {
					if x := read(t, v6); x != fmt.Sprint("six ", i) {
						t.Errorf("%q", x)
					}
				}
			}
			if lost.Load() != c.lost {
				t.Errorf("%d lost, want %d", lost.Load(), c.lost)
			}
		})
	}
}

// TestKernelRefuses: where the kernel has no such call, or is told not to allow
// it, all is sent one by one, and the call is not tried again.
func TestKernelRefuses(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSYS, syscall.EPERM} {
		from, a := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0")
		var lost atomic.Uint64
		w := New(from, &lost)
		calls := 0
		w.many = func([]Datagram) (int, error) { calls++; return -1, errno }
		w.single.Store(false)
		for round := range 2 {
			w.Hold()
			for i := range 3 {
				write(t, w, to(a), fmt.Sprint(round, i))
			}
			w.Release()
			for i := range 3 {
				if got := read(t, a); got != fmt.Sprint(round, i) {
					t.Errorf("%q", got)
				}
			}
		}
		if calls != 1 || lost.Load() != 0 {
			t.Errorf("%v: %d calls, %d lost", errno, calls, lost.Load())
		}
	}
}

// TestOneFails: a datagram that cannot be sent is counted; those around it
// leave in their order.
func TestOneFails(t *testing.T) {
	from, a := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0")
	var lost atomic.Uint64
	w := New(from, &lost)
	calls := counted(w)
	w.Hold()
	for i := range 6 {
		where := to(a)
		if i == 0 || i == 3 {
			where = netip.AddrPortFrom(where.Addr(), 0) // nobody can be sent to
		}
		write(t, w, where, fmt.Sprint(i))
	}
	w.Release()
	for _, want := range []string{"1", "2", "4", "5"} {
		if got := read(t, a); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if lost.Load() != 2 || w.single.Load() && runtime.GOOS == "linux" {
		t.Errorf("%d lost, single %v after %d calls", lost.Load(), w.single.Load(), *calls)
	}
}

func TestClose(t *testing.T) {
	from, a := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0")
	var lost atomic.Uint64
	w := New(from, &lost)
	w.Hold()
	write(t, w, to(a), "last")
	w.Close()
	if got := read(t, a); got != "last" {
		t.Fatalf("%q", got)
	}
	if err := w.Write([]byte("late"), to(a)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing to a closed one: %v", err)
	}
	w.Release()
	nothing(t, a)

	// A socket that closed under way takes nothing, which is counted.
	w = New(from, &lost)
	w.Hold()
	for range 5 {
		write(t, w, to(a), "nowhere")
	}
	_ = from.Close()
	w.Release()
	if lost.Load() != 5 {
		t.Errorf("%d counted as lost, want 5", lost.Load())
	}
	var none *Writer
	none.Hold()
	none.Release()
}

// TestManyLoops: several loops at once, of more than fits; each destination
// gets what each loop sent to it in order, all of it.
func TestManyLoops(t *testing.T) {
	from := listen(t, "udp4", "127.0.0.1:0")
	var dests []*net.UDPConn
	for range 3 {
		dests = append(dests, listen(t, "udp4", "127.0.0.1:0"))
	}
	const loops, rounds = 4, 60
	var lost atomic.Uint64
	w := New(from, &lost)
	var wg sync.WaitGroup
	for l := range loops {
		wg.Go(func() {
			for r := range rounds {
				w.Hold()
				for _, d := range dests {
					if err := w.Write([]byte{byte(l), byte(r)}, to(d)); err != nil {
						t.Error(err)
					}
				}
				w.Release()
			}
		})
	}
	wg.Wait()
	for _, d := range dests {
		var next [loops]byte
		for range loops * rounds {
			b := read(t, d)
			if b[1] != next[b[0]] {
				t.Fatalf("loop %d: %d came, want %d", b[0], b[1], next[b[0]])
			}
			next[b[0]]++
		}
	}
	if lost.Load() != 0 {
		t.Errorf("%d lost", lost.Load())
	}
}

// TestSocket: what is read, and from whom, is what Go's own socket would say.
func TestSocket(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		c := listen(t, "udp", addr)
		from := listen(t, "udp", map[bool]string{true: "[::1]:0", false: "127.0.0.1:0"}[addr == "[::1]:0"])
		here := netip.AddrPortFrom(to(from).Addr(), to(c).Port())
		s := SocketOf(c)
		b := make([]byte, 100)
		for _, read := range []func([]byte) (int, netip.AddrPort, error){c.ReadFromUDPAddrPort, s.ReadFromAddrPort} {
			if _, err := from.WriteToUDPAddrPort([]byte("hello"), here); err != nil {
				t.Fatal(err)
			}
			n, who, err := read(b)
			if err != nil || string(b[:n]) != "hello" || who.Port() != to(from).Port() || who.Addr().Unmap() != to(from).Addr().Unmap() {
				t.Errorf("%s: %q from %s: %v", addr, b[:n], who, err)
			}
		}
		if _, err := s.WriteToAddrPort([]byte("back"), to(from)); err != nil || read(t, from) != "back" {
			t.Error(err)
		}
		done := make(chan error)
		go func() { _, _, err := s.ReadFromAddrPort(b); done <- err }()
		_ = c.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: reading ended with %v", addr, err)
		}
	}
}
