package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The two ends of the link, each in a namespace of its own.
const cityIP, ruralIP = "10.99.0.1", "10.99.0.2"

// link is a running emulator between two namespaces. It begins as a perfect
// link, over which pages are loaded.
type link struct {
	*process
	city, rural string // namespaces
}

// openLink makes the namespaces and starts the emulator; the row's link
// holds from the moment slow is called.
func (b *bench) openLink(ctx context.Context, folder string, r row, seed int) (*link, error) {
	name := fmt.Sprintf("sfu%d", os.Getpid())
	l := &link{city: name + "c", rural: name + "r"}
	for _, ns := range []string{l.city, l.rural} {
		if err := command(ctx, "", nil, "ip", "netns", "add", ns); err != nil {
			l.close()
			return nil, err
		}
	}
	path := filepath.Join(folder, "schedule")
	if err := os.WriteFile(path, []byte(r.schedule()), 0o644); err != nil {
		l.close()
		return nil, fmt.Errorf("writing the schedule: %w", err)
	}
	var err error
	l.process, err = start(ctx, filepath.Join(folder, "link.log"), "", nil, b.linkem, "-a", l.city, "-b", l.rural, "-a-addr", cityIP+"/24", "-b-addr", ruralIP+"/24",
		"-seed", fmt.Sprint(seed), "-hold", "-schedule", path, "-stats", "1s")
	if err == nil {
		err = l.await(ctx, 20*time.Second, l.says("ready:"))
	}
	if err == nil && r.noUDP {
		// The rural side's packets go nowhere: the server never hears of them, as
		// behind a strict firewall. Chromium takes "unreachable" for a loss.
		err = command(ctx, "", nil, "ip", "-n", l.rural, "rule", "add", "ipproto", "udp", "unreachable")
	}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("starting the emulator: %w", err)
	}
	return l, nil
}

// slow puts the schedule into force and says when that was.
func (l *link) slow() (time.Time, error) {
	if err := l.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return time.Time{}, fmt.Errorf("slowing the link: %w", err)
	}
	return time.Now(), nil
}

// close ends the emulator and the namespaces.
func (l *link) close() {
	l.stop()
	removeNamespaces(l.city, l.rural)
}

// removeNamespaces ends what runs in them, which are ours alone, and them.
func removeNamespaces(names ...string) {
	for _, ns := range names {
		out, _ := exec.Command("ip", "netns", "pids", ns).Output()
		for _, f := range strings.Fields(string(out)) {
			var pid int
			if _, err := fmt.Sscan(f, &pid); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		_ = exec.Command("ip", "netns", "del", ns).Run()
	}
}

// counters are what the emulator says each second.
type counters struct {
	Time     time.Time
	Up, Down oneWay
}

type oneWay struct {
	In, DeliveredBytes, QueueDrop, LossDrop, OutageDrop uint64
	MaxQueueWait                                        time.Duration
}

func (l *link) counters() ([]counters, error) {
	raw, err := os.ReadFile(l.log)
	if err != nil {
		return nil, fmt.Errorf("reading the emulator's counters: %w", err)
	}
	return parseCounters(string(raw)), nil
}

// parseCounters takes the JSON lines of a log; the last may be cut.
func parseCounters(log string) []counters {
	var out []counters
	for _, line := range strings.Split(log, "\n") {
		var c counters
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &c) == nil {
			out = append(out, c)
		}
	}
	return out
}

// passed is what a direction carried between two moments.
type passed struct {
	Kbps, QueueDropPct, MaxWaitMs float64
}

// carried says what passed between two moments, to the second.
func carried(all []counters, from, to time.Time, way func(counters) oneWay) passed {
	var first, last *counters
	wait := time.Duration(0)
	for i := range all {
		if c := &all[i]; !c.Time.Before(from) && !c.Time.After(to) {
			if first == nil {
				first = c
			} else {
				wait = max(wait, way(*c).MaxQueueWait)
			}
			last = c
		}
	}
	if first == last {
		return passed{}
	}
	a, b := way(*first), way(*last)
	p := passed{Kbps: float64(b.DeliveredBytes-a.DeliveredBytes) * 8 / 1000 / last.Time.Sub(first.Time).Seconds(), MaxWaitMs: float64(wait.Milliseconds())}
	if in := b.In - a.In; in > 0 {
		p.QueueDropPct = 100 * float64(b.QueueDrop-a.QueueDrop) / float64(in)
	}
	return p
}
