package sfu

import (
	"sync/atomic"
	"time"

	"sira/sfu/allocate"
	"sira/sfu/bulk"
)

// Pointing and drawing travel beside the media, by WebSocket. While somebody
// points, a share of each path they take is kept for it, after voice and before
// pictures, and who points is told how often.
const (
	pointerMost  = 8_000                  // bit/s: vectors of 3 kbit/s, and three times their size in headers of WebSocket, TLS, TCP and IP: a place each
	pointerEvery = 120 * time.Millisecond // where there is room,
	pointerLeast = 3_000                  // and three a second where there is little
	pointerRare  = time.Second            // however little there is
	pointerFor   = 4 * time.Second        // after the last place or stroke
	pointerMark  = 500 * time.Millisecond // between two looks at who sees it
	pointerWorth = 1.2                    // of the pace is worth telling
)

// pointing is what a peer's paths keep for vectors.
type pointing struct {
	at    [2]atomic.Int64 // of the last that took this way, nanoseconds of Unix time
	share [2]atomic.Int64 // bit/s; 0 while nobody points

	marked atomic.Int64  // when the others were last told
	told   time.Duration // of the clock: between two places
}

// Point says that the participant points or draws: the others see it.
func (p *Peer) Point() {
	now := time.Now()
	p.pointing.at[bulk.Up].Store(now.UnixNano())
	last := p.pointing.marked.Load()
	if now.Sub(time.Unix(0, last)) < pointerMark || !p.pointing.marked.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	p.room.do(func() {
		for _, q := range p.room.peers {
			if q != p {
				q.pointing.at[bulk.Down].Store(now.UnixNano())
			}
		}
	})
}

// stream is what vectors want of a way now; nothing when nobody points.
func (t *pointing) stream(w bulk.Way, now time.Time) allocate.Stream {
	s := allocate.Stream{Class: allocate.Pointer}
	if now.Sub(time.Unix(0, t.at[w].Load())) < pointerFor {
		s.Least, s.Most = pointerLeast, pointerMost
	}
	return s
}

// pointerUp is what vectors take of the participant's way up, bit/s.
func (p *Peer) pointerUp() float64 { return float64(p.pointing.share[bulk.Up].Load()) }

// divideAll is divide with a share for vectors before pictures, which it
// remembers.
func (p *Peer) divideAll(w bulk.Way, bps, want float64, streams []allocate.Stream, now time.Time) []float64 {
	s, n := p.pointing.stream(w, now), len(streams)
	if n == 0 || s.Most == 0 {
		p.pointing.share[w].Store(0)
		return p.divide(w, bps, want, streams, now)
	}
	shares := p.divide(w, bps, want+s.Most, append(streams, s), now)
	p.pointing.share[w].Store(max(int64(shares[n]), 1)) // somebody points, be there a share or not
	return shares[:n]
}

// pointerPace is how often a place may be sent for a share.
func pointerPace(share int64) time.Duration {
	pace := time.Duration(float64(pointerEvery) * pointerMost / float64(max(share, 1)))
	return min(max(pace, pointerEvery), pointerRare).Round(10 * time.Millisecond)
}

// repoint tells who points how often they may, by their own way up and by the
// ways to those who see it, the least of them.
func (p *Peer) repoint() {
	if p.part.OnPointer == nil || p.pointing.share[bulk.Up].Load() == 0 {
		return
	}
	least := p.pointing.share[bulk.Up].Load()
	for _, in := range p.ticked {
		for _, o := range *in.outlets.Load() {
			if s := o.peer.pointing.share[bulk.Down].Load(); s > 0 {
				least = min(least, s)
			}
		}
	}
	pace, last := pointerPace(least), p.pointing.told
	if last == 0 {
		last = pointerEvery
	}
	if near := float64(pace) < pointerWorth*float64(last) && float64(last) < pointerWorth*float64(pace); near && pace != pointerEvery || pace == last {
		return
	}
	p.pointing.told = pace
	p.part.OnPointer(pace)
}
