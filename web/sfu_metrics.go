package web

import (
	"github.com/prometheus/client_golang/prometheus"

	"sira/sfu"
)

// sfuCollector tells the media server's counters to Prometheus.
type sfuCollector struct{ sfu *sfu.SFU }

type mediaMetric struct {
	desc  *prometheus.Desc
	value func(sfu.Stats) float64
}

func media(name, help string, value func(sfu.Stats) float64) mediaMetric {
	return mediaMetric{prometheus.NewDesc("sira_media_"+name+"_total", help, nil, nil), value}
}

var mediaMetrics = []mediaMetric{
	media("packets_in", "Media packets received.", func(s sfu.Stats) float64 { return float64(s.PacketsIn) }),
	media("packets_out", "Media packets sent.", func(s sfu.Stats) float64 { return float64(s.PacketsOut) }),
	media("bytes_in", "Media bytes received.", func(s sfu.Stats) float64 { return float64(s.BytesIn) }),
	media("bytes_out", "Media bytes sent.", func(s sfu.Stats) float64 { return float64(s.BytesOut) }),
	media("nacks_in", "Packets that subscribers asked for again.", func(s sfu.Stats) float64 { return float64(s.NACKsIn) }),
	media("nacks_out", "Packets asked of publishers again.", func(s sfu.Stats) float64 { return float64(s.NACKsOut) }),
	media("resent", "Packets sent again.", func(s sfu.Stats) float64 { return float64(s.Resent) }),
	media("recovered", "Packets that publishers sent again in time.", func(s sfu.Stats) float64 { return float64(s.Recovered) }),
	media("plis_in", "Keyframes that subscribers asked for.", func(s sfu.Stats) float64 { return float64(s.PLIsIn) }),
	media("kept", "Viewers that began with a keyframe that was kept, without asking for one.", func(s sfu.Stats) float64 { return float64(s.Kept) }),
	media("unsent", "Packets that the kernel did not take.", func(s sfu.Stats) float64 { return float64(s.Unsent) }),
	media("plis_out", "Keyframes asked of publishers.", func(s sfu.Stats) float64 { return float64(s.PLIsOut) }),
}

var (
	mediaRooms = prometheus.NewDesc("sira_media_rooms", "Rooms of the media server.", nil, nil)
	mediaPeers = prometheus.NewDesc("sira_media_peers", "Peers of the media server.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c sfuCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- mediaRooms
	ch <- mediaPeers
	for _, m := range mediaMetrics {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c sfuCollector) Collect(ch chan<- prometheus.Metric) {
	if c.sfu == nil {
		return
	}
	st := c.sfu.Stats()
	ch <- prometheus.MustNewConstMetric(mediaRooms, prometheus.GaugeValue, float64(st.Rooms))
	ch <- prometheus.MustNewConstMetric(mediaPeers, prometheus.GaugeValue, float64(st.Peers))
	for _, m := range mediaMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, prometheus.CounterValue, m.value(st))
	}
}
