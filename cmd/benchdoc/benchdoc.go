// Package benchdoc is what the benchmarks under cmd share: where and on what a
// run was made, the middle of its figures, and the section of the document
// that it replaces. It must not know what is measured.
package benchdoc

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// Main runs a benchmark until it ends or is interrupted, and ends the process.
func Main(name string, run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

// Median of the values, 0 of none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// commit is the state of the tree in the working folder: a hash, and a plus
// when Go files differ from it.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	hash := strings.TrimSpace(string(out))
	changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--", "*.go").Output()
	if err != nil || len(changed) > 0 {
		hash += "+"
	}
	return hash
}

// LoadAverage is that of the last minute, as Linux writes it; "" elsewhere.
func LoadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

// Machine is the processor's name and how many there are.
func Machine() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	name := runtime.GOARCH
	if _, rest, ok := strings.Cut(string(b), "model name"); ok {
		line, _, _ := strings.Cut(rest, "\n")
		name = strings.Trim(line, "\t: ")
	}
	return fmt.Sprintf("%s, %d cores", name, runtime.NumCPU())
}

// Replace puts text into the section of the file at path that stands between
// <!-- NAME: begin --> and <!-- NAME: end -->. A file without it is an error
// and stays as it is.
func Replace(path, name, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	changed, err := withSection(string(old), name, text)
	if err != nil {
		return fmt.Errorf("writing the figures to %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}

func withSection(document, name, text string) (string, error) {
	begin, end := "<!-- "+name+": begin -->", "<!-- "+name+": end -->"
	head, rest, ok := strings.Cut(document, begin)
	_, foot, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("the document has no section %s … %s", begin, end)
	}
	return head + begin + "\n" + text + end + foot, nil
}
