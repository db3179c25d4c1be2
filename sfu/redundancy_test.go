package sfu

import (
	"fmt"
	"testing"
	"time"
)

// said is the payload of the i-th voice, as a browser sends it: with the one
// before, and with the one so many before where it was asked for that.
func said(i, far int, step uint32) []byte {
	var head, body []byte
	for _, back := range []int{far, 1} {
		if back > 0 && i >= back {
			v, off := voiceNo(i-back), uint32(back)*step
			head = append(head, 0x80|111, byte(off>>6), byte(off<<2)|byte(len(v)>>8), byte(len(v)))
			body = append(body, v...)
		}
	}
	return append(append(append(head, 111), body...), voiceNo(i)...)
}

func voiceNo(i int) string { return fmt.Sprintf("voice %03d", i) }

// TestRowsAreCured: of a row of 300 ms every voice is had from what comes after
// it, wherever the row fell: on the way up, to a publisher who says voices again
// from far back, or on the way down.
func TestRowsAreCured(t *testing.T) {
	for ms, far := range map[int]int{60: 5, 40: 7, 20: 15} {
		for _, upwards := range []bool{true, false} {
			step, from, to := uint32(ms*redClock), 40, 40+far // to: the first that comes again
			lost := func(i int) bool { return i >= from && i < to }
			in := &inlet{ring: newRing(ringAudio), length: packetLength{ms: float64(ms)}}
			heard := map[uint32]string{}
			for i := range 100 {
				p := packet{ext: 1000 + uint64(i), ts: uint32(i)*step - 50*step, pt: 63, payload: said(i, 0, step)} // turns over
				if upwards {
					p.payload = said(i, far, step)
				}
				if lost(i) && upwards {
					continue
				}
				in.ring.put(&p)
				if lost(i) {
					continue
				}
				got := in.deepen(&p, 96, true)
				blocks := 0
				for b := range redBlocks(got) {
					blocks++
					heard[p.ts-b.offset] = string(b.data)
				}
				if i > to+far && blocks != 2 {
					t.Fatalf("%d ms: packet %d says %d again", ms, i, blocks)
				}
				primary, _ := redPrimary(got)
				heard[p.ts] = string(primary)
			}
			for i := range 100 {
				if got := heard[uint32(i)*step-50*step]; got != voiceNo(i) {
					t.Errorf("%d ms, on the way up %v: of voice %d came %q", ms, upwards, i, got)
				}
			}
		}
	}
}

// TestFarIsNeverTooFar: an offset has 14 bits, a block 1023 bytes.
func TestFarIsNeverTooFar(t *testing.T) {
	for _, ms := range []float64{2.5, 5, 10, 20, 40, 60, 80, 100, 120} {
		in := &inlet{ring: newRing(256), length: packetLength{ms: ms}}
		in.mu.Lock()
		back := in.farBack(true)
		in.mu.Unlock()
		if off := uint32(back) * in.step(); off > redOffsetMost && ms <= 60 {
			t.Errorf("%v ms: %d packets back are %d units", ms, back, off)
		}
		var last packet
		for i := range 200 {
			last = packet{ext: uint64(500 + i), ts: uint32(i) * in.step(), pt: 63, payload: append([]byte{111}, make([]byte, redLengthMost+2*(i%2))...)}
			in.ring.put(&last)
		}
		for b := range redBlocks(in.deepen(&last, 111, true)) {
			if b.offset > redOffsetMost || len(b.data) > redLengthMost {
				t.Errorf("%v ms: a block of %d bytes, %d units back", ms, len(b.data), b.offset)
			}
		}
	}
}

// TestSilenceIsNotSaidAgain: after a pause nothing was said that long ago, and
// what was lost is not taken for it.
func TestSilenceIsNotSaidAgain(t *testing.T) {
	in := &inlet{ring: newRing(ringAudio), length: packetLength{ms: 60}}
	var last packet
	for i, ts := range []uint32{0, 2880, 100_000, 102_880} {
		last = packet{ext: uint64(10 + i), ts: ts, pt: 63, payload: said(i, 0, 2880)}
		in.ring.put(&last)
	}
	n := 0
	for b := range redBlocks(in.deepen(&last, 111, true)) {
		n++
		if b.offset != 2880 || string(b.data) != voiceNo(2) {
			t.Errorf("%q, %d units ago", b.data, b.offset)
		}
	}
	if n != 1 {
		t.Errorf("%d voices said again, want 1", n)
	}
}

// TestUplinkRows: losses in rows on the way up are told from single ones.
func TestUplinkRows(t *testing.T) {
	for _, rows := range []bool{false, true} {
		a, now, seq := newArrivals(1_000_000), time.Unix(100, 0), uint16(0)
		for i := range 3000 {
			now = now.Add(20 * time.Millisecond)
			seq++
			if !rows && i%20 == 19 || rows && i%120 >= 114 {
				continue
			}
			a.note(1, seq, uint32(i)*astUnits/50, 400, now)
			a.collect(now.Add(arrivalSettles))
		}
		if got := a.rows.share() >= rowsFrom; got != rows {
			t.Errorf("in rows %v: %.2f of the losses follow one", rows, a.rows.share())
		}
		if got := a.lossInRows(); (got > 0) != rows {
			t.Errorf("in rows %v: %v lost in them", rows, got)
		}
	}
}

// TestHearers: who hears a voice that comes over a way with losses in rows is told
// to hold it, once, and when that is over; and the publisher is asked to say it
// again from further back.
func TestHearers(t *testing.T) {
	var told []Hold
	var asked []Target
	from := &Peer{congestion: newCongestion(1, uplinkStart), part: Participant{OnTarget: func(t Target) { asked = append(asked, t) }}}
	in := &inlet{peer: from, kind: audio}
	p := &Peer{part: Participant{OnHold: func(h Hold) { told = append(told, h) }}}
	p.allotted = []*outlet{{kind: audio, mid: "2", in: in}, {kind: video, mid: "3", in: &inlet{peer: from, kind: video}}, {kind: audio, mid: "4"}}
	now := time.Unix(100, 0)
	look := func() {
		p.holdVoices()
		from.retarget(now)
	}
	look()
	in.hearFar(said(9, 5, 2880), mimeRED)
	if look(); len(told)+len(asked) > 0 || in.far.Load() || p.copies(in) == redCopies {
		t.Errorf("without need: %v, %v", told, asked)
	}
	from.deepUp.Store(true)
	in.hearFar(said(9, 0, 2880), mimeRED)
	if look(); len(told) > 0 || len(asked) != 1 || asked[0].Again != 300 {
		t.Errorf("asked %+v; told %v before it is done", asked, told)
	}
	in.hearFar(said(9, 5, 2880), mimeRED)
	in.hearFar(said(1, 5, 2880), mimeRED) // one that begins
	look()
	if look(); len(told) != 1 || len(told[0].Mids) != 1 || told[0].Mids[0] != "2" || told[0].For <= redFar || p.copies(in) != redCopies || in.copiesUp() != redCopies {
		t.Errorf("told %v, %d copies", told, p.copies(in))
	}
	from.deepUp.Store(false)
	in.hearFar(said(9, 0, 2880), mimeRED)
	if look(); len(told) != 2 || len(told[1].Mids) != 0 || len(asked) != 2 || asked[1].Again != 0 {
		t.Errorf("no end: %v, %v", told, asked)
	}
	p.deep.Store(true)
	if look(); len(told) != 3 || !p.hearsFar() {
		t.Errorf("of the way down: %v", told)
	}
	p.part.OnHold = nil
	if p.hearsFar() {
		t.Error("a device is not told to hold: it gets what was said just before")
	}
}

// TestRowsOfAPeer: from what is lost on a way to what is said on it.
func TestRowsOfAPeer(t *testing.T) {
	p := &Peer{down: newDownlink(startBps), congestion: newCongestion(1, 1_000_000)}
	a, now, seq := p.congestion.up, time.Unix(100, 0), uint16(0)
	for i := range 3000 {
		now = now.Add(20 * time.Millisecond)
		if seq++; i%120 >= 114 {
			continue
		}
		a.note(1, seq, uint32(i)*astUnits/50, 400, now)
		a.collect(now.Add(arrivalSettles))
	}
	if p.repeatVoices(now); !p.deepUp.Load() || p.again() != 300 {
		t.Error("not asked for")
	}
	limit := a.limit.Swap(60_000)
	if p.repeatVoices(now); p.deepUp.Load() {
		t.Error("asked for on a link that has no room for it")
	}
	a.limit.Store(limit)
	p.repeatVoices(now)
	a.rows = lossRows{}
	p.repeatVoices(now.Add(time.Second))
	if p.repeatVoices(now.Add(time.Second + repeatClean + 1)); p.deepUp.Load() {
		t.Error("asked for after a clean while")
	}
}
