package sfu

import (
	"sync/atomic"
	"time"
)

// A packet of voice costs some 72 bytes of headers, however long it is: at
// 20 ms they weigh more than speech on a thin link, at 60 ms each word comes
// 40 ms later. Where packets are lost long ones are better at any rate: what is
// said again in the next one reaches back further.
const (
	packetShorter = 1.25             // times a rung's beginning, to go on to shorter packets
	packetEvery   = 10 * time.Second // for so long the path must carry that
	packetSame    = 2                // packets of one length in a row, to believe it
	packetsMost   = 120 * 48         // clock units of the longest packet that Opus has
)

// packetLadder is the length of a packet by what the thinnest link on the way
// carries.
var packetLadder = []struct {
	from float64 // bit/s
	ms   int
}{{0, opusPtime}, {200_000, 40}, {500_000, 20}}

// packetFor chooses the length for a path, given the present one.
func packetFor(path float64, lossy bool, now int) int {
	ms := packetLadder[0].ms
	if lossy {
		return ms
	}
	for _, r := range packetLadder {
		from := r.from
		if r.ms < now {
			from *= packetShorter
		}
		if path >= from {
			ms = r.ms
		}
	}
	return ms
}

// packets is the length that the peer's voice is asked to have.
type packets struct {
	ms    atomic.Int32 // 0 before the first description
	lossy atomic.Bool  // packets are lost on the way to those who hear it

	// Of the peer's clock.
	cleanAt time.Time // since when few are
	shortAt time.Time // since when shorter ones would do
}

func (k *packets) now() int {
	if ms := k.ms.Load(); ms > 0 {
		return int(ms)
	}
	return opusPtime
}

// choose finds the length anew and says whether it changed: longer at once,
// shorter when the path has been good enough for a while, since the browser
// begins its encoder anew each time.
func (k *packets) choose(path, loss float64, now time.Time) bool {
	repeat(&k.lossy, &k.cleanAt, loss, repeatFrom, repeatUntil, false, now)
	was := k.now()
	want := packetFor(path, k.lossy.Load(), was)
	if want >= was {
		k.shortAt = time.Time{}
	}
	if want < was {
		if k.shortAt.IsZero() {
			k.shortAt = now
		}
		if now.Sub(k.shortAt) < packetEvery {
			return false
		}
		k.shortAt = time.Time{}
	}
	k.ms.Store(int32(want))
	return want != was
}

// packetAtJoin is the length that the first description asks for: what is
// remembered of the peer's way up, and known of the ways to those who are there.
func (p *Peer) packetAtJoin() int {
	path := p.upStart
	p.room.do(func() {
		for _, q := range p.room.peers {
			if q != p {
				bps, _ := q.down.known()
				path = min(path, bps)
			}
		}
	})
	p.packets.ms.CompareAndSwap(0, int32(packetFor(path, false, opusPtime)))
	return p.packets.now()
}

// packetLength reads from timestamps how long a publisher's packets are. Silence
// (DTX) makes longer steps, which are no packets.
type packetLength struct {
	ext  uint64
	ts   uint32
	step uint32 // of the last two packets
	same int    // how often it was that in a row
	ms   float64
}

func (l *packetLength) note(ext uint64, ts uint32, clock uint32) {
	if ext <= l.ext {
		return
	}
	step, next := ts-l.ts, ext == l.ext+1
	l.ext, l.ts = ext, ts
	if !next || step == 0 || step > packetsMost || clock == 0 {
		l.same = 0
		return
	}
	if step != l.step {
		l.step, l.same = step, 0
	}
	if l.same++; l.same >= packetSame {
		l.ms = float64(step) * 1000 / float64(clock)
	}
}

// packetMs is how long the inlet's packets of voice are: as they come, else as
// they were asked for.
func (in *inlet) packetMs() float64 {
	in.mu.Lock()
	ms := in.length.ms
	in.mu.Unlock()
	if ms > 0 {
		return ms
	}
	return float64(in.peer.packets.now())
}
