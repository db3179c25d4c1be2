package sfu

import "context"

// Participant is someone joining a room, and what to call when something
// changes for them. Callbacks come from the room's own goroutine: they must
// return at once and must not call back into the SFU.
type Participant struct {
	ID            string                 // unique in the room
	OnSlots       func([]Slot)           // the slots now filled, complete list
	OnRenegotiate func(audio, video int) // a new offer with so many recvonly sections is wanted
	OnDown        func()                 // the media connection failed for good
}

// Slot is one of a peer's receiving media sections, filled with someone.
type Slot struct {
	Mid         string // media section of the peer's own description
	Participant string // whose media it carries
	Kind        string // "audio" or "video"
}

// Candidate is an ICE candidate of the remote side, as in a browser's
// RTCIceCandidateInit.
type Candidate struct {
	Candidate        string
	SDPMid           *string
	SDPMLineIndex    *uint16
	UsernameFragment *string
}

// Quality is what a peer's link was like lately.
type Quality struct {
	RTTMs    float64 // round trip, 0 when not yet known
	LossUp   float64 // share of the peer's packets that did not reach us at first, 0..1
	LossDown float64 // share of ours that did not reach the peer at first, 0..1
	KbpsUp   float64 // RTP from the peer
	KbpsDown float64 // RTP to the peer
}

// Peer is one participant's connection.
type Peer struct{}

// ID is the participant's.
func (p *Peer) ID() string { return "" }

// Negotiate answers an offer, the first one or a later one. ErrBadSDP wraps
// what is wrong with the offer; the peer then remains as it was.
func (p *Peer) Negotiate(ctx context.Context, offer string) (answer string, err error) {
	return "", ErrClosed
}

// AddCandidate adds a remote candidate.
func (p *Peer) AddCandidate(c Candidate) error { return ErrClosed }

// Slots is the list of filled slots.
func (p *Peer) Slots() []Slot { return nil }

// Quality measures since the last call of Quality.
func (p *Peer) Quality() Quality { return Quality{} }

// Close makes the participant leave the room. It returns when all its
// goroutines ended.
func (p *Peer) Close() error { return nil }
