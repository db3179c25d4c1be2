// Command sira is the whole platform in one binary: `sira serve` runs it,
// `sira demo` runs it with a country in small, the other commands look after it.
// This package turns flags and environment into one configuration and starts
// and stops the parts; what the parts do is theirs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// version is set by the release build (-ldflags "-X main.version=…").
var version = ""

// command is one word after `sira`.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, stdout, stderr io.Writer) error
	usage         func(w io.Writer)
}

func commands() []command {
	return []command{
		{"serve", "run the platform", runServe, usageServe},
		{"demo", "run the platform with demo data on this machine", runDemo, usageDemo},
		{"user", "create, list and disable people's accounts", runUser, usageUser},
		{"token", "create, list and revoke tokens of machine clients", runToken, usageToken},
		{"dicom", "dump, check, decode, transcode and send DICOM files; ask other archives", runDICOM, usageDICOM},
		{"health", "ask whether the server on this machine is ready", runHealth, usageHealth},
		{"version", "print the version", runVersion, nil},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: it answers the exit code (0 done, 1 failed,
// 2 called wrongly).
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		return runHelp(args[1:], stdout, stderr)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return report(c.run(ctx, args[1:], stdout, stderr), stderr)
		}
	}
	fmt.Fprintf(stderr, "sira: unknown command %q\n\n", args[0])
	usage(stderr)
	return 2
}

// errUsage marks a command line that cannot be understood; the flag package has
// already said why.
var errUsage = errors.New("usage")

func report(err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintln(stderr, "sira:", err)
	return 1
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Sira, telemedicine that a country runs itself.\n\nUsage: sira COMMAND [FLAGS]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "  help      explain a command: sira help serve\n")
}

func runHelp(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			if c.usage == nil {
				fmt.Fprintf(stdout, "sira %s: %s\n", c.name, c.summary)
			} else {
				c.usage(stdout)
			}
			return 0
		}
	}
	fmt.Fprintf(stderr, "sira: unknown command %q\n", args[0])
	return 2
}

func runVersion(_ context.Context, _ []string, stdout, _ io.Writer) error {
	_, err := fmt.Fprintln(stdout, "sira", buildVersion())
	return err
}

// buildVersion is the release's version, else the commit that Go recorded, else
// "dev".
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
