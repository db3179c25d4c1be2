// Command bench-codecs measures Sira's image codecs beside native ones: the
// same CT frames of 512×512×16 through our packages and through the tools of
// dcmtk, GDCM, OpenJPEG and OpenJPH, one core each, processor time. It checks
// that every frame comes out the same, counts the exact frames of a corpus of
// real files, and writes the tables of docs/benchmarks.md. Linux only, for the
// processor time of child processes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"sira/cmd/benchdoc"
)

// options are the flags.
type options struct {
	doc    string
	quick  bool
	keep   bool
	frames int // of the object that is coded
	rounds int // how often, for medians
}

func main() { benchdoc.Main("bench-codecs", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if err := installed(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-codecs-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if o.keep {
		fmt.Fprintln(stderr, "kept:", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	runtime.GOMAXPROCS(1) // what a collector on the other core does would count, but not show
	b := &bench{options: o, dir: dir, log: stderr}
	a := about{Run: benchdoc.Begin(ctx, args), Count: o.frames, Rounds: o.rounds}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	a.Frames = b.source
	rows, err := b.compare(ctx)
	if err != nil {
		return err
	}
	prefixes, err := b.prefixes(ctx)
	if err != nil {
		return err
	}
	syntaxes, err := b.corpus(ctx)
	if err != nil {
		return err
	}
	a.End()
	text := report(a, rows, prefixes, syntaxes)
	fmt.Fprintln(stdout, text)
	if o.doc == "" {
		return nil
	}
	return benchdoc.Replace(o.doc, "bench-codecs", text)
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{frames: 28, rounds: 5}
	f := flag.NewFlagSet("bench-codecs", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.quick, "quick", false, "few frames, one round: shows whether everything works; its figures mean little")
	f.BoolVar(&o.keep, "keep", false, "keep the folder of coded frames")
	f.StringVar(&o.doc, "doc", "", "file whose marked section is replaced (default: printed only)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", strings.Join(f.Args(), " "))
	}
	if o.quick {
		o.frames, o.rounds = 4, 1
	}
	return o, nil
}

// installed wants the native tools.
func installed() error {
	var missing []string
	for tool, pack := range map[string]string{
		"dcmcjpls": "dcmtk", "gdcmconv": "libgdcm-tools", "opj_decompress": "libopenjp2-tools", "ojph_expand": "openjph-tools",
	} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, pack)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("not installed: Debian packages %s", strings.Join(missing, ", "))
	}
	return nil
}

// corpusDir is the folder of real files, "" when there is none.
func corpusDir() string {
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		return ""
	}
	return dir
}
