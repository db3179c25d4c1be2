package sfu

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// rungOut is one encoding of a publisher's picture.
type rungOut struct {
	track  *webrtc.TrackLocalStaticRTP
	name   string // in headers; empty: the encoding has a section of its own
	paused atomic.Bool
	plis   atomic.Int64
	asked  func() int // in place of plis
	bytes  int
	n      atomic.Uint32 // pictures sent

	mid, rid uint8 // header extensions
	section  string
}

// addRungs gives a section its encodings, the first of which is the track that
// it was made with.
func (c *client) addRungs(tr *webrtc.RTPTransceiver, o clientOptions) {
	c.t.Helper()
	c.rungs = map[string]*rungOut{}
	for i, rid := range o.rids {
		r := &rungOut{track: c.sends[video], name: rid, bytes: 600}
		if i > 0 {
			var err error
			if r.track, err = webrtc.NewTrackLocalStaticRTP(c.sends[video].Codec(), c.sends[video].ID(), c.sends[video].StreamID(), webrtc.WithRTPStreamID(rid)); err != nil {
				c.t.Fatal(err)
			}
			if err = tr.Sender().AddEncoding(r.track); err != nil {
				c.t.Fatal(err)
			}
		}
		if rid == lowRID {
			r.bytes = 100
		}
		c.rungs[rid] = r
		c.wg.Go(func() {
			r.hear(func() ([]rtcp.Packet, error) { pkts, _, err := tr.Sender().ReadSimulcastRTCP(rid); return pkts, err })
		})
	}
}

func (r *rungOut) hear(read func() ([]rtcp.Packet, error)) {
	for {
		pkts, err := read()
		if err != nil {
			return
		}
		for _, p := range pkts {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				r.plis.Add(1)
			}
		}
	}
}

// named finds out how the encodings are named in headers.
func (c *client) named() {
	for _, tr := range c.pc.GetTransceivers() {
		if s := tr.Sender(); s != nil && s.Track() == c.sends[video] {
			for _, r := range c.rungs {
				r.section = tr.Mid()
				for _, e := range s.GetParameters().HeaderExtensions {
					switch e.URI {
					case sdp.SDESMidURI:
						r.mid = uint8(e.ID)
					case sdp.SDESRTPStreamIDURI:
						r.rid = uint8(e.ID)
					}
				}
			}
		}
	}
}

// shoot publishes a VP8 picture each 40 ms, one packet each, with a keyframe
// when asked. A payload says whose it is: its size.
func (r *rungOut) shoot(t *testing.T) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		asked, n := int64(0), uint32(0)
		for first := true; ; {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			if r.paused.Load() {
				continue
			}
			key := first
			now := r.plis.Load()
			if r.asked != nil {
				now = int64(r.asked())
			}
			if now > asked {
				asked, key = now, true
			}
			h := rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * slideTicks, Marker: true}
			if r.rid != 0 {
				_ = h.SetExtension(r.mid, []byte(r.section))
				_ = h.SetExtension(r.rid, []byte(r.name))
			}
			_ = r.track.WriteRTP(&rtp.Packet{Header: h, Payload: append(vp8Start(key), make([]byte, r.bytes)...)})
			n++
			r.n.Store(n)
			first = false
		}
	})
	t.Cleanup(sync.OnceFunc(func() { close(quit); wg.Wait() }))
}

func isLow(p rtp.Packet) bool { return len(p.Payload) < 300 }

// lately says whether the last packets that came are all of one rung.
func (c *client) lately(low bool) bool {
	pkts := c.from("a", video)
	if len(pkts) < 12 {
		return false
	}
	return !slices.ContainsFunc(pkts[len(pkts)-10:], func(p rtp.Packet) bool { return isLow(p) != low })
}

// checkTurns: numbers follow each other, times rise, and each change of rung is
// a keyframe. It returns how many there were.
func checkTurns(t *testing.T, pkts []rtp.Packet) (turns int) {
	t.Helper()
	for i, p := range pkts {
		turned := i == 0 || isLow(p) != isLow(pkts[i-1])
		if turned && !startsKeyframe("video/vp8", p.Payload) {
			t.Fatalf("packet %d begins a rung without a keyframe", i)
		}
		if i == 0 {
			continue
		}
		if turned {
			turns++
		}
		if p.SequenceNumber != pkts[i-1].SequenceNumber+1 || p.SSRC != pkts[0].SSRC {
			t.Fatalf("packet %d has number %d after %d", i, p.SequenceNumber, pkts[i-1].SequenceNumber)
		}
		if int32(p.Timestamp-pkts[i-1].Timestamp) <= 0 {
			t.Fatalf("packet %d is of time %d after %d", i, p.Timestamp, pkts[i-1].Timestamp)
		}
	}
	return turns
}

// giving shares out in place of the clock, until the test ends.
func giving(t *testing.T, o *outlet, bps int64) *atomic.Int64 {
	share := &atomic.Int64{}
	share.Store(bps)
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case now := <-tick.C:
				o.give(float64(share.Load()), 1, false, now)
			}
		}
	})
	t.Cleanup(sync.OnceFunc(func() { close(quit); wg.Wait() }))
	return share
}

// audience is a publisher and two viewers whose links are known to carry much;
// the packets of the first go where direct says, if it does.
func audience(t *testing.T, s *SFU, o clientOptions, direct func(*net.UDPAddr) *net.UDPAddr) (a, little, much *client) {
	t.Helper()
	s.places.learn("much", 3_000_000, time.Now()) // what is shared out is the test's affair
	o.id, o.room, o.slots = "a", "r", 2
	a = join(t, s, o)
	little = join(t, s, clientOptions{id: "little", room: "r", slots: 2, twcc: true, nack: true, direct: direct, part: Participant{Place: "much"}})
	much = join(t, s, clientOptions{id: "much", room: "r", slots: 2, twcc: true, part: Participant{Place: "much"}})
	for _, c := range []*client{a, little, much} {
		c.waitConnected()
	}
	return a, little, much
}

// TestEachGetsTheRungOfItsShare: of two encodings in one section, who has much
// sees the high one, who has little the low one until there is more for it; up
// and down without a gap, each time with a keyframe.
func TestEachGetsTheRungOfItsShare(t *testing.T) {
	for _, rids := range [][]string{{"h", lowRID}, {lowRID, "h"}} {
		t.Run(strings.Join(rids, ""), func(t *testing.T) {
			s := startSFU(t, Config{})
			a, little, much := audience(t, s, clientOptions{rids: rids}, nil)
			a.named()
			share := giving(t, little.allotted(t, "a"), 50_000)
			for _, r := range a.rungs {
				r.shoot(t)
			}
			eventually(t, "the one sees the high rung", func() bool { return much.lately(false) })
			eventually(t, "the other the low one", func() bool { return little.lately(true) })
			for range 2 {
				share.Store(600_000)
				eventually(t, "there is more for it", func() bool { return little.lately(false) })
				share.Store(50_000)
				eventually(t, "and less again", func() bool { return little.lately(true) })
			}
			if turns := checkTurns(t, little.from("a", video)); turns < 4 {
				t.Errorf("%d turns", turns)
			}
			if !much.lately(false) {
				t.Error("the other one was turned too")
			}
			checkTurns(t, much.from("a", video))

			// A keyframe of the low one is small: who comes late begins with it.
			late := join(t, s, clientOptions{id: "late", room: "r", slots: 3, twcc: true, part: Participant{Place: "much"}})
			eventually(t, "who comes late sees something", func() bool { return len(late.from("a", video)) > 0 })
			if !isLow(late.from("a", video)[0]) {
				t.Error("who comes late begins on the high rung")
			}

			// What nobody sends cannot be seen: the high one is for all, and the
			// low one again when it comes back.
			a.rungs[lowRID].paused.Store(true)
			eventually(t, "the low rung ended", func() bool { return little.lately(false) })
			a.rungs[lowRID].paused.Store(false)
			eventually(t, "and came back", func() bool { return little.lately(true) })
			checkTurns(t, little.from("a", video))

			a.leave()
			for _, c := range []*client{little, much} {
				eventually(t, "its slots are empty", func() bool {
					return !slices.ContainsFunc(c.peer.Slots(), func(x Slot) bool { return x.Participant == "a" })
				})
			}
		})
	}
}

// TestTheRungOfASectionOfItsOwn: a publisher that was asked for a low rung may
// send it in a second section, which ends as it began; of one that was not, a
// second picture is nobody's.
func TestTheRungOfASectionOfItsOwn(t *testing.T) {
	for _, asked := range []bool{true, false} {
		t.Run(fmt.Sprint(asked), func(t *testing.T) {
			s := startSFU(t, Config{})
			a, little, much := audience(t, s, clientOptions{}, nil)
			share := giving(t, little.allotted(t, "a"), 50_000)
			high := &rungOut{track: a.sends[video], bytes: 600, asked: a.keyframesAsked}
			high.shoot(t)
			eventually(t, "one encoding is for all", func() bool { return little.lately(false) && much.lately(false) })

			a.peer.askedRung.Store(asked)
			low := &rungOut{bytes: 100}
			var err error
			if low.track, err = webrtc.NewTrackLocalStaticRTP(a.sends[video].Codec(), "low", "own"); err != nil {
				t.Fatal(err)
			}
			tr, err := a.pc.AddTransceiverFromTrack(low.track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			if err != nil {
				t.Fatal(err)
			}
			a.wg.Go(func() {
				low.hear(func() ([]rtcp.Packet, error) { pkts, _, err := tr.Sender().ReadRTCP(); return pkts, err })
			})
			a.negotiate(clientOptions{})
			low.shoot(t)
			if !asked {
				eventually(t, "some of it was sent", func() bool { return low.n.Load() > 40 })
				if slices.ContainsFunc(little.from("a", video), isLow) || slices.ContainsFunc(much.from("a", video), isLow) {
					t.Error("a second picture was shown that nobody asked for")
				}
				return
			}
			eventually(t, "the weak one is sent it", func() bool { return little.lately(true) })
			if !much.lately(false) {
				t.Error("and so is the other")
			}
			if err := a.pc.RemoveTrack(tr.Sender()); err != nil {
				t.Fatal(err)
			}
			a.negotiate(clientOptions{})
			eventually(t, "the one encoding again", func() bool { return little.lately(false) })
			share.Store(600_000)
			checkTurns(t, little.from("a", video))
			checkTurns(t, much.from("a", video))
		})
	}
}

// TestUnknownEncodings: of encodings by other names the one that comes first is
// shown; an encoding that nobody offered disturbs nothing.
func TestUnknownEncodings(t *testing.T) {
	s := startSFU(t, Config{})
	a, little, much := audience(t, s, clientOptions{rids: []string{"x", "y", "z"}}, nil)
	a.named()
	a.rungs["y"].bytes, a.rungs["z"].bytes = 100, 200
	a.rungs["x"].shoot(t)
	eventually(t, "the first is shown", func() bool { return much.lately(false) && little.lately(false) })
	a.rungs["z"].name = "never-offered"
	a.rungs["y"].shoot(t)
	a.rungs["z"].shoot(t)
	eventually(t, "the others are sent", func() bool { return a.rungs["y"].n.Load() > 40 && a.rungs["z"].n.Load() > 40 })
	for _, c := range []*client{little, much} {
		if slices.ContainsFunc(c.from("a", video), isLow) {
			t.Error(c.id, "is shown an encoding that it should not")
		}
		checkTurns(t, c.from("a", video))
	}
}
