// Command bench-sfu measures calls over emulated rural links, Sira's and
// LiveKit's in one run: two real Chromium, one of them behind the emulator
// linkem in a network namespace of its own, the other beside the server. What
// is measured comes from the browsers' own statistics and from the emulator's
// counters. It needs Linux, root, /dev/net/tun and Debian's packages chromium,
// ffmpeg and espeak-ng, and the folder ../shared with the emulator. It makes
// its own namespaces and removes them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"sira/cmd/benchdoc"
)

// options are the flags.
type options struct {
	doc, binary, keep, from, only, rows, linkem string
	quick                                       bool
	first, seeds, seconds, warm                 int
}

func main() { benchdoc.Main("bench-sfu", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	chosen, err := choose(o.rows)
	if err != nil {
		return err
	}
	if o.from != "" {
		a, got, err := load(o.from)
		if err != nil {
			return err
		}
		a.Args = args
		return publish(o, report(a, chosen, got), stdout)
	}
	dir, err := os.MkdirTemp("", "bench-sfu-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if o.keep == "" {
		o.keep = filepath.Join(dir, "results")
	}
	if o.keep, err = filepath.Abs(o.keep); err != nil {
		return fmt.Errorf("finding the folder of results: %w", err)
	}
	if err := os.MkdirAll(o.keep, 0o755); err != nil {
		return fmt.Errorf("making the folder of results: %w", err)
	}
	b := &bench{options: o, dir: dir, log: stderr, chosen: chosen, data: filepath.Join(dir, "demo")}
	a := about{Run: benchdoc.Begin(ctx, args), Measured: fmt.Sprintf("%d seeds; of each call %d s, after %d s.", o.seeds, o.seconds, o.warm)}
	b.commit = a.Commit
	if err := b.prepare(ctx); err != nil {
		return err
	}
	got, faults := b.measureAll(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	a.End()
	text := report(a, chosen, got)
	if len(faults) > 0 {
		o.doc = "" // not a whole run
	}
	return errors.Join(append(faults, publish(o, text, stdout))...)
}

// publish prints the tables, and puts them into the document when there is one.
func publish(o options, text string, stdout io.Writer) error {
	fmt.Fprintln(stdout, text)
	if o.doc == "" {
		return nil
	}
	return benchdoc.Replace(o.doc, "bench-sfu", text)
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{}
	f := flag.NewFlagSet("bench-sfu", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.quick, "quick", false, "one seed: shows whether everything works")
	f.IntVar(&o.seeds, "seeds", 5, "how many seeds of losses and delays")
	f.IntVar(&o.first, "first", 1, "the first of these seeds, to go on with a run that was broken off")
	f.IntVar(&o.seconds, "seconds", 60, "measured seconds of each call")
	f.IntVar(&o.warm, "warm", 15, "seconds of each call that go before")
	f.StringVar(&o.rows, "rows", "", "rows to measure, with commas (default: all): "+strings.Join(keys(), " "))
	f.StringVar(&o.only, "only", "", "measure ours, livekit (its defaults) or tuned (LiveKit with the kindest settings we know) alone")
	f.StringVar(&o.keep, "keep", "", "folder for the raw figures of each call, as JSON, and for logs")
	f.StringVar(&o.from, "from", "", "folder of a -keep of before: nothing is measured, the tables are made of what it holds")
	f.StringVar(&o.binary, "sira", "", "the binary to measure (default: built from this tree)")
	f.StringVar(&o.linkem, "linkem", "", "the emulator (default: built from ../shared/tools/linkem)")
	f.StringVar(&o.doc, "doc", "", "file whose marked section is replaced (default: printed only)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", strings.Join(f.Args(), " "))
	}
	if o.only != "" && !slices.Contains(subjects, o.only) {
		return o, fmt.Errorf("-only %q: want one of %s", o.only, strings.Join(subjects, " "))
	}
	if o.quick {
		o.seeds = 1
	}
	if o.first < 1 || o.seeds < 1 || o.seconds < 10 || o.warm < 1 {
		return o, errors.New("want at least one seed, 10 seconds and one of warming up")
	}
	return o, nil
}

// measureAll goes through rows, seeds and servers. A call that could not be
// measured is tried once more; one that stays a fault is told, the others are
// shown.
func (b *bench) measureAll(ctx context.Context) (results, []error) {
	got := results{}
	var faults []error
	for _, r := range b.chosen {
		for seed := b.first; seed < b.first+b.seeds; seed++ {
			for _, s := range subjects {
				if b.only != "" && b.only != s || !r.takes(s) || ctx.Err() != nil {
					continue
				}
				f, err := b.alone(ctx, r, s, seed)
				if err != nil && ctx.Err() == nil {
					fmt.Fprintf(b.log, "row %s, %s, seed %d, once more after: %v\n", r.key, s, seed, err)
					f, err = b.alone(ctx, r, s, seed)
				}
				if err != nil {
					err = fmt.Errorf("row %s, %s, seed %d: %w", r.key, s, seed, err)
					fmt.Fprintln(b.log, err)
					faults = append(faults, err)
					continue
				}
				fmt.Fprintf(b.log, "%s %s seed %d: %s\n", r.key, s, seed, f.line())
				got.add(r.key, s, f)
			}
		}
	}
	return got, faults
}

// alone measures while nobody else does on this machine: each run of this
// command takes the lock for one measurement at a time. Who waits for it is the
// only one at the door, so that who just had it comes behind.
func (b *bench) alone(ctx context.Context, r row, subject string, seed int) (figures, error) {
	door, err := b.lock(ctx, "bench-sfu.next")
	if err != nil {
		return figures{}, err
	}
	lock, err := b.lock(ctx, "bench-sfu.lock")
	door.Close()
	if err != nil {
		return figures{}, err
	}
	defer lock.Close() // and lets it go
	return r.measure(b, ctx, r, subject, seed)
}

// lock waits until nobody else has that lock of this machine. Closing lets it go.
func (b *bench) lock(ctx context.Context, name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(b.cache, name), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening a lock: %w", err)
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("taking a lock: %w", err)
		}
		if !told {
			fmt.Fprintln(b.log, "waiting: another bench-sfu measures")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
