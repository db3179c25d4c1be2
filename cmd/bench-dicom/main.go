// Command bench-dicom measures Sira and Debian's Orthanc with the same
// generated objects and the same clients (dcmtk's storescu, one HTTP client),
// one server after the other, and writes the table of docs/benchmarks.md.
// Processor time and memory are the server process's own, from /proc, so it
// runs on Linux only. It starts servers on loopback with folders of its own,
// removes them at the end, and touches no server that runs already.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sira/cmd/benchdoc"
)

// options are the flags.
type options struct {
	binary, orthanc, doc, only string
	quick, keep                bool
	size                       sizes
}

// sizes say how much is sent and asked.
type sizes struct {
	slices  int   // CT slices sent at once
	rounds  int   // how often, for medians
	frames  int   // frames rendered
	big     int   // frames of the large object, 512 KiB each
	studies []int // numbers of studies at which lists are timed
	rows    int   // the same with generated rows, ours alone
	asks    int   // least number of requests of one search
}

var (
	whole = sizes{slices: 280, rounds: 3, frames: 100, big: 1000, studies: []int{1000, 5000}, rows: 500_000, asks: 100}
	short = sizes{slices: 40, rounds: 1, frames: 20, big: 100, studies: []int{100, 300}, rows: 5_000, asks: 20}
)

func main() { benchdoc.Main("bench-dicom", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if err := o.tools(ctx, stderr); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-dicom-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if o.keep {
		fmt.Fprintln(stderr, "kept:", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	b := &bench{options: o, dir: dir, log: stderr}
	a := about{Run: benchdoc.Begin(ctx, args), Size: o.size}
	if o.binary == "" {
		b.binary = filepath.Join(dir, "sira")
		if err := command(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-o", b.binary, "./cmd/sira"); err != nil {
			return err
		}
	}
	if err := b.objects(ctx); err != nil {
		return err
	}
	got, faults := map[string]figures{}, []error(nil)
	for _, s := range b.subjects() {
		if o.only != "" && o.only != s.name {
			continue
		}
		// What was measured before a fault is shown, but not written down.
		if got[s.name], err = b.measure(ctx, s); err != nil {
			err = fmt.Errorf("measuring %s: %w", s.name, err)
			fmt.Fprintln(stderr, err)
			faults = append(faults, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a.End()
	a.Orthanc = b.orthancVersion(ctx)
	text := report(a, got["sira"], got["orthanc"])
	fmt.Fprintln(stdout, text)
	if err := errors.Join(faults...); err != nil || o.doc == "" {
		return err
	}
	return benchdoc.Replace(o.doc, "bench-dicom", text)
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{}
	f := flag.NewFlagSet("bench-dicom", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.quick, "quick", false, "a short run that shows whether everything works; its figures mean little")
	f.BoolVar(&o.keep, "keep", false, "keep the folder of files, databases and logs")
	f.StringVar(&o.binary, "sira", "", "the binary to measure (default: built from this tree)")
	f.StringVar(&o.orthanc, "orthanc", "", "the Orthanc to measure (default: Debian's, installed when missing)")
	f.StringVar(&o.only, "only", "", "measure sira or orthanc alone")
	f.StringVar(&o.doc, "doc", "", "file whose marked section is replaced (default: printed only)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.only != "" && o.only != "sira" && o.only != "orthanc" {
		return o, fmt.Errorf("unknown argument %q", strings.Join(append(f.Args(), o.only), " "))
	}
	o.size = whole
	if o.quick {
		o.size = short
	}
	return o, nil
}

// tools finds what is needed, and installs Debian's packages of what is not there.
func (o *options) tools(ctx context.Context, stderr io.Writer) error {
	if o.orthanc == "" {
		o.orthanc = "/usr/sbin/Orthanc"
	}
	var missing []string
	if _, err := exec.LookPath("storescu"); err != nil {
		missing = append(missing, "dcmtk")
	}
	if o.only != "sira" {
		if _, err := os.Stat(o.orthanc); err != nil {
			missing = append(missing, "orthanc")
		}
		if _, err := os.Stat(orthancPlugin); err != nil {
			missing = append(missing, "orthanc-dicomweb")
		}
	}
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintln(stderr, "installing", strings.Join(missing, " "))
	apt := append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, missing...)
	if os.Geteuid() != 0 {
		apt = append([]string{"sudo"}, apt...)
	}
	return command(ctx, []string{"DEBIAN_FRONTEND=noninteractive"}, apt[0], apt[1:]...)
}

// command runs a program to its end; its output is in the error.
func command(ctx context.Context, env []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, tail(out, 2000))
	}
	return nil
}

func tail(b []byte, n int) string { return string(b[max(0, len(b)-n):]) }
