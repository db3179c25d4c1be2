package sfu

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestClock: a room has one clock however many are in it; who left has no turn
// any more, and with the last one the clock ends.
func TestClock(t *testing.T) {
	s := startSFU(t, Config{})
	clocks := func() int {
		buf := make([]byte, 1<<20)
		return strings.Count(string(buf[:runtime.Stack(buf, true)]), "sfu.(*clock).run(")
	}
	var peers []*Peer
	for i := range 4 {
		p, err := s.Join(context.Background(), "r", Participant{ID: fmt.Sprint("p", i)})
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	turns := func(p *Peer) int {
		p.turn.Lock()
		defer p.turn.Unlock()
		return p.turns
	}
	for _, p := range peers {
		eventually(t, p.ID()+" has its turns", func() bool { return turns(p) > 2 })
	}
	if n := clocks(); n != 1 {
		t.Errorf("%d clocks for one room", n)
	}
	_ = peers[0].Close()
	left, others := turns(peers[0]), turns(peers[1])
	eventually(t, "the others go on", func() bool { return turns(peers[1]) > others+2 })
	if n := turns(peers[0]); n != left {
		t.Errorf("%d turns after leaving", n-left)
	}
	for _, p := range peers {
		_ = p.Close()
	}
	if n := clocks(); n != 0 {
		t.Errorf("%d clocks are left of no room", n)
	}
}

// TestRests: who only watches has few turns, until something waits for one.
func TestRests(t *testing.T) {
	now := time.Now()
	for what, happens := range map[string]func(*Peer){
		"nothing":          func(*Peer) {},
		"a publisher":      func(p *Peer) { p.ticked = []*inlet{{}} },
		"at the gate":      func(p *Peer) { p.down.busy.Store(true) },
		"a second repair":  func(p *Peer) { p.echoes.add(nil, 1, now) },
		"a still":          func(p *Peer) { p.stills.open.Store(true); p.stills.out = map[*outlet]*stillOut{{}: {}} },
		"more who speak":   func(p *Peer) { p.speakers.outs = []*outlet{{}, {}} },
		"stills, none yet": func(p *Peer) { p.stills.open.Store(true) },
	} {
		p := &Peer{down: newDownlink(startBps)}
		p.speakers.most = 1
		happens(p)
		if got, want := p.rests(), what == "nothing" || what == "stills, none yet"; got != want {
			t.Errorf("%s: rests %v", what, got)
		}
	}
}
