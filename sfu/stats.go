package sfu

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
}
