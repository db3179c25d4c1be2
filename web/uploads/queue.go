package uploads

import "sync"

// queue hands upload IDs to workers, each ID to one worker at a time. It holds
// IDs only, so its size is that of the table's unfinished rows.
type queue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	ids    []string
	known  map[string]bool // waiting or in a worker's hands
	closed bool
}

func newQueue() *queue {
	q := &queue{known: map[string]bool{}}
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
