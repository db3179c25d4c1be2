package sfu

import (
	"time"
)

// In a room of many, who hears all hears nobody, and pays for each. So at most
// the loudest few are sent on to a viewer. Somebody who begins to speak takes the
// place of one who is silent; of those who speak nobody is cut for another who
// is hardly louder.
const (
	speakersMost = 3
	speakerShare = 0.9                    // of a thin link is voices at most, beyond the first
	speakerBack  = 5 * time.Second        // nothing waits in a link for so long, to hear one more
	speakerTired = time.Minute            // where that ended in a queue again and again
	speakerLess  = time.Second            // between two voices fewer: what waits may be a moment's
	speakerPause = 400 * time.Millisecond // longer than between two words
	speakerHold  = 1500 * time.Millisecond
	speakerProof = 200 * time.Millisecond // who pushes in has spoken for so long, and is so much louder
	speakerPush  = 6.0                    // dB
)

// talker is somebody whom a viewer could hear.
type talker struct {
	loudness
	on    bool      // and does
	since time.Time // either
}

func (t *talker) speaks(now time.Time) bool { return now.Sub(t.spoke) < speakerPause }

func (t *talker) turn(on bool, now time.Time) { t.on, t.since = on, now }

// elect decides who of the talkers is heard.
func elect(list []talker, most int, now time.Time) {
	on := 0
	for i := range list {
		if list[i].on {
			on++
		}
	}
	for ; on > most; on-- {
		list[leastHeard(list, now)].turn(false, now)
	}
	for ; on < most && on < len(list); on++ {
		list[nextHeard(list, now)].turn(true, now)
	}
	for on > 0 && on < len(list) { // each time one more speaks who did not, so it ends
		in, out := nextHeard(list, now), leastHeard(list, now)
		if !yields(&list[out], &list[in], now) {
			return
		}
		list[out].turn(false, now)
		list[in].turn(true, now)
	}
}

// yields says whether one who is heard gives way to one who is not.
func yields(out, in *talker, now time.Time) bool {
	switch {
	case !in.speaks(now):
		return false
	case !out.speaks(now):
		return true
	}
	return now.Sub(out.since) > speakerHold && now.Sub(in.began) >= speakerProof && in.steady >= out.steady+speakerPush
}

// leastHeard is who of those heard matters least: the longest silent, then the
// quietest.
func leastHeard(list []talker, now time.Time) int {
	return pick(list, func(t *talker) bool { return t.on }, func(a, b *talker) bool {
		if x, y := a.speaks(now), b.speaks(now); x != y {
			return y
		} else if !x {
			return a.spoke.Before(b.spoke)
		}
		return a.steady < b.steady
	})
}

// nextHeard is who of those not heard matters most.
func nextHeard(list []talker, now time.Time) int {
	return pick(list, func(t *talker) bool { return !t.on }, func(a, b *talker) bool {
		if x, y := a.speaks(now), b.speaks(now); x != y {
			return x
		} else if !x {
			return a.spoke.After(b.spoke)
		}
		return a.steady > b.steady
	})
}

// pick is the first of some, in an order.
func pick(list []talker, of func(*talker) bool, before func(a, b *talker) bool) int {
	best := -1
	for i := range list {
		if t := &list[i]; of(t) && (best < 0 || before(t, &list[best])) {
			best = i
		}
	}
	return best
}

// speakers is what a peer's clock knows of whom its participant hears.
type speakers struct {
	outs  []*outlet // that carry a voice
	list  []talker
	most  int
	calm  time.Time     // since when nothing waits in the link
	less  time.Time     // when they became fewer
	after time.Duration // so long before one more is tried
}

// limit finds how many voices of so many bit/s a link carries. What is believed
// of a link rests on what was sent over it, which is little where nobody is seen:
// so one more is tried, and only a queue (pressed) makes them fewer, one by one.
func (s *speakers) limit(bps, voice float64, pressed bool, now time.Time) {
	fits := speakersMost
	if voice > 0 {
		fits = min(max(int(bps*speakerShare/voice), 1), speakersMost)
	}
	switch {
	case s.most == 0:
		s.most, s.after, s.calm = fits, speakerBack, now
	case pressed && fits < s.most && now.Sub(s.less) >= speakerLess:
		s.most, s.after, s.calm, s.less = s.most-1, min(2*s.after, speakerTired), now, now
	case pressed || s.most >= speakersMost:
		s.calm = now
	case now.Sub(s.calm) > s.after || fits > s.most && now.Sub(s.calm) > speakerBack:
		s.most, s.calm = s.most+1, now
	}
}

// listen finds anew whom the peer hears.
func (p *Peer) listen(now time.Time) {
	s := &p.speakers
	all := s.list[:0]
	for _, o := range s.outs {
		t := o.turn
		if in := o.source(); in != nil && len(s.outs) > s.most {
			t.loudness = in.loudness()
		}
		all = append(all, t)
	}
	s.list = all
	elect(all, s.most, now)
	for i, o := range s.outs {
		if o.turn = all[i]; o.turn.on == o.silent.Load() {
			o.hush(!o.turn.on, now)
		}
	}
}
