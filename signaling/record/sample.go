package record

import (
	"time"

	"sira/sfu"
)

// sample is one look at a link: rates in kbit/s since the one before.
type sample struct {
	At        int64 // Unix ms
	Estimate  int32 // 0: not known
	Uplink    int32
	Delivered int32
	Up, Down  [sfu.Traffics]int32
	RTTMs     int32
	LossUp    int16 // ‰
	LossDown  int16
	FrozenMs  int32 // told by the browser since the one before
	Height    int16 // of the picture received
	Cut       bool
	Picture   byte // index of pictures
}

// settling is for how long after an outage reports still tell of it.
const settling = 5 * time.Second

var pictures = [...]string{"", "small", "off", "unwanted", "stills"}

// Sample takes one look and gives the sign to show for the link.
func (p *Person) Sample(o sfu.Observation, now time.Time) Sign {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	if !p.left.IsZero() {
		return Unknown
	}
	d := now.Sub(p.sampled)
	if d <= 0 { // of a connection that they had before
		return p.mood.sign
	}
	p.link(o.Connected, now)
	was := p.before
	if !o.Connected || now.Sub(p.back) < settling {
		// What went into a dead link is the outage, not loss.
		was.UpLost, was.UpExpected, was.DownLost, was.DownTold = o.UpLost, o.UpExpected, o.DownLost, o.DownTold
	}
	p.before, p.sampled = o, now
	s := sample{
		At: now.UnixMilli(), Estimate: kbps(o.Estimate), Uplink: kbps(o.Uplink), Delivered: rate(o.Delivered-was.Delivered, d),
		RTTMs: int32(o.RTT.Milliseconds()), Height: int16(p.told.Height), Cut: p.met && !o.Connected, FrozenMs: int32(p.frozen),
		LossUp: perMille(o.UpLost-was.UpLost, o.UpExpected-was.UpExpected), LossDown: perMille(o.DownLost-was.DownLost, o.DownTold-was.DownTold),
	}
	for t := range sfu.Traffics {
		s.Up[t], s.Down[t] = rate(o.Up[t]-was.Up[t], d), rate(o.Down[t]-was.Down[t], d)
	}
	for i, name := range pictures {
		if name == o.Picture {
			s.Picture = byte(i)
		}
	}
	p.frozen = 0
	p.sums.add(o, was, s, d)
	p.put(s)
	return p.mood.see(s, p.met)
}

func (p *Person) put(s sample) {
	if n := len(p.samples); n < samplesKept {
		if n == cap(p.samples) { // append would make room that is never used
			p.samples = append(make([]sample, 0, min(max(2*n, 32), samplesKept)), p.samples...)
		}
		p.samples = append(p.samples, s)
		return
	}
	p.samples[p.next] = s
	p.next = (p.next + 1) % samplesKept
}

// since gives the samples after a time, oldest first.
func (p *Person) since(at int64) []sample {
	out := make([]sample, 0, len(p.samples))
	for i := range p.samples {
		if s := p.samples[(p.next+i)%len(p.samples)]; s.At > at {
			out = append(out, s)
		}
	}
	return out
}

func kbps(bps float64) int32 { return int32(min(bps/1000+0.5, 1<<30)) }

func rate(bytes uint64, d time.Duration) int32 {
	return kbps(float64(bytes) * 8 / d.Seconds())
}

func perMille(part, of uint64) int16 {
	if of == 0 {
		return 0
	}
	return int16(min(part*1000/of, 1000))
}
