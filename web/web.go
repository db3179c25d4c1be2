// Package web is the door of the house: HTTP routes, sessions, the JSON API
// under /api, resumable uploads, live notices, the embedded browser interface.
//
// It joins what the domain rooms keep apart: a case names a DICOM instance by
// its UID, and web looks that UID up in the index. It decides nothing about
// who may do what (cases.Allow does) and knows no SQL of the domain; its only
// tables are those of the uploads on their way in.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/cases/guests"
	"sira/dicom/derive"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/sfu"
	"sira/signaling"
	"sira/storage"
	"sira/web/assets"
	"sira/web/dicomweb"
	"sira/web/export"
	"sira/web/live"
	"sira/web/tray"
	"sira/web/uploads"
)

// DefaultMaxUploadBytes bounds one uploaded file: 4 GiB.
const DefaultMaxUploadBytes = 4 << 30

// DefaultMinFreeBytes is what an upload must leave free on the spool disk.
const DefaultMinFreeBytes = 512 << 20

// Config names the parts that web joins. All pointers and interfaces but
// Derive, Registry and Logger are required.
type Config struct {
	DB        *storage.DB
	Blobs     storage.Blobs
	Directory *directory.Directory
	Cases     *cases.Service
	Audit     *audit.Journal
	Index     *index.Index
	Ingest    *ingest.Ingest
	Derive    *derive.Deriver // nil: nothing is derived
	SFU       *sfu.SFU
	Signaling *signaling.Server

	// SpoolDir holds uploads until they are blobs, and a bounded cache of
	// derived pictures. It belongs to one process at a time.
	SpoolDir string
	// MaxUploadBytes bounds one upload; 0 means DefaultMaxUploadBytes.
	MaxUploadBytes int64
	// MinFreeBytes stays free on the spool disk; 0 means DefaultMinFreeBytes,
	// negative means no check.
	MinFreeBytes int64
	// FreeSpace tells how many bytes the disk of a folder still takes; nil asks
	// the disk.
	FreeSpace func(dir string) (int64, error)
	// IntakeWorkers is how many uploads are taken in at once; 0 means 2.
	IntakeWorkers int

	// Devices names the facility (ID) of each DICOM device that has one, by its
	// AE title. What the others send is for dispatchers and administrators.
	Devices map[string]string
	// DICOM is what administrators are shown of the DICOM port's settings.
	DICOM DICOMSettings
	// BlobKind names the blob store to administrators: "file" or "s3".
	BlobKind string
	// DICOMWebService are the logins that read and store everything by
	// DICOMweb. Everybody else sees there what their cases hold.
	DICOMWebService []string
	// TrayGather is how long what devices send gathers before it is attached; 0
	// means 300 ms.
	TrayGather time.Duration

	Logger   *slog.Logger         // nil: slog.Default()
	Registry *prometheus.Registry // nil: an own one
	// TLS says that browsers reach the server over HTTPS (cookie Secure, HSTS).
	TLS bool
	// PublicURL is the origin under which browsers see the server, when a
	// proxy changes the Host header ("https://sira.example.ml").
	PublicURL string
	Version   string
}

// Server serves one Config. Make it with New, stop it with Close.
type Server struct {
	cfg     Config
	log     *slog.Logger
	handler http.Handler

	site       *assets.Site
	uploads    *uploads.Service
	tusHandler http.Handler
	hub        *live.Hub
	tray       *tray.Tray
	pacs       *dicomweb.Service
	exports    *export.Service
	running    exporting
	scopes     scopes
	calls      *attendance
	guests     *guests.Guests
	admitted   admitted
	links      *limiter
	knocks     *limiter // of each guest
	metrics    *metrics
	derived    *derived
	headers    *headers
	decoding   gate
	logins     *limiter
	seen       recent
	places     places

	started  time.Time
	accounts sync.Mutex   // administrators' changes, one after the other
	underWay atomic.Int64 // requests, but not open WebSockets

	statesMu sync.Mutex
	states   map[string]remembered

	unsubscribe    func()
	stopCompleting func() // of older rows of the DICOM index
}

// decodersAtOnce bounds how many frames are in memory at once.
const decodersAtOnce = 4

// New prepares the server: migrates its tables, resumes the intake of uploads
// that an earlier process acknowledged, and builds the routes. It listens on
// nothing.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Logger, started: time.Now(), headers: newHeaders(), decoding: make(gate, decodersAtOnce),
		logins: newLimiter(2*time.Second, 40), seen: recent{seen: map[string]time.Time{}}, states: map[string]remembered{}}
	var err error
	if s.site, err = loadSite(); err != nil {
		return nil, err
	}
	if s.derived, err = openDerived(filepath.Join(cfg.SpoolDir, "derived"), derivedLimit); err != nil {
		return nil, err
	}
	s.hub = live.New(s.log, s.sameOrigin)
	s.calls = newAttendance(s.callJoined, s.callLeft)
	s.admitted.list, s.links, s.knocks = map[string]bool{}, newLimiter(3*time.Second, 20), newLimiter(3*time.Second, 10)
	if s.guests, err = guests.Open(context.Background(), cfg.DB, nil); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(cfg.Registry, s); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	if err := s.openUploads(); err != nil {
		return nil, err
	}
	if err := s.openTray(); err != nil {
		return nil, err
	}
	cfg.Ingest.Quarantined = s.quarantineChanged
	if err := s.openExports(); err != nil {
		return nil, err
	}
	s.openPACS()
	s.unsubscribe = cfg.Cases.Subscribe(s.caseChanged)
	cfg.Signaling.OnPresence(s.presenceChanged)
	cfg.Signaling.OnWaiting(s.waitingChanged)
	cfg.Signaling.OnFarewell(s.calls.farewell)
	cfg.Signaling.OnDrawn(s.keepDrawing)
	cfg.Signaling.Authorize(s.stillMayCall)
	s.handler = s.buildHandler()
	return s, nil
}

// complete checks what is required and fills in what is not.
func (c *Config) complete() error {
	for name, missing := range map[string]bool{"DB": c.DB == nil, "Blobs": c.Blobs == nil, "Directory": c.Directory == nil,
		"Cases": c.Cases == nil, "Audit": c.Audit == nil, "Index": c.Index == nil, "Ingest": c.Ingest == nil,
		"SFU": c.SFU == nil, "Signaling": c.Signaling == nil, "SpoolDir": c.SpoolDir == ""} {
		if missing {
			return errors.New("web: configuration lacks " + name)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxUploadBytes <= 0 {
		c.MaxUploadBytes = DefaultMaxUploadBytes
	}
	if c.MinFreeBytes == 0 {
		c.MinFreeBytes = DefaultMinFreeBytes
	}
	if c.IntakeWorkers <= 0 {
		c.IntakeWorkers = 2
	}
	if strings.HasPrefix(c.PublicURL, "https://") {
		c.TLS = true // a proxy in front speaks TLS
	}
	return nil
}

func (s *Server) openUploads() error {
	var err error
	s.uploads, err = uploads.Open(context.Background(), uploads.Config{
		DB: s.cfg.DB, Blobs: s.cfg.Blobs, Ingest: s.cfg.Ingest, Dir: s.cfg.SpoolDir, BasePath: "/api/uploads/",
		MaxBytes: s.cfg.MaxUploadBytes, MinFree: s.cfg.MinFreeBytes, Free: s.cfg.FreeSpace, Workers: s.cfg.IntakeWorkers,
		UserID:    func(ctx context.Context) string { return requestOf(ctx).user.ID },
		RequestID: func(ctx context.Context) string { return requestOf(ctx).id },
		Authorize: s.mayUpload, Deliver: s.deliver, Changed: s.intakeChanged, Counted: s.metrics.counted, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.tusHandler, err = s.uploads.Handler()
	return err
}

// Handler is the whole site: interface, API, health and metrics.
func (s *Server) Handler() http.Handler { return s.handler }

// Busy reports whether requests are being answered, which background work
// gives way to.
func (s *Server) Busy() bool { return s.underWay.Load() > 0 }

// Close ends calls and live connections, then the intake workers; uploads in
// intake go on at the next start. It returns ctx's error when they don't end
// in time.
func (s *Server) Close(ctx context.Context) error {
	err := s.cfg.Signaling.Close(ctx)
	s.calls.close()
	s.unsubscribe()
	s.stopCompleting()
	s.tray.Close()
	s.hub.Close()
	return errors.Join(err, s.uploads.Close(ctx))
}
