package sfu

import (
	"testing"
	"time"
)

// TestACameraThatIsOffTakesNoShare: of two pictures one ends, without its track
// ending; the other gets what it had. It has its share again when it is back.
func TestACameraThatIsOffTakesNoShare(t *testing.T) {
	s := startSFU(t, Config{})
	s.places.learn("b", 600_000, time.Now())
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 2})
	c := join(t, s, clientOptions{id: "c", room: "r", slots: 2})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 2, twcc: true, part: Participant{Place: "b"}})
	for _, x := range []*client{a, b, c} {
		x.waitConnected()
	}
	a.filmAndSpeak(60, 10)
	c.filmAndSpeak(60, 10)
	shares := func() (of map[string]int64) {
		of = map[string]int64{}
		b.peer.room.do(func() {
			for i, q := range b.peer.seats {
				if q != nil {
					of[q.part.ID] = b.peer.outlets[video][i].share.Load()
				}
			}
		})
		return of
	}
	var before map[string]int64
	eventually(t, "both have as much", func() bool {
		before = shares()
		return before["a"] > 0 && before["a"] == before["c"]
	})
	c.dim.Store(true)
	eventually(t, "the other has what it does not need", func() bool {
		now := shares()
		return now["c"] < 0 && now["a"] > before["a"]
	})
	c.dim.Store(false)
	eventually(t, "both again", func() bool { now := shares(); return now["a"] == now["c"] && now["c"] > 0 })
}
