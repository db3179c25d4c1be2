// Package allocate divides what a path carries among the streams that want
// it. It owns the order of who comes first, and nothing else: it knows
// neither packets nor people, and its answers depend on its arguments only.
package allocate

import "time"

// Class is the place of a stream in the order: what comes first is served
// first. Every stream's Least comes before any stream's more.
type Class int

// Classes, the first first.
const (
	Voice   Class = iota
	Pointer       // pointing and drawing
	Asked         // what an expert asked to see: ultrasound, a shared image
	Face
	Bulk // uploads, images that load
	Classes
)

// Stream is one that wants a share, in bit/s.
type Stream struct {
	Class Class
	Least float64 // below it is of no use
	Most  float64 // more is of no use
}

// Plan gives each stream its share, in the order of streams. The sum is at
// most capacity; more capacity is never less for anyone. Least of all come
// first, by class, whole or not at all but for voice, then the rest by class,
// evenly within one.
func Plan(capacity float64, streams []Stream) []float64 {
	shares := make([]float64, len(streams))
	rest := max(0, capacity)
	if !(rest > 0) { // not a number either
		return shares
	}
	for c := range Classes {
		for i, s := range streams {
			if s.Class != c {
				continue
			}
			least := min(max(s.Least, 0), max(s.Most, 0))
			if least > rest {
				// Who comes later must not profit from what is too little
				// for this one, or more capacity could be less for them.
				return shares
			}
			shares[i] = least
			rest -= least
		}
	}
	for c := range Classes {
		rest = fill(c, rest, streams, shares)
	}
	return shares
}

// fill raises the streams of a class together as far as rest goes.
func fill(c Class, rest float64, streams []Stream, shares []float64) float64 {
	for rest > 1 {
		open := 0
		step := rest
		for i, s := range streams {
			if s.Class == c && s.Most-shares[i] > 1 {
				open++
				step = min(step, s.Most-shares[i])
			}
		}
		if open == 0 {
			return rest
		}
		step = min(step, rest/float64(open))
		for i, s := range streams {
			if s.Class == c && s.Most-shares[i] > 1 {
				shares[i] += step
				rest -= step
			}
		}
	}
	return max(0, rest)
}

// Level is the highest of rising rates that a share pays for, -1 for none.
func Level(share float64, rates []float64) int {
	best := -1
	for i, r := range rates {
		if r <= share {
			best = i
		}
	}
	return best
}

// How a stream rises: what came down at once goes up slowly, or the picture
// would change with every breath of the link.
const (
	riseAfter = 3 * time.Second // during which the next level was affordable
	riseRoom  = 1.15            // times its rate
)

// Riser holds the level of one stream. The zero value is at the lowest.
type Riser struct {
	level int
	since time.Time // since when more was affordable
}

// Start puts the riser at a level, as for a stream that has just begun.
func (r *Riser) Start(level int) { *r = Riser{level: level} }

// Level is the present level; all there is may be less.
func (r *Riser) Level() int { return r.level }

// Next moves to the level for a share: down at once, up by one when that was
// affordable for a while.
func (r *Riser) Next(now time.Time, share float64, rates []float64) int {
	can := Level(share, rates)
	if can == len(rates)-1 && can <= r.level {
		// All there is. A layer that comes later may be sent at once.
		r.since = time.Time{}
		return r.level
	}
	r.level = min(r.level, can)
	if Level(share/riseRoom, rates) <= r.level {
		r.since = time.Time{}
		return r.level
	}
	if r.since.IsZero() {
		r.since = now
	}
	if now.Sub(r.since) >= riseAfter {
		r.level++
		r.since = now
	}
	return r.level
}
