package sfu

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// complete says whether pkts hold each of the n contents that follow the
// first, in whatever order.
func complete(pkts []rtp.Packet, n int) bool {
	seen := map[uint32]bool{}
	least := uint32(math.MaxUint32)
	for _, p := range pkts {
		c, err := number(p, video)
		if err != nil {
			continue
		}
		seen[c] = true
		least = min(least, c)
	}
	for i := range uint32(n) {
		if !seen[least+i] {
			return false
		}
	}
	return true
}

// TestLossIsRepaired drops a tenth of the packets on one side of the SFU. Video
// arrives whole all the same, by RTX or by the same packet again.
func TestLossIsRepaired(t *testing.T) {
	for _, noRTX := range []bool{false, true} {
		for _, side := range []string{"publisher", "subscriber"} {
			t.Run(fmt.Sprintf("%s/noRTX=%v", side, noRTX), func(t *testing.T) {
				s := startSFU(t, Config{})
				lossy := startProxy(t)
				from := clientOptions{id: "a", room: "r", slots: 1, nack: true, noRTX: noRTX}
				to := clientOptions{id: "b", room: "r", slots: 1, noRTX: noRTX}
				if side == "publisher" {
					from.direct, lossy.up = lossy.direct, once(10)
				} else {
					to.direct, lossy.down, to.nack = lossy.direct, once(10), true
				}
				a, b := join(t, s, from), join(t, s, to)
				a.waitConnected()
				b.waitConnected()
				a.speak()
				eventually(t, "300 pictures in a row", func() bool { return complete(b.from("a", video), 300) })
				st := s.Stats()
				if side == "publisher" && (st.NACKsOut == 0 || st.Recovered == 0) {
					t.Errorf("nothing asked of the publisher: %+v", st)
				}
				if side == "subscriber" && (st.NACKsIn == 0 || st.Resent == 0) {
					t.Errorf("nothing sent again: %+v", st)
				}
			})
		}
	}
}

// TestRepairsAreBounded: a packet that never arrives is not sent for ever.
func TestRepairsAreBounded(t *testing.T) {
	s := startSFU(t, Config{})
	lossy := startProxy(t)
	var mu sync.Mutex
	dropped := map[uint16]int{}
	// Retransmissions carry the number of the original in their payload,
	// which is encrypted: drop whatever is not the first of its kind by
	// dropping the whole RTX stream, told by its payload type.
	lossy.down = func(b []byte) bool {
		if !isRTP(b) {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		pt := b[1] & 0x7f
		seq := uint16(b[2])<<8 | uint16(b[3])
		if pt == rtxOfVP8 {
			dropped[seq]++
			return true
		}
		return pt == 96 && seq%50 == 0
	}
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, nack: true})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, nack: true, direct: lossy.direct})
	a.waitConnected()
	b.waitConnected()
	a.speak()
	eventually(t, "600 pictures", func() bool { return len(b.from("a", video)) > 600 })
	st := s.Stats()
	if st.Resent == 0 || st.Resent > resendTries*(st.PacketsOut/50+2) {
		t.Errorf("sent again %d times for %d packets", st.Resent, st.PacketsOut)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(dropped) == 0 {
		t.Error("no retransmission seen on the way")
	}
}

// TestQualityTellsTheLoss: a tenth lost on the way up is reported to the one
// whose link it is.
func TestQualityTellsTheLoss(t *testing.T) {
	s := startSFU(t, Config{})
	up, down := startProxy(t), startProxy(t)
	up.up, down.down = once(5), once(5)
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, nack: true, direct: up.direct})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, nack: true, direct: down.direct})
	a.waitConnected()
	b.waitConnected()
	a.speak()
	b.speak()
	a.peer.Quality()
	b.peer.Quality()
	eventually(t, "much media", func() bool { return len(b.from("a", video)) > 300 })
	var lossDown, rtt float64
	eventually(t, "the loss on b's way down", func() bool {
		q := b.peer.Quality()
		lossDown, rtt = max(lossDown, q.LossDown), max(rtt, q.RTTMs)
		return lossDown > 0.1 && rtt > 0
	})
	q := a.peer.Quality()
	if q.LossUp < 0.1 || q.LossUp > 0.3 {
		t.Errorf("a fifth lost on a's way up, reported %v", q.LossUp)
	}
	if lossDown > 0.4 {
		t.Errorf("a fifth lost on b's way down, reported %v", lossDown)
	}
	if !q.Connected || q.KbpsUp <= 0 {
		t.Errorf("quality of a: %+v", q)
	}
}

// TestOutage: the subscriber's link is dead for some seconds. Nothing is
// sent into it, and what follows is a new beginning, not all that was lost.
func TestOutage(t *testing.T) {
	s := startSFU(t, Config{})
	link := startProxy(t)
	var mu sync.Mutex
	dead := false
	cut := func([]byte) bool { mu.Lock(); defer mu.Unlock(); return dead }
	set := func(v bool) { mu.Lock(); dead = v; mu.Unlock() }
	link.up, link.down = cut, cut
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, nack: true})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, nack: true, direct: link.direct})
	a.waitConnected()
	b.waitConnected()
	a.speak()
	eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 50 })
	set(true)
	eventually(t, "the outage is noticed", func() bool { return !b.peer.Connected() })
	before, sent := len(b.from("a", video)), s.Stats()
	set(false)
	eventually(t, "the link is back", b.peer.Connected)
	eventually(t, "b sees a again", func() bool { return len(b.from("a", video)) > before+200 })
	if p := b.from("a", video)[before]; !startsKeyframe("video/vp8", p.Payload) {
		t.Errorf("after the outage comes % x, not a keyframe", p.Payload[:2])
	}
	if n := s.Stats().Resent - sent.Resent; n > 50 {
		t.Errorf("%d packets sent again after an outage", n)
	}
	checkStream(t, b.from("a", video)[before:], video)
}

// TestBackWithTheFirstCheck: a link that was dead is used again from the first
// check on that comes over it, not when ICE looks next.
func TestBackWithTheFirstCheck(t *testing.T) {
	s := startSFU(t, Config{})
	link := startProxy(t)
	var dead atomic.Bool
	var checked atomic.Int64 // when the first check passed, Unix nanoseconds
	link.down = func([]byte) bool { return dead.Load() }
	link.up = func(pkt []byte) bool {
		if !dead.Load() && pkt[0]>>6 == 0 {
			checked.CompareAndSwap(0, time.Now().UnixNano())
		}
		return dead.Load()
	}
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, direct: link.direct})
	a.waitConnected()
	b.waitConnected()
	a.speak()
	eventually(t, "b hears a", func() bool { return len(b.from("a", audio)) > 50 })
	for range 2 {
		dead.Store(true)
		eventually(t, "the outage is noticed", func() bool { return !b.peer.Connected() })
		before := len(b.from("a", audio))
		checked.Store(0)
		dead.Store(false)
		eventually(t, "b hears a again", func() bool { return len(b.from("a", audio)) > before })
		if took := time.Since(time.Unix(0, checked.Load())); took > 300*time.Millisecond {
			t.Errorf("heard %v after the first check", took)
		}
	}
}

// TestAskVoice: of a row of voices that are lost the last is in the packet
// after it; the others are asked for, once.
func TestAskVoice(t *testing.T) {
	var r reception
	now := time.Unix(1000, 0)
	for _, seq := range []uint16{65530, 65532, 65533, 0, 1, 6} { // 65531; 65534, 65535; 2 to 5
		r.arrive(seq, uint32(seq), false, now)
	}
	if got := r.askVoice(now); !slices.Equal(got, []uint16{65534, 2, 3, 4}) {
		t.Errorf("asked for %v", got)
	}
	if got := r.askVoice(now.Add(time.Second)); len(got) > 0 {
		t.Errorf("asked again for %v", got)
	}
	if _, how, _ := r.arrive(3, 3, false, now); how != arrivedLate || r.repaired != 1 {
		t.Errorf("%v, %d repaired", how, r.repaired)
	}
	if r.askVoice(now.Add(nackGiveUp + time.Second)); len(r.holes) > 0 {
		t.Errorf("%d holes are not given up", len(r.holes))
	}
}
