package dimse

import "time"

// Limits bound what a peer can cost. A zero field takes its default.
type Limits struct {
	Associations int    // at the same time, all peers together; 64
	PerAddress   int    // at the same time from one IPv4 address or IPv6 /64; 16
	PDU          uint32 // largest P-DATA-TF body taken, in bytes; 131072
	Command      int    // bytes of one command set; 16384
	Object       int64  // bytes of one data set; 16 GiB
	Identifier   int64  // bytes of one identifier or other small data set, held in memory; 4 MiB
	Commitments  int    // storage commitments being checked or reported; 64
	Answers      int    // matches of one C-FIND; 50,000
	Instances    int    // sub-operations of one C-MOVE or C-GET; 100,000
}

// Timeouts bound how long a peer is waited for. A zero field takes its default.
type Timeouts struct {
	Association time.Duration // from connecting to the answer of A-ASSOCIATE, TLS included; 30 s
	Release     time.Duration // ARTIM after the last word, and the answer to A-RELEASE; 5 s
	Idle        time.Duration // an association at rest between two messages; 5 min
	Message     time.Duration // without progress within a message, and for a response; 60 s
	Query       time.Duration // a whole C-FIND as provider, a slow reader included; 30 min
	Retrieve    time.Duration // a whole C-MOVE or C-GET as provider, over lines of any speed; 24 h
}

// minRate, in bytes per second, is the slowest data set that is not given up
// once Timeouts.Message has been used up in waiting: a peer that sends a byte
// now and then would else hold its place for ever.
const minRate = 128

func (l Limits) withDefaults() Limits {
	orDefault(&l.Associations, 64)
	orDefault(&l.PerAddress, 16)
	orDefault(&l.PDU, 1<<17)
	orDefault(&l.Command, 16<<10)
	orDefault(&l.Object, 16<<30)
	orDefault(&l.Identifier, 4<<20)
	orDefault(&l.Commitments, 64)
	orDefault(&l.Answers, 50_000)
	orDefault(&l.Instances, 100_000)
	return l
}

func (t Timeouts) withDefaults() Timeouts {
	orDefault(&t.Association, 30*time.Second)
	orDefault(&t.Release, 5*time.Second)
	orDefault(&t.Idle, 5*time.Minute)
	orDefault(&t.Message, time.Minute)
	orDefault(&t.Query, 30*time.Minute)
	orDefault(&t.Retrieve, 24*time.Hour)
	return t
}

func orDefault[T int | uint32 | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
