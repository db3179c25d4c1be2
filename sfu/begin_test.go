package sfu

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	slideTicks = 3600 // of the media clock between two pictures
	slideKey   = 3    // packets of a keyframe
)

// slides publishes a small VP9 picture of two layers each 40 ms, a keyframe at
// first and when asked. Each packet says which picture it is of.
func (c *client) slides() {
	seq := uint16(0)
	c.publish(slideTicks*time.Second/90000, func(n uint32, key bool) {
		packets, size := 1, 60
		if key {
			packets, size = slideKey, 900
		}
		for i := range packets {
			head := vp9(int(n%2), key)
			if i > 0 {
				head[0] &^= 0x08 // not the first of its frame
			}
			_ = c.sends[video].WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: n * slideTicks, Marker: i == packets-1},
				Payload: append(binary.BigEndian.AppendUint32(head, n), make([]byte, size)...),
			})
			seq++
		}
	})
}

// slide is which picture a packet is of.
func slide(p rtp.Packet) (n uint32, tid int) {
	return binary.BigEndian.Uint32(p.Payload[4:]), int(p.Payload[2] >> 5)
}

// TestLateViewerBeginsWithWhatIsKept: who comes seconds after a keyframe sees
// that one and what the newest picture builds on. The publisher hears nothing
// of it. What is lost on the way is repaired.
func TestLateViewerBeginsWithWhatIsKept(t *testing.T) {
	for _, twcc := range []bool{true, false} {
		for _, lossy := range []bool{false, true} {
			if !twcc && lossy {
				continue // repairs are the same
			}
			t.Run(fmt.Sprintf("twcc=%v/lossy=%v", twcc, lossy), func(t *testing.T) {
				s := startSFU(t, Config{})
				a := join(t, s, clientOptions{id: "a", room: "r", slots: 2, video: webrtc.MimeTypeVP9})
				b := join(t, s, clientOptions{id: "b", room: "r", slots: 2, twcc: true})
				a.waitConnected()
				b.waitConnected()
				a.peer.HintRTT(time.Second) // a keyframe of its own would be late
				a.slides()
				eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 40 })
				// One more, so that the kept keyframe is not the very first.
				in := inletOf(b, "a")
				before, _ := in.kept()
				eventually(t, "a new keyframe, and pictures after it", func() bool {
					k, ok := in.kept()
					if k.first == before.first {
						in.requestKeyframe(time.Now())
						time.Sleep(keyRequestSpacing / 10)
					}
					return ok && k.first > before.first && k.last-k.first > 20
				})
				asked := a.keyframesAsked()
				stood := standstills(t)

				o, enough := clientOptions{id: "c", room: "r", slots: 2, twcc: twcc}, 60
				if lossy {
					enough = 36 // pion asks again for what was repaired, until that is too old
					road := startProxy(t)
					road.down = onceOf(98, 4)
					o.direct, o.nack = road.direct, true
				}
				c := join(t, s, o)
				c.heldAt(1e6) // on a busy machine c may come late, and what it missed be much for an unknown link
				eventually(t, "c sees a", func() bool { return distinct(c.from("a", video)) > enough })
				if got := a.keyframesAsked(); got != asked && stood() < resendAge/4 {
					t.Errorf("%d keyframes asked of the publisher, %d before c came: %+v", got, asked, s.Stats())
				}
				if st := s.Stats(); st.Kept == 0 || lossy && st.Resent == 0 {
					t.Errorf("stats %+v", st)
				}
				checkBeginning(t, c.from("a", video), twcc)
			})
		}
	}
}

// leaver is the way to a viewer who goes with the first packet.
type leaver struct{ gone func() }

func (l leaver) WriteRTP(_ *rtp.Header, b []byte) (int, error) { l.gone(); return len(b), nil }
func (l leaver) Write(b []byte) (int, error)                   { return len(b), nil }

// TestViewerLeavesInTheBeginning: a viewer whose transport closes while the
// kept pictures are sent to it takes nobody else's call down.
func TestViewerLeavesInTheBeginning(t *testing.T) {
	s := startSFU(t, Config{})
	_, b := shown(t, s)

	left := 0
	b.peer.room.do(func() {
		o := b.peer.outlets[video][0]
		o.setLive(false, time.Now())
		o.mu.Lock()
		o.w = leaver{gone: func() { left++; _ = o.Unbind(nil) }}
		o.mu.Unlock()
		o.setLive(true, time.Now())
	})
	if left != 1 {
		t.Errorf("%d packets for a viewer who went with the first", left)
	}
	if s.Stats().Kept != 1 {
		t.Errorf("began with what is kept %d times", s.Stats().Kept)
	}
}

// standstills returns how to know the longest time for which the machine let
// nothing run since: what was lost before may then be too old to be sent again.
func standstills(t *testing.T) (longest func() time.Duration) {
	var most atomic.Int64
	quit := make(chan struct{})
	t.Cleanup(func() { close(quit) })
	go func() {
		for last := time.Now(); ; {
			select {
			case <-quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
			now := time.Now()
			most.Store(max(most.Load(), int64(now.Sub(last))))
			last = now
		}
	}()
	return func() time.Duration { return time.Duration(most.Load()) }
}

// distinct counts packets without those that came again.
func distinct(pkts []rtp.Packet) int {
	seen := map[uint16]bool{}
	for _, p := range pkts {
		seen[p.SequenceNumber] = true
	}
	return len(seen)
}

// inletOf is the picture that a viewer is shown of a publisher.
func inletOf(c *client, id string) (in *inlet) {
	c.peer.room.do(func() {
		for _, p := range c.peer.room.peers {
			if p.part.ID == id {
				in = p.inlets[video]
			}
		}
	})
	return in
}

// onceOf drops a packet in n of a payload type, each at most once and never
// the first: nobody could know of it.
func onceOf(pt byte, n uint32) func([]byte) bool {
	seen := map[uint16]bool{}
	return func(b []byte) bool {
		seq := binary.BigEndian.Uint16(b[2:])
		if !isRTP(b) || b[1]&0x7f != pt || seen[seq] {
			return false
		}
		seen[seq] = true
		return len(seen) > 1 && uint32(seq)*2654435761>>16%n == 0
	}
}

// checkBeginning: a whole keyframe, then each picture of the lowest layer, at
// times that only grow, the past ones close together, the present ones apart
// as they were made.
func checkBeginning(t *testing.T, pkts []rtp.Packet, layered bool) {
	t.Helper()
	slices.SortFunc(pkts, func(x, y rtp.Packet) int { return int(int16(x.SequenceNumber - y.SequenceNumber)) })
	pkts = slices.CompactFunc(pkts, func(x, y rtp.Packet) bool { return x.SequenceNumber == y.SequenceNumber })
	pkts = pkts[:len(pkts)-10] // what was lost last may still be under way
	if !startsKeyframe("video/vp9", pkts[0].Payload) {
		t.Fatalf("begins with % x", pkts[0].Payload[:4])
	}
	first, _ := slide(pkts[0])
	last := first
	if layered {
		for _, p := range pkts[:8] {
			if _, tid := slide(p); tid > 0 {
				t.Error("the upper layer of the past was sent")
			}
		}
	}
	past := 0
	for i := 1; i < len(pkts); i++ {
		n, tid := slide(pkts[i])
		if pkts[i].SequenceNumber != pkts[i-1].SequenceNumber+1 {
			t.Fatalf("number %d after %d", pkts[i].SequenceNumber, pkts[i-1].SequenceNumber)
		}
		if i < slideKey {
			if n != first || pkts[i].Timestamp != pkts[0].Timestamp {
				t.Fatalf("packet %d of the keyframe is of picture %d", i, n)
			}
			continue
		}
		step := n - last
		if step > 2 || step == 2 && tid > 0 {
			t.Fatalf("picture %d (layer %d) after %d", n, tid, last)
		}
		ticks := pkts[i].Timestamp - pkts[i-1].Timestamp
		switch ticks {
		case step * slideTicks, slideTicks + slideTicks/squeezed: // this where the newest was of the upper layer
		case step * slideTicks / squeezed, step*slideTicks/squeezed + 1:
			past++
			if past < i-slideKey {
				t.Fatalf("picture %d is told as past after a present one", n)
			}
		default:
			t.Fatalf("picture %d is %d ticks after %d", n, ticks, last)
		}
		last = n
	}
	if past < 4 || past > len(pkts)-8 {
		t.Errorf("%d pictures were past", past)
	}
}
