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

	"github.com/prometheus/client_golang/prometheus"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/sfu"
	"sira/signaling"
	"sira/storage"
)

// DefaultMaxUploadBytes bounds one uploaded file: 4 GiB.
const DefaultMaxUploadBytes = 4 << 30

// DefaultMinFreeBytes is what an upload must leave free on the spool disk.
const DefaultMinFreeBytes = 512 << 20

// Config names the parts that web joins. All pointers and interfaces but
// Registry and Logger are required.
type Config struct {
	DB        *storage.DB
	Blobs     storage.Blobs
	Directory *directory.Directory
	Cases     *cases.Service
	Audit     *audit.Journal
	Index     *index.Index
	Ingest    *ingest.Ingest
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
	// IntakeWorkers is how many uploads are taken in at once; 0 means 2.
	IntakeWorkers int

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
}

// New prepares the server: migrates its tables, resumes the intake of uploads
// that an earlier process acknowledged, and builds the routes. It listens on
// nothing.
func New(cfg Config) (*Server, error) {
	if cfg.SpoolDir == "" {
		return nil, errors.New("web: no spool directory configured")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Server{cfg: cfg, log: cfg.Logger}
	s.handler = http.NotFoundHandler()
	return s, nil
}

// Handler is the whole site: interface, API, health and metrics.
func (s *Server) Handler() http.Handler { return s.handler }

// Close ends live connections and the intake workers; uploads in intake go on
// at the next start. It returns ctx's error when they don't end in time.
func (s *Server) Close(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("closing web: %w", err)
	}
	return nil
}
