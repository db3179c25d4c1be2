package dimse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Serve accepts associations on ln until ctx ends, Shutdown is called or ln
// fails, and closes ln. When ctx ends, associations are cut off. It returns
// ErrServerClosed after ctx or Shutdown.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if !s.register(ln) {
		_ = ln.Close()
		return ErrServerClosed
	}
	defer s.forget(ln)
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			s.admit(ctx, conn)
		case ctx.Err() != nil:
			s.cut()
			s.running.Wait()
			cancel()
			return ErrServerClosed
		case s.isClosing():
			// Shutdown waits for the associations; ctx must outlive this
			// call for them, and ends with the last one.
			go func() { s.running.Wait(); cancel() }()
			return ErrServerClosed
		case isTransient(err):
			s.log().Warn("accepting a DICOM connection", "err", err)
			time.Sleep(50 * time.Millisecond)
		default:
			s.cut()
			s.running.Wait()
			cancel()
			return fmt.Errorf("accepting a DICOM connection: %w", err)
		}
	}
}

// Shutdown stops listening, lets messages in progress be answered, ends resting
// associations, and waits for them until ctx ends; then it cuts off the rest,
// waits for callbacks to notice (they must heed their context or their reader's
// error) and answers ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closing {
		close(s.stopping())
	}
	s.closing = true
	for ln := range s.listeners {
		_ = ln.Close()
	}
	for a := range s.active {
		a.wire.wake()
	}
	s.mu.Unlock()

	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.cut()
		<-done
		return ctx.Err()
	}
}

// cut ends all associations at once.
func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a := range s.active {
		a.cancel()
		a.wire.stop()
	}
	for j := range s.jobs {
		j.cancel()
	}
}

// stopping gives the channel that Shutdown closes; s.mu is held.
func (s *Server) stopping() chan struct{} {
	if s.stop == nil {
		s.stop = make(chan struct{})
	}
	return s.stop
}

// stopped is closed once Shutdown has been called.
func (s *Server) stopped() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping()
}

func (s *Server) register(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.listeners == nil {
		s.listeners = map[net.Listener]struct{}{}
		s.active = map[*serving]struct{}{}
	}
	s.listeners[ln] = struct{}{}
	return true
}

func (s *Server) forget(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, ln)
	_ = ln.Close()
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// admit gives a connection its seat and its goroutine.
func (s *Server) admit(ctx context.Context, conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	remote := addrPort(conn.RemoteAddr())
	verdict := s.seats.take(remote.Addr(), s.Limits.withDefaults())
	if s.closing || verdict == seatDropped {
		_ = conn.Close()
		return
	}
	base := ctx
	ctx, cancel := context.WithCancel(ctx)
	a := newServing(s, conn, remote, verdict, cancel)
	a.base = base
	s.active[a] = struct{}{}
	s.running.Add(1)
	go func() {
		defer s.leave(a)
		a.run(ctx)
	}()
}

func (s *Server) leave(a *serving) {
	a.cancel()
	_ = a.wire.conn.Close()
	s.mu.Lock()
	delete(s.active, a)
	s.seats.leave(a.info.Remote.Addr())
	s.mu.Unlock()
	s.running.Done()
}

func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		p := t.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// isTransient tells errors of Accept that a pause may mend, such as too many
// open files.
func isTransient(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !errors.Is(err, net.ErrClosed)
}
