package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// row is one link of the table.
type row struct {
	key, label string
	profile    string  // of the emulator
	kbps       float64 // each way
	rtt        float64 // without queue and jitter, ms
	outage     bool    // the link is away for a while
	metrics    []metric

	noUDP, tls bool  // only TCP passes; only HTTPS is served, and the relay behind it
	upload     int   // bytes that the rural person sends during the call
	whip       *whip // the rural side is a device that publishes

	subjects []string // that can be measured; nil: all
	tools    []string // beside the emulator, from ../shared/tools
	measure  func(b *bench, ctx context.Context, r row, subject string, seed int) (figures, error)
}

// takes says whether a subject can be measured on this row.
func (r row) takes(subject string) bool {
	return r.subjects == nil || slices.Contains(r.subjects, subject)
}

// twoWay says whether the row's calls have voice both ways, or none is meant.
func (r row) twoWay() bool { return r.kbps > 0 && r.whip == nil }

// metric is one figure of a call, the worse of both ways, and its goal.
type metric struct {
	label, unit string
	digits      int
	of          func(figures) figure // absent: there was none
	more        bool                 // the more the better
	goal        figure               // absent: none is set
}

// When the link of an outage row goes away, after it has become slow, and for
// how long.
const outageAfter, outageFor = 55 * time.Second, 30 * time.Second

func (r row) schedule() string {
	s := fmt.Sprintf("0s both profile=%s\n", r.profile)
	if r.outage {
		s += fmt.Sprintf("%s both outage=%s\n", outageAfter, outageFor)
	}
	return s
}

// length is how many seconds are measured: of an outage row enough for what
// comes after.
func (r row) length(seconds int) int {
	if r.outage {
		return max(seconds, 90)
	}
	return seconds
}

// every is the milliseconds between samples.
func (r row) every() int {
	if r.outage {
		return 200
	}
	return 1000
}

func concealed(goal figure) metric {
	return metric{"voice concealed", "%", 2, func(f figures) figure { return worse(f.Down.Concealed, f.Up.Concealed) }, false, goal}
}

func voice(goal figure) metric {
	return metric{"voice", "kbps", 0, func(f figures) figure { return worse(f.Down.AudioKbps, f.Up.AudioKbps) }, false, goal}
}

func lines(goal figure) metric {
	return metric{"picture", "lines", 0, func(f figures) figure { return lesser(f.Down.Height, f.Up.Height) }, true, goal}
}

func fps(goal figure) metric {
	return metric{"pictures", "a second", 1, func(f figures) figure { return lesser(f.Down.FPS, f.Up.FPS) }, true, goal}
}

// frozen is by the browser's own count, but never less than the seconds in
// which nothing was decoded: it counts no freeze that has not ended.
func frozen(goal figure) metric {
	return metric{"frozen", "s a minute", 1, func(f figures) figure {
		return worse(worse(f.Down.Frozen, f.Up.Frozen), worse(f.Down.Still, f.Up.Still))
	}, false, goal}
}

func still(goal figure) metric {
	return metric{"seconds without a picture", "a minute", 1, func(f figures) figure { return worse(f.Down.Still, f.Up.Still) }, false, goal}
}

func bloat(goal figure) metric {
	return metric{"RTT (95th percentile) above the link's", "ms", 0, func(f figures) figure { return f.Bloat }, false, goal}
}

func firstAudio(goal figure) metric {
	return metric{"first sound after the click", "s", 1, func(f figures) figure { return f.FirstAudio }, false, goal}
}

func firstVideo() metric {
	return metric{"first picture after the click", "s", 1, func(f figures) figure { return f.FirstVideo }, false, none}
}

func used(goal figure) metric {
	return metric{"share of the link used", "%", 0, func(f figures) figure { return lesser(f.UsedDown, f.UsedUp) }, true, goal}
}

func gap(goal figure) metric {
	return metric{"longest time between two legible pictures", "s", 1, func(f figures) figure { return worse(f.Down.Gap, f.Up.Gap) }, false, goal}
}

func back(goal figure) metric {
	return metric{"voice back after the outage", "s", 1, func(f figures) figure { return worse(f.Down.Back, f.Up.Back) }, false, goal}
}

func perPacket(goal figure) metric {
	return metric{"processor time per packet, bare pion forwarder = 1", "times", 2, func(f figures) figure { return f.Forward.Times }, false, goal}
}

func perViewer(goal figure) metric {
	return metric{"memory per viewer", "MB", 2, func(f figures) figure { return f.Forward.MBPerViewer }, false, goal}
}

func added(goal figure) metric {
	return metric{"delay added, 99th percentile", "ms", 1, func(f figures) figure { return f.Forward.DelayP99 }, false, goal}
}

func addedConcealment(goal figure) metric {
	return metric{"voice concealed more than without", "points", 2, func(f figures) figure { return f.AddedConcealment }, false, goal}
}

func uploaded(goal figure) metric {
	return metric{"sent meanwhile", "kbps", 0, func(f figures) figure { return f.UploadKbps }, true, goal}
}

var rows = []row{
	{key: "256", label: "256 kbps, 300 ms, 2 % lost", profile: "mali-3g-256", kbps: 256, rtt: 300, measure: (*bench).call,
		metrics: []metric{concealed(0.2), voice(36), lines(240), fps(12), frozen(1), still(none), firstAudio(1.5), firstVideo(), used(80), bloat(none)}},
	{key: "128", label: "128 kbps, 300 ms, 2 % lost", profile: "mali-3g-128", kbps: 128, rtt: 300, measure: (*bench).call,
		metrics: []metric{concealed(0.2), voice(none), lines(240), fps(7.5), frozen(1.5), still(none), firstAudio(none), firstVideo(), used(none), bloat(none)}},
	{key: "64", label: "64 kbps, 500 ms, 2 % lost", profile: "2g-64", kbps: 64, rtt: 500, measure: (*bench).call,
		metrics: []metric{concealed(0.3), voice(none), lines(none), fps(none), gap(6), firstAudio(3), bloat(none)}},
	{key: "bursty", label: "256 kbps, 300 ms, 5 % lost in bursts of 6", profile: "bursty-256", kbps: 256, rtt: 300, measure: (*bench).call,
		metrics: []metric{concealed(1), voice(none), lines(none), fps(none), frozen(2), still(none), bloat(none)}},
	{key: "bloat", label: "256 kbps, 160 ms, 3 s of buffer in the network", profile: "bloat-256", kbps: 256, rtt: 160, measure: (*bench).call,
		metrics: []metric{concealed(0.05), voice(none), lines(240), fps(15), frozen(0.7), still(none), bloat(150)}},
	{key: "outage", label: "512 kbps, 300 ms, 2 % lost, away for 30 s", profile: "mali-3g-512", kbps: 512, rtt: 300, outage: true, measure: (*bench).call,
		metrics: []metric{back(1.5), firstAudio(1.5)}},
	{key: "upload", label: "512 kbps, 300 ms, 2 % lost, 20 MB sent meanwhile", profile: "mali-3g-512", kbps: 512, rtt: 300, upload: 20 << 20, measure: (*bench).uploading, subjects: []string{"ours"},
		metrics: []metric{addedConcealment(0.2), concealed(none), uploaded(none), used(none)}},
	{key: "whip", label: "an ultrasound by WHIP, 256 kbps, 300 ms, 2 % lost", profile: "mali-3g-256", kbps: 256, rtt: 300, whip: &whip{200, 6}, measure: (*bench).call, subjects: []string{"ours"},
		metrics: []metric{
			{"picture", "lines", 0, func(f figures) figure { return f.Up.Height }, true, 480},
			{"pictures", "a second", 1, func(f figures) figure { return f.Up.FPS }, true, 5},
			{"likeness to the original (SSIM), mean", "", 3, func(f figures) figure { return f.SSIM }, true, 0.93},
			{"frozen", "s a minute", 1, func(f figures) figure { return worse(f.Up.Frozen, f.Up.Still) }, false, none}}},
	{key: "blocked", label: "256 kbps, 300 ms, 2 % lost, only HTTPS passes", profile: "mali-3g-256", kbps: 256, rtt: 300, noUDP: true, tls: true, measure: (*bench).call, subjects: []string{"ours"},
		metrics: []metric{firstAudio(4), concealed(none), voice(none), fps(none)}},
	{key: "fwd", label: "60 viewers of one publisher, on one machine", measure: (*bench).forward, subjects: []string{"ours", "livekit"}, tools: []string{"fwdbench", "fwdbench/floor"},
		metrics: []metric{perPacket(1), perViewer(0.5), added(none)}},
}

func keys() []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.key)
	}
	return out
}

// choose finds the rows named in a list with commas; all when it is empty.
func choose(list string) ([]row, error) {
	if list == "" {
		return rows, nil
	}
	var out []row
	for _, key := range strings.Split(list, ",") {
		n := len(out)
		for _, r := range rows {
			if r.key == key {
				out = append(out, r)
			}
		}
		if len(out) == n {
			return nil, fmt.Errorf("-rows: no row %q; there are %s", key, strings.Join(keys(), " "))
		}
	}
	return out, nil
}
