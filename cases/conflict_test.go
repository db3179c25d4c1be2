package cases

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// Two experts answer at the same moment through two processes: one wins, the
// other is told who and when, and nothing of theirs is in the log.
func TestTwoOpinionsAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		services := []*Service{w.svc, w.open()}
		experts := []string{"seydou", "mariam"}
		for range 8 {
			id := w.opened(experts...)
			var wg sync.WaitGroup
			errs := make([]error, 2)
			ready := make(chan struct{})
			for i, name := range experts {
				u := w.user(name)
				wg.Go(func() {
					<-ready
					_, _, errs[i] = services[i].Append(t.Context(), u, id, []NewEvent{message("à propos"), opinion("avis de " + name)})
				})
			}
			close(ready)
			wg.Wait()
			winner, loser := 0, 1
			if errs[0] != nil {
				winner, loser = 1, 0
			}
			must(t, errs[winner])
			var c *ConflictError
			if !errors.As(errs[loser], &c) || !errors.Is(errs[loser], ErrConflict) {
				t.Fatalf("the loser got %v", errs[loser])
			}
			if c.Code != "answered" || c.By != experts[winner] || !c.At.Equal(start) {
				t.Errorf("conflict %+v, the winner is %s", c, experts[winner])
			}
			st, err := w.svc.Get(t.Context(), w.user("aminata"), id)
			must(t, err)
			if len(st.Opinions) != 1 || st.Opinions[0].By != experts[winner] || len(st.Messages) != 1 || st.Seq != 3 {
				t.Errorf("state %+v", st)
			}
			must(t, w.svc.Verify(t.Context(), id))
			// What the loser wrote can be posted as a message, and after
			// reopening an opinion is possible again.
			w.does(experts[loser], id, message("mon avis"))
			w.does("aminata", id, event(Reopened, ReasonData{"second avis"}))
			if st := w.does(experts[loser], id, opinion("avis")); len(st.Opinions) != 2 {
				t.Errorf("%d opinions after reopening, want 2", len(st.Opinions))
			}
		}
	})
}

// Those who do not exclude each other all get in, in one unbroken chain.
func TestManyAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		services := []*Service{w.svc, w.open()}
		id := w.opened("seydou")
		names := []string{"aminata", "seydou", "assetou"}
		var wg sync.WaitGroup
		for i := range 18 {
			u := w.user(names[i%3])
			wg.Go(func() {
				if _, _, err := services[i%2].Append(t.Context(), u, id, []NewEvent{message("x")}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		st, err := w.svc.Get(t.Context(), w.user("aminata"), id)
		must(t, err)
		if st.Seq != 19 || len(st.Messages) != 18 {
			t.Errorf("%d events, %d messages", st.Seq, len(st.Messages))
		}
		must(t, w.svc.Verify(t.Context(), id))
	})
}

// The same event sent twice at once, as after a cut, is there once.
func TestRetryAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		services := []*Service{w.svc, w.open()}
		id, open := uuid.NewString(), event(Opened, request("seydou"))
		u := w.user("aminata")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				st, evs, err := services[i%2].Append(t.Context(), u, id, []NewEvent{open})
				if err != nil || len(evs) != 1 || st.Seq != 1 {
					t.Errorf("%v, %d events, sequence %d", err, len(evs), st.Seq)
				}
			})
		}
		wg.Wait()
		if n := w.count(`SELECT COUNT(*) FROM case_events`); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
	})
}

// Cases opened at once at one place all have their own number.
func TestNumbersAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		services := []*Service{w.svc, w.open()}
		u := w.user("aminata")
		var mu sync.Mutex
		seen := map[string]bool{}
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				st, _, err := services[i%2].Append(t.Context(), u, uuid.NewString(), []NewEvent{event(Opened, request())})
				mu.Lock()
				defer mu.Unlock()
				if err != nil || seen[st.Number] {
					t.Errorf("number %q: %v", st.Number, err)
				}
				seen[st.Number] = true
			})
		}
		wg.Wait()
	})
}
