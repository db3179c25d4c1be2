package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// effort is what processes did in a while: seconds of processor time, seconds
// in which their threads could have run but no core was free, and the share of
// the machine's processor time that others had.
type effort struct {
	Ran, Waited, Others float64
}

// spoiled says that other work took so much that figures suffer.
func (e effort) spoiled() bool { return e.Others > 0.15 }

// watch is a moment from which on effort is counted.
type watch struct {
	at      time.Time
	busy    float64 // of the machine
	threads map[string]thread
	roots   []int
}

type thread struct{ ran, waited float64 }

// begin counts from now on what the trees of these processes do.
func begin(roots ...int) watch {
	return watch{time.Now(), busy(), threads(roots), roots}
}

func (w watch) end() effort {
	var e effort
	for id, t := range threads(w.roots) {
		e.Ran += t.ran - w.threads[id].ran
		e.Waited += t.waited - w.threads[id].waited
	}
	all := time.Since(w.at).Seconds() * float64(runtime.NumCPU())
	e.Others = max(0, busy()-w.busy-e.Ran) / all
	return e
}

// busy is the processor time of the whole machine so far, in seconds, what the
// hypervisor kept included.
func busy() float64 {
	raw, _ := os.ReadFile("/proc/stat")
	return parseBusy(string(raw))
}

func parseBusy(stat string) float64 {
	line, _, _ := strings.Cut(stat, "\n")
	sum := 0.0
	for i, f := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // "cpu", idle, iowait; guests are counted already
			continue
		}
		v, _ := strconv.ParseFloat(f, 64)
		sum += v / 100
	}
	return sum
}

// threads are those of the processes and all their descendants.
func threads(roots []int) map[string]thread {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		var pid, parent int
		text := string(raw)
		if _, err := fmt.Sscan(text, &pid); err != nil {
			continue
		}
		if f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]); len(f) > 1 {
			parent, _ = strconv.Atoi(f[1])
		}
		children[parent] = append(children[parent], pid)
	}
	out := map[string]thread{}
	var walk func(pid int)
	walk = func(pid int) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, path := range tasks {
			if raw, err := os.ReadFile(path); err == nil {
				out[path] = parseSched(string(raw))
			}
		}
		for _, c := range children[pid] {
			walk(c)
		}
	}
	for _, pid := range roots {
		walk(pid)
	}
	return out
}

// parseSched reads nanoseconds run and waited.
func parseSched(s string) thread {
	var ran, waited float64
	if _, err := fmt.Sscan(s, &ran, &waited); err != nil {
		return thread{}
	}
	return thread{ran / 1e9, waited / 1e9}
}
