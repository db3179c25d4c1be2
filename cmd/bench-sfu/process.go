package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a program that was started here.
type process struct {
	cmd  *exec.Cmd
	log  string // path of what it printed
	gone chan struct{}
}

// start runs a program until stop, or until ctx ends; what it prints goes into
// the file log. In a namespace when one is named.
func start(ctx context.Context, log, namespace string, prepare func(*exec.Cmd) error, name string, args ...string) (*process, error) {
	if namespace != "" {
		name, args = "ip", append([]string{"netns", "exec", namespace, name}, args...)
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	defer out.Close()
	p := &process{cmd: exec.CommandContext(ctx, name, args...), log: log, gone: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) } // it has browsers to close
	p.cmd.WaitDelay = 20 * time.Second
	if prepare != nil {
		if err := prepare(p.cmd); err != nil {
			return nil, err
		}
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.gone) }()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// await asks until ready says yes.
func (p *process) await(ctx context.Context, limit time.Duration, ready func() bool) error {
	deadline := time.After(limit)
	for !ready() {
		select {
		case <-p.gone:
			if ready() {
				return nil
			}
			return fmt.Errorf("%s ended:\n%s", strings.Join(p.cmd.Args, " "), p.printed())
		case <-deadline:
			return fmt.Errorf("%s was not ready after %s:\n%s", strings.Join(p.cmd.Args, " "), limit, p.printed())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// says is whether it printed a text so far.
func (p *process) says(text string) func() bool {
	return func() bool {
		b, err := os.ReadFile(p.log)
		return err == nil && strings.Contains(string(b), text)
	}
}

func (p *process) printed() string {
	b, _ := os.ReadFile(p.log)
	return string(b[max(0, len(b)-2000):])
}

// stop ends the program as an operator does, and kills it when it does not end.
func (p *process) stop() {
	if p == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return
	}
	select {
	case <-p.gone:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.gone
	}
}
