// Package relay lets calls through where only HTTPS passes: a TURN server
// (RFC 8656) behind the port of the web server, over TLS. It relays to the one
// UDP port of the SFU and to nothing else: whoever has credentials reaches no
// other port of this machine and nothing behind it. It must not know who the
// people are.
package relay

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// Limits.
const (
	allocationsMost = 4               // of one user: two tabs, each renewing
	aliasesMost     = 16              // addresses of the SFU that one allocation tries
	lifetime        = 12 * time.Hour  // of credentials: the longest call
	allocationLife  = 2 * time.Minute // without a refresh
)

const realm = "sira"

// Config says what is relayed to.
type Config struct {
	Target    *net.UDPAddr // the SFU's socket; an unspecified IP means this machine
	PublicIPs []string     // addresses that the SFU announces instead of its own
	Logger    *slog.Logger // nil discards
}

// Relay is the TURN server.
type Relay struct {
	cfg    Config
	target *net.UDPAddr // as dialled from here
	secret string
	server *turn.Server
	log    *slog.Logger

	mu    sync.Mutex
	count map[string]int // allocations by user
	doors map[string]int // sockets to the SFU, by address
}

// New serves TURN to the connections of ln, which are plain: whoever made ln
// has taken TLS off. Close closes ln.
func New(ln net.Listener, cfg Config) (*Relay, error) {
	r := &Relay{cfg: cfg, secret: rand.Text(), log: cfg.Logger, count: map[string]int{}, doors: map[string]int{}}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.target = &net.UDPAddr{IP: cfg.Target.IP, Port: cfg.Target.Port, Zone: cfg.Target.Zone}
	if r.target.IP == nil || r.target.IP.IsUnspecified() {
		r.target.IP = net.IPv4(127, 0, 0, 1)
	}
	factory := logging.NewDefaultLoggerFactory()
	factory.DefaultLogLevel = logging.LogLevelDisabled
	var err error
	r.server, err = turn.NewServer(turn.ServerConfig{
		Realm:              realm,
		AuthHandler:        turn.LongTermTURNRESTAuthHandler(r.secret, factory.NewLogger("turn")),
		QuotaHandler:       r.within,
		AllocationLifetime: allocationLife,
		LoggerFactory:      factory,
		ListenerConfigs: []turn.ListenerConfig{{
			Listener: ln, RelayAddressGenerator: generator{r},
			PermissionHandler: func(_ net.Addr, ip net.IP) bool { return r.announced(ip) },
		}},
		EventHandler: turn.EventHandler{
			OnAllocationCreated: func(_, _ net.Addr, _, user, _ string, _ net.Addr, _ int) { r.counted(user, 1) },
			OnAllocationDeleted: func(_, _ net.Addr, _, user, _ string) { r.counted(user, -1) },
		},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the TURN server: %w", err)
	}
	return r, nil
}

// Credentials are for one user for twelve hours, in the form of
// draft-uberti-behave-turn-rest: they need no memory. They end with the process.
func (r *Relay) Credentials(user string) (username, password string, err error) {
	// A colon ends the time; what pion hands out ends at the next one.
	username, password, err = turn.GenerateLongTermTURNRESTCredentials(r.secret, strings.ReplaceAll(user, ":", "-"), lifetime)
	if err != nil {
		return "", "", fmt.Errorf("making TURN credentials: %w", err)
	}
	return username, password, nil
}

// Close ends all relaying.
func (r *Relay) Close() error {
	if err := r.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("closing the TURN server: %w", err)
	}
	return nil
}

// Carries says whether what the SFU hears from an address came through here.
func (r *Relay) Carries(ip string, port int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.doors[net.JoinHostPort(ip, strconv.Itoa(port))] > 0
}

// door notes that a socket to the SFU was opened (1) or closed (-1).
func (r *Relay) door(socket *net.UDPConn, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := socket.LocalAddr().String()
	if r.doors[at] += n; r.doors[at] == 0 {
		delete(r.doors, at)
	}
}

// Allocations is how many relays are in use.
func (r *Relay) Allocations() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.count {
		n += c
	}
	return n
}

// userOf takes the time off a username of Credentials; pion hands out either.
func userOf(username string) string { return username[strings.LastIndex(username, ":")+1:] }

func (r *Relay) within(username, _ string, _ net.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count[userOf(username)] < allocationsMost
}

func (r *Relay) counted(username string, by int) {
	user := userOf(username)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count[user] += by; r.count[user] <= 0 {
		delete(r.count, user)
	}
}

// announced says whether ip is one under which the SFU is known.
func (r *Relay) announced(ip net.IP) bool {
	for _, s := range r.cfg.PublicIPs {
		if ip.Equal(net.ParseIP(s)) {
			return true
		}
	}
	if len(r.cfg.PublicIPs) > 0 {
		return false
	}
	if !r.cfg.Target.IP.IsUnspecified() && r.cfg.Target.IP != nil {
		return ip.Equal(r.cfg.Target.IP)
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range own {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
			return true
		}
	}
	return false
}

// generator gives each allocation its conn.
type generator struct{ relay *Relay }

var errUDPOnly = errors.New("relay: UDP only")

func (g generator) Validate() error { return nil }

func (g generator) AllocatePacketConn(turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	c := newConn(g.relay)
	// The relayed address is told to the client, which tells the SFU, which
	// answers to where packets come from: it only has to be unique.
	first, err := c.alias(g.relay.target)
	if err != nil {
		return nil, nil, err
	}
	c.local = &net.UDPAddr{IP: g.relay.target.IP, Port: first.socket.LocalAddr().(*net.UDPAddr).Port}
	return c, c.local, nil
}

func (g generator) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errUDPOnly
}

func (g generator) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errUDPOnly }
