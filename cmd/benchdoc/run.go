package benchdoc

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Run is what a report says over its tables: when, of what, where and how.
type Run struct {
	Begun           time.Time
	Took            time.Duration
	Load, LoadAfter string // "" where they are not known
	Commit          string
	Args            []string
}

// Begin is the run of a benchmark that begins now.
func Begin(ctx context.Context, args []string) Run {
	return Run{Begun: time.Now(), Load: LoadAverage(), Commit: commit(ctx), Args: args}
}

// End writes down that the run has ended.
func (r *Run) End() { r.Took, r.LoadAfter = time.Since(r.Begun), LoadAverage() }

// Origin is the date, the tree and the machine, the beginning of a sentence.
func (r Run) Origin() string {
	return fmt.Sprintf("%s, commit %s, on %s", r.Begun.Format("2006-01-02 15:04"), r.Commit, Machine())
}

// Loads says how busy the machine was, as a sentence without its end.
func (r Run) Loads() string {
	return fmt.Sprintf("Load average of the machine (one minute): %s before, %s after", r.Load, r.LoadAfter)
}

// Command is how to make the run of that benchmark again.
func (r Run) Command(name string) string {
	return fmt.Sprintf("Command: `%s`", strings.TrimSpace("go run ./cmd/"+name+" "+strings.Join(r.Args, " ")))
}
