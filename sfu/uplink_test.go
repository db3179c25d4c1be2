package sfu

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"sira/sfu/estimate"
)

// TestArrivals: departures are read from a clock of 24 bits that turns over,
// what is missing is told once it is surely lost, what comes late is not.
func TestArrivals(t *testing.T) {
	a := newArrivals(uplinkStart)
	now := time.Unix(1000, 0)
	const start = 1<<24 - 2*astUnits // turns over after two seconds
	send := func(i int, after time.Duration) {
		left := time.Duration(i) * 20 * time.Millisecond
		ast := uint32(start+int64(left.Seconds()*astUnits)) & (1<<24 - 1)
		a.note(7, uint16(65_500+i), ast, 500, now.Add(left+after))
	}
	for i := range 300 {
		switch i {
		case 100, 201: // lost
		case 50: // overtaken
			send(51, 100*time.Millisecond)
			send(50, 110*time.Millisecond)
		case 51:
		default:
			send(i, 100*time.Millisecond)
		}
	}
	if len(a.kept) != 298 {
		t.Fatalf("%d packets kept, want 298", len(a.kept))
	}
	for i := 1; i < len(a.kept); i++ {
		if d := a.kept[i].sent.Sub(a.kept[i-1].sent).Abs(); d < 19*time.Millisecond || d > 41*time.Millisecond {
			t.Fatalf("packet %d left %v after the one before", i, d)
		}
	}
	a.collect(now.Add(10 * time.Second))
	if n := a.streams[7]; len(a.kept) != 0 || n.next != n.high+1 || a.limit.Load() == 0 {
		t.Errorf("%d left over, next %d of %d, limit %d", len(a.kept), n.next, n.high, a.limit.Load())
	}
	if got := a.est.InherentLoss(); got < 0.001 || got > 0.02 {
		t.Errorf("loss %.4f, want 2 of 300", got)
	}
}

// TestArrivalsAreBounded: a flood without collections, and jumps, keep memory
// and time small.
func TestArrivalsAreBounded(t *testing.T) {
	a := newArrivals(uplinkStart)
	now := time.Now()
	for i := range 100_000 {
		a.note(uint32(i), uint16(i*i*7), uint32(i*7919), 1200, now.Add(time.Duration(i)*time.Microsecond))
		if i%20_000 == 0 {
			a.collect(now.Add(time.Hour))
		}
	}
	if len(a.kept) > arrivalsMost || len(a.streams) > arrivalStreams {
		t.Errorf("%d kept of %d streams", len(a.kept), len(a.streams))
	}
}

func TestVoiceFor(t *testing.T) {
	for _, c := range []struct {
		path float64
		now  int
		want int
	}{
		{50_000, 12, 8}, {90_000, 8, 8}, {101_000, 8, 12}, {90_000, 12, 12},
		{180_000, 12, 12}, {220_000, 12, 16}, {180_000, 16, 16}, {1e8, 12, 16},
	} {
		if got := voiceFor(c.path, c.now); got != c.want {
			t.Errorf("%.0f bit/s from %d: %d, want %d", c.path, c.now, got, c.want)
		}
	}
}

// TestVoiceIsRepeatedWherePacketsAreLost: twice at first, once after a clean
// quarter of a minute, twice again at the first sign of loss.
func TestVoiceIsRepeatedWherePacketsAreLost(t *testing.T) {
	p := &Peer{down: newDownlink(startBps), congestion: newCongestion(1, uplinkStart)}
	p.redundant.Store(true)
	p.redundantUp.Store(true)
	p.down.gated.Store(true)
	now := time.Unix(0, 0)
	p.repeatVoices(now)
	if now = now.Add(10 * time.Second); !p.redundant.Load() {
		t.Error("given up at once")
	}
	p.repeatVoices(now.Add(repeatClean))
	if p.redundant.Load() {
		t.Error("repeated on a clean path")
	}
	if !p.redundantUp.Load() {
		t.Error("given up for an uplink of which nothing is known")
	}
	p.down.gated.Store(false) // of whom nothing is known
	p.repeatVoices(now.Add(2 * repeatClean))
	if !p.redundant.Load() {
		t.Error("not repeated on a path of which nothing is known")
	}
}

// TestPlayout: a viewer is told once, and with each keyframe, how long to wait
// for repairs; small changes are not told.
func TestPlayout(t *testing.T) {
	if d := repairTime(0.001, false, time.Second); d != 0 {
		t.Errorf("hardly any loss: %v", d)
	}
	if d := repairTime(0.02, false, 300*time.Millisecond); d < 350*time.Millisecond || d > 450*time.Millisecond {
		t.Errorf("%v", d)
	}
	if d := repairTime(0.02, true, 300*time.Millisecond); d < 500*time.Millisecond || d > 600*time.Millisecond {
		t.Errorf("in rows: %v", d)
	}
	var p playout
	said := func(key bool) []byte {
		h := rtp.Header{Version: 2}
		p.put(&h, 4, key)
		return h.GetExtension(4)
	}
	if said(true) != nil {
		t.Error("said without need")
	}
	p.want(385 * time.Millisecond)
	if got := said(false); !bytes.Equal(got, []byte{0x02, 0x60, 0xc8}) { // 38 and 200
		t.Errorf("% x", got)
	}
	for range playoutTimes {
		said(false)
	}
	p.want(400 * time.Millisecond)
	if said(false) != nil || said(true) == nil {
		t.Error("want it with keyframes only")
	}
	p.want(0)
	if got := said(false); got == nil || got[0] != 0 {
		t.Errorf("an end must be told: % x", got)
	}
}

// TestDeepen: the last two voices are said again, in order, also one that was
// lost on its way to us and is known from the packet after it only.
func TestDeepen(t *testing.T) {
	red := func(before, now string) []byte {
		off := uint32(2880)
		b := []byte{0x80 | 111, byte(off >> 6), byte(off<<2) | byte(len(before)>>8), byte(len(before)), 111}
		return append(append(b, before...), now...)
	}
	voices := []string{"aaa", "bb", "cccc", "d", "ee"}
	want := append([]byte{0x80 | 96, 5760 >> 6, 0, 4, 0x80 | 96, 2880 >> 6, 0, 1, 96}, "ccccdee"...)
	var got []byte
	for lost := 2; lost <= 4; lost++ { // each is in the packet after it; 4, the last, is none
		in := &inlet{ring: newRing(ringAudio)}
		var last packet
		for i := 1; i < len(voices); i++ {
			last = packet{ext: 100 + uint64(i), ts: uint32(i) * 2880, pt: 63, payload: red(voices[i-1], voices[i])}
			if i != lost {
				in.ring.put(&last)
			}
		}
		if got = in.deepen(&last, 96, false); !bytes.Equal(got, want) {
			t.Errorf("without %d: % x, want % x", lost, got, want)
		}
	}
	if b, ok := redLast(got); !ok || b.offset != 2880 || string(b.data) != "d" {
		t.Errorf("%+v", b)
	}
	alone := &inlet{ring: newRing(ringAudio)}
	first := packet{ext: 7, ts: 9, pt: 63, payload: []byte{111, 'x'}}
	if got := alone.deepen(&first, 111, true); !bytes.Equal(got, []byte{111, 'x'}) {
		t.Errorf("nothing before: % x", got)
	}
	first.payload = []byte{0xff, 0xff}
	if got := alone.deepen(&first, 111, true); got != nil {
		t.Errorf("malformed: % x", got)
	}
}

// TestLossRows: the same share lost singly and in rows.
func TestLossRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	packets := func(rows bool) (out []estimate.Packet) {
		bad := false
		for range 2000 {
			if rows { // a twentieth, six at a time
				bad = bad && rng.Float64() > 1.0/6 || !bad && rng.Float64() < 0.05/6/0.95
			} else {
				bad = rng.Float64() < 0.05
			}
			out = append(out, estimate.Packet{Arrived: !bad})
		}
		return out
	}
	for _, rows := range []bool{false, true} {
		var r lossRows
		for part := range slices.Chunk(packets(rows), 10) {
			r.add(part)
		}
		if got := r.share(); (got > rowsFrom) != rows {
			t.Errorf("in rows %v: %.2f of the losses follow one", rows, got)
		}
	}
	var full lossRows // at first, and drops in rows
	at := time.Unix(0, 0)
	full.add(append(make([]estimate.Packet, 20), estimate.Packet{Sent: at, Arrived: true}))
	for range 15 {
		at = at.Add(4 * time.Second)
		full.add([]estimate.Packet{{Arrived: true}, {}, {Sent: at, Arrived: true}})
	}
	if got := full.share(); got > rowsFrom {
		t.Errorf("a minute later: %.2f", got)
	}
	var few lossRows
	few.add([]estimate.Packet{{}, {}, {}})
	if few.share() != 0 {
		t.Error("judged by three losses")
	}
}

// TestCopies: what was lost before it reached us is said again to everybody.
func TestCopies(t *testing.T) {
	for _, c := range []struct {
		deep, down, up bool
		want           int
	}{{false, false, false, 1}, {false, true, false, 2}, {false, false, true, 2}, {true, true, false, 3}, {true, false, true, 3}} {
		p, from := &Peer{}, &Peer{}
		p.deep.Store(c.deep)
		p.redundant.Store(c.down)
		from.redundantUp.Store(c.up)
		if got := p.copies(&inlet{peer: from}); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
