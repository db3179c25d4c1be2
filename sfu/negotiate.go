package sfu

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

// Negotiate answers an offer, the first one or a later one (more sections,
// or an ICE restart). The answer holds all our candidates. After an error
// the peer may be half negotiated and should be closed; ErrBadSDP says that
// the offer was at fault.
func (p *Peer) Negotiate(ctx context.Context, offer string) (answer string, err error) {
	p.negotiating.Lock()
	defer p.negotiating.Unlock()
	defer func() {
		// An offer is outside input that reaches deep into pion.
		if r := recover(); r != nil {
			answer, err = "", fmt.Errorf("%w: %v", ErrBadSDP, r)
		}
	}()
	select {
	case <-p.quit:
		return "", ErrClosed
	default:
	}
	sections, err := readOffer(offer, p.sfu.limit)
	if err == nil {
		p.noteSecond(sections)
		sections, err = p.part.Direction.held(sections)
	}
	if err != nil {
		return "", err
	}
	if strings.Contains(offer, "\nm=application ") {
		if err := p.openStills(); err != nil {
			return "", fmt.Errorf("opening the stills channel: %w", err)
		}
	}
	added, err := p.addOutlets(sections)
	if err != nil {
		return "", err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	desc, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(desc); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	select {
	case <-gathered:
	case <-p.quit:
		return "", ErrClosed
	case <-ctx.Done():
		return "", fmt.Errorf("gathering candidates: %w", ctx.Err())
	}
	answer, err = shapeAnswer(p.pc.LocalDescription().SDP, p.packetAtJoin(), p.chooseCodec)
	if err != nil {
		return "", err
	}
	p.openOutlets(added)
	return answer, nil
}

// addOutlets makes an outlet for each section that has none yet; pion then
// matches them to the sections in the same order.
func (p *Peer) addOutlets(sections []section) ([]*outlet, error) {
	p.mu.Lock()
	known := map[string]bool{}
	var next [kinds]int
	for _, o := range p.link.outlets {
		known[o.mid] = true
		next[o.kind]++
	}
	p.mu.Unlock()
	var added []*outlet
	for _, s := range sections {
		if known[s.mid] {
			continue
		}
		o := newOutlet(p, s.kind, next[s.kind])
		o.both = s.both
		next[s.kind]++
		dir := webrtc.RTPTransceiverDirectionSendonly
		if s.both {
			dir = webrtc.RTPTransceiverDirectionSendrecv
		}
		t, err := p.pc.AddTransceiverFromTrack(o, webrtc.RTPTransceiverInit{Direction: dir})
		if err != nil {
			return nil, fmt.Errorf("adding an outlet: %w", err)
		}
		o.trans = t
		added = append(added, o)
	}
	return added, nil
}

// openOutlets puts negotiated outlets at the room's disposal.
func (p *Peer) openOutlets(added []*outlet) {
	for _, o := range added {
		o.mid = o.trans.Mid()
	}
	p.mu.Lock()
	p.link.outlets = append(p.link.outlets, added...)
	p.mu.Unlock()
	p.room.do(func() {
		now := time.Now()
		for _, o := range added {
			p.outlets[o.kind] = append(p.outlets[o.kind], o)
			o.setLive(p.connected.Load(), now)
		}
		p.negotiated = true
		p.room.arrange()
	})
}
