package sfu

import (
	"time"

	"github.com/pion/rtp"
)

// The playout-delay header extension (webrtc.org, rtp-hdrext/playout-delay)
// tells a viewer how long to hold pictures back. A viewer counts on repairs of
// what is lost between us and it, not on those between the publisher and us:
// without being told it shows each of them as a freeze.
const (
	playoutURI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

	playoutLoss  = 0.005 // share of packets lost from which repairs are waited for
	playoutTurn  = 1.15  // round trips that a repair takes
	playoutAsk   = 40 * time.Millisecond
	playoutRow   = 150 * time.Millisecond // until a row of losses is over and the first of it is missed
	playoutMost  = 700 * time.Millisecond
	playoutStep  = 50 * time.Millisecond // a smaller change is not worth a jerk
	playoutLimit = 2 * time.Second       // the viewer's upper bound
	playoutTimes = 25                    // packets that say it after a change; keyframes always do
)

// repairTime is how long a lost packet takes to come after all, over a way
// with such loss, in rows or not, and round trip; 0 when hardly any is lost.
func repairTime(loss float64, rows bool, rtt time.Duration) time.Duration {
	if loss < playoutLoss {
		return 0
	}
	t := time.Duration(playoutTurn*float64(rtt)) + playoutAsk
	if rows {
		t += playoutRow
	}
	return min(t, playoutMost)
}

// playout is what an outlet tells its viewer.
type playout struct {
	delay time.Duration
	left  int // packets that still say it
}

// want sets the delay, when it differs enough.
func (p *playout) want(d time.Duration) {
	if diff := (d - p.delay).Abs(); diff < playoutStep && (d > 0 || p.delay == 0) {
		return
	}
	p.delay, p.left = d, playoutTimes
}

// put writes the extension: two numbers of 12 bits, in units of 10 ms.
func (p *playout) put(h *rtp.Header, id uint8, key bool) {
	if id == 0 || p.left == 0 && !(key && p.delay > 0) {
		return
	}
	p.left = max(0, p.left-1)
	least, most := uint32(p.delay/(10*time.Millisecond)), uint32(playoutLimit/(10*time.Millisecond))
	v := least<<12 | most
	_ = h.SetExtension(id, []byte{byte(v >> 16), byte(v >> 8), byte(v)})
}
