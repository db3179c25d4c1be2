package web

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sira/dicom/derive"
)

var deriveDesc = prometheus.NewDesc("sira_derived_objects", "Stored DICOM objects by what became of their derived copy.", []string{"state"}, nil)

// deriveCollector counts the queue of derived copies when it is asked.
type deriveCollector struct{ d *derive.Deriver }

func (c deriveCollector) Describe(ch chan<- *prometheus.Desc) { ch <- deriveDesc }

func (c deriveCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	n, err := c.d.Counts(ctx)
	if err != nil {
		return // the database is away, which other metrics tell
	}
	for _, state := range []string{"wait", "done", "none", "failed"} {
		ch <- prometheus.MustNewConstMetric(deriveDesc, prometheus.GaugeValue, float64(n[state]), state)
	}
}
