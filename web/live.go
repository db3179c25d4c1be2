package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"sira/cases"
	"sira/signaling"
	"sira/web/problem"
	"sira/web/uploads"
)

// sessionKey names a session in memory without keeping its secret.
func sessionKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:16])
}

// sameOrigin says whether a WebSocket was opened by our own page. Clients
// without an Origin header are no browsers.
func (s *Server) sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if s.cfg.PublicURL != "" && strings.EqualFold(origin, strings.TrimSuffix(s.cfg.PublicURL, "/")) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// live pushes notices to the user until they leave.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	if err := s.websocketOnly(r); err != nil {
		return err
	}
	q := requestOf(r.Context())
	key := ""
	if q.session != "" {
		key = sessionKey(q.session)
	}
	// The session may end, or the account be disabled, while this is open.
	alive := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		u, err := s.cfg.Directory.User(ctx, q.user.ID)
		return err != nil || !u.Disabled
	}
	s.hub.Serve(w, r, q.user.ID, key, map[string]any{"type": "hello", "user": viewMe(q.user), "version": s.cfg.Version}, alive)
	return nil
}

func (s *Server) websocketOnly(r *http.Request) error {
	if !s.sameOrigin(r) {
		return problem.New("cross-origin")
	}
	if !websocket.IsWebSocketUpgrade(r) {
		return problem.New("bad-request").Saying("Cette adresse se lit par WebSocket.")
	}
	return nil
}

func (s *Server) push(users []string, msg any) {
	if err := s.hub.Send(users, msg); err != nil {
		s.log.Error("notice not sent", "err", err)
	}
}

// caseChanged tells those who may see a case that it grew.
func (s *Server) caseChanged(c cases.Change) {
	s.forgetState(c.Case)
	s.forgetScopes(c.Users)
	s.push(c.Users, map[string]any{"type": "case", "id": c.Case, "seq": c.Seq, "status": c.Status})
}

// intakeChanged tells the sender what became of a file.
func (s *Server) intakeChanged(in uploads.Intake) {
	s.push([]string{in.Owner}, map[string]any{"type": "intake", "intake": in})
}

// presenceChanged tells who may see the case that its call has more or fewer
// people in it, and keeps who was there.
func (s *Server) presenceChanged(room string, ps []signaling.Participant) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.calls.changed(room, ps)
	if strings.HasPrefix(room, rehearsal) {
		return
	}
	s.push(s.online(ctx, room, cases.View), map[string]any{"type": "call", "caseId": room, "participants": len(ps)})
}

// online lists who is connected and may do action to a case.
func (s *Server) online(ctx context.Context, id string, action cases.Action) (may []string) {
	for _, user := range s.hub.Users() {
		u, err := s.cfg.Directory.User(ctx, user)
		if err != nil {
			continue
		}
		if st, err := s.state(ctx, u, id); err == nil && cases.Allow(u, action, st) == nil {
			may = append(may, user)
		}
	}
	return may
}
