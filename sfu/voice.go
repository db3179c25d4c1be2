package sfu

import (
	"sync/atomic"
	"time"

	"sira/sfu/estimate"
)

// Voice is Opus in packets of 20 to 60 ms, each said twice (RED) where packets
// are lost: the encoder's rate once or twice, and some 72 bytes of headers a packet.
const (
	voiceHeaders = 72 * 8          // bits a packet: IP, UDP, RTP with its extensions, SRTP, RED
	voiceRiseAt  = 1.25            // times a rung's beginning, to climb on it
	voiceEvery   = 5 * time.Second // between two climbs
	voiceAtFirst = 12              // kbit/s
	voiceMost    = 64_000          // bit/s that any voice is granted

	twiceFrom   = 0.003            // share of packets lost from which all is said twice
	twiceUntil  = 0.001            // below which it is not: of one packet lost in 500 two a minute would be missing
	repeatFrom  = 0.01             // from which packets are long, and what is lost in rows is said three times
	repeatUntil = 0.004            // below which not
	thriceFrom  = 70_000           // bit/s of a link on which voices are said three times
	rowsFrom    = 0.3              // share of the losses that follow one: three times, for they come in rows
	rowsLeast   = 6                // losses to judge by
	rowsMost    = 40               // after which what was before counts half, and
	rowsFor     = 15 * time.Second // as well: a queue that was full at first drops in rows, too
	repeatClean = 15 * time.Second // for so long
)

// voiceLadder is the encoder's rate by what the thinnest link on the way
// carries: at 8 kbit/s speech is understood, at 16 it is pleasant.
var voiceLadder = []struct {
	from float64 // bit/s
	kbps int
}{{0, 8}, {80_000, 12}, {170_000, 16}}

// voiceFor chooses the encoder's rate for a path, given the present one.
func voiceFor(path float64, now int) int {
	kbps := voiceLadder[0].kbps
	for _, r := range voiceLadder {
		from := r.from
		if r.kbps > now {
			from *= voiceRiseAt
		}
		if path >= from {
			kbps = r.kbps
		}
	}
	return kbps
}

// revoice finds the rate of the peer's voice and the length of its packets anew,
// for its own uplink and the thinnest link of those who hear it, and says whether
// they changed: down at once, up slowly.
func (p *Peer) revoice(now time.Time) bool {
	path, sure := float64(endless), p.upStart // sure: of a link not known what it begins with
	if limit := p.upBelieved(); limit > 0 {
		path, sure = limit, limit
	}
	loss, _ := p.congestion.up.loss()
	heard := false
	for _, in := range p.ticked {
		if in.kind != audio {
			continue
		}
		for _, o := range *in.outlets.Load() {
			bps, known := o.peer.down.known()
			if known {
				path = min(path, bps)
			}
			sure = min(sure, bps)
			loss = max(loss, o.peer.down.loss())
			heard = true
		}
	}
	if !heard {
		return false
	}
	changed := p.packets.choose(sure, loss, now)
	was := int(p.voice.Load())
	want := voiceFor(path, was)
	if want == was || want > was && now.Sub(p.voiceAt) < voiceEvery {
		return changed
	}
	p.voice.Store(int32(want))
	p.voiceAt = now
	return true
}

// voiceRate is what the inlet's voice, said so many times, takes of a link,
// bit/s: what was asked for, or more when the publisher does not heed that.
func (in *inlet) voiceRate(copies int) float64 {
	levels := in.levels()
	came := min(levels[len(levels)-1], voiceMost)
	headers := voiceHeaders * 1000 / in.packetMs()
	return max(float64(copies)*1000*float64(in.peer.voice.Load())+headers, came*float64(copies)/float64(in.copiesUp()))
}

// repeatVoices decides how often voices to the peer, and its own to everybody,
// are said: each time costs the encoder's rate again, and is worth it where
// packets are lost, three times where they are lost in rows. On the way up the
// browser says all twice; what was lost there is in the next packet, so that
// the second saying must reach the listener.
func (p *Peer) repeatVoices(now time.Time) {
	thrice(&p.deepUp, &p.shallowUpAt, p.congestion.up.lossInRows(), float64(p.congestion.up.limit.Load()), now)
	down, gated := p.down.loss(), p.down.gated.Load()
	repeat(&p.redundant, &p.cleanDown, down, twiceFrom, twiceUntil, !gated, now)
	path := float64(endless)
	if gated {
		path, _ = p.down.known()
	}
	thrice(&p.deep, &p.shallowAt, p.down.lossInRows(), path, now)
	up, known := p.congestion.up.loss()
	repeat(&p.redundantUp, &p.cleanUp, up, twiceFrom, twiceUntil, !known, now)
}

// thrice is repeat for a third saying, on a path that has room for it: elsewhere
// it would take what a still needs.
func thrice(deep *atomic.Bool, clean *time.Time, rows, path float64, now time.Time) {
	if path < thriceFrom {
		deep.Store(false)
		return
	}
	repeat(deep, clean, rows, repeatFrom, repeatUntil, false, now)
}

// repeat turns more on at a share of loss, or when it must, and off again when
// less was lost for a while.
func repeat(more *atomic.Bool, clean *time.Time, loss, from, until float64, must bool, now time.Time) {
	switch {
	case must || loss > from:
		more.Store(true)
		*clean = now
	case loss > until || clean.IsZero():
		*clean = now
	case now.Sub(*clean) > repeatClean:
		more.Store(false)
	}
}

// copies is how often each voice of a publisher is said to the peer.
func (p *Peer) copies(in *inlet) int {
	switch {
	case p.deep.Load() || in.far.Load():
		return redCopies
	case p.redundant.Load() || in.peer.redundantUp.Load():
		return 2
	}
	return 1
}

// lossRows tells losses that come in rows, as when a radio fades, from single
// ones: how many follow another.
type lossRows struct {
	lost, again float64
	before      bool // the last packet was lost
	halved      time.Time
}

func (r *lossRows) add(packets []estimate.Packet) {
	for _, p := range packets {
		if !p.Arrived {
			r.lost++
			if r.before {
				r.again++
			}
		}
		r.before = !p.Arrived
	}
	if len(packets) == 0 {
		return
	}
	now := packets[len(packets)-1].Sent
	if r.halved.IsZero() {
		r.halved = now
	}
	if r.lost > rowsMost || now.Sub(r.halved) > rowsFor {
		r.lost, r.again, r.halved = r.lost/2, r.again/2, now
	}
}

// of is a loss where packets are lost in rows, else 0.
func (r *lossRows) of(loss float64) float64 {
	if r.share() < rowsFrom {
		return 0
	}
	return loss
}

func (r *lossRows) share() float64 {
	if r.lost < rowsLeast {
		return 0
	}
	return r.again / r.lost
}
