package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"sira/cmd/benchdoc"
)

// about is what stands over the tables.
type about struct {
	benchdoc.Run
	Frames        string
	Count, Rounds int
}

func report(a about, rows []row, levels []level, syntaxes []syntax) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s. %s; the run took %s. %s. Frames: %d %s, %d rounds.\n\n",
		a.Origin(), runtime.Version(), a.Loads(), a.Took.Round(time.Second), a.Command("bench-codecs"), a.Count, a.Frames, a.Rounds)
	b.WriteString("| per frame of 512×512×16 | Sira, ms | MB/s | native, ms | tool | Sira's time to native's | goal, ms | beyond, ms | right frames |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		ours, theirs := benchdoc.Median(r.ours), benchdoc.Median(r.theirs)
		size := 0.524288
		if strings.HasSuffix(r.name, "8 bits") {
			size /= 2
		}
		fmt.Fprintf(&b, "| %s | %s | %.0f | %s | %s | %.2f× | %s | %s | %d of %d |\n", r.name, spread(r.ours), size*1000/ours, spread(r.theirs), r.peer,
			ours/theirs, met(ours, r.goal), met(ours, r.beyond), r.right, r.frames)
	}
	b.WriteString("\n| HTJ2K prefix | bytes, mean | of the whole | decode, ms | exact |\n|---|---|---|---|---|\n")
	for _, l := range levels {
		fmt.Fprintf(&b, "| %d×%d | %d | %.0f %% | %s | %d of %d |\n", l.width, l.height, l.bytes,
			100*float64(l.bytes)/float64(levels[len(levels)-1].bytes), spread(l.ms), l.exact, a.Count)
	}
	if syntaxes == nil {
		return b.String() + "\nReal files: not measured, for there was no corpus.\n"
	}
	b.WriteString("\n| real files | files | frames | exact | within one level | wrong | without reference | refused | ms per 512×512 samples |\n|---|---|---|---|---|---|---|---|---|\n")
	all := syntax{name: "all"}
	for _, s := range syntaxes {
		b.WriteString(s.line())
		all.files, all.frames, all.exact, all.close, all.wrong, all.alone = all.files+s.files, all.frames+s.frames, all.exact+s.exact, all.close+s.close, all.wrong+s.wrong, all.alone+s.alone
		all.ms, all.pixels, all.refused = all.ms+s.ms, all.pixels+s.pixels, append(all.refused, s.refused...)
	}
	b.WriteString(all.line())
	if len(all.refused) > 0 {
		fmt.Fprintf(&b, "\nRefused: %s.\n", strings.Join(all.refused, ", "))
	}
	return b.String()
}

func (s *syntax) line() string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d | %.1f |\n", s.name, s.files, s.frames, s.exact, s.close, s.wrong, s.alone, len(s.refused), s.ms/s.pixels*512*512)
}

// met writes a goal and whether the figure keeps it.
func met(ms, goal float64) string {
	switch {
	case goal == 0:
		return "–"
	case ms <= goal:
		return fmt.Sprintf("≤ %.0f met", goal)
	}
	return fmt.Sprintf("≤ %.0f **missed**", goal)
}

// spread writes a median, with the lowest and the highest.
func spread(v []float64) string {
	if len(v) == 0 {
		return "–"
	}
	s := fmt.Sprintf("%.1f", benchdoc.Median(v))
	if low, high := fmt.Sprintf("%.1f", slices.Min(v)), fmt.Sprintf("%.1f", slices.Max(v)); low != high {
		s += fmt.Sprintf(" (%s–%s)", low, high)
	}
	return s
}
