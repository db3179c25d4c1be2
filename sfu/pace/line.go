package pace

import "slices"

// line is a queue in an array that is used again.
type line[T any] struct {
	items []Item[T]
	from  int // where the first one is
}

// lineKept is how many places an empty line keeps.
const lineKept = 32

func (l *line[T]) len() int { return len(l.items) - l.from }

func (l *line[T]) first() *Item[T] { return &l.items[l.from] }

func (l *line[T]) push(it Item[T]) {
	if len(l.items) == cap(l.items) && l.from > len(l.items)/2 {
		n := copy(l.items, l.items[l.from:])
		clear(l.items[n:])
		l.items, l.from = l.items[:n], 0
	}
	l.items = append(l.items, it)
}

func (l *line[T]) pop() Item[T] {
	it := l.items[l.from]
	l.items[l.from] = Item[T]{} // it may hold on to much
	l.from++
	if l.from == len(l.items) {
		l.items, l.from = l.items[:0], 0
		if cap(l.items) > lineKept {
			l.items = nil
		}
	}
	return it
}

func (l *line[T]) delete(which func(*Item[T]) bool) {
	l.items = slices.DeleteFunc(l.items[l.from:], func(it Item[T]) bool { return which(&it) })
	l.from = 0
}
