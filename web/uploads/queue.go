package uploads

import (
	"sync"
	"time"
)

// queue hands upload IDs to workers, each ID to one worker at a time. It holds
// IDs only, so its size is that of the table's unfinished rows.
type queue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	ids    []string
	known  map[string]bool // waiting or in a worker's hands
	failed map[string]int  // how often in a row the server was at fault
	closed bool
}

// Waits between attempts, doubled each time.
const (
	firstWait = 2 * time.Second
	lastWait  = 5 * time.Minute
)

func newQueue() *queue {
	q := &queue{known: map[string]bool{}, failed: map[string]int{}}
	q.cond = sync.NewCond(&q.mu)
	return q
}

func (q *queue) push(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.known[id] {
		return
	}
	q.known[id] = true
	q.ids = append(q.ids, id)
	q.cond.Signal()
}

// pop waits for an ID; ok is false once the queue is closed.
func (q *queue) pop() (id string, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ids) == 0 && !q.closed {
		q.cond.Wait()
	}
	if q.closed {
		return "", false
	}
	id = q.ids[0]
	q.ids = q.ids[1:]
	return id, true
}

// release lets an ID be queued again.
func (q *queue) release(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.known, id)
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.cond.Broadcast()
}

// putOff notes a failed attempt and says how long to wait for the next.
func (q *queue) putOff(id string) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.failed[id]
	q.failed[id] = n + 1
	return min(firstWait<<min(n, 10), lastWait)
}

// settled forgets the failures of an upload that is done.
func (q *queue) settled(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.failed, id)
}
