package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// own is the processor time of this process, user and system.
func own() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// clock gives the milliseconds of processor time that f takes, what it leaves
// for the collector included.
func clock(f func() error) (float64, error) {
	runtime.GC()
	start := own()
	if err := f(); err != nil {
		return 0, err
	}
	return float64(own()-start) / 1e6, nil
}

// command runs a program and gives its processor time in milliseconds.
func command(ctx context.Context, args ...string) (float64, error) {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	out, err := c.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%.2000s", strings.Join(args, " "), err, out)
	}
	return float64(c.ProcessState.UserTime()+c.ProcessState.SystemTime()) / 1e6, nil
}

// tool is a native program in the form that one codec needs. In its arguments
// IN and OUT stand for files.
type tool struct {
	name string
	args []string
	// single programs take one bare codestream or picture; the others take an
	// object of many frames.
	single  bool
	in, out string // suffixes of the files of single programs
}

func (t *tool) command(in, out string) []string {
	args := make([]string, len(t.args))
	for i, a := range t.args {
		args[i] = strings.NewReplacer("IN", in, "OUT", out).Replace(a)
	}
	return args
}

// perFrame runs t over frames and gives milliseconds for each of them, start-up
// taken off: of a program that takes objects, the difference between an object
// of all frames and one of the first, divided by the frames between them; of
// one that takes single files, the sum of all runs less as many runs on tiny,
// a picture of 8×8. all, first, files and tiny are paths; what comes out is
// left in out, numbered for single programs.
func (t *tool) perFrame(ctx context.Context, in inputs, out string) (float64, error) {
	if !t.single {
		whole, err := command(ctx, t.command(in.all, out)...)
		if err != nil {
			return 0, err
		}
		one, err := command(ctx, t.command(in.first, out+".one")...)
		return (whole - one) / float64(in.n-1), err
	}
	sum := 0.0
	for k, file := range in.files {
		ms, err := command(ctx, t.command(file, fmt.Sprintf("%s-%02d%s", out, k, t.out))...)
		if err != nil {
			return 0, err
		}
		idle, err := command(ctx, t.command(in.tiny, out+"-tiny"+t.out)...)
		if err != nil {
			return 0, err
		}
		sum += ms - idle
	}
	return sum / float64(len(in.files)), nil
}

// inputs are the files a tool is run on.
type inputs struct {
	n          int
	all, first string   // objects of n frames, and of one
	files      []string // single pictures or codestreams
	tiny       string   // the same of 8×8
}

func (b *bench) path(parts ...string) string {
	return filepath.Join(append([]string{b.dir}, parts...)...)
}

func (b *bench) save(name string, data []byte) (string, error) {
	p := b.path(name)
	if err := os.WriteFile(p, data, 0o600); err != nil {
		return "", fmt.Errorf("writing a file: %w", err)
	}
	return p, nil
}
