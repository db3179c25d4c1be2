package relay

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is the HTTPS port of a server with a TURN server behind it, and a UDP
// port that answers with what it gets, as the SFU would.
type house struct {
	t     *testing.T
	relay *Relay
	addr  string
	roots *x509.CertPool
	sfu   *net.UDPAddr
}

func open(t *testing.T) *house {
	t.Helper()
	cert, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, addr: ln.Addr().String(), roots: roots, sfu: echo(t)}
	web, turnSide := Split(ln, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if h.relay, err = New(turnSide, Config{Target: h.sfu}); err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{TLSConfig: &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(web) }()
	t.Cleanup(func() {
		if err := h.relay.Close(); err != nil {
			t.Error(err)
		}
		_ = srv.Close()
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return h
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sira"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// echo is a UDP port that sends back what it gets.
func echo(t *testing.T) *net.UDPAddr {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1600)
		for {
			n, from, err := c.ReadFromUDP(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteToUDP(buf[:n], from)
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return c.LocalAddr().(*net.UDPAddr)
}

func (h *house) dial(protocols ...string) *tls.Conn {
	h.t.Helper()
	c, err := tls.Dial("tcp", h.addr, &tls.Config{RootCAs: h.roots, NextProtos: protocols})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return c
}

// client allocates a relay, as a browser behind a firewall does.
func (h *house) client(user, password string) (*turn.Client, net.PacketConn, error) {
	h.t.Helper()
	factory := logging.NewDefaultLoggerFactory()
	factory.DefaultLogLevel = logging.LogLevelDisabled
	c, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: h.addr, TURNServerAddr: h.addr, Conn: turn.NewSTUNConn(h.dial()),
		Username: user, Password: password, Realm: realm, LoggerFactory: factory,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Close)
	if err := c.Listen(); err != nil {
		h.t.Fatal(err)
	}
	relayed, err := c.Allocate()
	if err == nil {
		h.t.Cleanup(func() { _ = relayed.Close() })
	}
	return c, relayed, err
}

func (h *house) credentials(user string) (string, string) {
	h.t.Helper()
	name, password, err := h.relay.Credentials(user)
	if err != nil {
		h.t.Fatal(err)
	}
	return name, password
}

// TestRelayReachesTheSFUOnly is the way of a call through a port that only
// lets HTTPS pass, and what the same credentials do not give.
func TestRelayReachesTheSFUOnly(t *testing.T) {
	h := open(t)
	name, password := h.credentials("u-1")
	c, relayed, err := h.client(name, password)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CreatePermission(h.sfu); err != nil {
		t.Fatal(err)
	}
	other := echo(t)
	for range 20 {
		if _, err := relayed.WriteTo([]byte("outside"), other); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 100)
	_ = relayed.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := relayed.WriteTo([]byte("voice"), h.sfu); err != nil {
		t.Fatal(err)
	}
	n, from, err := relayed.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "voice" || from.String() != h.sfu.String() {
		t.Fatalf("%q from %v: %v", buf[:n], from, err)
	}
	h.relay.mu.Lock()
	var doors []string
	for at := range h.relay.doors {
		doors = append(doors, at)
	}
	h.relay.mu.Unlock()
	if len(doors) != 1 {
		t.Fatalf("sockets to the SFU: %v", doors)
	}
	door, err := net.ResolveUDPAddr("udp", doors[0])
	if err != nil || !h.relay.Carries(door.IP.String(), door.Port) || h.relay.Carries(door.IP.String(), door.Port+1) {
		t.Errorf("the SFU does not know that %v is the relay", door)
	}
	for _, outside := range []string{"127.0.0.2:80", "192.0.2.1:443", "[::1]:22"} {
		a, err := net.ResolveUDPAddr("udp", outside)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CreatePermission(a); err == nil {
			t.Errorf("permission for %s", outside)
		}
	}
}

func TestRelayNeedsCredentials(t *testing.T) {
	h := open(t)
	name, password := h.credentials("u-1")
	expired := "1" + name[strings.Index(name, ":"):]
	for user, secret := range map[string]string{name: "wrong", expired: password, "u-1": password} {
		if _, _, err := h.client(user, secret); err == nil {
			t.Errorf("%s is let in", user)
		}
	}
	if n := h.relay.Allocations(); n != 0 {
		t.Errorf("%d allocations", n)
	}
}

// TestRelayBoundsAUser: one user has so many relays, another is not in the way.
func TestRelayBoundsAUser(t *testing.T) {
	h := open(t)
	for one, another := range map[string]string{"u-1": "u-2", "guest:1": "guest:2"} {
		name, password := h.credentials(one)
		for i := range allocationsMost {
			if _, _, err := h.client(name, password); err != nil {
				t.Fatalf("%s: relay %d: %v", one, i, err)
			}
		}
		if _, _, err := h.client(name, password); err == nil {
			t.Errorf("%s: one relay too many", one)
		}
		name, password = h.credentials(another)
		if _, _, err := h.client(name, password); err != nil {
			t.Errorf("%s: %v", another, err)
		}
	}
}

// TestOnePortSpeaksBoth: HTTP/2, HTTP/1.1, HTTP without ALPN, and silence.
func TestOnePortSpeaksBoth(t *testing.T) {
	h := open(t)
	for _, want := range []string{"HTTP/2.0", "HTTP/1.1"} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.roots}, ForceAttemptHTTP2: want == "HTTP/2.0"}
		res, err := (&http.Client{Transport: transport}).Get("https://" + h.addr)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		transport.CloseIdleConnections()
		if err != nil || string(body) != want {
			t.Errorf("%q, want %s: %v", body, want, err)
		}
	}
	c := h.dial()
	fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.0 200") {
		t.Errorf("%q: %v", line, err)
	}
	h.dial() // says nothing; must not hold the others back
	raw, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	fmt.Fprint(raw, "no TLS at all, but long enough to be taken for a record\r\n\r\n")
	_ = raw.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(raw); err != nil {
		t.Errorf("junk is not hung up on: %v", err)
	}
}
