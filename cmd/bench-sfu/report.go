package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sira/cmd/benchdoc"
)

// about is what stands over the table.
type about struct {
	benchdoc.Run
	Measured string // how long each call
}

// loads is nothing for tables of what was kept: nobody knows how busy it was.
func (a about) loads() string {
	if a.Load == "" {
		return ""
	}
	return a.Loads() + ". "
}

// results are the figures of all calls, by row and subject.
type results map[[2]string][]figures

func (r results) add(row, subject string, f figures) {
	r[[2]string{row, subject}] = append(r[[2]string{row, subject}], f)
}

func report(a about, chosen []row, got results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %sThe run took %s. %s. %s\n\n", a.Origin(), a.loads(), a.Took.Round(time.Second), a.Command("bench-sfu"), a.Measured)
	b.WriteString("| link | figure | LiveKit, best | ours | goal | met? |\n|---|---|---|---|---|---|\n")
	var short []string
	for _, r := range chosen {
		ours := got[[2]string{r.key, "ours"}]
		label := r.label
		if r.twoWay() {
			fmt.Fprintf(&b, "| %s | calls with voice both ways | %s | %s | all | %s |\n", label, bestCalls(r, got), calls(ours), verdictCalls(ours))
			label = ""
		}
		for _, m := range r.metrics {
			v := verdict(m, ours)
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", label, m.name(), best(r, m, got), m.cell(ours), m.target(), v)
			if v == missed {
				short = append(short, fmt.Sprintf("%s: %s: %s instead of %s", r.label, m.name(), m.worst(ours), m.target()))
			}
			label = ""
		}
	}
	if len(short) > 0 {
		fmt.Fprintf(&b, "\nFalls short:\n\n- %s\n", strings.Join(short, "\n- "))
	}
	b.WriteString("\n| link | of | s run | s waited for a core | other work, % of the machine | spoiled |\n|---|---|---|---|---|---|\n")
	for _, r := range chosen {
		for _, s := range subjects {
			for i, f := range got[[2]string{r.key, s}] {
				fmt.Fprintf(&b, "| %s | %s, call %d | %.0f | %.0f | %.0f | %s |\n", r.key, s, i+1, f.Ran, f.Waited, f.Others, yes(f.Spoiled))
			}
		}
	}
	return b.String()
}

func yes(v bool) string {
	if v {
		return "**yes**"
	}
	return "no"
}

const missed = "**no**"

func (m metric) name() string { return strings.TrimSuffix(m.label+", "+m.unit, ", ") }

// values of a metric over the calls; one that is absent counts as the worst
// there can be.
func (m metric) values(all []figures) []float64 {
	var out []float64
	for _, f := range all {
		v := float64(m.of(f))
		if math.IsNaN(v) {
			v = math.Inf(1)
			if m.more {
				v = math.Inf(-1)
			}
		}
		out = append(out, v)
	}
	return out
}

func (m metric) worstOf(v []float64) float64 {
	if m.more {
		return slices.Min(v)
	}
	return slices.Max(v)
}

// worst and cell write the worst call, the latter with the median in
// parentheses; what is absent is a dash.
func (m metric) worst(all []figures) string {
	if len(all) == 0 {
		return "–"
	}
	return m.number(m.worstOf(m.values(all)))
}

func (m metric) cell(all []figures) string {
	if len(all) < 2 {
		return m.worst(all)
	}
	return fmt.Sprintf("%s (%s)", m.worst(all), m.number(benchdoc.Median(m.values(all))))
}

func (m metric) number(v float64) string {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return "none"
	}
	return fmt.Sprintf("%.*f", m.digits, v)
}

func (m metric) target() string {
	switch {
	case m.goal.absent():
		return ""
	case m.more:
		return fmt.Sprintf("≥ %g", float64(m.goal))
	}
	return fmt.Sprintf("≤ %g", float64(m.goal))
}

// verdict is about the worst call.
func verdict(m metric, all []figures) string {
	if len(all) == 0 || m.goal.absent() {
		return ""
	}
	if w := m.worstOf(m.values(all)); m.more && w >= float64(m.goal) || !m.more && w <= float64(m.goal) {
		return "yes"
	}
	return missed
}

// best is the better of LiveKit as it comes and tuned, by the worst call, with
// its name.
func best(r row, m metric, got results) string {
	var cell string
	var value float64
	for _, s := range subjects[1:] {
		all := got[[2]string{r.key, s}]
		if len(all) == 0 {
			continue
		}
		if w := m.worstOf(m.values(all)); cell == "" || w != value && m.worstOf([]float64{w, value}) == value {
			cell, value = m.cell(all)+" "+s, w
		}
	}
	if cell == "" {
		return "–"
	}
	return strings.Replace(cell, "livekit", "default", 1)
}

func calls(all []figures) string {
	if len(all) == 0 {
		return "–"
	}
	n := 0
	for _, f := range all {
		if f.TwoWay {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, len(all))
}

func bestCalls(r row, got results) string {
	return fmt.Sprintf("%s default, %s tuned", calls(got[[2]string{r.key, "livekit"}]), calls(got[[2]string{r.key, "tuned"}]))
}

func verdictCalls(all []figures) string {
	if len(all) == 0 {
		return ""
	}
	for _, f := range all {
		if !f.TwoWay {
			return missed
		}
	}
	return "yes"
}
