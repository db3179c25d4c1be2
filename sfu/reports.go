package sfu

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
)

// ntpEpoch is 1900-01-01 in Unix seconds (RFC 5905, 6).
const ntpEpoch = -2208988800

func toNTP(t time.Time) uint64 {
	sec := uint64(t.Unix() - ntpEpoch)
	return sec<<32 | uint64(t.Nanosecond())<<32/1e9
}

func fromNTP(n uint64) time.Time {
	return time.Unix(int64(n>>32)+ntpEpoch, int64(n&0xffffffff*1e9>>32))
}

// middle32 is the NTP time as report blocks quote it (RFC 3550, 6.4.1).
func middle32(n uint64) uint32 { return uint32(n >> 16) }

// clockOffset maps a publisher's clock to ours: one value for its audio and
// video, so that they stay together. The least delay seen is the truest.
type clockOffset struct {
	mu    sync.Mutex
	known bool
	off   time.Duration // ours minus theirs, travel time included
}

func (c *clockOffset) learn(theirs, ours time.Time) {
	d := ours.Sub(theirs)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known || d < c.off {
		c.known, c.off = true, d
	}
}

func (c *clockOffset) toOurs(theirs time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return theirs.Add(c.off)
}

// senderReport is the newest relation of wall clock and media clock that a
// publisher sent (RFC 3550, 6.4.1).
type senderReport struct {
	known   bool
	theirs  time.Time // by the publisher's clock
	rtp     uint32
	quoted  uint32 // for our receiver report
	arrived time.Time
}

// learnReport records a publisher's sender report.
func (in *inlet) learnReport(sr *rtcp.SenderReport, now time.Time) {
	t := fromNTP(sr.NTPTime)
	in.peer.clock.learn(t, now)
	in.mu.Lock()
	in.sr = senderReport{known: true, theirs: t, rtp: sr.RTPTime, quoted: middle32(sr.NTPTime), arrived: now}
	in.mu.Unlock()
}

// block is our receiver report on the inlet, false before any packet.
func (in *inlet) block(now time.Time) (rtcp.ReceptionReport, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.rec.started {
		return rtcp.ReceptionReport{}, false
	}
	fraction, lost := in.rec.report()
	b := rtcp.ReceptionReport{
		SSRC: in.ssrc, FractionLost: fraction, TotalLost: lost,
		LastSequenceNumber: uint32(in.rec.high), Jitter: uint32(in.rec.jitter),
	}
	if in.sr.known {
		b.LastSenderReport = in.sr.quoted
		b.Delay = uint32(now.Sub(in.sr.arrived).Seconds() * 65536)
	}
	return b, true
}

// mediaTime is the inlet's media clock now, by our wall clock.
func (in *inlet) mediaTime(now time.Time) (rtp uint32, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.sr.known {
		return 0, false
	}
	elapsed := now.Sub(in.peer.clock.toOurs(in.sr.theirs))
	return in.sr.rtp + uint32(int64(elapsed.Seconds()*float64(in.format.clock))), true
}

// Sender reports go out often when an outlet gets a new source, for the
// sound and the lips to meet soon, then seldom: they cost bytes.
const (
	reportsFirst = 3 // one each second
	reportEvery  = 3 * time.Second
)

type sentReport struct {
	quoted uint32
	at     time.Time
}

// outReport counts what an outlet sent, and what its subscriber said.
type outReport struct {
	packets, octets uint32
	era             uint32
	inEra           int // reports since the source changed
	last            time.Time
	lately          [4]sentReport

	heard         bool
	lastLost      uint32 // as last reported
	lastHigh      uint32
	lastHoles     int64
	lost, reached int64 // since the last quality measure
}

func (r *outReport) count(payload int) {
	r.packets++
	r.octets += uint32(payload)
}

// senderReport makes the outlet's report when one is due.
func (o *outlet) senderReport(now time.Time) *rtcp.SenderReport {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.in == nil || !o.started || !o.live {
		return nil
	}
	r := &o.report
	if r.era != o.era {
		r.era, r.inEra = o.era, 0
	}
	if r.inEra >= reportsFirst && now.Sub(r.last) < reportEvery {
		return nil
	}
	ts, ok := o.in.mediaTime(now)
	if !ok {
		return nil
	}
	r.inEra++
	r.last = now
	ntp := toNTP(now)
	copy(r.lately[1:], r.lately[:])
	r.lately[0] = sentReport{middle32(ntp), now}
	return &rtcp.SenderReport{
		SSRC: o.ssrc, NTPTime: ntp, RTPTime: ts + o.rw.tsShift,
		PacketCount: r.packets, OctetCount: r.octets,
	}
}

// hear takes the subscriber's report block on this outlet. rtt is 0 when it
// tells nothing about the round trip.
func (o *outlet) hear(b rtcp.ReceptionReport, now time.Time) (rtt time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := &o.report
	holes := int64(o.rw.high-o.firstSeq) - int64(r.packets)
	if r.heard {
		// Numbers that we never sent (lost on the publisher's way) are not
		// this subscriber's losses.
		dHoles := holes - r.lastHoles
		dLost := int64(int32(b.TotalLost<<8-r.lastLost<<8)>>8) - dHoles
		dAll := int64(int32(b.LastSequenceNumber-r.lastHigh)) - dHoles
		if dAll > 0 {
			dLost = min(max(dLost, 0), dAll)
			r.lost += dLost
			r.reached += dAll - dLost
			o.peer.link.carried.reported(dAll, dLost)
		}
	}
	r.heard, r.lastLost, r.lastHigh, r.lastHoles = true, b.TotalLost, b.LastSequenceNumber, holes
	if b.LastSenderReport == 0 {
		return 0
	}
	for _, s := range r.lately {
		if s.quoted == b.LastSenderReport {
			held := time.Duration(float64(b.Delay) / 65536 * float64(time.Second))
			return max(now.Sub(s.at)-held, time.Millisecond)
		}
	}
	return 0
}
