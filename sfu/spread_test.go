package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// TestSpreadIsForUnlikeReceivers: two sizes only from a good uplink to viewers
// who are very unlike, and only while it is so.
func TestSpreadIsForUnlikeReceivers(t *testing.T) {
	unlike := receivers{low: 80_000, high: 700_000, up: 900, able: true, wide: true, least: 90_000}
	change := func(f func(*receivers)) receivers { r := unlike; f(&r); return r }
	for what, r := range map[string]receivers{
		"alike":                change(func(r *receivers) { r.low = 500_000 }),
		"the weakest too weak": change(func(r *receivers) { r.low = 30_000 }),
		"nobody sees it":       change(func(r *receivers) { r.low, r.high = 0, 0 }),
		"a thin uplink":        change(func(r *receivers) { r.up = 250 }),
		"no layers":            change(func(r *receivers) { r.able = false }),
		"the best not good":    change(func(r *receivers) { r.high = 300_000 }),
	} {
		var s spread
		now := time.Unix(1000, 0)
		for range 600 {
			if s.next(r, now) {
				t.Errorf("%s: two sizes", what)
				break
			}
			now = now.Add(200 * time.Millisecond)
		}
		// Where it was worth it before, it ends, and not for a moment.
		s, now = spread{}, time.Unix(1000, 0)
		s.set(true, now, 0)
		on := 0
		for range 100 {
			if s.next(r, now) {
				on++
			}
			now = now.Add(200 * time.Millisecond)
		}
		if on > int(spreadUntil/(200*time.Millisecond))+1 || on > 1 && what == "a thin uplink" {
			t.Errorf("%s: two sizes for %d looks", what, on)
		}
	}
	var s spread
	now := time.Unix(1000, 0)
	began := now
	for !s.next(unlike, now) {
		if now = now.Add(200 * time.Millisecond); now.Sub(began) > time.Minute {
			t.Fatal("never two sizes")
		}
	}
	if d := now.Sub(began); d < spreadAfter {
		t.Errorf("two sizes after %s", d)
	}
	// A browser that makes none is not asked again soon.
	vain, turns := unlike, 0
	vain.wide = false
	for was := true; now.Sub(began) < 2*time.Minute; now = now.Add(200 * time.Millisecond) {
		if is := s.next(vain, now); is != was {
			was = is
			turns++
		}
	}
	if turns != 1 {
		t.Errorf("%d changes in two minutes of vain", turns)
	}
}

// vp9Size is the payload descriptor of a picture's only packet of a size.
func vp9Size(tid, sid int, key bool) []byte {
	first := byte(0x80 | 0x20 | 0x08 | 0x04) // I, L, B, E
	if !key {
		first |= 0x40
	}
	layers := byte(tid)<<5 | 0x10 | byte(sid)<<1
	if key && sid > 0 {
		layers |= 1 // leans on the smaller size
	}
	return []byte{first, 0x01, layers, 0}
}

// twoSizes publishes a VP9 picture in two sizes each 40 ms.
func (c *client) twoSizes() {
	c.publish(40*time.Millisecond, func(n uint32, key bool) {
		for sid, size := range []int{100, 600} {
			_ = c.sends[video].WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: uint16(2*n) + uint16(sid), Timestamp: n * slideTicks, Marker: sid == 1},
				Payload: append(vp9Size(int(n%2), sid, key), make([]byte, size)...),
			})
		}
	})
}

// TestEachGetsTheLayersOfItsShare: who has much sees the larger size, who has
// little the smaller one until there is more for it; then from a keyframe on.
// Each picture ends with a marker, repaired or not.
func TestEachGetsTheLayersOfItsShare(t *testing.T) {
	s := startSFU(t, Config{})
	road := startProxy(t)
	road.down = onceOf(98, 20)
	a, little, much := audience(t, s, clientOptions{video: webrtc.MimeTypeVP9}, road.direct)
	share := giving(t, little.allotted(t, "a"), 60_000) // in place of the clock
	a.twoSizes()
	larger := func(c *client) bool { return pictureSizes(t, c.from("a", video)) }
	eventually(t, "the one sees the larger size", func() bool { return larger(much) })
	eventually(t, "the other a small one", func() bool { return len(little.from("a", video)) > 40 })
	if larger(little) {
		t.Error("a small share is sent the larger size")
	}
	share.Store(600_000)
	eventually(t, "there is more for it", func() bool { return larger(little) })
	share.Store(60_000)
	eventually(t, "and less again", func() bool {
		pkts := little.from("a", video)
		return !slices.ContainsFunc(pkts[len(pkts)-10:], func(p rtp.Packet) bool { _, sid, _, _ := vp9Layer(p.Payload); return sid > 0 })
	})
	larger(little)
	if s.Stats().Resent == 0 {
		t.Error("nothing was repaired")
	}
}

// allotted takes the outlet that shows someone from the peer's clock.
func (c *client) allotted(t *testing.T, id string) (o *outlet) {
	t.Helper()
	c.peer.mu.Lock()
	c.peer.link.outlets = nil
	c.peer.mu.Unlock()
	time.Sleep(2 * ticksAllot * tickEvery) // what the clock had begun is done
	c.peer.room.do(func() {
		for i, q := range c.peer.seats {
			if q != nil && q.part.ID == id {
				o = c.peer.outlets[video][i]
			}
		}
	})
	if o == nil {
		t.Fatal("no seat for " + id)
	}
	return o
}

// pictureSizes checks the order of layers and markers in what came, but for the
// newest, and says whether the larger size came.
func pictureSizes(t *testing.T, pkts []rtp.Packet) (larger bool) {
	t.Helper()
	bySeq := map[uint16]rtp.Packet{}
	for _, p := range pkts {
		bySeq[p.SequenceNumber] = p
	}
	if len(pkts) < 12 {
		return false
	}
	first, newest := pkts[0].SequenceNumber, pkts[len(pkts)-10].SequenceNumber
	for seq := first; int16(newest-seq) > 0; seq++ {
		p, ok := bySeq[seq]
		if !ok || len(p.Payload) < 4 {
			continue
		}
		_, sid, _, end := vp9Layer(p.Payload)
		next, follows := bySeq[seq+1]
		if follows && startsKeyframe("video/vp9", next.Payload) {
			continue // what waited too long was given up
		}
		if follows && end && (next.Timestamp != p.Timestamp) != p.Marker {
			t.Fatalf("packet %d of size %d: marker %v, the next is of another picture: %v", seq, sid, p.Marker, next.Timestamp != p.Timestamp)
		}
		if sid == 0 {
			continue
		}
		if !larger && p.Payload[0]&0x40 != 0 {
			t.Fatalf("the larger size begins without a keyframe: % x", p.Payload[:4])
		}
		larger = true
	}
	return larger
}
