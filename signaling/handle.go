package signaling

import (
	"context"
	"errors"

	"sira/sfu"
)

// handle acts on one message; done means that the client left.
func (x *session) handle(ctx context.Context, m any) (done bool, err error) {
	if j, ok := m.(*joinMessage); ok {
		return false, x.join(ctx, j)
	}
	switch m := m.(type) {
	case *leaveMessage:
		return true, nil
	case *pingMessage:
		x.send(timeMessage{"pong", m.T})
		return false, nil
	case nil, *pongMessage:
		return false, nil
	}
	if x.peer == nil {
		return false, fail(codeBadMessage, "%T before join", m)
	}
	switch m := m.(type) {
	case *offerMessage:
		return false, x.offer(ctx, m)
	case *candidateMessage:
		x.candidate(m)
	case *receiveMessage:
		if m.Video != nil {
			x.peer.ReceiveVideo(*m.Video)
		}
	case *stateMessage:
		x.srv.setState(&x.member, m)
	}
	return false, nil
}

func (x *session) candidate(m *candidateMessage) {
	if m.Candidate == nil || m.Candidate.Candidate == "" || x.candidates >= candidatesMost {
		return // the end of candidates, or more than anyone has
	}
	x.candidates++
	c := m.Candidate
	err := x.peer.AddCandidate(sfu.Candidate{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
	if err != nil {
		// The call may well work without it.
		x.srv.log.Debug("candidate ignored", "room", x.room, "user", x.user.ID, "err", err)
	}
}

func (x *session) offer(ctx context.Context, m *offerMessage) error {
	x.offers++
	if x.offers > offersMost {
		return fail(codeTooFast, "more than %d offers", offersMost)
	}
	x.candidates = 0
	answer, err := x.peer.Negotiate(ctx, m.SDP)
	if err != nil {
		return sfuFailure(err)
	}
	x.send(answerMessage{"answer", answer, m.ID})
	return nil
}

// join brings the session into its room.
func (x *session) join(ctx context.Context, m *joinMessage) error {
	if x.peer != nil {
		return fail(codeBadMessage, "join twice")
	}
	if !x.srv.admit(&x.member, x.stop) {
		return fail(codeClosing, "server closing")
	}
	peer, err := x.srv.sfu.Join(ctx, x.room, sfu.Participant{
		ID: x.self.ID, OnSlots: x.onSlots, OnRenegotiate: x.onRenegotiate,
		OnTarget: x.onTarget, Place: x.place,
	})
	if err != nil {
		return sfuFailure(err)
	}
	x.peer = peer
	answer, err := peer.Negotiate(ctx, m.SDP)
	if err != nil {
		return sfuFailure(err)
	}
	x.expect(x.srv.opts.Timing.Silence)
	x.srv.enter(&x.member, m.Audio, m.Video, func(list []Participant) { x.welcome(answer, list) })
	x.srv.log.Info("call joined", "room", x.room, "user", x.user.ID, "participant", x.self.ID)
	return nil
}

func sfuFailure(err error) error {
	switch {
	case errors.Is(err, sfu.ErrRoomFull):
		return &failure{codeRoomFull, err}
	case errors.Is(err, sfu.ErrBadSDP):
		return &failure{codeBadSDP, err}
	case errors.Is(err, sfu.ErrClosed):
		return &failure{codeClosing, err}
	}
	return &failure{codeInternal, err}
}

// welcome is the first message: the answer and what there is. What the SFU
// reported before waits for it.
func (x *session) welcome(answer string, list []Participant) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.opened = x.peer
	slots := x.slots
	if slots == nil {
		slots = []slot{}
	}
	x.send(joinedMessage{"joined", x.self.ID, answer, list, slots, x.relay})
	if x.more != nil {
		x.send(*x.more)
	}
	if x.target != nil {
		x.send(*x.target)
	}
}

// onSlots is called by the SFU's room.
func (x *session) onSlots(list []sfu.Slot) {
	slots := make([]slot, 0, len(list))
	for _, s := range list {
		slots = append(slots, slot(s))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.slots = slots
	if x.opened != nil {
		x.send(slotsMessage{"slots", slots})
	}
}

// onRenegotiate is called by the SFU's room.
func (x *session) onRenegotiate(audio, video int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.more = &renegotiateMessage{"renegotiate", audio, video}
	if x.opened != nil {
		x.send(*x.more)
	}
}

// onTarget is called by the clock of the SFU's peer.
func (x *session) onTarget(t sfu.Target) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.target = &targetMessage{"target", t.Kbps, t.Height, t.FPS}
	if x.opened != nil {
		x.send(*x.target)
	}
}
