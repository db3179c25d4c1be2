package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"sira/cases/directory"
	"sira/sfu/bulk"
)

type contextKey struct{}

// request is what the middleware knows of a request, for logs, audit and
// problems. One is made per request; route and user are filled on the way.
type request struct {
	id      string
	remote  string
	route   string // pattern, never the path itself
	surface string // "api", "tus", "ws"
	user    directory.User
	session string         // session cookie's value when the user came by one
	beside  *bulk.Transfer // of its bodies, nil: they do not wait
}

func requestOf(ctx context.Context) *request {
	if q, ok := ctx.Value(contextKey{}).(*request); ok {
		return q
	}
	return &request{surface: "api"}
}

func userOf(r *http.Request) directory.User { return requestOf(r.Context()).user }

// remoteIP is the other side's address. Behind a proxy of our own (PublicURL
// set, peer on loopback or a private network) it is the one the proxy names.
func (s *Server) remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if s.cfg.PublicURL == "" {
		return host
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !(peer.IsLoopback() || peer.IsPrivate()) {
		return host
	}
	named := r.Header.Get("X-Forwarded-For")
	if i := strings.LastIndexByte(named, ','); i >= 0 {
		named = named[i+1:]
	}
	if ip, err := netip.ParseAddr(strings.TrimSpace(named)); err == nil {
		return ip.String()
	}
	return host
}
