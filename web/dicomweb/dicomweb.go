// Package dicomweb serves the Studies Service of DICOMweb (PS3.18 section 10):
// QIDO-RS searches, WADO-RS retrieval of objects, metadata, frames, bulk data
// and rendered pictures, STOW-RS storage. It answers only what its caller's
// Scope lets the user see, tells each access to the caller's Audit first, and
// never holds an object in memory. It must not know cases, sessions or how
// users are found.
package dicomweb

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strings"

	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/storage"
)

// ErrForbidden from Scope, Audit or MayStore is answered by 403.
var ErrForbidden = errors.New("dicomweb: not permitted")

// Access is one use of the service, for the journal.
type Access struct {
	Action             string // "search", "retrieve", "metadata", "frames", "bulkdata", "rendered", "thumbnail", "store"
	Study, Series, SOP string // as far as the address names them
	Denied             bool   // asked for, and not there or not to be seen
}

// Store is what the service needs of storage.Blobs.
type Store interface {
	Open(ctx context.Context, h storage.Hash) (storage.Reader, error)
}

// Config joins the service to its house. Index, Blobs and Scope are required.
type Config struct {
	Index  *index.Index
	Blobs  Store
	Ingest *ingest.Ingest  // nil: no storing
	Derive *derive.Deriver // nil: HTJ2K is made when it is asked for

	// Scope says what the user behind ctx may see: nil is everything. It is
	// called once a request and should come from a cache.
	Scope func(ctx context.Context) (*index.Visible, error)
	// Audit journals an access before it is answered; an error refuses it.
	Audit func(ctx context.Context, a Access) error
	// Storing journals a request to store as it goes on; nil is Audit and
	// nothing more.
	Storing func(ctx context.Context, a Access) Storing
	// MayStore is asked before an object is stored.
	MayStore func(ctx context.Context, in dicom.Instance) error
	// Stored is told each object that is now durable, also when it was before
	// (Result.Duplicate). An error counts the object as failed.
	Stored func(ctx context.Context, r ingest.Result) error

	Root      string                           // path of the service, "/dicomweb" when empty
	PublicURL string                           // scheme and host in addresses; empty: those of the request
	RequestID func(ctx context.Context) string // for error bodies; may be nil
	Logger    *slog.Logger

	MaxParts int // objects in one STOW-RS request, 5,000 when zero
	Decoders int // frames decoded at once, the number of processors when zero
}

// Storing follows one request to store.
type Storing interface {
	// List is ingest.Ingest.Join.
	List(ctx context.Context, in dicom.Instance, list ingest.List) error
	// Done is called before the request is answered, whatever came of it.
	Done(ctx context.Context) error
}

// Service is the handler.
type Service struct {
	cfg      Config
	mux      *http.ServeMux
	files    *files
	decoding chan struct{}
	large    chan struct{} // held while all decoders are gathered
	turning  chan struct{} // a place for each object that is being transcoded
}

// New makes the handler of everything below Root. The caller authenticates.
func New(cfg Config) *Service {
	if cfg.Root == "" {
		cfg.Root = "/dicomweb"
	}
	cfg.Root = "/" + strings.Trim(cfg.Root, "/")
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxParts <= 0 {
		cfg.MaxParts = 5000
	}
	if cfg.Decoders <= 0 {
		cfg.Decoders = runtime.GOMAXPROCS(0)
	}
	if cfg.Audit == nil {
		cfg.Audit = func(context.Context, Access) error { return nil }
	}
	s := &Service{cfg: cfg, mux: http.NewServeMux(), files: newFiles(cfg.Blobs),
		decoding: make(chan struct{}, cfg.Decoders), large: make(chan struct{}, 1),
		turning: make(chan struct{}, 4*cfg.Decoders)}
	s.routes()
	return s
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Route is one address of the service, for the caller's table of routes.
type Route struct{ Pattern, Action string }

type action func(w http.ResponseWriter, r *http.Request, c *call) error

// call is what handlers know of one request.
type call struct {
	study, series, sop string
	base               string // address of the service
	visible            *index.Visible
	accept             []media
	action             string
}

type entry struct {
	pattern, action string
	do              action
}

func (s *Service) table() []entry {
	const study, series = "/studies/{study}", "/studies/{study}/series/{series}"
	const instance = series + "/instances/{sop}"
	list := []entry{
		{"GET /studies", "search", s.search(index.StudyLevel)},
		{"GET /series", "search", s.search(index.SeriesLevel)},
		{"GET /instances", "search", s.search(index.InstanceLevel)},
		{"GET " + study + "/series", "search", s.search(index.SeriesLevel)},
		{"GET " + study + "/instances", "search", s.search(index.InstanceLevel)},
		{"GET " + series + "/instances", "search", s.search(index.InstanceLevel)},
		{"GET " + instance + "/frames/{frames}", "frames", s.frames},
		{"GET " + instance + "/frames/{frames}/rendered", "rendered", s.rendered},
		{"GET " + instance + "/frames/{frames}/thumbnail", "thumbnail", s.thumbnail},
		{"GET " + instance + "/bulkdata/{path...}", "bulkdata", s.bulkdata},
	}
	for _, at := range []string{study, series, instance} {
		list = append(list,
			entry{"GET " + at, "retrieve", s.retrieve},
			entry{"GET " + at + "/metadata", "metadata", s.metadata},
			entry{"GET " + at + "/rendered", "rendered", s.rendered},
			entry{"GET " + at + "/thumbnail", "thumbnail", s.thumbnail})
	}
	if s.cfg.Ingest != nil {
		list = append(list, entry{"POST /studies", "store", s.store}, entry{"POST " + study, "store", s.store})
	}
	return list
}

// Routes lists the patterns served, Root included.
func (s *Service) Routes() []Route {
	var out []Route
	for _, e := range s.table() {
		method, path, _ := strings.Cut(e.pattern, " ")
		out = append(out, Route{method + " " + s.cfg.Root + path, e.action})
	}
	return out
}

func (s *Service) routes() {
	for _, e := range s.table() {
		method, path, _ := strings.Cut(e.pattern, " ")
		s.mux.HandleFunc(method+" "+s.cfg.Root+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, e) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.unknown(w, r) })
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, e entry) {
	c := &call{study: r.PathValue("study"), series: r.PathValue("series"), sop: r.PathValue("sop"), action: e.action}
	err := s.prepare(r, c)
	if err == nil {
		err = e.do(w, r, c)
	}
	if err != nil {
		s.fail(w, r, err)
	}
}

// prepare checks what all requests have in common.
func (s *Service) prepare(r *http.Request, c *call) (err error) {
	if len(r.URL.RawQuery) > maxQuery {
		return refuse(http.StatusRequestURITooLong, "query-too-long")
	}
	for _, uid := range []string{c.study, c.series, c.sop} {
		if uid != "" && !validUID(uid) {
			return refuse(http.StatusNotFound, "not-found")
		}
	}
	c.base = s.base(r)
	if c.accept, err = accepted(r); err != nil {
		return err
	}
	if c.visible, err = s.cfg.Scope(r.Context()); err != nil {
		return err
	}
	return nil
}

// base is the address of the service as the client knows it.
func (s *Service) base(r *http.Request) string {
	if s.cfg.PublicURL != "" {
		return strings.TrimRight(s.cfg.PublicURL, "/") + s.cfg.Root
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if host := r.Host; host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") == "" {
		return scheme + "://" + host + s.cfg.Root
	}
	return s.cfg.Root
}

// objects finds what a retrieval names and journals it. What may not be seen
// is not found.
func (s *Service) objects(ctx context.Context, c *call) ([]index.Object, error) {
	list, err := s.cfg.Index.Objects(ctx, c.visible, c.study, c.series, c.sop)
	if err != nil && !errors.Is(err, index.ErrNotFound) {
		return nil, err
	}
	if aerr := s.audit(ctx, c, err != nil); aerr != nil {
		return nil, aerr
	}
	return list, err
}

func (s *Service) audit(ctx context.Context, c *call, denied bool) error {
	return s.cfg.Audit(ctx, Access{Action: c.action, Study: c.study, Series: c.series, SOP: c.sop, Denied: denied})
}

// validUID is PS3.5 section 9.1, leniently, as the index has them.
func validUID(s string) bool {
	if len(s) == 0 || len(s) > 64 || s[0] == '.' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
