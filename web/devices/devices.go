// Package devices answers what DICOM devices ask: it joins the services of
// dicom/dimse to ingest, index and blobs, and to the cases whose procedures are
// the devices' worklist. Which device may do what is configuration; here it is
// kept to, and every answer goes to the journal. It must not know sockets or
// HTTP.
package devices

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/dimse"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/storage"
)

// Config names the parts. All but Derive and Log are required.
type Config struct {
	Blobs     storage.Blobs
	Index     *index.Index
	Ingest    *ingest.Ingest
	Derive    *derive.Deriver // nil: nothing is derived
	Cases     *cases.Service
	Directory *directory.Directory
	Audit     *audit.Journal

	// Sent takes what a device sent, once it is stored, to its case or the tray.
	// Note does so in the transaction that lists a new object, and Noted is told
	// after it.
	Sent  func(ctx context.Context, aet string, in dicom.Instance) error
	Note  func(ctx context.Context, tx storage.Querier, aet string, in dicom.Instance) error
	Noted func()
	// Facilities names the facility of each device that has one, by AE title.
	Facilities map[string]string
	// Senders may store, verify and ask for their worklist and for commitment;
	// an empty list is everybody. Readers may query and retrieve everything; an
	// empty list is nobody.
	Senders, Readers []dimse.Peer

	Log *slog.Logger
}

// Port holds the callbacks of a dimse.Server.
type Port struct {
	cfg Config
	log *slog.Logger

	mu   sync.Mutex
	told map[string]time.Time // worklist entries journalled a moment ago

	stored sync.Map // by association: UID of the object whose entry in the journal stands with it
}

// New joins the parts.
func New(cfg Config) *Port {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Port{cfg: cfg, log: cfg.Log, told: map[string]time.Time{}}
}

// Equip sets the callbacks and the list of peers. Queries and retrievals are
// offered only when somebody may use them.
func (p *Port) Equip(s *dimse.Server) {
	s.Store, s.Worklist, s.Commit, s.Events = p.Store, p.Worklist, p.Commit, p.Event
	if len(p.cfg.Readers) > 0 {
		s.Find, s.Retrieve, s.Transcode = p.Find, p.Retrieve, p.Transcode
		s.Queries = dimse.QueryFeatures{Relational: true, DateTime: true, Fuzzy: true}
	}
	if len(p.cfg.Senders) > 0 {
		s.Allowed = slices.Concat(p.cfg.Senders, p.cfg.Readers)
	}
}

// listed tells whether a peer is on a list.
func listed(list []dimse.Peer, a dimse.Association) bool {
	return slices.ContainsFunc(list, func(peer dimse.Peer) bool {
		return (peer.AET == "" || peer.AET == a.CallingAET) &&
			(peer.Network == (netip.Prefix{}) || peer.Network.Contains(a.Remote.Addr().Unmap()))
	})
}

func (p *Port) maySend(a dimse.Association) bool {
	return len(p.cfg.Senders) == 0 || listed(p.cfg.Senders, a)
}

func (p *Port) mayRead(a dimse.Association) bool { return listed(p.cfg.Readers, a) }

var errNotAuthorized = &dimse.StatusError{Status: dimse.StatusNotAuthorized, Comment: "not on the list"}
