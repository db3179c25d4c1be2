package sfu

import (
	"sync"
	"time"
)

// places remembers what links carried, by user and network: a call begins
// where the last one ended. It is lost with the process.
type places struct {
	mu   sync.Mutex
	list map[string]place
}

type place struct {
	bps float64
	at  time.Time
}

const (
	placesMost = 4096
	placeHalf  = 12 * time.Hour // after which half of what is above the default is believed
	placeShare = 0.85           // of what was, to begin with
	startBps   = 96_000         // of a link not known
)

func (p *places) learn(key string, bps float64, now time.Time) {
	if key == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.list == nil {
		p.list = map[string]place{}
	}
	if _, known := p.list[key]; !known && len(p.list) >= placesMost {
		oldest, at := "", now
		for k, v := range p.list {
			if !v.at.After(at) {
				oldest, at = k, v.at
			}
		}
		delete(p.list, oldest)
	}
	p.list[key] = place{bps, now}
}

// upFrom is the key of the way from a place.
func upFrom(place string) string {
	if place == "" {
		return ""
	}
	return place + " up"
}

// start is the estimate to begin with, bit/s, unknown when nothing is known.
func (p *places) start(key string, unknown float64, now time.Time) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.list[key]
	if !ok {
		return unknown
	}
	age := float64(now.Sub(v.at)) / float64(placeHalf)
	was := v.bps * placeShare
	return unknown + (was-unknown)/(1+max(age, 0))
}
