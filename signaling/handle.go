package signaling

import (
	"context"
	"errors"

	"sira/sfu"
)

// handle acts on one message; done means that the client left.
func (x *session) handle(ctx context.Context, m any) (done bool, err error) {
	if x.user.Guest && !forGuests(m) {
		return false, nil
	}
	switch m := m.(type) {
	case *joinMessage:
		return false, x.join(ctx, m)
	case *prepareMessage:
		ahead := joinMessage(*m)
		x.srv.keepAhead(x, &ahead)
		return false, nil
	case *resumeMessage:
		return false, x.resume(ctx, m)
	case *leaveMessage:
		if x.guest != nil {
			x.guest.bye.Store(true)
		}
		return true, nil
	case *pingMessage:
		x.queue(timeMessage{"pong", m.T})
		return false, nil
	case nil, *pongMessage:
		return false, nil
	}
	if !x.joined {
		return false, fail(codeBadMessage, "%T before join", m)
	}
	switch m := m.(type) {
	case *offerMessage:
		return false, x.offer(ctx, m)
	case *candidateMessage:
		x.candidate(m)
	case *receiveMessage:
		if m.Video != nil {
			x.guest.peer.ReceiveVideo(*m.Video)
		}
		if m.Stills != nil {
			x.guest.peer.ReceiveStills(*m.Stills)
		}
	case *sendMessage:
		x.guest.peer.SendStills(m.Stills)
	case *uplinkMessage:
		x.guest.peer.HearUplink(m.Kbps * 1000)
	case *filesMessage:
		x.guest.peer.FilesFirst(m.First)
	case *freezeMessage:
		x.srv.freeze(&x.guest.member, m.Of)
	case *freezingMessage:
		x.srv.relay(&x.guest.member, freezingTold{"freezing", x.guest.self.ID, m.Sent, m.Size, m.Failed})
	case *atMessage:
		x.guest.peer.Point()
		x.srv.relay(&x.guest.member, atTold{"at", x.guest.self.ID, m.At})
	case *drawMessage:
		x.guest.peer.Point()
		x.srv.draw(&x.guest.member, m)
	case *closeStillMessage:
		x.srv.putAway(&x.guest.member, m.Still)
	case *gestureMessage:
		x.srv.gesture(&x.guest.member, m)
	case *reportMessage:
		x.srv.report(&x.guest.member, m)
	case *stateMessage:
		x.srv.setState(&x.guest.member, m)
	}
	return false, nil
}

func (x *session) candidate(m *candidateMessage) {
	g := x.guest
	if m.Candidate == nil || m.Candidate.Candidate == "" || g.candidates >= candidatesMost {
		return // the end of candidates, or more than anyone has
	}
	g.candidates++
	c := m.Candidate
	err := g.peer.AddCandidate(sfu.Candidate{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
	if err != nil {
		// The call may well work without it.
		x.srv.log.Debug("candidate ignored", "room", x.room, "user", x.user.ID, "err", err)
	}
}

func (x *session) offer(ctx context.Context, m *offerMessage) error {
	g := x.guest
	g.offers++
	if g.offers > offersMost {
		return fail(codeTooFast, "more than %d offers", offersMost)
	}
	g.candidates = 0
	g.heardAgain()
	answer, err := g.peer.Negotiate(ctx, m.SDP)
	if err != nil {
		return sfuFailure(err)
	}
	x.queue(answerMessage{"answer", answer, m.ID})
	return nil
}

// join brings a new guest into the room.
func (x *session) join(ctx context.Context, m *joinMessage) error {
	if x.guest != nil {
		return fail(codeBadMessage, "join twice")
	}
	if x.held.Load() {
		return fail(codeForbidden, "join before being let in")
	}
	g := newGuest(x.srv, x.room, x.who(), x)
	x.guest = g
	answer, err := x.srv.bring(ctx, g, x.place, m.SDP, x.stop)
	if err != nil {
		return sfuFailure(err)
	}
	x.srv.remember(g)
	x.enter(m.Audio, m.Video, func(list []Participant, slots []slot) any {
		return joinedMessage{"joined", g.self.ID, g.token, answer, list, slots, x.relay}
	})
	x.srv.log.Info("call joined", "room", x.room, "user", x.user.ID, "participant", g.self.ID)
	return nil
}

// enter shows the guest to the room; first is the message that tells the
// client where it is.
func (x *session) enter(audio, video bool, first func([]Participant, []slot) any) {
	x.joined = true
	x.expect(x.srv.opts.Timing.Silence)
	x.srv.enter(&x.guest.member, audio, video, func(list []Participant) {
		x.guest.welcome(func(slots []slot) any { return first(list, slots) })
	})
	x.opened.Store(x.guest)
}

func sfuFailure(err error) error {
	switch {
	case errors.Is(err, sfu.ErrRoomFull):
		return &failure{codeRoomFull, err}
	case errors.Is(err, sfu.ErrBadSDP):
		return &failure{codeBadSDP, err}
	case errors.Is(err, errSentAway):
		return &failure{codeForbidden, err}
	case errors.Is(err, sfu.ErrClosed), errors.Is(err, ErrClosing):
		return &failure{codeClosing, err}
	}
	return &failure{codeInternal, err}
}
