package sfu

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// stage is people who speak as the test says, and who of them is heard.
type stage struct {
	list  []talker
	level []float64 // of each, now
	most  int
	now   time.Time
	cuts  []int // how often each was cut while speaking
}

func newStage(people, most int) *stage {
	return &stage{list: make([]talker, people), level: make([]float64, people), most: most, now: time.Unix(1000, 0), cuts: make([]int, people)}
}

// run lets time pass, a packet of 60 ms each; who says nothing sends none.
func (s *stage) run(t *testing.T, d time.Duration) {
	t.Helper()
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(20 * time.Millisecond) {
		for i := range s.list {
			if s.level[i] > 0 && s.now.UnixMilli()%60/20 == int64(i%3) {
				s.list[i].hear(s.level[i], 60, s.now)
			}
		}
		was := append([]talker(nil), s.list...)
		elect(s.list, s.most, s.now)
		on := 0
		for i := range s.list {
			if s.list[i].on {
				on++
			}
			if was[i].on && !s.list[i].on && was[i].speaks(s.now) {
				s.cuts[i]++
			}
		}
		if on != min(s.most, len(s.list)) {
			t.Fatalf("%d are heard of %d, where %d may", on, len(s.list), s.most)
		}
	}
}

// TestWhoBeginsToSpeakIsHeard within 300 ms, when one of those heard is silent.
func TestWhoBeginsToSpeakIsHeard(t *testing.T) {
	s := newStage(5, 3)
	for _, i := range []int{0, 1, 2, 3, 4, 0, 3, 1, 4, 2} {
		clear(s.level)
		s.level[i] = 95
		s.run(t, 300*time.Millisecond)
		if !s.list[i].on {
			t.Fatalf("%d speaks for 300 ms and is not heard: %+v", i, s.list)
		}
		s.run(t, 2*time.Second)
	}
	for i, n := range s.cuts {
		if n > 0 {
			t.Errorf("%d was cut %d times while speaking", i, n)
		}
	}
}

// TestNobodyIsCutForOneHardlyLouder, but for one who is much louder.
func TestNobodyIsCutForOneHardlyLouder(t *testing.T) {
	s := newStage(4, 3)
	s.level = []float64{90, 92, 94, 0}
	s.run(t, 5*time.Second)
	s.level[3] = 93
	s.run(t, 5*time.Second)
	if s.list[3].on || s.cuts[0]+s.cuts[1]+s.cuts[2] != 0 {
		t.Fatalf("cut %v", s.cuts)
	}
	s.level[0] = 0 // draws breath
	s.run(t, speakerPause+100*time.Millisecond)
	if !s.list[3].on {
		t.Fatal("a pause was not used")
	}
	s.level[0] = 110
	s.run(t, speakerHold)
	if !s.list[0].on || s.cuts[1] != 1 || s.cuts[2]+s.cuts[3] != 0 {
		t.Errorf("one who is 17 dB louder: heard %v, cut %v", s.list[0].on, s.cuts)
	}
}

// TestARoomIsNoVoice: a fan beside a microphone does not keep others from being
// heard, nor does one cough take a place.
func TestARoomIsNoVoice(t *testing.T) {
	s := newStage(4, 3)
	s.level = []float64{80, 80, 80, 0}
	s.run(t, 20*time.Second)
	s.level[3] = 85
	s.run(t, 300*time.Millisecond)
	if !s.list[3].on {
		t.Error("three fans are heard in place of one who speaks")
	}
	s = newStage(4, 3)
	s.level = []float64{90, 90, 0, 0}
	s.run(t, 3*time.Second)
	out := 2
	if s.list[2].on {
		out = 3
	}
	s.level[out] = 90
	s.run(t, 60*time.Millisecond)
	s.level[out] = 0
	if s.run(t, time.Second); s.list[out].on {
		t.Error("a cough took a place")
	}
}

// TestElection: whatever people do, as many are heard as may be, nobody silent
// in place of somebody who speaks, and nobody is cut who was not pushed out.
func TestElection(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		s := newStage(1+rng.IntN(8), 1+rng.IntN(3))
		for range 20 {
			for i := range s.level {
				s.level[i] = max(0, 127*rng.Float64()-30)
			}
			before := append([]int(nil), s.cuts...)
			most := s.most
			s.run(t, time.Duration(rng.IntN(2000))*time.Millisecond)
			for _, in := range s.list {
				for _, out := range s.list {
					if in.on && !out.on && !in.speaks(s.now.Add(-20*time.Millisecond)) && out.speaks(s.now) {
						t.Fatalf("one who is silent is heard in place of one who speaks: %+v", s.list)
					}
				}
			}
			// A push needs a spurt of speakerProof and a hold of speakerHold.
			for i := range s.cuts {
				if s.cuts[i]-before[i] > 2 && most == s.most {
					t.Fatalf("%d was cut %d times in 2 s", i, s.cuts[i]-before[i])
				}
			}
			s.most = 1 + rng.IntN(3)
			was := append([]int(nil), s.cuts...)
			elect(s.list, s.most, s.now)
			copy(s.cuts, was)
		}
	}
}

// TestSpeakersByLink: a thin link in which something waits gets fewer voices, one
// always; one more is tried while nothing waits, more seldom where that failed.
func TestSpeakersByLink(t *testing.T) {
	var s speakers
	now := time.Unix(0, 0)
	const voice, back = 25_600, speakerBack + time.Second
	for i, c := range []struct {
		bps     float64
		pressed bool
		after   time.Duration
		want    int
	}{
		{60_000, false, 0, 2}, {60_000, false, time.Second, 2}, {60_000, false, back, 3},
		{20_000, false, time.Second, 3}, // nothing waits: believed too little
		{60_000, true, time.Second, 2}, {60_000, false, back, 2}, {60_000, false, back, 3},
		{1e6, true, time.Second, 3}, // somebody else's queue
		{1_000, true, time.Second, 2}, {1_000, true, time.Second / 2, 2}, {1_000, true, time.Second / 2, 1}, {1_000, true, time.Second, 1}, {1_000, false, 2 * back, 1}, {1e6, true, back, 1}, {1e6, false, time.Second, 1}, {1e6, false, back, 2},
		{1e6, false, time.Second, 2}, {1e6, false, back, 3}, {1e6, false, 2 * back, 3},
	} {
		now = now.Add(c.after)
		if s.limit(c.bps, voice, c.pressed, now); s.most != c.want {
			t.Errorf("%d %+v: %d", i, c, s.most)
		}
	}
}

// TestLoudnessWithoutLevels: of a publisher that tells none, few bytes are silence.
func TestLoudnessWithoutLevels(t *testing.T) {
	if a, b := untold(2, 60), untold(90, 60); a > loudLeast/2 || b != levelUntold {
		t.Errorf("silence %v, a voice %v", a, b)
	}
}

// talkLevel is how loud somebody speaks.
type talkLevel struct{ n atomic.Int32 }

func (l *talkLevel) set(n int32) { l.n.Store(n) }
func (l *talkLevel) get() uint8  { return uint8(l.n.Load()) }

// say publishes voices of 20 ms, of the level that loud tells, until the test ends.
func (c *client) say(loud func() uint8) {
	c.t.Helper()
	id := 0
	for _, tr := range c.pc.GetTransceivers() {
		if tr.Sender() == nil || tr.Sender().Track() != webrtc.TrackLocal(c.sends[audio]) {
			continue
		}
		for _, e := range tr.Sender().GetParameters().HeaderExtensions {
			if e.URI == sdp.AudioLevelURI {
				id = e.ID
			}
		}
	}
	if id == 0 {
		c.t.Fatal("levels were not negotiated")
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := uint32(0); ; n++ {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			h := rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 960}
			_ = h.SetExtension(uint8(id), []byte{loud()})
			_ = c.sends[audio].WriteRTP(&rtp.Packet{Header: h, Payload: content([]byte{0x48}, n)})
		}
	}()
	c.t.Cleanup(func() { close(quit); <-done })
}

// TestThreeOfFiveVoices: five speak, a viewer gets three; somebody louder gets
// in; what is left out is no loss to the viewer, and costs nothing of its budget.
func TestThreeOfFiveVoices(t *testing.T) {
	s := startSFU(t, Config{})
	const people = 5
	var level [people]talkLevel
	var talkers [people]*client
	ids := []string{"a", "b", "c", "d", "e"}
	for i := range people {
		talkers[i] = join(t, s, clientOptions{id: ids[i], room: "r", levels: true})
	}
	v := join(t, s, clientOptions{id: "v", room: "r", slots: people})
	v.waitConnected()
	for i, c := range talkers {
		c.waitConnected()
		level[i].set(40) // dB below the loudest there is
		c.say(level[i].get)
	}
	heard := func() (list []string) {
		before := map[string]int{}
		for _, id := range ids {
			before[id] = len(v.from(id, audio))
		}
		time.Sleep(200 * time.Millisecond)
		for _, id := range ids {
			if len(v.from(id, audio)) > before[id]+2 {
				list = append(list, id)
			}
		}
		return list
	}
	var three []string
	eventually(t, "three are heard", func() bool { three = heard(); return len(three) == speakersMost })
	out := 0
	for i, id := range ids {
		if id != three[0] && id != three[1] && id != three[2] {
			out = i
		}
	}
	time.Sleep(speakerHold)
	level[out].set(25)
	eventually(t, "one who is 15 dB louder is heard", func() bool {
		list := heard()
		for _, id := range list {
			if id == ids[out] {
				return len(list) == speakersMost
			}
		}
		return false
	})
	for i := range people {
		level[i].set(127)
	}
	quiet := (out + 1) % people
	time.Sleep(2 * speakerPause)
	n := len(v.from(ids[quiet], audio))
	level[quiet].set(30)
	eventually(t, "one who begins is heard", func() bool { return len(v.from(ids[quiet], audio)) > n+10 })
	for _, id := range ids {
		if pkts := v.from(id, audio); len(pkts) > 1 {
			continuous(t, pkts)
			inTime(t, id, pkts)
		}
	}
	eventually(t, "only they count", func() bool {
		n := 0
		v.peer.room.do(func() {
			for _, o := range v.peer.outlets[audio] {
				if !o.silent.Load() {
					n++
				}
			}
		})
		return n == speakersMost
	})
}

// inTime: timestamps go on as time does, and the end of a voice that is left out
// is that of silence: a packet of one byte.
func inTime(t *testing.T, id string, pkts []rtp.Packet) {
	t.Helper()
	ends := 0
	for i := 1; i < len(pkts); i++ {
		step := pkts[i].Timestamp - pkts[i-1].Timestamp
		if step == 0 || step > 60*48000 || step%960 != 0 {
			t.Errorf("%s: a step of %d", id, step)
		}
		if step > 960 && len(pkts[i-1].Payload) != 1 {
			t.Errorf("%s: a pause of %d ms after a voice of %d bytes", id, step/48, len(pkts[i-1].Payload))
		}
		if len(pkts[i].Payload) == 1 {
			ends++
		}
	}
	t.Logf("%s: %d packets, %d ends", id, len(pkts), ends)
}
