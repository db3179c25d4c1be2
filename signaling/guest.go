package signaling

import (
	"crypto/rand"
	"sync"
	"time"

	"sira/sfu"
	"sira/sfu/bulk"
)

// guest is a participant who calls over a WebSocket. It outlives one that is
// lost: parked, it keeps its name, its place and its media until another
// WebSocket resumes it, or for Timing.Park.
type guest struct {
	member
	srv   *Server
	token string // who shows it, as the same user, resumes the guest
	peer  *sfu.Peer
	files *bulk.Call    // the user's transfers, held to what the call leaves them
	quit  chan struct{} // closed when it is ended while parked
	once  sync.Once     // leaves once

	// Of the reader that holds it.
	candidates int
	offers     int

	// Guarded by Server.mu.
	met bool // media did flow

	mu     sync.Mutex    // taken after Server.mu
	line   *session      // who holds it; nil: parked
	live   bool          // the client of line knows where it is, and is told of changes
	over   bool          // ended: nobody resumes it
	moving bool          // from standing ready into its room: its keeper has let it go
	back   chan struct{} // closed when a parked one is resumed
	slots  []slot
	more   *renegotiateMessage
	target *targetMessage
	grant  *grantMessage
	stills *stillsMessage
	point  *pointerMessage
	hold   *holdMessage
}

func newGuest(s *Server, room string, u User, line *session) *guest {
	g := &guest{
		member: member{room: room, user: u, key: u.ID, gone: make(chan struct{})},
		srv:    s, token: rand.Text(), line: line, quit: make(chan struct{}),
	}
	g.send, g.end = g.tell, g.finish
	return g
}

// tell takes a message for the client. One that is away gets the whole state
// when it is back, and needs none.
func (g *guest) tell(m any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass(m)
}

// pass is tell with the lock held.
func (g *guest) pass(m any) {
	if g.live {
		g.line.queue(m)
	}
}

// finish ends the guest for a reason. It never blocks.
func (g *guest) finish(c code) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.line != nil:
		g.over = true
		g.line.finish(c)
	case !g.over:
		g.over = true
		close(g.quit)
	}
}

// leave takes the guest out of its room for good.
func (g *guest) leave() {
	g.once.Do(func() {
		g.srv.depart(&g.member)
		if g.peer != nil {
			_ = g.peer.Close()
		}
		g.files.Leave()
		g.srv.forget(g)
		close(g.gone)
	})
}

// welcome opens the way for messages, first of all that of what there is: what
// the SFU reported before waits for it.
func (g *guest) welcome(first func(slots []slot) any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live = g.line != nil
	slots := g.slots
	if slots == nil {
		slots = []slot{}
	}
	g.pass(first(slots))
	if g.more != nil {
		g.pass(*g.more)
	}
	if g.target != nil {
		g.pass(*g.target)
	}
	if g.grant != nil {
		g.pass(*g.grant)
	}
	if g.stills != nil {
		g.pass(*g.stills)
	}
	if g.point != nil {
		g.pass(*g.point)
	}
	if g.hold != nil {
		g.pass(*g.hold)
	}
}

// onSlots is called by the SFU's room.
func (g *guest) onSlots(list []sfu.Slot) {
	slots := make([]slot, 0, len(list))
	for _, s := range list {
		slots = append(slots, slot(s))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots = slots
	g.pass(slotsMessage{"slots", slots})
}

// onRenegotiate is called by the SFU's room.
func (g *guest) onRenegotiate(audio, video int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.more = &renegotiateMessage{"renegotiate", audio, video}
	g.pass(*g.more)
}

// onTarget is called by the clock of the SFU's peer.
func (g *guest) onTarget(t sfu.Target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target = &targetMessage{Type: "target", Kbps: t.Kbps, Height: t.Height, FPS: t.FPS, Voice: t.Voice, Packet: t.Packet, Again: t.Again, Codec: t.Codec, Mode: t.Mode}
	if t.Low.Kbps > 0 {
		g.target.Low = &rung{t.Low.Kbps, t.Low.Height, t.Low.FPS}
	}
	g.pass(*g.target)
}

// onStills is called by the clock of the SFU's peer.
func (g *guest) onStills(s sfu.Stills) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stills = &stillsMessage{"stills", s.Bytes, s.Every.Seconds()}
	g.pass(*g.stills)
}

// onPointer is called by the clock of the SFU's peer.
func (g *guest) onPointer(every time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.point = &pointerMessage{"pointer", every.Milliseconds()}
	g.pass(*g.point)
}

// onHold is called by the clock of the SFU's peer.
func (g *guest) onHold(h sfu.Hold) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hold = &holdMessage{"hold", h.For.Milliseconds(), append([]string{}, h.Mids...)}
	g.pass(*g.hold)
}

// onGrant is called by the clock of the SFU's peer.
func (g *guest) onGrant(q sfu.Grant) {
	bound := func(kbps int) *int {
		if kbps < 0 {
			return nil
		}
		return &kbps
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.grant = &grantMessage{"grant", bound(q.Up), bound(q.Down)}
	g.pass(*g.grant)
}

// keep watches over a parked guest until it is resumed, or ends it after a time.
func (g *guest) keep(back <-chan struct{}, after time.Duration) {
	defer g.srv.wg.Done()
	end, right := time.NewTimer(after), time.NewTicker(authorizeEvery)
	defer end.Stop()
	defer right.Stop()
	for {
		select {
		case <-back:
			return
		case <-right.C:
			if g.srv.allowed(g.user, g.room) {
				continue
			}
		case <-end.C:
		case <-g.quit:
			g.leave()
			return
		}
		if g.retire() {
			g.srv.log.Info("call left", "room", g.room, "user", g.user.ID, "participant", g.self.ID, "why", "parked too long")
			g.leave()
		}
		return
	}
}

// retire ends a parked guest; not one that was just resumed, or enters.
func (g *guest) retire() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.line != nil || g.moving {
		return false
	}
	g.over = true // if it was ended in this very moment, it is left to its keeper
	return true
}
