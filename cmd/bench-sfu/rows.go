package main

import (
	"fmt"
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
}

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
const outageAfter, outageFor = 40 * time.Second, 30 * time.Second

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

func frozen(goal figure) metric {
	return metric{"frozen", "s a minute", 1, func(f figures) figure { return worse(f.Down.Frozen, f.Up.Frozen) }, false, goal}
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
	return metric{"longest time between two pictures", "s", 1, func(f figures) figure { return worse(f.Down.Gap, f.Up.Gap) }, false, goal}
}

func back(goal figure) metric {
	return metric{"voice back after the outage", "s", 1, func(f figures) figure { return worse(f.Down.Back, f.Up.Back) }, false, goal}
}

var rows = []row{
	{"256", "256 kbps, 300 ms, 2 % lost", "mali-3g-256", 256, 300, false,
		[]metric{concealed(0.2), voice(36), lines(240), fps(12), frozen(1), still(none), firstAudio(1.5), firstVideo(), used(80), bloat(none)}},
	{"128", "128 kbps, 300 ms, 2 % lost", "mali-3g-128", 128, 300, false,
		[]metric{concealed(0.2), voice(none), lines(240), fps(7.5), frozen(1.5), still(none), firstAudio(none), firstVideo(), used(none), bloat(none)}},
	{"64", "64 kbps, 500 ms, 2 % lost", "2g-64", 64, 500, false,
		[]metric{concealed(0.3), voice(none), lines(none), fps(none), gap(6), firstAudio(3), bloat(none)}},
	{"bursty", "256 kbps, 300 ms, 5 % lost in bursts of 6", "bursty-256", 256, 300, false,
		[]metric{concealed(1), voice(none), lines(none), fps(none), frozen(2), still(none), bloat(none)}},
	{"bloat", "256 kbps, 160 ms, 3 s of buffer in the network", "bloat-256", 256, 160, false,
		[]metric{concealed(0.05), voice(none), lines(240), fps(15), frozen(0.7), still(none), bloat(150)}},
	{"outage", "512 kbps, 300 ms, 2 % lost, away for 30 s", "mali-3g-512", 512, 300, true,
		[]metric{back(1.5), firstAudio(1.5)}},
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
