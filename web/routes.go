package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"sira/web/problem"
)

// action answers one request, or returns why it can't.
type action func(w http.ResponseWriter, r *http.Request) error

// route is one entry of the API. All but public ones need a user.
type route struct {
	pattern string // as http.ServeMux reads it
	do      action
	public  bool
	open    bool   // no deadline: streams and WebSockets
	surface string // "" means "api"
	beside  bool   // its bodies take what a call of the same person leaves them
}

// requestTimeout bounds the work of an ordinary request, not its transfer.
const requestTimeout = 60 * time.Second

// apiRoutes is the whole API; openapi.json describes exactly these.
func (s *Server) apiRoutes() []route {
	return []route{
		{pattern: "POST /api/session", do: s.login, public: true},
		{pattern: "GET /api/session", do: s.whoAmI},
		{pattern: "DELETE /api/session", do: s.logout, public: true},
		{pattern: "GET /api/directory", do: s.directory},
		{pattern: "GET /api/cases", do: s.listCases},
		{pattern: "GET /api/cases/{id}", do: s.getCase},
		{pattern: "GET /api/cases/{id}/events", do: s.listEvents},
		{pattern: "POST /api/cases/{id}/events", do: s.postEvents},
		{pattern: "PUT /api/cases/{id}/read", do: s.markRead},
		{pattern: "GET /api/cases/{id}/access", do: s.accessLog},
		{pattern: "GET /api/cases/{id}/attachments/{aid}", do: s.attachment, open: true, beside: true},
		{pattern: "GET /api/cases/{id}/attachments/{aid}/thumbnail", do: s.attachmentThumbnail, beside: true},
		{pattern: "GET /api/cases/{id}/series/{series}", do: s.seriesManifest},
		{pattern: "GET /api/cases/{id}/instances/{sop}/frames/{frame}", do: s.frame, beside: true},
		{pattern: "GET /api/cases/{id}/instances/{sop}/frames/{frame}/display", do: s.display},
		{pattern: "GET /api/cases/{id}/instances/{sop}/frames/{frame}/picture", do: s.picture, beside: true},
		{pattern: "GET /api/cases/{id}/instances/{sop}/thumbnail", do: s.instanceThumbnail, beside: true},
		{pattern: "GET /api/cases/{id}/instances/{sop}/file", do: s.instanceFile, open: true, beside: true},
		{pattern: "GET /api/cases/{id}/instances/{sop}/waveform", do: s.waveform},
		{pattern: "GET /api/cases/{id}/instances/{sop}/document", do: s.document, open: true, beside: true},
		{pattern: "GET /api/cases/{id}/export", do: s.surveyExport, open: true},
		{pattern: "POST /api/cases/{id}/exports", do: s.orderExport, open: true},
		{pattern: "GET /api/cases/{id}/exports/{export}", do: s.exportStatus},
		{pattern: "GET /api/cases/{id}/exports/{export}/file", do: s.fetchExport, open: true, beside: true},
		{pattern: "GET /api/intake", do: s.listIntake},
		{pattern: "GET /api/intake/{upload}", do: s.getIntake},
		{pattern: "GET /api/live", do: s.live, open: true, surface: "ws"},
		{pattern: "GET /api/calls/{id}", do: s.call, open: true, surface: "ws"},
		{pattern: "POST /api/calls/{id}", do: s.joinCall, open: true},
		{pattern: "PUT /api/calls/{id}/stills/{still}", do: s.putStill, open: true, beside: true},
		{pattern: "GET /api/calls/{id}/record", do: s.callRecord},
		{pattern: "GET /api/cases/{id}/guests", do: s.listGuests},
		{pattern: "POST /api/cases/{id}/guests", do: s.invite},
		{pattern: "DELETE /api/cases/{id}/guests/{guest}", do: s.uninvite},
		{pattern: "PUT /api/cases/{id}/guests/{guest}/admission", do: s.admission},
		{pattern: "POST /api/guest/invitation", do: s.lookAtLink, public: true, surface: "guest"},
		{pattern: "POST /api/guest/session", do: s.useLink, public: true, surface: "guest"},
		{pattern: "GET /api/guest/session", do: s.guestSession, public: true, surface: "guest"},
		{pattern: "GET /api/guest/call", do: s.guestCall, public: true, open: true, surface: "ws"},
		{pattern: "POST /api/guest/call", do: s.guestJoin, public: true, open: true, surface: "guest"},
		{pattern: "GET /api/guest/stills/{still}", do: s.guestStill, public: true, open: true, surface: "guest"},
		{pattern: "PUT /api/cases/{id}/worklist", do: s.schedule},
		{pattern: "DELETE /api/cases/{id}/worklist", do: s.unschedule},
		{pattern: "GET /api/cases/{id}/attachments/{aid}/waveform", do: s.attachmentWaveform},
		{pattern: "GET /api/tray", do: s.listTray},
		{pattern: "GET /api/tray/count", do: s.countTray},
		{pattern: "GET /api/tray/{study}/thumbnail", do: s.trayThumbnail},
		{pattern: "POST /api/tray/{study}/attach", do: s.takeFromTray},
		{pattern: "DELETE /api/tray/{study}", do: s.discardFromTray},
		{pattern: "GET /api/quarantine", do: s.listQuarantine},
		{pattern: "DELETE /api/quarantine/{entry}", do: s.discardQuarantined},
		{pattern: "GET /api/admin/users", do: s.adminUsers},
		{pattern: "PUT /api/admin/users/{user}/disabled", do: s.setDisabled},
		{pattern: "GET /api/admin/node", do: s.adminNode},
		{pattern: "GET /api/admin/calls", do: s.adminCalls},
		{pattern: "GET /api/admin/calls/{call}", do: s.adminCall},
		{pattern: "GET /api/openapi.json", do: s.openapi, public: true},
	}
}

// uploadRoutes are served by the tus handler.
func (s *Server) uploadRoutes() []route {
	return []route{
		{pattern: "POST /api/uploads/{$}", do: s.tus, open: true, surface: "tus", beside: true},
		{pattern: "OPTIONS /api/uploads/{$}", do: s.tus, public: true, surface: "tus"},
		{pattern: "HEAD /api/uploads/{upload}", do: s.tus, surface: "tus"},
		{pattern: "PATCH /api/uploads/{upload}", do: s.tus, open: true, surface: "tus", beside: true},
		{pattern: "DELETE /api/uploads/{upload}", do: s.tus, surface: "tus"},
	}
}

// buildHandler puts routes and middleware together.
func (s *Server) buildHandler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range slices.Concat(s.apiRoutes(), s.uploadRoutes(), s.endpointRoutes()) {
		mux.Handle(rt.pattern, s.serve(rt))
	}
	for _, root := range []string{"/api/", "/whip/", "/whep/"} {
		mux.HandleFunc(root, func(w http.ResponseWriter, r *http.Request) { s.noRoute(mux, root, w, r) })
	}
	mux.Handle(pacsRoot+"/", s.named(pacsRoot, http.HandlerFunc(s.dicomWeb)))
	mux.Handle("GET /healthz", s.named("/healthz", http.HandlerFunc(s.healthz)))
	mux.Handle("GET /readyz", s.named("/readyz", http.HandlerFunc(s.readyz)))
	mux.Handle("GET /metrics", s.named("/metrics", http.HandlerFunc(s.serveMetrics)))
	mux.Handle("/", s.named("ui", http.HandlerFunc(s.page)))
	return s.outermost(s.crossOrigin(mux))
}

func (s *Server) named(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requestOf(r.Context()).route = name
		next.ServeHTTP(w, r)
	})
}

func (s *Server) serve(rt route) http.Handler {
	_, path, _ := strings.Cut(rt.pattern, " ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := requestOf(r.Context())
		q.route = path
		if rt.surface != "" {
			q.surface = rt.surface
		}
		if rt.surface == "ws" { // open, and most of the time silent
			s.underWay.Add(-1)
			defer s.underWay.Add(1)
		}
		connected := r.Context()
		if !rt.open {
			ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
			defer cancel()
			r = r.WithContext(ctx)
			if r.ContentLength != 0 {
				// A body that trickles in must not hold a request for ever.
				_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(requestTimeout))
			}
		}
		if !rt.public {
			if err := s.authenticate(r); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		if rt.beside {
			w = s.beside(connected, w, r)
		}
		if err := rt.do(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// noRoute answers 405 when the path is known under another method, else 404.
func (s *Server) noRoute(mux *http.ServeMux, root string, w http.ResponseWriter, r *http.Request) {
	q := requestOf(r.Context())
	var allowed []string
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(probe); pattern != root && pattern != "" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem.New("method").Write(w, q.id)
		return
	}
	problem.New("not-found").Write(w, q.id)
}
