// Command tally reads the output of `go test -json` on standard input, prints
// what a person wants to see of it (packages, failures with their output, tests
// that did not run and why) and adds the counts to a file, one line
// "passed failed skipped" for each call, for the sum at the end of `make test`.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

type counts struct{ passed, failed, skipped int }

func main() {
	out := flag.String("out", "", "file the counts are appended to")
	flag.Parse()
	c, broken := read(bufio.NewReader(os.Stdin))
	fmt.Printf("   %d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
	if *out != "" {
		if err := appendCounts(*out, c); err != nil {
			fmt.Fprintln(os.Stderr, "tally:", err)
			os.Exit(1)
		}
	}
	if broken || c.failed > 0 {
		os.Exit(1)
	}
}

// read counts until the stream ends. A package that fails without a failing
// test of its own (it did not build, or it died) counts as one failure.
func read(in *bufio.Reader) (c counts, broken bool) {
	outputs := map[string][]string{}
	failedIn := map[string]int{}
	dec := json.NewDecoder(in)
	for {
		var e event
		if err := dec.Decode(&e); err != nil {
			return c, broken || err.Error() != "EOF"
		}
		key := e.Package + "\x00" + e.Test
		switch e.Action {
		case "output", "build-output":
			if e.Action == "build-output" {
				key = e.ImportPath
				fmt.Print(e.Output)
			}
			outputs[key] = append(outputs[key], e.Output)
		case "pass":
			if e.Test != "" {
				c.passed++
			} else {
				fmt.Printf("   ok   %s (%.1fs)\n", e.Package, e.Elapsed)
			}
			delete(outputs, key)
		case "skip":
			if e.Test != "" {
				c.skipped++
				fmt.Printf("   NOT RUN %s %s: %s\n", e.Package, e.Test, reason(outputs[key]))
			}
			delete(outputs, key)
		case "fail":
			if e.Test != "" {
				c.failed++
				failedIn[e.Package]++
				fmt.Printf("   FAIL %s %s\n%s", e.Package, e.Test, strings.Join(outputs[key], ""))
			} else {
				broken = true
				if failedIn[e.Package] == 0 {
					c.failed++
				}
				fmt.Printf("   FAIL %s\n%s", e.Package, strings.Join(outputs[key], ""))
				printUnfinished(outputs, e.Package)
			}
			delete(outputs, key)
		}
	}
}

// printUnfinished shows the words of the tests that had no result when their
// package failed: a panic of another goroutine stands in one of them.
func printUnfinished(outputs map[string][]string, pkg string) {
	for key, lines := range outputs {
		if test, ok := strings.CutPrefix(key, pkg+"\x00"); ok && test != "" {
			fmt.Printf("   UNFINISHED %s %s\n%s", pkg, test, strings.Join(lastWords(lines), ""))
			delete(outputs, key)
		}
	}
}

// lastWords cuts a test's output to what one reads: from the panic on, or the
// end. What a crash prints of the other goroutines runs to thousands of lines.
func lastWords(lines []string) []string {
	const most = 100
	for i, l := range lines {
		if strings.HasPrefix(l, "panic:") || strings.HasPrefix(l, "fatal error:") || strings.HasPrefix(l, "SIG") {
			return lines[i:min(len(lines), i+most)]
		}
	}
	return lines[max(0, len(lines)-most):]
}

// reason finds the words of t.Skip in a test's output.
func reason(lines []string) string {
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "===") && !strings.HasPrefix(l, "---") {
			return l
		}
	}
	return "no reason given"
}

func appendCounts(path string, c counts) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening the counts file: %w", err)
	}
	if _, err := fmt.Fprintf(f, "%d %d %d\n", c.passed, c.failed, c.skipped); err != nil {
		return fmt.Errorf("writing the counts: %w", err)
	}
	return f.Close()
}
