package sfu

import (
	"slices"
	"time"
)

// Where losses come in rows a voice that was lost is said again only when the row
// is over. Whoever hears it must hold it back until then: a browser that does not
// know plays on, and makes up what it could have had.

// voiceHold is how long a voice is held: until it is said again, and what a
// browser's buffer of sound falls short of its aim, some 85 ms, and jitter.
const voiceHold = redFar + 120*time.Millisecond

// Hold is which voices a participant is to hold back before they are played, and
// how long. All others play as they come.
type Hold struct {
	Mids []string // of their sections
	For  time.Duration
}

// hearsFar says whether what is said a third time to the peer may reach far back: it
// holds voices, or its own way has no rows, and it gets what the publisher sends.
func (p *Peer) hearsFar() bool { return p.part.OnHold != nil || !p.deep.Load() }

// holdVoices tells the peer which voices to hold, when that has changed.
func (p *Peer) holdVoices() {
	if p.part.OnHold == nil {
		return
	}
	h := Hold{For: voiceHold}
	for _, o := range p.allotted {
		o.mu.Lock()
		in := o.in // also while the link is dead: what was held is when it is back
		o.mu.Unlock()
		if in != nil && in.kind == audio && (p.deep.Load() || in.far.Load()) {
			h.Mids = append(h.Mids, o.mid)
		}
	}
	if slices.Equal(h.Mids, p.held.Mids) {
		return
	}
	p.held = h
	p.part.OnHold(h)
}

// again is how far back the peer is asked to say its voice once more.
func (p *Peer) again() int {
	if p.deepUp.Load() {
		return int(redFar.Milliseconds())
	}
	return 0
}

// hearFar notes whether the publisher does as it was asked. A beginning has
// nothing to say again yet: what was seen once holds until it is asked no more.
func (in *inlet) hearFar(payload []byte, mime string) {
	asked := in.peer.deepUp.Load()
	switch far := in.far.Load(); {
	case far && !asked:
		in.far.Store(false)
	case asked && !far && mime == mimeRED && redReach(payload) >= redFarLeast:
		in.far.Store(true)
	}
}

// copiesUp is how often the publisher says each voice.
func (in *inlet) copiesUp() int {
	if in.far.Load() {
		return redCopies
	}
	return 2
}
