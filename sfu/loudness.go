package sfu

import (
	"math"
	"time"

	"github.com/pion/rtp"
)

// How a voice is told from silence, by the levels that a publisher's browser
// writes beside its packets (RFC 6464: 0 to 127, dB below the loudest there is).
// They are turned round here: 0 is silence.
const (
	levelMost   = 127.0
	loudLeast   = 50.0                   // below is nobody's voice, however quiet the microphone
	loudAbove   = 8.0                    // dB that a voice is above its own room
	roomAtFirst = 40.0                   // of a room not yet known
	roomRise    = 2.0                    // dB a second: what never falls silent is the room, in the end
	loudAttack  = 100 * time.Millisecond // a cough is over before it counts
	loudRelease = 150 * time.Millisecond // a syllable is not
	steadyOver  = 800 * time.Millisecond
	levelGap    = 250 * time.Millisecond // without any packet: silence is not sent (DTX)
	spurtGap    = 400 * time.Millisecond // a longer pause ends what somebody says

	levelUntold = 90.0 // of a voice whose publisher writes no levels
	untoldRate  = 4.0  // kbit/s that such a one has at least when somebody speaks
)

// loudness follows how loud a publisher is.
type loudness struct {
	level  float64 // now
	steady float64 // while speaking
	room   float64 // what is heard when nobody speaks
	at     time.Time
	spoke  time.Time // when a voice was heard last
	began  time.Time // since when, without a longer pause
}

// hear takes the level of a packet of so many ms.
func (l *loudness) hear(level, ms float64, now time.Time) {
	gap := now.Sub(l.at)
	if l.at.IsZero() || gap > levelGap {
		l.level, l.room, gap = 0, roomAtFirst, 0
	}
	l.at = now
	over := loudRelease
	if level > l.level {
		over = loudAttack
	}
	l.level += (level - l.level) * share(ms, over)
	if l.level < l.room {
		l.room = l.level
	}
	l.room += roomRise * gap.Seconds()
	if l.level < max(loudLeast, l.room+loudAbove) {
		return
	}
	if l.spoke.IsZero() || now.Sub(l.spoke) > spurtGap {
		l.began, l.steady = now, l.level
	}
	l.spoke = now
	l.steady += (l.level - l.steady) * share(ms, steadyOver)
}

// share is what a new value of so many ms counts in a mean over a time.
func share(ms float64, over time.Duration) float64 {
	return 1 - math.Exp(-ms/1000/over.Seconds())
}

// untold guesses the level of a packet without one: silence takes few bytes.
func untold(payload int, ms float64) float64 {
	return levelUntold * min(1, float64(payload)*8/ms/untoldRate)
}

// hearLevel notes how loud a packet of the inlet is.
func (in *inlet) hearLevel(h *rtp.Header, payload []byte, now time.Time) {
	if in.kind != audio {
		return
	}
	ms := in.packetMs()
	var level float64
	if e := h.GetExtension(in.clocks.level); in.clocks.level != 0 && len(e) > 0 {
		level = levelMost - float64(e[0]&0x7f)
	} else {
		n := len(payload)
		if f, ok := findPT(in.formats, h.PayloadType); ok && f.id == idRED {
			newest, _ := redPrimary(payload)
			n = len(newest)
		}
		level = untold(n, ms)
	}
	in.mu.Lock()
	in.loud.hear(level, ms, now)
	in.mu.Unlock()
}

func (in *inlet) loudness() loudness {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.loud
}
