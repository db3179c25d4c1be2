package sfu

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// VP8 and H.264 have no layers of size. Where links are unlike, a publisher in
// such a codec sends its picture twice: as ever, and on a low rung besides
// (simulcast). The low one is an inlet of its own, with its own numbers, ring
// and keyframes, and hangs on the other, by which the publisher is known. An
// outlet is fed from one of them at a time.
const (
	lowRID   = "l" // of two encodings in one section (RFC 8853), the low one
	ridsMost = 4   // encodings of a section; of more than two, the rest is ignored
	ridLong  = 16  // characters

	rungGone  = time.Second // that it may fall behind the other
	rungShare = 3           // of both rates together it is a third at most

	// For so long a keyframe to turn to another rung with is waited for, while
	// the present one goes on; and between two that are asked for.
	turnDown = time.Second
	turnUp   = 5 * time.Second
	turnAsks = 3 * time.Second
)

// Rung is an encoding that is sent beside the first one.
type Rung struct {
	Kbps   int // 0: not wanted
	Height int // lines at most
	FPS    int // frames a second at most
}

// rungs is how the two inlets of a publisher's picture know each other.
type rungs struct {
	isLow bool
	low   atomic.Pointer[inlet] // of the high one
	high  atomic.Pointer[inlet] // of the low one
}

// placeOf is where the room keeps such an inlet of the peer.
func (p *Peer) placeOf(in *inlet) **inlet {
	if in.rungs.isLow {
		return &p.rung
	}
	return &p.inlets[in.kind]
}

// pair makes a publisher's two inlets known to each other. Called by the room's
// goroutine.
func (p *Peer) pair() {
	if high := p.inlets[video]; high != nil {
		high.rungs.low.Store(p.rung)
	}
	if p.rung != nil {
		p.rung.rungs.high.Store(p.inlets[video])
	}
}

// main is the inlet by which the publisher's picture is known.
func (in *inlet) main() *inlet {
	if high := in.rungs.high.Load(); high != nil {
		return high
	}
	return in
}

// rung is the low rung of a picture while it comes, else nil.
func (in *inlet) rung() *inlet {
	low := in.rungs.low.Load()
	if low == nil {
		return nil
	}
	came, codec := low.newest()
	lately, same := in.newest()
	if came.IsZero() || lately.Sub(came) > rungGone || codec != same {
		return nil
	}
	return low
}

// newest is when the last packet came, and in which codec.
func (in *inlet) newest() (at time.Time, codec codecID) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.rec.highAt, in.format.id
}

// viewers are the outlets that show the picture, of whichever rung.
func (in *inlet) viewers() []*outlet {
	list := *in.outlets.Load()
	if low := in.rungs.low.Load(); low != nil {
		return slices.Concat(list, *low.outlets.Load())
	}
	return list
}

// choices are what an outlet may be sent of a picture, by rising rate: the
// layers of the low rung, then those of the high one but for its slowest.
type choices struct {
	in     *inlet
	levels []float64 // bit/s on the wire
	low    *inlet    // nil: one encoding
	ofLow  int       // how many of them are of the low rung
	above  int       // layer of the high rung's first
}

func (in *inlet) choices() choices {
	c := choices{in: in, levels: in.levels(), low: in.rung()}
	if c.low == nil {
		return c
	}
	if len(c.levels) > 1 {
		c.levels, c.above = c.levels[1:], 1
	}
	lower := c.low.levels()
	c.ofLow = len(lower)
	c.levels = append(lower, c.levels...)
	return c
}

// sizes is how many sizes there are, less one.
func (c choices) sizes() uint8 {
	if c.low != nil {
		return 1
	}
	return c.in.topSpace()
}

// smallest is the last of the choices of the smallest size.
func (c choices) smallest() int {
	if c.low != nil {
		return c.ofLow - 1
	}
	return int(c.in.topLayer())
}

// at is which inlet a choice is of, and which layer of it.
func (c choices) at(level int) (of *inlet, top uint8) {
	if level < c.ofLow {
		return c.low, uint8(level)
	}
	return c.in, uint8(min(level-c.ofLow+c.above, layersMost-1))
}

// turn is an outlet on its way from one rung to the other. It belongs to the
// clock of the outlet's peer.
type turn struct {
	to    *inlet
	since time.Time
	asked time.Time // for a keyframe
}

// turnTo feeds the outlet from another rung: from a keyframe of it that is at
// hand, for which is waited where the present one can go on.
func (o *outlet) turnTo(want *inlet, off bool, now time.Time) {
	t, from := &o.budget.turn, o.source()
	if want == from || from == nil {
		*t = turn{}
		return
	}
	if t.to != want {
		*t = turn{to: want, since: now}
	}
	b, kept := want.kept()
	lost := from.rungs.isLow && want.rung() != from // nothing comes of it any more
	most := turnUp
	if want.rungs.isLow {
		most = turnDown
	}
	if !off && !lost && !(kept && o.sooner(want, b, b.base, now)) && now.Sub(t.since) < most {
		if now.Sub(t.asked) >= turnAsks {
			t.asked = now
			want.requestKeyframe(now)
		}
		return
	}
	o.low.Store(want.rungs.isLow)
	p := o.peer
	p.spawn(func() {
		p.room.do(func() {
			if slices.Contains(p.room.peers, p) {
				p.room.feed(p, time.Now())
			}
		})
	})
}

// rungOf is which inlet of a publisher's the outlet is fed from: whoever comes
// begins with the low one, of which a keyframe is small. Called by the room's
// goroutine.
func (o *outlet) rungOf(main *inlet) *inlet {
	if main == nil || main.kind != video {
		return main
	}
	if o.shown != main {
		o.shown = main
		o.low.Store(main.rung() != nil)
	}
	if low := main.rung(); low != nil && o.low.Load() {
		return low
	}
	return main
}

// isRung says whether a track is the low rung: by its name among the encodings
// of one section, or as the second section of pictures of a publisher that was
// asked for it.
func (p *Peer) isRung(track *webrtc.TrackRemote, recv *webrtc.RTPReceiver) bool {
	if track.RID() != "" || track.Kind() != webrtc.RTPCodecTypeVideo {
		return track.RID() == lowRID && track.Kind() == webrtc.RTPCodecTypeVideo
	}
	t := recv.RTPTransceiver()
	second := p.secondPicture.Load()
	return t != nil && second != nil && t.Mid() == *second
}

// noteSecond remembers the second section in which a peer sends pictures, once
// it was asked for a low rung.
func (p *Peer) noteSecond(sections []section) {
	if !p.askedRung.Load() {
		return
	}
	n := 0
	for _, s := range sections {
		if s.kind == video && (s.way == "sendonly" || s.way == "sendrecv") {
			if n++; n == 2 {
				p.secondPicture.Store(&s.mid)
			}
		}
	}
}

// checkRIDs refuses more encodings of a section than we look at, and names that
// RFC 8851 does not know.
func checkRIDs(m *sdp.MediaDescription) error {
	var seen []string
	for _, a := range m.Attributes {
		if a.Key != "rid" {
			continue
		}
		id, _, _ := strings.Cut(a.Value, " ")
		odd := strings.ContainsFunc(id, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		})
		if id == "" || len(id) > ridLong || odd || slices.Contains(seen, id) {
			return fmt.Errorf("%w: encoding %q", ErrBadSDP, id)
		}
		if seen = append(seen, id); len(seen) > ridsMost {
			return fmt.Errorf("%w: too many encodings", ErrBadSDP)
		}
	}
	return nil
}

// dropRIDs takes the names of encodings, in headers, out of an answer's section
// that has none: every browser offers them.
func dropRIDs(m *sdp.MediaDescription) {
	if _, has := m.Attribute("simulcast"); has {
		return
	}
	m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
		return a.Key == "extmap" && (strings.HasSuffix(a.Value, sdp.SDESRTPStreamIDURI) || strings.HasSuffix(a.Value, sdp.SDESRepairRTPStreamIDURI))
	})
}

// lowRung is the rate of the low rung, kbit/s, made for the weakest viewer;
// what is left of the uplink is for the other, which the best are sent.
func (s *spread) lowRung(weakest, best float64, up int) int {
	both := min(payloadKbps(best), spreadMost, up)
	low := max(min(payloadKbps(weakest), both/rungShare), 1)
	s.kbps.Store(int32(max(min(payloadKbps(best), spreadMost, up-low), 1)))
	return low
}

// onRung is size and frame rate of the low rung for a rate.
func onRung(kbps int, last Rung) Rung {
	if kbps == 0 {
		return Rung{}
	}
	t := onLadder(kbps, Target{Height: last.Height, FPS: last.FPS}, last.Kbps == 0)
	return Rung{Kbps: kbps, Height: t.Height, FPS: t.FPS}
}
