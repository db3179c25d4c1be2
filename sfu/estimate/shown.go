package estimate

import "time"

// shownApart is how far apart two signs are that are not one: a page that was
// busy for a moment looks like a queue, once.
const shownApart = 2 * time.Second

// shown remembers the last two times that a path showed something.
type shown struct{ last, before time.Time }

func (s *shown) note(now time.Time) {
	if now.Sub(s.last) > shownApart {
		s.before = s.last
	}
	s.last = now
}

func (s *shown) twice(now time.Time, within time.Duration) bool {
	return !s.before.IsZero() && now.Sub(s.before) < within
}
