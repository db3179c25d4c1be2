package sfu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"
)

// TestKeyframeRequestsAreJoined: five people who arrive together cost the
// publisher few keyframes, and each sees one.
func TestKeyframeRequestsAreJoined(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	a.waitConnected()
	a.speak()
	began := time.Now()
	var others []*client
	for i := range 5 {
		others = append(others, join(t, s, clientOptions{id: fmt.Sprint("v", i), room: "r", slots: 1}))
	}
	for _, o := range others {
		eventually(t, o.id+" sees a", func() bool { return len(o.from("a", video)) > 0 })
		if p := o.from("a", video)[0]; !startsKeyframe("video/vp8", p.Payload) {
			t.Errorf("%s begins with %x", o.id, p.Payload[:2])
		}
	}
	if s.Stats().Kept == 0 {
		t.Error("nobody was served from what is kept")
	}
	most := int(time.Since(began)/keyRequestSpacing) + 2
	if n := a.keyframesAsked(); n > most {
		t.Errorf("%d keyframes asked of the publisher, at most %d wanted", n, most)
	}
}

// TestChurn: people come and go at once; nothing is left of them.
func TestChurn(t *testing.T) {
	s := startSFU(t, Config{})
	stay := join(t, s, clientOptions{id: "stay", room: "r", slots: 3})
	stay.waitConnected()
	stay.speak()
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 4 {
				c := join(t, s, clientOptions{id: fmt.Sprintf("c%d-%d", w, i), room: "r", slots: 2})
				if i%2 == 0 {
					c.waitConnected()
					stop := c.speak()
					eventually(t, c.id+" is seen", func() bool { return len(stay.from(c.id, video)) > 0 })
					stop()
				}
				c.leave()
			}
		})
	}
	wg.Wait()
	eventually(t, "alone again", func() bool { return s.Stats().Peers == 1 && len(stay.peer.Slots()) == 0 })
	last := join(t, s, clientOptions{id: "last", room: "r", slots: 1})
	last.waitConnected()
	eventually(t, "the last one sees", func() bool { return len(last.from("stay", video)) > 5 })
	last.leave()
	stay.leave()
	eventually(t, "no room", func() bool { return s.Stats().Rooms == 0 })
}

// TestSoundAndPictureStayTogether: by the sender reports that a subscriber
// gets, the n-th sound and the n-th picture were made at the same moment.
func TestSoundAndPictureStayTogether(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1})
	a.waitConnected()
	b.waitConnected()
	stop := b.speak()
	eventually(t, "a sees b", func() bool { return len(a.from("b", video)) > 5 })
	stop()
	b.leave() // so that timestamps are shifted for the next one
	c := join(t, s, clientOptions{id: "c", room: "r", slots: 1})
	c.waitConnected()
	c.speak()
	moment := func(k kind) (at time.Time, ok bool) {
		pkts := a.from("c", k)
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, slot := range a.slots {
			r := a.got[slot.Mid]
			if r == nil || slot.Kind != k.String() || slot.Participant != "c" || len(r.reports) == 0 || len(pkts) == 0 {
				continue
			}
			sr, p := r.reports[len(r.reports)-1], pkts[len(pkts)-1]
			n, err := number(p, k)
			if err != nil {
				return at, false
			}
			clock := map[kind]float64{audio: 48000, video: 90000}[k]
			// When packet 0 was made.
			ticks := float64(int32(p.Timestamp-sr.RTPTime)) - float64(n)*map[kind]float64{audio: 240, video: 450}[k]
			return fromNTP(sr.NTPTime).Add(time.Duration(ticks / clock * 1e9)), true
		}
		return at, false
	}
	var apart float64
	eventually(t, "reports on c's sound and picture", func() bool {
		x, ok1 := moment(audio)
		y, ok2 := moment(video)
		apart = math.Abs(x.Sub(y).Seconds())
		return ok1 && ok2 && len(a.from("c", video)) > 20
	})
	if apart > 0.5 {
		t.Errorf("sound and picture %.3f s apart", apart)
	}
}

func TestCloseEndsAll(t *testing.T) {
	s, err := New(Config{UDPAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	a.waitConnected()
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Peers != 0 || st.Rooms != 0 {
		t.Errorf("left: %+v", st)
	}
	if _, err := s.Join(context.Background(), "r", Participant{ID: "b"}); !errors.Is(err, ErrClosed) {
		t.Errorf("join after close: %v", err)
	}
	if _, err := a.peer.Negotiate(context.Background(), "v=0"); !errors.Is(err, ErrClosed) {
		t.Errorf("negotiate after close: %v", err)
	}
}

func TestBadOffersAreRefused(t *testing.T) {
	s := startSFU(t, Config{})
	helper := newClient(t, s, clientOptions{id: "h", room: "h", slots: 1})
	o, err := helper.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, sdp := range map[string]string{
		"empty": "", "junk": "hello", "no media": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
		"half": o.SDP[:len(o.SDP)/2], "huge": o.SDP + string(make([]byte, maxOffer)),
	} {
		p, err := s.Join(context.Background(), "r", Participant{ID: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Negotiate(context.Background(), sdp); !errors.Is(err, ErrBadSDP) {
			t.Errorf("%s: %v", name, err)
		}
		_ = p.Close()
	}
}
