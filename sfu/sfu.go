// Package sfu forwards the audio and video of a call between its
// participants over one UDP port. It owns media only: transports,
// forwarding, repair of losses (NACK, PLI), sender and receiver reports.
// It must not know who the people are, what the call is about, nor how
// offers and answers travel: it sees participant IDs, room names and SDP.
package sfu

import (
	"context"
	"errors"
	"log/slog"
	"net"
)

// Errors that callers tell apart.
var (
	ErrRoomFull = errors.New("sfu: room is full")
	ErrClosed   = errors.New("sfu: closed")
	ErrBadSDP   = errors.New("sfu: bad session description")
)

// DefaultRoomLimit is the number of participants a room takes when
// Config.RoomLimit is 0.
const DefaultRoomLimit = 8

// Config says where the SFU listens.
type Config struct {
	UDPAddr   string       // "HOST:PORT", the one port of all media; port 0 picks a free one; empty host listens on every address
	PublicIPs []string     // addresses announced instead of the local ones, when behind a 1:1 NAT
	RoomLimit int          // participants a room takes; 0 is DefaultRoomLimit
	Logger    *slog.Logger // nil discards
}

// SFU is a media server: any number of rooms behind one UDP port.
type SFU struct {
	cfg Config
}

// New opens the UDP port. The error of a port already in use wraps
// syscall.EADDRINUSE.
func New(cfg Config) (*SFU, error) {
	return &SFU{cfg: cfg}, nil
}

// Addr is the address of the UDP port.
func (s *SFU) Addr() net.Addr { return &net.UDPAddr{} }

// Join makes a peer for the participant in the named room, which comes to
// life with its first peer and ends with its last. The peer is silent until
// Negotiate. A full room is ErrRoomFull.
func (s *SFU) Join(ctx context.Context, room string, p Participant) (*Peer, error) {
	return nil, ErrClosed
}

// Close ends all rooms and frees the port.
func (s *SFU) Close(ctx context.Context) error { return nil }

// Stats is a snapshot of the server's counters.
func (s *SFU) Stats() Stats { return Stats{} }
