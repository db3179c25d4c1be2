// Package bulk holds what a person transfers (uploads, images that load) to
// what their calls leave them. It owns the buckets: one for each way and class
// of a person, shared by all their requests, whatever tab or device they come
// from. It knows neither HTTP nor calls: a call says what it grants, a
// transfer asks for bytes. Who is in no call takes all there is.
package bulk

import (
	"sync"
	"time"
)

// Class is how a transfer stands to the pictures of a call.
type Class int

// Classes.
const (
	Asked Class = iota // a still that all in the call wait for: before faces
	Files              // everything else: after them
	classes
)

// Way is the direction, seen by the person.
type Way int

// Ways.
const (
	Up Way = iota
	Down
	ways
)

// Free is a grant of all there is.
const Free = -1

const (
	burst     = 200 * time.Millisecond // of the rate, that may pass at once
	leastOnce = 1200                   // bytes, of which a packet is made
	mostOnce  = 16 << 10
	onceFor   = 100 * time.Millisecond // of the rate, that one taking is at most
	lookAgain = 100 * time.Millisecond // while waiting: a call may end, or grant more
	usedFor   = 1500 * time.Millisecond
)

// Book is everybody who is in a call. The zero value is ready.
type Book struct {
	mu     sync.Mutex
	people map[string]*person
}

type person struct {
	calls   map[*Call]struct{}
	buckets [ways][classes]bucket
}

type bucket struct {
	tokens float64 // bytes
	at     time.Time
	taken  int64
	asked  time.Time // when last something was wanted
}

// Call is one call of a person, which grants them something.
type Call struct {
	book  *Book
	user  string
	rates [ways][classes]float64 // bit/s, or Free; guarded by Book.mu
	seen  [ways]int64
	begun [ways][classes]int64 // what had passed when it began
}

// Join begins a call. Until it grants something else, all there is is free.
func (b *Book) Join(user string) *Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.people[user]
	if p == nil {
		p = &person{calls: map[*Call]struct{}{}}
		if b.people == nil {
			b.people = map[string]*person{}
		}
		b.people[user] = p
	}
	c := &Call{book: b, user: user}
	for w := range ways {
		for k := range classes {
			c.rates[w][k] = Free
		}
	}
	for w := range ways {
		for k := range classes {
			c.begun[w][k] = p.buckets[w][k].taken
		}
	}
	p.calls[c] = struct{}{}
	return c
}

// Leave ends the call: its grants no longer bind.
func (c *Call) Leave() {
	b := c.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.people[c.user]; p != nil {
		delete(p.calls, c)
		if len(p.calls) == 0 {
			delete(b.people, c.user)
		}
	}
}

// Grant says how much may pass, bit/s, or Free.
func (c *Call) Grant(w Way, k Class, bps float64) {
	c.book.mu.Lock()
	c.rates[w][k] = bps
	c.book.mu.Unlock()
}

// Active says whether a transfer wanted something lately.
func (c *Call) Active(w Way, k Class, now time.Time) bool {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	p := c.book.people[c.user]
	return p != nil && now.Sub(p.buckets[w][k].asked) < usedFor
}

// Used is how many bytes passed since it was last asked.
func (c *Call) Used(w Way) int64 {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	var sum int64
	if p := c.book.people[c.user]; p != nil {
		for k := range classes {
			sum += p.buckets[w][k].taken
		}
	}
	n := sum - c.seen[w]
	c.seen[w] = sum
	return n
}

// Taken is how many bytes passed since the call began.
func (c *Call) Taken(w Way, k Class) int64 {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	if p := c.book.people[c.user]; p != nil {
		return p.buckets[w][k].taken - c.begun[w][k]
	}
	return 0
}

// rate is the least that the person's calls grant.
func (p *person) rate(w Way, k Class) float64 {
	least := float64(Free)
	for c := range p.calls {
		if r := c.rates[w][k]; r >= 0 && (least < 0 || r < least) {
			least = r
		}
	}
	return least
}

// Take asks for n bytes of the user's transfers. It returns how many may pass
// now; when none, how long to wait before asking again.
func (b *Book) Take(user string, w Way, k Class, n int, now time.Time) (may int, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.people[user]
	if p == nil || n <= 0 {
		return n, 0
	}
	q := &p.buckets[w][k]
	q.asked = now
	rate := p.rate(w, k) / 8 // bytes a second
	if rate < 0 {
		q.taken += int64(n)
		q.tokens, q.at = 0, now
		return n, 0
	}
	if d := now.Sub(q.at); !q.at.IsZero() && d > 0 {
		q.tokens += rate * min(d, time.Minute).Seconds()
	}
	q.at = now
	q.tokens = min(q.tokens, max(rate*burst.Seconds(), leastOnce))
	if q.tokens < 0 || rate == 0 {
		wait = lookAgain
		if rate > 0 {
			wait = min(wait, time.Duration(-q.tokens/rate*float64(time.Second))+time.Millisecond)
		}
		return 0, wait
	}
	may = min(n, max(leastOnce, min(mostOnce, int(rate*onceFor.Seconds()))))
	q.tokens -= float64(may)
	q.taken += int64(may)
	return may, 0
}

// giveBack undoes the taking of bytes that were not there.
func (b *Book) giveBack(user string, w Way, k Class, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.people[user]; p != nil {
		p.buckets[w][k].tokens += float64(n)
		p.buckets[w][k].taken -= int64(n)
	}
}
