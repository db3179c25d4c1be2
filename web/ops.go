package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sira/cases/directory"
	"sira/web/problem"
)

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz says whether database and blob store answer.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for name, ready := range map[string]func(context.Context) error{"database": s.cfg.DB.Ready, "blobs": s.cfg.Blobs.Ready} {
		if err := ready(ctx); err != nil {
			s.log.Warn("not ready", "part", name, "err", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(name + " not ready\n"))
			return
		}
	}
	_, _ = w.Write([]byte("ready\n"))
}

// metrics are the server's own numbers. Labels are route patterns and status
// classes: bounded, and nothing of a patient.
type metrics struct {
	durations *prometheus.HistogramVec
	files     *prometheus.CounterVec
	guests    *prometheus.CounterVec
	registry  *prometheus.Registry
	calls     *callMetrics
}

func newMetrics(reg *prometheus.Registry, s *Server) (*metrics, error) {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := &metrics{registry: reg, calls: newCallMetrics(),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sira_http_request_seconds", Help: "Duration of requests by route.",
			Buckets: []float64{.005, .02, .05, .1, .3, 1, 3, 10, 60}}, []string{"method", "route", "status"}),
		files:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sira_uploads_total", Help: "Uploads and their files by outcome."}, []string{"outcome"}),
		guests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sira_call_guests_total", Help: "Acts on and of people invited to calls without an account."}, []string{"act"}),
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	list := []prometheus.Collector{m.durations, m.files, m.guests,
		gauge("sira_call_guests_waiting", "Guests who wait to be let into a call.", func() float64 { return float64(s.cfg.Signaling.WaitingInAll()) }),
		gauge("sira_live_connections", "Open live connections.", func() float64 { return float64(s.hub.Count()) }),
		gauge("sira_call_rooms", "Calls going on.", func() float64 { return float64(len(s.cfg.Signaling.Rooms())) }),
		gauge("sira_call_participants", "People in calls.", func() float64 {
			n := 0
			for _, r := range s.cfg.Signaling.Rooms() {
				n += r.Participants
			}
			return float64(n)
		}),
		sfuCollector{s.cfg.SFU},
	}
	list = append(list, m.calls.collectors()...)
	if s.cfg.Derive != nil {
		list = append(list, deriveCollector{s.cfg.Derive})
	}
	for _, c := range list {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	// Whoever gave the registry may have put the runtime's collectors there.
	_ = reg.Register(collectors.NewGoCollector())
	_ = reg.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m, nil
}

func (m *metrics) observe(verb, route string, status int, took time.Duration) {
	m.durations.WithLabelValues(method(verb), route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

func (m *metrics) counted(what string, n int) { m.files.WithLabelValues(what).Add(float64(n)) }

func (m *metrics) guest(act string) { m.guests.WithLabelValues(act).Inc() }

// serveMetrics answers a scraper on this machine, or one that holds an
// administrator's token. A proxy on this machine makes every request look
// local, so requests that a proxy passed on need the token.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !s.localScraper(r) {
		if err := s.authenticate(r); err != nil {
			s.fail(w, r, err)
			return
		}
		if userOf(r).Role != directory.Admin {
			s.fail(w, r, problem.New("forbidden"))
			return
		}
	}
	promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

func (s *Server) localScraper(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
