// Package batch sends many datagrams of one UDP socket to many destinations in
// few system calls (sendmmsg, on Linux). It owns their order: what was written
// first leaves first, and so it is for each destination.
//
// There is no timer. A loop that writes to many says so, with Hold and Release,
// and what it wrote leaves with Release at the latest; what is written outside
// of any loop leaves at once. So nothing waits longer than the loop in which it
// was written, however full the machine is.
package batch

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
)

// Most is how many datagrams wait at most, and how many one call sends.
const Most = 64

// usual is room for a datagram of any media.
const usual = 1500

// Writer is the way to the socket of one group of senders, which share nothing
// with those of another but the socket. It is safe for concurrent use.
type Writer struct {
	many func([]Datagram) (int, error) // sends the first ones and says how many; an error is that of the first not sent
	one  func(*Datagram) error
	lost *atomic.Uint64 // datagrams that the kernel did not take

	single atomic.Bool // many does not work here

	mu     sync.Mutex
	held   int // loops under way
	queue  *queue
	closed bool

	sending sync.Mutex // held by who sends, so that batches leave in order
	spare   *queue
}

// queue is datagrams that wait.
type queue struct {
	n    int
	list []Datagram
}

// Datagram is bytes for a destination.
type Datagram struct {
	To    netip.AddrPort
	Bytes []byte // the queue's own
}

// New makes a writer to a socket. What the kernel does not take is counted.
func New(c *net.UDPConn, lost *atomic.Uint64) *Writer {
	w := &Writer{lost: lost, queue: &queue{}, spare: &queue{}, one: func(d *Datagram) error {
		_, err := c.WriteToUDPAddrPort(d.Bytes, d.To)
		return err
	}}
	w.many = manyOf(c)
	w.single.Store(w.many == nil)
	return w
}

// Hold begins a loop that writes to many. A nil writer holds nothing.
func (w *Writer) Hold() {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.held++
	w.mu.Unlock()
}

// Release ends the loop and sends what waits, that of other loops included.
func (w *Writer) Release() {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.held--
	waiting := w.queue.n > 0
	w.mu.Unlock()
	if waiting {
		w.flush()
	}
}

// Write takes a datagram, whose bytes are the caller's again when it returns.
// What becomes of it is known only later; the error is of a closed writer.
func (w *Writer) Write(b []byte, to netip.AddrPort) error {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return net.ErrClosed
		}
		if w.queue.n < Most {
			break
		}
		w.mu.Unlock() // others filled it before it could be sent
		w.flush()
	}
	w.queue.add(b, to)
	now := w.held == 0 || w.queue.n == Most
	w.mu.Unlock()
	if now {
		w.flush()
	}
	return nil
}

// Close sends what waits and takes nothing any more. The socket stays open.
func (w *Writer) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.flush()
}

func (q *queue) add(b []byte, to netip.AddrPort) {
	if q.n == len(q.list) {
		// Places are made as they are needed: two people who talk need few.
		q.list = append(q.list, Datagram{Bytes: make([]byte, 0, usual)})
	}
	d := &q.list[q.n]
	d.To, d.Bytes = to, append(d.Bytes[:0], b...)
	q.n++
}

// flush sends all that waits. Who comes meanwhile fills the other queue.
func (w *Writer) flush() {
	w.sending.Lock()
	defer w.sending.Unlock()
	w.mu.Lock()
	full := w.queue
	w.queue, w.spare = w.spare, full
	w.mu.Unlock()
	w.send(full.list[:full.n])
	full.n = 0
}

func (w *Writer) send(list []Datagram) {
	for len(list) > 0 {
		if w.single.Load() {
			w.sendFirst(list)
			list = list[1:]
			continue
		}
		n, err := w.many(list)
		list = list[max(n, 0):]
		switch {
		case err == nil && n > 0:
		case errors.Is(err, net.ErrClosed):
			w.lost.Add(uint64(len(list)))
			return
		case errors.Is(err, syscall.ENOSYS):
			w.single.Store(true)
		default: // the first may pass another way, or the next one
			if w.sendFirst(list) && errors.Is(err, syscall.EPERM) {
				w.single.Store(true) // it is the call that is not allowed
			}
			list = list[1:]
		}
	}
}

func (w *Writer) sendFirst(list []Datagram) bool {
	err := w.one(&list[0])
	if err != nil {
		w.lost.Add(1)
	}
	return err == nil
}
