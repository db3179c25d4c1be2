package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"sira/sfu/relay"
	"sira/signaling"
)

func usageServe(w io.Writer) {
	fmt.Fprint(w, "Usage: sira serve [FLAGS]\n\nRuns the platform. Each setting is a flag and an environment variable; the flag wins.\nSizes take KiB, MiB, GiB.\n\n")
	usageSettings(w, nil)
}

func runServe(ctx context.Context, args []string, _, stderr io.Writer) error {
	c, err := parseConfig("serve", args, stderr, nil, nil)
	if err != nil {
		return err
	}
	log, err := c.logger(stderr)
	if err != nil {
		return err
	}
	p, err := open(ctx, c, log)
	if err != nil {
		return err
	}
	defer p.close()
	return p.serve(ctx, func(addresses) error { return nil })
}

// addresses are those in use once everything listens (ports of ":0" known).
type addresses struct{ web, dicom net.Addr }

// serve listens, tells started where, and runs until ctx ends; then it lets
// requests under way finish, for ten seconds at most.
func (p *platform) serve(ctx context.Context, started func(addresses) error) error {
	ln, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("listening for the web: %w", err)
	}
	go keepMemory(ctx)
	where := addresses{web: ln.Addr()}
	errs := make(chan error, 2)
	srv := p.httpServer()
	if p.config.TLSCert != "" {
		if ln, err = p.overTLS(srv, ln); err != nil {
			return err
		}
	}
	go func() { errs <- serveHTTP(srv, ln) }()

	if p.config.DICOMListen != "" {
		dln, err := net.Listen("tcp", p.config.DICOMListen)
		if err != nil {
			_ = srv.Close()
			return fmt.Errorf("listening for DICOM: %w", err)
		}
		where.dicom = dln.Addr()
		go func() { errs <- p.serveDICOM(ctx, dln) }()
	}
	p.log.Info("listening", "web", where.web.String(), "dicom", addrString(where.dicom), "media", p.config.MediaListen, "version", buildVersion())
	if err := started(where); err != nil {
		_ = srv.Close()
		return err
	}
	select {
	case err = <-errs:
	case <-ctx.Done():
		p.log.Info("stopping: finishing what is under way")
	}
	return errors.Join(err, p.shutdown(srv))
}

func (p *platform) httpServer() *http.Server {
	return &http.Server{
		Handler:           p.web.Handler(),
		ReadHeaderTimeout: 15 * time.Second,
		IdleTimeout:       3 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
}

// overTLS takes TLS off the web server's port and lets calls in there too, for
// networks that let nothing else pass.
func (p *platform) overTLS(srv *http.Server, ln net.Listener) (net.Listener, error) {
	pair, err := tls.LoadX509KeyPair(p.config.TLSCert, p.config.TLSKey)
	if err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	web, turn := relay.Split(ln, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}})
	p.relay, err = relay.New(turn, relay.Config{Target: p.sfu.Addr().(*net.UDPAddr), PublicIPs: p.config.MediaPublicIPs, Logger: p.log})
	if err != nil {
		_ = web.Close()
		return nil, err
	}
	p.calls.RelayFor(p.relayFor)
	p.sfu.Relayed(p.relay.Carries)
	return web, nil
}

// relayFor tells who joins a call of the relay, under the name by which they
// reached the web server.
func (p *platform) relayFor(r *http.Request, u signaling.User) *signaling.Relay {
	host := r.Host
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "443")
	}
	user, password, err := p.relay.Credentials(u.ID)
	if err != nil {
		p.log.Error("no relay for a call", "err", err)
		return nil
	}
	return &signaling.Relay{URLs: []string{"turns:" + host + "?transport=tcp"}, Username: user, Credential: password}
}

func serveHTTP(srv *http.Server, ln net.Listener) error {
	err := srv.Serve(ln)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the web: %w", err)
}

func (p *platform) shutdown(srv *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := p.web.Close(ctx) // WebSockets first: they would hold Shutdown back
	if e := srv.Shutdown(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("closing web connections: %w", e), srv.Close())
	}
	if p.dimse != nil {
		err = errors.Join(err, p.dimse.Shutdown(ctx))
	}
	return err
}

func addrString(a net.Addr) string {
	if a == nil {
		return "off"
	}
	return a.String()
}
