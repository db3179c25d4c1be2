package web

import (
	"encoding/json"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sira/cases"
	"sira/signaling/record"
)

var noFigures = json.RawMessage(`{}`)

// callFigures is what the call was like for who leaves and, with the last one,
// for all.
func (s *Server) callFigures(l leaver) json.RawMessage {
	call := s.cfg.Signaling.Record(l.room)
	if call == nil {
		return noFigures
	}
	now := time.Now()
	d := cases.CallLeftData{Call: call.ID}
	if t, ok := call.Of(l.user, now); ok {
		d.Own = figuresOf(t)
	}
	if l.last {
		sum := call.Sum(now)
		d.All = (*cases.CallSum)(&sum)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		s.log.Error("figures of a call not written", "err", err)
		return noFigures
	}
	return raw
}

func figuresOf(t record.Totals) *cases.CallFigures {
	bytes := func(b record.Bytes) map[string]int64 {
		m := make(map[string]int64, len(b))
		for class, n := range b {
			m[class] = int64(n)
		}
		return m
	}
	return &cases.CallFigures{
		Seconds: t.Seconds, Voice: t.Voice, Usable: t.Usable, ConcealedMs: t.ConcealedMs, Freezes: t.Freezes, FrozenMs: t.FrozenMs,
		FirstAudioMs: t.FirstAudioMs, FirstVideoMs: t.FirstVideoMs, RTTMs: t.RTTMs, LossUp: t.LossUp, LossDown: t.LossDown,
		EstimateKbps: t.EstimateKbps, LeastKbps: t.LeastKbps, DeliveredKbps: t.DeliveredKbps, Up: bytes(t.Up), Down: bytes(t.Down),
		Path: t.Path, Outages: t.Outages, OutageMs: t.OutageMs, LongestMs: t.LongestMs, ResumeMs: t.ResumeMs,
	}
}

// endCall closes the record of a call that is over and counts it.
func (s *Server) endCall(room string) {
	call := s.cfg.Signaling.Record(room)
	s.cfg.Signaling.EndRecord(room)
	if call != nil && s.cfg.Signaling.Record(room) == nil {
		s.metrics.calls.count(call, time.Now())
	}
}

// callMetrics are what calls that ended were like, without a word of who or
// which.
type callMetrics struct {
	ended, freezes, frozen, outages                          prometheus.Counter
	length, firstAudio, firstVideo, usable, outage, resuming prometheus.Histogram
	bytes, paths                                             *prometheus.CounterVec
}

func newCallMetrics() *callMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	return &callMetrics{
		ended:      counter("sira_calls_total", "Calls that ended."),
		length:     histogram("sira_call_seconds", "Length of calls.", 10, 60, 180, 300, 600, 1200, 1800, 3600),
		firstAudio: histogram("sira_call_first_audio_seconds", "From joining, with somebody there, to the first packet of voice.", .25, .5, 1, 1.5, 2, 3, 4, 6, 10, 30),
		firstVideo: histogram("sira_call_first_video_seconds", "From joining, with somebody there, to the first picture.", .5, 1, 2, 3, 4, 6, 10, 30, 60),
		usable:     histogram("sira_call_usable_speech_ratio", "Share of each participant's seconds with voice in which it was usable.", .5, .7, .8, .9, .95, .98, .99, .999),
		freezes:    counter("sira_call_freezes_total", "Freezes of pictures, as participants saw them."),
		frozen:     counter("sira_call_frozen_seconds_total", "Seconds of frozen pictures."),
		outages:    counter("sira_call_outages_total", "Outages of participants' links."),
		outage:     histogram("sira_call_outage_seconds", "Length of outages.", 5, 8, 12, 20, 30, 60, 120, 300, 600),
		resuming:   histogram("sira_call_resume_seconds", "From the browser being heard again after an outage until media passed.", .25, .5, 1, 1.5, 2, 3, 5, 10, 30),
		bytes:      vec("sira_call_bytes_total", "Bytes to (down) and from (up) participants of calls that ended, headers included, by what they were for.", "direction", "class"),
		paths:      vec("sira_call_paths_total", "Participants of calls that ended by how their media went.", "path"),
	}
}

func (m *callMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.ended, m.freezes, m.frozen, m.outages, m.length, m.firstAudio, m.firstVideo, m.usable, m.outage, m.resuming, m.bytes, m.paths}
}

func (m *callMetrics) count(call *record.Call, now time.Time) {
	m.ended.Inc()
	m.length.Observe(float64(call.Sum(now).Seconds))
	for _, p := range call.View(math.MaxInt64, now).People {
		m.countPerson(p)
	}
}

func (m *callMetrics) countPerson(p record.PersonView) {
	t := p.Totals
	for h, ms := range map[prometheus.Histogram]int{m.firstAudio: t.FirstAudioMs, m.firstVideo: t.FirstVideoMs} {
		if ms > 0 {
			h.Observe(float64(ms) / 1000)
		}
	}
	if t.Voice > 0 {
		m.usable.Observe(float64(t.Usable) / float64(t.Voice))
	}
	m.freezes.Add(float64(t.Freezes))
	m.frozen.Add(float64(t.FrozenMs) / 1000)
	m.outages.Add(float64(t.Outages))
	for _, o := range p.Outages {
		m.outage.Observe(float64(o.Ms) / 1000)
		m.resuming.Observe(float64(o.ResumeMs) / 1000)
	}
	for direction, sums := range map[string]record.Bytes{"up": t.Up, "down": t.Down} {
		for class, n := range sums {
			m.bytes.WithLabelValues(direction, class).Add(float64(n))
		}
	}
	if t.Path != "" {
		m.paths.WithLabelValues(t.Path).Inc()
	}
}
