package main

import "testing"

func TestMemoryLimitFollowsWhatStays(t *testing.T) {
	for live, want := range map[uint64]int64{0: memoryFloor, 50 << 20: memoryFloor, 100 << 20: 264 << 20, 1 << 30: 2<<30 + 64<<20} {
		if got := memoryLimit(live); got != want {
			t.Errorf("%d MiB live: %d MiB, want %d", live>>20, got>>20, want>>20)
		}
	}
}
