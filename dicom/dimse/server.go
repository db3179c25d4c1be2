package dimse

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"sira/dicom/dimse/pdu"
)

// Server is a service class provider. Fields must not change once Serve runs.
// Each service exists when its callback does; the zero value only verifies
// (C-ECHO). Callbacks run in parallel for several associations, and what they
// panic with becomes a failure status.
type Server struct {
	// AET is our application entity title. A peer that calls another one is
	// rejected; empty answers to any.
	AET string

	// Store takes one instance and gives the status of the response, which is
	// sent only then: StatusSuccess means that the instance is durable. nil
	// refuses all storage SOP classes.
	Store func(ctx context.Context, req StoreRequest) (status uint16)

	// Find answers queries in the Patient Root and Study Root models, Worklist
	// those for scheduled procedure steps. Queries says what Find can do.
	Find     FindFunc
	Worklist FindFunc
	Queries  QueryFeatures

	// Retrieve resolves C-GET and, with Nodes, C-MOVE requests. Transcode, when
	// set, is asked for instances whose transfer syntax the receiver refuses.
	Retrieve  RetrieveFunc
	Transcode TranscodeFunc

	// Commit answers storage commitment. Committed takes the results of what
	// clients of ours asked other peers for, and gives the status of the
	// response. Retries bounds our reports.
	Commit    CommitFunc
	Committed func(ctx context.Context, from Association, result CommitResult) (status uint16)
	Retries   Retry

	// Nodes gives the address of an application entity by its title: where
	// C-MOVE may send to, and where a commitment is reported to when the
	// association of the request has ended. See KnownNodes.
	Nodes func(aet string) (Node, bool)

	// Allowed lists who may associate; empty allows everyone. Admit, when set,
	// is asked after it and rejects by an error. Its text goes to events only.
	Allowed []Peer
	Admit   func(ctx context.Context, a Association) error

	// Choose picks one of the offered transfer syntaxes of a presentation
	// context, or "" to refuse it; nil takes the first. See Prefer.
	Choose func(sopClass string, offered []string) string

	// UnknownClasses accepts storage in SOP classes the standard's table does
	// not have: private ones, and those of newer editions.
	UnknownClasses bool

	Limits   Limits
	Timeouts Timeouts
	TLS      *tls.Config // nil for plain TCP

	// Events hears what happens, for the audit. It is called in order within
	// an association (but EventReport comes when it comes), and must return soon.
	Events func(Event)
	Logger *slog.Logger // nil is silent

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	active    map[*serving]struct{}
	seats     seats
	closing   bool
	stop      chan struct{} // closed by Shutdown
	jobs      map[*job]struct{}
	running   sync.WaitGroup
}

// Peer is one line of an allow-list. An empty title or an invalid prefix (the
// zero value) matches all.
type Peer struct {
	AET     string
	Network netip.Prefix
}

// Node is how to reach an application entity.
type Node struct {
	Addr string      // host:port
	TLS  *tls.Config // nil for plain TCP
}

// KnownNodes gives a Nodes for a fixed table.
func KnownNodes(table map[string]Node) func(aet string) (Node, bool) {
	return func(aet string) (Node, bool) { n, ok := table[aet]; return n, ok }
}

// StoreRequest is one C-STORE. Data is the data set as encoded in
// TransferSyntax, without preamble and file meta information (Part10 adds
// them); it may be read only until Store returns, and by one goroutine. Its
// error is io.EOF only after the whole data set.
type StoreRequest struct {
	CallingAET, CalledAET string
	SOPClass, SOPUID      string
	TransferSyntax        string
	Data                  io.Reader

	Association Association
	// Set when the instance comes from the peer's C-MOVE (PS3.7 section 9.1.1).
	MoveOriginator string
	MoveMessageID  uint16
}

// Association describes an association that has been asked for or stands.
type Association struct {
	ID                    string // random, for logs
	CallingAET, CalledAET string
	Remote                netip.AddrPort
	TLS                   *tls.ConnectionState // nil on plain TCP
	Contexts              []PresentationContext
	// Peer is the peer's user information: implementation, extended
	// negotiation, identity (which may hold a secret).
	Peer pdu.UserInfo
}

// PresentationContext is an accepted one.
type PresentationContext struct {
	ID             byte
	SOPClass       string
	TransferSyntax string
	// Which roles the association's requestor has.
	RequestorSCU, RequestorSCP bool
}

// Prefer gives a Choose that takes the first syntax of order that is offered,
// else the first offered.
func Prefer(order ...string) func(sopClass string, offered []string) string {
	rank := map[string]int{}
	for i, ts := range order {
		rank[ts] = len(order) - i
	}
	return func(_ string, offered []string) string {
		best := ""
		for i, ts := range offered {
			if i == 0 || rank[ts] > rank[best] {
				best = ts
			}
		}
		return best
	}
}

func (s *Server) log() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.New(slog.DiscardHandler)
}
