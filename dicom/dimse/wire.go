package dimse

import (
	"net"
	"os"
	"sync"
	"time"
)

// wire is a connection with the clocks of an association on it. Reads belong
// to one goroutine at a time; wake and stop may come from any.
type wire struct {
	conn    net.Conn
	timeout time.Duration // for one write, and for one read while paced

	// Pacing: the clock runs only while a read waits for the peer, so that a
	// slow consumer here is not taken for a slow peer.
	paced    bool
	received int64
	waited   time.Duration

	mu      sync.Mutex
	resting bool // between two messages: wake may interrupt
	woken   bool
	stopped bool
}

// by gives all reads that follow one deadline together.
func (w *wire) by(d time.Duration) error {
	w.paced = false
	return w.readDeadline(time.Now().Add(d))
}

// pace gives each read that follows its own deadline, and asks for minRate.
func (w *wire) pace() { w.paced, w.received, w.waited = true, 0, 0 }

func (w *wire) readDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return ErrStopped
	}
	return w.conn.SetReadDeadline(t)
}

func (w *wire) Read(p []byte) (int, error) {
	if !w.paced {
		return w.conn.Read(p)
	}
	allowed := w.timeout + time.Duration(w.received/minRate)*time.Second - w.waited
	if allowed <= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	start := time.Now()
	if err := w.readDeadline(start.Add(min(allowed, w.timeout))); err != nil {
		return 0, err
	}
	n, err := w.conn.Read(p)
	w.received += int64(n)
	w.waited += time.Since(start)
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return 0, ErrStopped
	}
	err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout))
	w.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return w.conn.Write(p)
}

// rest waits for the next message: wake ends it, and a wake that came before
// ends it at once.
func (w *wire) rest(d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paced, w.resting = false, true
	if w.stopped || w.woken {
		return ErrStopped
	}
	return w.conn.SetReadDeadline(time.Now().Add(d))
}

func (w *wire) rested() {
	w.mu.Lock()
	w.resting = false
	w.mu.Unlock()
}

// vigil lets a read wait for as long as it takes, until interrupt.
func (w *wire) vigil() error {
	w.paced = false
	return w.readDeadline(time.Time{})
}

// interrupt ends a read of vigil.
func (w *wire) interrupt() { _ = w.readDeadline(time.Unix(1, 0)) }

// wake ends the association at its next rest, without harm to a message in
// progress.
func (w *wire) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken = true
	if w.resting {
		_ = w.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// stop makes every read and write fail at once, save the last word.
func (w *wire) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	_ = w.conn.SetDeadline(time.Unix(1, 0))
}

// halted tells whether a failed read is our own doing.
func (w *wire) halted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped || w.woken && w.resting
}

// lastWord sends p, even when stopped, and waits up to d for the peer to close:
// closing first could destroy p on its way (a TCP reset for unread input).
// It tells whether the peer closed in time.
func (w *wire) lastWord(p []byte, d time.Duration) bool {
	w.mu.Lock()
	w.stopped = true // whoever stops it now changes nothing
	err := w.conn.SetDeadline(time.Now().Add(d))
	w.mu.Unlock()
	if err != nil {
		return true
	}
	if _, err := w.conn.Write(p); err != nil {
		return true
	}
	if half, ok := w.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	var sink [4096]byte
	for {
		if _, err := w.conn.Read(sink[:]); err != nil {
			return !isTimeout(err)
		}
	}
}

func isTimeout(err error) bool {
	t, ok := err.(net.Error)
	return ok && t.Timeout()
}
