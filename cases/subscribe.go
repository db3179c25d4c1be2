package cases

import (
	"context"
	"fmt"
	"sync"
)

// Change says that a case grew up to Seq. Users may view it: its participants
// and the dispatchers of its specialty.
type Change struct {
	Case   string
	Seq    int64
	Status Status
	Users  []string
}

// subscribers are those who want to hear of changes.
type subscribers struct {
	mu   sync.Mutex
	next int
	all  map[int]*subscriber
}

// subscriber has what it has not heard yet, one change a case: the newest holds
// all that earlier ones said. Its goroutine lives only while there is something
// to say, so that none is left behind.
type subscriber struct {
	fn      func(Change)
	mu      sync.Mutex
	order   []string // cases with a change not yet told, in order
	changes map[string]Change
	telling bool
	gone    bool
}

// Subscribe calls fn after each commit of this process, one call at a time on
// another goroutine: a slow fn delays nobody, and hears only the newest change
// of each case. A panic of fn is logged and ends nothing. cancel ends the
// subscription.
func (s *Service) Subscribe(fn func(Change)) (cancel func()) {
	sub := &subscriber{fn: fn, changes: map[string]Change{}}
	s.subs.mu.Lock()
	defer s.subs.mu.Unlock()
	if s.subs.all == nil {
		s.subs.all = map[int]*subscriber{}
	}
	key := s.subs.next
	s.subs.next++
	s.subs.all[key] = sub
	return func() {
		s.subs.mu.Lock()
		delete(s.subs.all, key)
		s.subs.mu.Unlock()
		sub.mu.Lock()
		sub.gone = true
		sub.mu.Unlock()
	}
}

// publish tells of what is committed; it cannot fail any more.
func (s *Service) publish(ctx context.Context, st *State) {
	s.subs.mu.Lock()
	subs := make([]*subscriber, 0, len(s.subs.all))
	for _, sub := range s.subs.all {
		subs = append(subs, sub)
	}
	s.subs.mu.Unlock()
	if len(subs) == 0 {
		return
	}
	users, err := s.viewers(context.WithoutCancel(ctx), st)
	if err != nil {
		s.log.ErrorContext(ctx, "looking up who to tell of a change", "case", st.ID, "error", err)
		users = st.Participants
	}
	for _, sub := range subs {
		sub.push(s, Change{Case: st.ID, Seq: st.Seq, Status: st.Status, Users: users})
	}
}

func (sub *subscriber) push(s *Service, c Change) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.gone {
		return
	}
	waiting, ok := sub.changes[c.Case]
	if !ok {
		sub.order = append(sub.order, c.Case)
	}
	if c.Seq > waiting.Seq {
		sub.changes[c.Case] = c
	}
	if !sub.telling {
		sub.telling = true
		go sub.tell(s)
	}
}

// tell says all there is to say and ends.
func (sub *subscriber) tell(s *Service) {
	for {
		sub.mu.Lock()
		if len(sub.order) == 0 || sub.gone {
			sub.telling = false
			sub.mu.Unlock()
			return
		}
		c := sub.changes[sub.order[0]]
		delete(sub.changes, c.Case)
		sub.order = sub.order[1:]
		sub.mu.Unlock()
		sub.call(s, c)
	}
}

func (sub *subscriber) call(s *Service, c Change) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a subscriber panicked", "case", c.Case, "panic", fmt.Sprint(p))
		}
	}()
	sub.fn(c)
}
