package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter bounds how often each key may act. It forgets keys rather than grow
// beyond its size.
type limiter struct {
	mu    sync.Mutex
	keys  map[string]*rate.Limiter
	every time.Duration
	burst int
	size  int
}

func newLimiter(every time.Duration, burst int) *limiter {
	return &limiter{keys: map[string]*rate.Limiter{}, every: every, burst: burst, size: 10_000}
}

func (l *limiter) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lim, ok := l.keys[key]
	if !ok {
		if len(l.keys) >= l.size {
			for k, v := range l.keys {
				if v.Tokens() >= float64(l.burst) || len(l.keys) >= l.size {
					delete(l.keys, k)
				}
			}
		}
		lim = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.keys[key] = lim
	}
	return lim.Allow()
}
