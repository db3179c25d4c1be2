package estimate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDelayFilterKeepsOrder: what is kept sorted while groups come and go is
// what sorting them anew would give.
func TestDelayFilterKeepsOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var d delayFilter
	for n := range 900 {
		d.sum, d.n = math.Floor(rng.Float64()*40), 1 // values come twice
		d.close()
		if n%211 == 210 {
			d.rebase()
		}
		want := slices.Sorted(slices.Values(d.groups))
		if !slices.Equal(d.sorted.v, want) {
			t.Fatalf("group %d: %v, want %v", n, d.sorted.v, want)
		}
		last := d.groups[max(0, len(d.groups)-groupsNoise):]
		var steps []float64
		for i := 1; i < len(last); i++ {
			steps = append(steps, math.Abs(last[i]-last[i-1]))
		}
		slices.Sort(steps)
		if !slices.Equal(d.steps.v, steps) {
			t.Fatalf("group %d: steps %v, want %v", n, d.steps.v, steps)
		}
	}
}
