package signaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const guestA = "guest:a"

func (b *bench) waiting(room string) string {
	s := ""
	for _, x := range b.srv.Waiting(room) {
		s += x.UserID + " "
	}
	return s
}

// Once in, a guest whose link was cut comes back to their place without asking.
func TestGuestIsResumed(t *testing.T) {
	b := start(t, Options{})
	a, g := b.dial("r", "a"), b.dial("r", "guest:x:in")
	a.join(2)
	a.speak()
	g.wait("admitted")
	m := g.join(2)
	eventually(t, "the guest hears", func() bool { return g.packetsHeard() > 20 })
	g.cut()
	eventually(t, "parked", func() bool { _, away := away(a.last("participants"), "guest:x:in"); return away })
	back := g.resume(b, "r", "guest:x:in", m["token"].(string), nil)
	if r := back.wait("resumed"); r["self"] != m["self"] || names(r) != "a guest:x:in" {
		t.Errorf("resumed: %v", r)
	}
	n := back.packetsHeard()
	eventually(t, "sound goes on", func() bool { return g.packetsHeard() > n+20 })
}

// A guest waits until they are let in, then calls like anyone; a cut link does
// not send them back to the door.
func TestGuestWaitsAndIsLetIn(t *testing.T) {
	var mu sync.Mutex
	var asked []User
	b := start(t, Options{Authorize: func(_ context.Context, u User, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, u)
		return nil
	}})
	seen := make(chan int, 20)
	b.srv.OnWaiting(func(room string, list []Waiting) {
		if room == "r" {
			seen <- len(list)
		}
	})
	a, g := b.dial("r", "a"), b.dial("r", guestA)
	a.join(2)
	a.speak()
	g.wait("waiting")
	eventually(t, "the guest is at the door", func() bool { return b.waiting("r") == guestA+" " && b.srv.WaitingInAll() == 1 })
	if n := len(b.srv.Participants("r")); n != 1 {
		t.Errorf("%d in the room", n)
	}
	if b.srv.Admit("r", "guest:b") || b.srv.Admit("other", guestA) {
		t.Error("somebody else was let in")
	}
	g.write(map[string]any{"type": "ping", "t": 3})
	g.wait("pong")
	if !b.srv.Admit("r", guestA) {
		t.Fatal("not let in")
	}
	g.wait("admitted")
	m := g.join(2)
	if names(m) != "a "+guestA || b.waiting("r") != "" {
		t.Errorf("joined: %v; at the door: %q", m, b.waiting("r"))
	}
	if p := m["participants"].([]any)[1].(map[string]any); p["guest"] != true {
		t.Errorf("not marked as a guest: %v", p)
	}
	eventually(t, "the guest hears", func() bool { return g.packetsHeard() > 20 })

	g.cut()
	eventually(t, "parked", func() bool { _, away := away(a.last("participants"), guestA); return away })
	back := g.resume(b, "r", guestA+":in", m["token"].(string), nil)
	back.waitEnd("gone", websocket.ClosePolicyViolation) // another guest's session
	b2 := g.resume(b, "r", guestA, m["token"].(string), nil)
	b2.waitEnd("forbidden", websocket.ClosePolicyViolation) // says that they wait, and so may not
	if got := []int{<-seen, <-seen}; got[0] != 1 || got[1] != 0 {
		t.Errorf("told of the door: %v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if !asked[1].Waiting || !asked[1].Guest || asked[0].Guest {
		t.Errorf("asked for %+v", asked)
	}
}

func TestGuestCannotPassTheDoor(t *testing.T) {
	b := start(t, Options{})
	g := b.dial("r", guestA)
	g.wait("waiting")
	g.write(map[string]any{"type": "join", "sdp": g.offer(1)})
	g.waitEnd("forbidden", websocket.ClosePolicyViolation)
	eventually(t, "the door is free", func() bool { return b.waiting("r") == "" })
	if len(b.srv.Participants("r")) != 0 || b.sfu.Stats().Peers != 0 {
		t.Error("the guest is inside")
	}
}

func TestDoorIsBounded(t *testing.T) {
	b := start(t, Options{})
	var first *caller
	for i := range waitingMost {
		c := b.dial("r", fmt.Sprintf("guest:%d", i))
		c.wait("waiting")
		if i == 0 {
			first = c
		}
	}
	b.dial("r", "guest:late").waitEnd("waiting-full", websocket.CloseTryAgainLater)
	b.dial("other", "guest:late").wait("waiting")
	again := b.dial("r", "guest:0") // takes its own place
	again.wait("waiting")
	first.waitEnd("replaced", websocket.ClosePolicyViolation)
	if n := len(b.srv.Waiting("r")); n != waitingMost || b.srv.Waiting("r")[0].UserID != "guest:0" {
		t.Errorf("%d at the door: %s", n, b.waiting("r"))
	}
}

func TestEvict(t *testing.T) {
	b := start(t, Options{})
	a, door, in, parked := b.dial("r", "a"), b.dial("r", "guest:door"), b.dial("r", "guest:x:in"), b.dial("r", "guest:p:in")
	a.join(1)
	in.wait("admitted")
	in.join(1)
	token := parked.join(1)["token"].(string)
	door.wait("waiting")
	parked.cut()
	eventually(t, "parked", func() bool { _, away := away(a.last("participants"), "guest:p:in"); return away })
	if b.srv.Evict("r", "guest:door", Refused) {
		t.Error("who waits is inside")
	}
	door.waitEnd("refused", websocket.ClosePolicyViolation)
	if !b.srv.Evict("r", "guest:x:in", Removed) || !b.srv.Evict("r", "guest:p:in", Withdrawn) {
		t.Error("who is inside is not")
	}
	in.waitEnd("removed", websocket.ClosePolicyViolation)
	parked.resume(b, "r", "guest:p:in", token, nil).waitEnd("gone", websocket.ClosePolicyViolation)
	if b.srv.Evict("r", "a", Removed) {
		t.Error("no guest was put out")
	}
	eventually(t, "all are gone", func() bool { return names(a.last("participants")) == "a" })
}

func TestGuestsAreNotLeftAlone(t *testing.T) {
	b := start(t, Options{Timing: Timing{Alone: 300 * time.Millisecond}})
	a, g := b.dial("r", "a"), b.dial("r", "guest:x:in")
	a.join(1)
	g.join(1)
	a.cut() // parked: somebody of the case is there
	time.Sleep(600 * time.Millisecond)
	if n := len(b.srv.Participants("r")); n != 2 {
		t.Fatalf("%d in the room while a is parked", n)
	}
	token := a.last("joined")["token"].(string)
	back := a.resume(b, "r", "a", token, nil)
	back.wait("resumed")
	back.write(map[string]any{"type": "leave"})
	g.waitEnd("alone", websocket.CloseNormalClosure)
	eventually(t, "the room is over", func() bool { return len(b.srv.Participants("r")) == 0 })
}

// Guests see and hear: they freeze, draw, close and point at nothing, and
// nobody freezes their picture, which they may not store.
func TestGuestsOnlySeeAndHear(t *testing.T) {
	b := start(t, Options{})
	a, g := b.dial("r", "a"), b.dial("r", "guest:x:in")
	self := a.join(1)["self"].(string)
	guest := g.join(1)["self"].(string)
	b.srv.Show("r", Still{ID: "s1", By: User{ID: "a"}, Of: User{ID: "a"}})
	g.wait("still")
	if !b.srv.Sees("r", "guest:x:in", "s1") || b.srv.Sees("r", "guest:x:in", "s2") || b.srv.Sees("r", "guest:y", "s1") || b.srv.Sees("x", "guest:x:in", "s1") {
		t.Error("who sees what")
	}
	for _, m := range []map[string]any{
		{"type": "freeze", "of": self}, {"type": "freezing", "sent": 1, "size": 2}, {"type": "at", "at": []int{1, 2}},
		{"type": "draw", "still": "s1", "kind": "stroke", "points": []int{1, 2}}, {"type": "close-still", "still": "s1"},
		{"type": "gesture", "to": self, "move": "press", "direction": "more"},
	} {
		g.write(m)
	}
	a.write(map[string]any{"type": "freeze", "of": guest})
	a.write(map[string]any{"type": "draw", "still": "s1", "kind": "stroke", "points": []int{5, 6}})
	if m := g.wait("draw"); m["userId"] != "a" {
		t.Errorf("drawn %v", m)
	}
	g.write(map[string]any{"type": "state", "video": true})
	eventually(t, "what the guest may say is heard", func() bool {
		for _, p := range a.last("participants")["participants"].([]any) {
			if p := p.(map[string]any); p["id"] == guest && p["video"] == true {
				return true
			}
		}
		return false
	})
	for _, typ := range []string{"freeze", "freezing", "at", "still-closed", "gesture"} {
		if m := a.last(typ); m != nil {
			t.Errorf("from a guest: %v", m)
		}
	}
	if m := a.last("draw"); m["userId"] != "a" {
		t.Errorf("drawn by a guest: %v", m)
	}
	if m := g.last("freeze"); m != nil {
		t.Errorf("asked of a guest: %v", m)
	}
}

// Whoever adds a message decides whether it is for guests.
func TestMessagesForGuests(t *testing.T) {
	may := []string{"join", "prepare", "resume", "leave", "offer", "candidate", "state", "receive", "send", "uplink", "report", "ping", "pong"}
	mayNot := []string{"files", "freeze", "freezing", "at", "draw", "close-still", "gesture", "ready", "enter"}
	for typ, blank := range clientMessages {
		switch {
		case slices.Contains(may, typ) && slices.Contains(mayNot, typ), !slices.Contains(may, typ) && !slices.Contains(mayNot, typ):
			t.Errorf("%s: for guests or not?", typ)
		case forGuests(blank()) != slices.Contains(may, typ):
			t.Errorf("%s: %v", typ, forGuests(blank()))
		}
	}
}

// The right of a guest at the door ends like any.
func TestDoorAsksForTheRight(t *testing.T) {
	b := start(t, Options{Authorize: func(_ context.Context, u User, _ string) error {
		if u.ID == "guest:no" {
			return errors.New("no")
		}
		return nil
	}})
	url := "ws" + b.http.URL[len("http"):] + "/r?user=guest:no"
	if _, res, err := websocket.DefaultDialer.Dial(url, nil); err == nil || res.StatusCode != 403 {
		t.Errorf("%v, %v", res, err)
	}
}
