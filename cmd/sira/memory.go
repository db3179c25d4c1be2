package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// memoryFloor is what the server's memory may grow to before the collector
	// works harder: a large picture being decoded would else double it with what
	// is garbage already. GOMEMLIMIT says otherwise.
	memoryFloor = 176 << 20
	memoryLook  = 5 * time.Second
)

// keepMemory bounds the memory of short peaks until ctx ends. What stays in use
// raises the bound to what the collector would allow anyway, so that it never
// works for nothing.
func keepMemory(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(memoryLook)
	defer tick.Stop()
	for lowest := uint64(0); ; {
		metrics.Read(live)
		now := live[0].Value.Uint64()
		// A peak is not what stays: of two looks the lower one counts.
		debug.SetMemoryLimit(memoryLimit(min(lowest, now)))
		lowest = now
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// memoryLimit is the bound while live bytes stay in use; 64 MiB on top are for
// stacks and what comes and goes.
func memoryLimit(live uint64) int64 { return max(memoryFloor, int64(2*live)+64<<20) }
