package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started here.
type process struct {
	cmd  *exec.Cmd
	log  string // path of what it printed
	gone chan struct{}
}

// start runs a server until stop, or until ctx ends.
func start(ctx context.Context, log string, env []string, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	defer out.Close()
	p := &process{cmd: exec.CommandContext(ctx, name, args...), log: log, gone: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.gone) }()
	return p, nil
}

// await asks until ready says yes.
func (p *process) await(ctx context.Context, ready func() bool) error {
	deadline := time.After(3 * time.Minute)
	for !ready() {
		select {
		case <-p.gone:
			return fmt.Errorf("%s ended at once:\n%s", p.cmd.Path, p.printed())
		case <-deadline:
			return fmt.Errorf("%s is not ready after three minutes:\n%s", p.cmd.Path, p.printed())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func (p *process) printed() string {
	b, _ := os.ReadFile(p.log)
	return tail(b, 2000)
}

// stop ends the server as an operator does, and kills it when it does not end.
func (p *process) stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.gone
	}
}

// tick is the unit of the times in /proc/PID/stat: USER_HZ, 100 a second for
// every program on every platform that Debian has.
const tick = 10 * time.Millisecond

// cpu is the processor time, user and system, of all threads so far.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading processor time: %w", err)
	}
	return parseStat(string(b))
}

// parseStat reads utime and stime, fields 14 and 15. The second field is the
// name in parentheses, in which anything may stand.
func parseStat(s string) (time.Duration, error) {
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("reading processor time: unknown form of /proc/PID/stat")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err = errors.Join(err, err2); err != nil {
		return 0, fmt.Errorf("reading processor time: %w", err)
	}
	return time.Duration(user+system) * tick, nil
}

// settle waits until a second passes in which the process does next to nothing,
// ten seconds at most.
func (p *process) settle(ctx context.Context) error {
	before, err := p.cpu()
	for i := 0; err == nil && i < 10; i++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		var now time.Duration
		if now, err = p.cpu(); now-before <= 2*tick {
			return err
		}
		before = now
	}
	return err
}

// peak is the largest resident memory since the start, in bytes.
func (p *process) peak() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0, fmt.Errorf("reading memory: %w", err)
	}
	return kib * 1024, nil
}

// freePort is a loopback port that nobody listens on at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
