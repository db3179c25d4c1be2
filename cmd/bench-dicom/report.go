package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sira/cmd/benchdoc"
)

// about is what stands over the table.
type about struct {
	benchdoc.Run
	Orthanc string
	Size    sizes
}

// row is one line of the table.
type row struct {
	label, key, unit string
	more             bool // more is better
}

func rows(s sizes) []row {
	mb := fmt.Sprintf("%.0f MB", float64(s.big)*512*512*2/1e6)
	list := []row{
		{fmt.Sprintf("C-STORE of %d CT slices, processor time per 1,000", s.slices), "store", "s", false},
		{"the same, objects per second", "store-rate", "/s", true},
		{"STOW-RS, one per request, processor time per 1,000", "stow", "s", false},
		{"the same, objects per second", "stow-rate", "/s", true},
		{"C-STORE of small objects (1 KB), processor time per 1,000", "tiny", "s", false},
		{"CT frame rendered as JPEG, processor time", "jpeg", "ms", false},
		{"CT frame rendered as PNG, processor time", "png", "ms", false},
		{"started and idle, peak memory", "none-peak", "MB", false},
		{"CT slices received both ways, peak memory", "slices-peak", "MB", false},
		{mb + " object by C-STORE, peak memory", "big-store-peak", "MB", false},
		{"the same, processor time", "big-store", "s", false},
		{mb + " object by STOW-RS, peak memory", "big-stow-peak", "MB", false},
		{"the same, processor time", "big-stow", "s", false},
		{"rendered frame in its middle, time", "big-frame-wall", "ms", false},
		{"the same, processor time", "big-frame-cpu", "ms", false},
		{"the same, peak memory", "big-frame-peak", "MB", false},
	}
	for _, n := range append(slices.Clone(s.studies), s.rows) {
		for _, q := range questions {
			label := fmt.Sprintf("list of %d of %s studies%s", listed, thousands(n), map[string]string{
				"all": "", "modality": ", by modality", "name": ", by beginning of the name", "date": ", by range of dates"}[q.key])
			key := fmt.Sprintf("%s-%d", q.key, n)
			list = append(list, row{label + ", processor time", key, "ms", false}, row{"the same, 99th percentile", key + "-p99", "ms", false})
		}
	}
	return list
}

func report(a about, ours, theirs figures) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %s. %s; the run took %s.\n\n%s\n\n", a.Origin(), a.Orthanc, a.Loads(), a.Took.Round(time.Minute), a.Command("bench-dicom"))
	fmt.Fprintf(&b, "| | Sira | Orthanc | Sira better by | goal |\n|---|---|---|---|---|\n")
	for _, r := range rows(a.Size) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.label, r.cell(ours), r.cell(theirs), r.ratio(ours, theirs), r.verdict(ours))
	}
	return b.String()
}

func (r row) cell(f figures) string {
	v := f[r.key]
	if len(v) == 0 {
		return "–"
	}
	s := fmt.Sprintf("%s %s", short3(benchdoc.Median(v)), r.unit)
	if low, high := short3(slices.Min(v)), short3(slices.Max(v)); low != high {
		s += fmt.Sprintf(" (%s–%s)", low, high)
	}
	return s
}

func (r row) ratio(ours, theirs figures) string {
	a, b := ours[r.key], theirs[r.key]
	if len(a) == 0 || len(b) == 0 {
		return ""
	}
	x, y := benchdoc.Median(b), benchdoc.Median(a)
	if r.more {
		x, y = y, x
	}
	if y == 0 {
		return ""
	}
	return short3(x/y) + "×"
}

// goals are the most that a row may show, in its unit.
var goals = map[string]float64{"store": 4, "stow": 4.5, "jpeg": 5, "png": 20, "big-store-peak": 100, "big-stow-peak": 100,
	"big-frame-wall": 50, "big-frame-peak": 120, "all-1000": 2, "all-1000-p99": 10, "modality-1000": 2, "modality-1000-p99": 10,
	"all-5000": 2, "modality-5000": 2}

// verdict says whether the goal of a row is met. Lists of many more studies may
// take twice what those of 5,000 take.
func (r row) verdict(ours figures) string {
	goal, v := goals[r.key], ours[r.key]
	if base, ok := strings.CutSuffix(r.key, "-500000"); ok && len(ours[base+"-5000"]) > 0 {
		goal = 2 * benchdoc.Median(ours[base+"-5000"])
	}
	if goal == 0 || len(v) == 0 {
		return ""
	}
	word := "met"
	if benchdoc.Median(v) > goal {
		word = "missed"
	}
	return fmt.Sprintf("≤ %s %s: %s", short3(goal), r.unit, word)
}

// short3 writes a number with about three digits.
func short3(v float64) string {
	switch {
	case v >= 100:
		return thousands(int(v + 0.5))
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
