package sfu

import "sync/atomic"

// Stats are counters since the start, but for Rooms and Peers which are
// what there is now.
type Stats struct {
	Rooms, Peers         int
	PacketsIn, BytesIn   uint64 // RTP received from publishers, retransmissions included
	PacketsOut, BytesOut uint64 // RTP sent to subscribers, retransmissions included
	NACKsOut, NACKsIn    uint64 // sequence numbers asked of publishers, asked by subscribers
	Resent               uint64 // packets sent again to subscribers
	Recovered            uint64 // packets publishers sent again that filled a hole
	PLIsOut, PLIsIn      uint64 // keyframes asked of publishers, asked by subscribers
	Kept                 uint64 // beginnings served from what was kept
	Unsent               uint64 // packets of any kind that the kernel did not take
}

// counters are Stats in the making.
type counters struct {
	peers                atomic.Int64
	packetsIn, bytesIn   atomic.Uint64
	packetsOut, bytesOut atomic.Uint64
	nacksOut, nacksIn    atomic.Uint64
	resent, recovered    atomic.Uint64
	plisOut, plisIn      atomic.Uint64
	kept                 atomic.Uint64
	unsent               atomic.Uint64
}

// Stats is a snapshot of the server's counters.
func (s *SFU) Stats() Stats {
	s.mu.Lock()
	rooms := len(s.rooms)
	s.mu.Unlock()
	c := &s.counters
	return Stats{
		Rooms: rooms, Peers: int(c.peers.Load()),
		PacketsIn: c.packetsIn.Load(), BytesIn: c.bytesIn.Load(),
		PacketsOut: c.packetsOut.Load(), BytesOut: c.bytesOut.Load(),
		NACKsOut: c.nacksOut.Load(), NACKsIn: c.nacksIn.Load(),
		Resent: c.resent.Load(), Recovered: c.recovered.Load(),
		PLIsOut: c.plisOut.Load(), PLIsIn: c.plisIn.Load(), Kept: c.kept.Load(),
		Unsent: c.unsent.Load(),
	}
}
