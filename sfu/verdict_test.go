package sfu

import (
	"testing"
	"time"

	"sira/sfu/estimate"
)

// TestWhosePictureItIs: a picture that is small, still or gone is blamed on the
// link or the choice that makes it so, and on nobody as long as it is not known.
func TestWhosePictureItIs(t *testing.T) {
	now := time.Now()
	type situation struct {
		share    float64 // bit/s that the viewer has for it
		off      bool
		stills   bool // shown
		unwanted bool
		full     bool // the viewer's own link showed that it carries no more

		sent     int // kbit/s the publisher was told to send
		up       int // that its uplink leaves
		upFull   bool
		thin     bool
		chose    bool
		cut      bool
		isDevice bool
		others   bool // somebody else's link is thinner
	}
	for name, x := range map[string]struct {
		in   situation
		own  limitation
		seen string // picture and why
	}{
		"all there is":                        {situation{share: 600e3, full: true, sent: 400, up: 900}, notLimited, ""},
		"own link":                            {situation{share: 120e3, full: true, sent: 100, up: 900}, limitedSmall, ""},
		"own link, not yet known":             {situation{share: 120e3, sent: 100, up: 900}, notLimited, "small measuring"},
		"their uplink":                        {situation{share: 120e3, full: true, sent: 30, up: 30, upFull: true}, notLimited, "small link"},
		"both, theirs the thinner":            {situation{share: 60e3, full: true, sent: 45, up: 45, upFull: true}, notLimited, "small link"},
		"their uplink, and ours is good":      {situation{share: 600e3, full: true, sent: 60, up: 60, upFull: true}, notLimited, "small link"},
		"their uplink, not yet known":         {situation{share: 600e3, sent: 75, up: 75}, notLimited, "small measuring"},
		"another viewer's link":               {situation{share: 600e3, sent: 75, up: 900, upFull: true, others: true}, notLimited, "small others"},
		"it has not yet followed":             {situation{share: 600e3, sent: 75, up: 900, upFull: true}, notLimited, "small measuring"},
		"own link carries no video":           {situation{off: true, full: true}, limitedOff, ""},
		"own link, stills":                    {situation{off: true, stills: true, share: 20e3}, limitedStills, ""},
		"their uplink carries no video":       {situation{off: true, stills: true, thin: true, share: 20e3}, notLimited, "stills link"},
		"and no stills of it arrive":          {situation{off: true, thin: true}, notLimited, "off link"},
		"they chose stills":                   {situation{off: true, stills: true, chose: true, share: 20e3}, notLimited, "stills choice"},
		"they chose stills, which we may not": {situation{off: true, chose: true}, notLimited, "off choice"},
		"their link is cut":                   {situation{share: 120e3, full: true, sent: 100, cut: true}, notLimited, "off cut"},
		"their link is cut, ours was off":     {situation{off: true, stills: true, cut: true}, notLimited, "off cut"},
		"own wish":                            {situation{off: true, unwanted: true, cut: true}, limitedByWish, ""},
		"own wish for stills":                 {situation{off: true, unwanted: true, stills: true, chose: true}, limitedStills, ""},
		"a device sends less than we take":    {situation{share: 120e3, full: true, isDevice: true}, notLimited, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := x.in
			publisher := &Peer{part: Participant{ID: "p"}}
			publisher.connected.Store(!s.cut)
			publisher.stills.only.Store(s.chose)
			if !s.isDevice {
				publisher.part.OnTarget = func(Target) {}
			}
			in := &inlet{peer: publisher, kind: video}
			in.thin.stills.Store(s.thin)
			in.sending.kbps.Store(int64(s.sent))
			in.sending.note(payloadKbps(s.share), s.up, s.up > 0, s.upFull)
			o := &outlet{peer: &Peer{down: newDownlink(300e3)}}
			o.still.Store(map[bool]int64{true: 10_000}[s.stills])
			other := &outlet{}
			other.share.Store(60_000)
			all := []*outlet{o}
			if s.others {
				all = append(all, other)
			}
			in.outlets.Store(&all)
			if s.full {
				makeFull(t, o.peer.down.est, now)
			}
			own, seen := o.verdict(in, s.share, s.off, s.unwanted, now)
			got := ""
			if seen.Why != "" {
				got = seen.Picture + " " + string(seen.Why)
				if seen.Participant != "p" {
					t.Errorf("of %q", seen.Participant)
				}
			}
			if own != x.own || got != x.seen {
				t.Errorf("own %q, theirs %q; want %q, %q", pictureWords[own], got, pictureWords[x.own], x.seen)
			}
		})
	}
}

// makeFull shows the estimate a queue that grows.
func makeFull(t *testing.T, e *estimate.Estimator, now time.Time) {
	t.Helper()
	const step = 20 * time.Millisecond
	begin, queue := now.Add(-20*time.Second), time.Duration(0)
	for at := time.Duration(0); at < 15*time.Second; at += step {
		switch { // twice, for a second
		case at%(7*time.Second) > 6*time.Second:
			queue += 2 * step
		default:
			queue = max(0, queue-4*step)
		}
		var report []estimate.Packet
		for i := range 4 {
			sent := at + time.Duration(i)*5*time.Millisecond
			report = append(report, estimate.Packet{Sent: begin.Add(sent), Size: 400, Arrived: true, Arrival: sent + queue})
		}
		e.OnReport(begin.Add(at+queue+2*step), report)
	}
	if !e.Full(now, fullFor) {
		t.Fatal("a queue that grows is not seen")
	}
}

// TestAnOutageOfTheOther: while a publisher's link is cut its viewer's own link
// is not blamed, and reads so.
func TestAnOutageOfTheOther(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true})
	a.waitConnected()
	b.waitConnected()
	a.speak()
	eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 20 })
	a.peer.connected.Store(false) // as after four seconds without a packet
	eventually(t, "b is told whose link it is", func() bool {
		q := b.peer.Quality()
		return len(q.Others) == 1 && q.Others[0] == Seen{"a", "off", WhyCut} && q.Picture == ""
	})
	a.peer.connected.Store(true)
	eventually(t, "b is told no more", func() bool {
		q := b.peer.Quality()
		return len(q.Others) == 0 || q.Others[0].Why != WhyCut
	})
}

// TestDarkIsNotCut: a camera that sends nothing over a link that holds is off;
// over one that is cut it is not known.
func TestDarkIsNotCut(t *testing.T) {
	now := time.Unix(1000, 0)
	in := &inlet{peer: &Peer{}, kind: video, target: Target{Kbps: 48}, targetAt: now.Add(-time.Minute)}
	in.rec.highAt = now.Add(-2 * darkAfter)
	in.peer.connected.Store(true)
	if in.look(now); !in.dark.Load() {
		t.Error("not off")
	}
	in.peer.connected.Store(false)
	if in.look(now); in.dark.Load() {
		t.Error("off")
	}
}
