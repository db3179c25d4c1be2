package cases

import (
	"slices"
	"sync"
	"testing"
)

func TestSubscribe(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		heard := make(chan Change, 10)
		defer w.svc.Subscribe(func(c Change) { heard <- c })()
		id := w.opened("seydou")
		got := <-heard
		slices.Sort(got.Users)
		if got.Case != id || got.Seq != 1 || got.Status != InAnalysis || !slices.Equal(got.Users, []string{"aminata", "assetou", "seydou"}) {
			t.Errorf("heard %+v", got)
		}
		// Committed means readable, by whoever is told.
		if _, err := w.svc.Get(t.Context(), w.user("assetou"), id); err != nil {
			t.Error(err)
		}
		say := message("x")
		w.does("aminata", id, say)
		<-heard
		w.does("aminata", id, say) // a retry is no change
		_, _, err := w.append("seydou", id, opinion("a"), opinion("b"))
		if err == nil {
			t.Fatal("two opinions were taken")
		}
		w.does("seydou", id, opinion("x"))
		if got := <-heard; got.Seq != 3 || got.Status != Answered {
			t.Errorf("heard %+v", got)
		}
	})
}

// A subscriber that hangs delays nobody, and hears the newest when it wakes; one
// that panics hears the next change too.
func TestSubscribeSlowAndPanicking(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	hang, awake := make(chan struct{}), make(chan Change, 100)
	cancelSlow := w.svc.Subscribe(func(c Change) { <-hang; awake <- c })
	heard := make(chan Change, 100)
	defer w.svc.Subscribe(func(c Change) { heard <- c; panic("oops") })()
	a, b := w.opened(), w.opened()
	for range 20 {
		w.does("aminata", a, message("x"))
	}
	last := map[string]int64{}
	for last[a] != 21 || last[b] != 1 {
		c := <-heard
		if c.Seq <= last[c.Case] {
			t.Errorf("heard %d after %d", c.Seq, last[c.Case])
		}
		last[c.Case] = c.Seq
	}
	close(hang)
	last = map[string]int64{}
	told := 0
	for last[a] != 21 || last[b] != 1 {
		c := <-awake
		last[c.Case] = c.Seq
		told++
	}
	if told > 3 {
		t.Errorf("the slow one was told %d times, want at most 3", told)
	}
	cancelSlow()
	w.does("aminata", a, message("x"))
	if c := <-heard; c.Seq != 22 {
		t.Errorf("heard %+v", c)
	}
	if len(awake) != 0 {
		t.Error("told after the end of the subscription")
	}
}

func TestSubscribeConcurrently(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	id, u := w.opened(), w.user("aminata")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				cancel := w.svc.Subscribe(func(Change) {})
				if _, _, err := w.svc.Append(t.Context(), u, id, []NewEvent{message("x")}); err != nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}
