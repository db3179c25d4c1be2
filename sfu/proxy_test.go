package sfu

import (
	"encoding/binary"
	"net"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// redirect puts another address into the answer's candidates.
func redirect(t *testing.T, answer string, to func(*net.UDPAddr) *net.UDPAddr) string {
	t.Helper()
	re := regexp.MustCompile(`(a=candidate:\S+ \d+ \S+ \d+ )(\S+) (\d+)`)
	return re.ReplaceAllStringFunc(answer, func(line string) string {
		m := re.FindStringSubmatch(line)
		port, err := strconv.Atoi(m[3])
		if err != nil {
			t.Fatal(err)
		}
		a := to(&net.UDPAddr{IP: net.ParseIP(m[2]), Port: port})
		return m[1] + a.IP.String() + " " + strconv.Itoa(a.Port)
	})
}

// proxy carries the UDP packets of one client and drops those it is told to.
type proxy struct {
	front  *net.UDPConn
	back   *net.UDPConn
	server *net.UDPAddr
	mu     sync.Mutex
	client *net.UDPAddr
	up     func(pkt []byte) (drop bool)
	down   func(pkt []byte) (drop bool)
	wg     sync.WaitGroup
}

func startProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{}
	for _, c := range []**net.UDPConn{&p.front, &p.back} {
		var err error
		if *c, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { p.front.Close(); p.back.Close(); p.wg.Wait() })
	return p
}

// direct starts carrying towards the server; for clientOptions.
func (p *proxy) direct(server *net.UDPAddr) *net.UDPAddr {
	if p.server == nil {
		p.server = server
		p.wg.Go(p.carryUp)
		p.wg.Go(p.carryDown)
	}
	return p.front.LocalAddr().(*net.UDPAddr)
}

func (p *proxy) carryUp() {
	buf := make([]byte, 2048)
	for {
		n, from, err := p.front.ReadFromUDP(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.client = from
		drop := p.up != nil && p.up(buf[:n])
		p.mu.Unlock()
		if !drop {
			_, _ = p.back.WriteToUDP(buf[:n], p.server)
		}
	}
}

func (p *proxy) carryDown() {
	buf := make([]byte, 2048)
	for {
		n, _, err := p.back.ReadFromUDP(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.client
		drop := p.down != nil && p.down(buf[:n])
		p.mu.Unlock()
		if !drop && to != nil {
			_, _ = p.front.WriteToUDP(buf[:n], to)
		}
	}
}

// isRTP tells media from STUN, DTLS and RTCP (RFC 7983, RFC 5761).
func isRTP(b []byte) bool {
	return len(b) > 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223)
}

// once drops about one in n media packets, each at most once: what repairs
// it passes. The choice depends on nothing but the packet's number.
func once(n uint32) func([]byte) bool {
	type packetID struct{ ssrc, seq uint32 }
	seen := map[packetID]bool{}
	return func(b []byte) bool {
		if !isRTP(b) || b[1]&0x7f == rtxOfVP8 {
			return false
		}
		id := packetID{binary.BigEndian.Uint32(b[8:]), uint32(binary.BigEndian.Uint16(b[2:]))}
		again := seen[id]
		seen[id] = true
		return !again && id.seq*2654435761>>16%n == 0
	}
}

// rtxOfVP8 is a payload type of pion's default codecs.
const rtxOfVP8 = 97
