package sfu

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

func TestPacketFor(t *testing.T) {
	for _, c := range []struct {
		path  float64
		lossy bool
		now   int
		want  int
	}{
		{96_000, false, 60, 60}, {210_000, false, 60, 60}, {260_000, false, 60, 40}, {600_000, false, 60, 40}, {640_000, false, 60, 20},
		{210_000, false, 40, 40}, {190_000, false, 40, 60}, {510_000, false, 20, 20}, {490_000, false, 20, 40}, {90_000, false, 20, 60},
		{5e6, true, 20, 60},
	} {
		if got := packetFor(c.path, c.lossy, c.now); got != c.want {
			t.Errorf("%.0f bit/s, lossy %v, from %d ms: %d, want %d", c.path, c.lossy, c.now, got, c.want)
		}
	}
}

// TestPacketsAreChosenSeldom: longer at once, shorter only after the path was
// good for a while without a break; loss asks for long ones until it is over.
func TestPacketsAreChosenSeldom(t *testing.T) {
	var k packets
	now := time.Unix(0, 0)
	run := func(d time.Duration, path, loss float64) (changes int) {
		for end := now.Add(d); now.Before(end); now = now.Add(200 * time.Millisecond) {
			if k.choose(path, loss, now) {
				changes++
			}
		}
		return changes
	}
	if n := run(packetEvery-time.Second, 1e6, 0); n != 0 || k.now() != 60 {
		t.Fatalf("%d changes at once, %d ms", n, k.now())
	}
	run(200*time.Millisecond, 300_000, 0) // still good enough for 40
	run(time.Second, 150_000, 0)
	if n := run(packetEvery-time.Second, 1e6, 0); n != 0 || k.now() != 60 {
		t.Fatalf("after a bad second %d changes, %d ms", n, k.now())
	}
	if n := run(2*time.Second, 1e6, 0); n != 1 || k.now() != 20 {
		t.Fatalf("%d changes, %d ms", n, k.now())
	}
	if n := run(200*time.Millisecond, 300_000, 0); n != 1 || k.now() != 40 {
		t.Fatalf("a thinner link: %d changes, %d ms", n, k.now())
	}
	if n := run(200*time.Millisecond, 300_000, 0.03); n != 1 || k.now() != 60 {
		t.Fatalf("3 %% lost: %d changes, %d ms", n, k.now())
	}
	if n := run(repeatClean+packetEvery-time.Second, 300_000, 0); n != 0 {
		t.Errorf("%d changes soon after loss", n)
	}
	if n := run(2*time.Second, 300_000, 0); n != 1 || k.now() != 40 {
		t.Errorf("long after loss: %d changes, %d ms", n, k.now())
	}
	// Whatever an estimate does, the encoder is seldom begun anew.
	rng := rand.New(rand.NewPCG(1, 2))
	changes := 0
	for range 3000 {
		changes += run(200*time.Millisecond, 150_000+600_000*rng.Float64(), 0)
	}
	if changes > 2*int(600/packetEvery.Seconds()) {
		t.Errorf("%d changes in ten minutes", changes)
	}
}

// TestPacketLength: read from what comes, whatever is lost, late or silent.
func TestPacketLength(t *testing.T) {
	in := &inlet{peer: &Peer{}}
	in.peer.packets.ms.Store(40)
	if got := in.packetMs(); got != 40 {
		t.Errorf("before any packet %v ms", got)
	}
	ts, ext := uint32(4294960000), uint64(1<<32) // turns over
	send := func(ms uint32) { ts += ms * 48; ext++; in.length.note(ext, ts, 48000) }
	for range 3 {
		send(20)
	}
	if got := in.packetMs(); got != 20 {
		t.Errorf("%v ms, want 20", got)
	}
	send(400) // silence
	in.length.note(ext-1, ts-960, 48000)
	ext, ts = ext+1, ts+2880
	send(60) // after a lost one
	if got := in.packetMs(); got != 20 {
		t.Errorf("%v ms after a silence and a loss, want 20", got)
	}
	send(60)
	send(60)
	if got := in.packetMs(); got != 60 {
		t.Errorf("%v ms, want 60", got)
	}
}

// TestVoiceBudgetCountsHeaders: what a voice takes of a link depends on how many
// packets it is in.
func TestVoiceBudgetCountsHeaders(t *testing.T) {
	in := &inlet{peer: &Peer{}}
	in.peer.voice.Store(16)
	for ms, want := range map[int32]float64{60: 41_600, 40: 46_400, 20: 60_800} {
		in.peer.packets.ms.Store(ms)
		if got := in.voiceRate(2); got != want {
			t.Errorf("packets of %d ms: %v bit/s, want %v", ms, got, want)
		}
	}
}

// TestFirstDescriptionAsksByWhatIsRemembered: a good way up, and a good way to
// those who are there, get short packets from the beginning; one thin way none.
func TestFirstDescriptionAsksByWhatIsRemembered(t *testing.T) {
	for _, c := range []struct {
		up, other float64
		want      string
	}{{4e6, 0, "a=ptime:20\r\n"}, {4e6, 4e6, "a=ptime:20\r\n"}, {400_000, 4e6, "a=ptime:40\r\n"}, {4e6, 100_000, "a=ptime:60\r\n"}, {0, 4e6, "a=ptime:60\r\n"}} {
		s := startSFU(t, Config{})
		now := time.Now()
		if c.up > 0 {
			s.places.learn(upFrom("here"), c.up, now)
		}
		if c.other > 0 {
			s.places.learn("there", c.other, now)
			join(t, s, clientOptions{id: "b", room: "r", slots: 1, part: Participant{Place: "there"}})
		}
		a := newClient(t, s, clientOptions{id: "a", room: "r", slots: 1, part: Participant{Place: "here"}})
		offer, err := a.pc.CreateOffer(nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := a.peer.Negotiate(t.Context(), offer.SDP)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(answer, c.want) {
			t.Errorf("%+v: %s", c, answer[strings.Index(answer, "a=ptime"):][:12])
		}
	}
}

// TestPacketsFollowTheLink: a publisher is told to make shorter packets once all
// links are known to be good.
func TestPacketsFollowTheLink(t *testing.T) {
	s := startSFU(t, Config{})
	s.places.learn("there", 4e6, time.Now())
	s.places.learn(upFrom("here"), 4e6, time.Now())
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9, part: Participant{Place: "here"}})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true, part: Participant{Place: "there"}})
	a.waitConnected()
	b.waitConnected()
	a.film(200)
	told := func(ms int) func() bool {
		return func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.target.Packet == ms }
	}
	eventually(t, "a is told 20 ms", told(20))
	c := join(t, s, clientOptions{id: "c", room: "r", slots: 2, twcc: true})
	c.waitConnected()
	eventually(t, "a is told 60 ms when somebody of whom nothing is known listens", told(60))
}
