package cases

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"sira/cases/directory"
)

func TestWholePath(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened()
		ctx := t.Context()
		st, err := w.svc.Get(ctx, w.user("aminata"), id)
		must(t, err)
		if st.Number != "KAT-2026-0001" || st.Opened.Facility != "csref-kati" || st.Opened.Consent.At != start {
			t.Errorf("what the server sets: %q, %q, %s", st.Number, st.Opened.Facility, st.Opened.Consent.At)
		}
		if _, err := w.svc.Get(ctx, w.user("seydou"), id); !errors.Is(err, ErrForbidden) {
			t.Errorf("an expert not named sees it: %v", err)
		}
		w.does("assetou", id, event(Assigned, AssignedData{To: "seydou", Note: "merci"}))
		w.does("seydou", id, event(ClarificationAsked, TextData{"Troponine ?"}))
		w.does("aminata", id, event(ClarificationAnswered, TextData{"Négative."}))
		w.clock.pass(time.Hour)
		w.does("seydou", id, opinion("Péricardite."))
		w.does("aminata", id, message("Merci."))
		st = w.does("aminata", id, event(Closed, ClosedData{Outcome: "improved", Note: "à J2"}))
		if st.Status != StatusClosed || st.Outcome != "improved" || len(st.Messages) != 3 || len(st.Opinions) != 1 || st.Seq != 7 {
			t.Errorf("state at the end: %+v", st)
		}
		if o := st.Opinions[0]; o.By != "seydou" || o.Conclusion != "Péricardite." || o.Received != start.Add(time.Hour) {
			t.Errorf("opinion %+v", o)
		}
		evs, err := w.svc.Events(ctx, w.user("seydou"), id, 5)
		must(t, err)
		if len(evs) != 2 || evs[0].Seq != 6 || evs[1].Type != Closed {
			t.Errorf("events after 5: %+v", evs)
		}
		for _, after := range []int64{7, 99} {
			if evs, err := w.svc.Events(ctx, w.user("seydou"), id, after); err != nil || len(evs) != 0 {
				t.Errorf("events after %d: %v, %v", after, evs, err)
			}
		}
		must(t, w.svc.Verify(ctx, id))
		// A restart reads the same.
		again, err := w.open().Get(ctx, w.user("seydou"), id)
		must(t, err)
		if diff := cmp.Diff(st, again, cmp.AllowUnexported(State{})); diff != "" {
			t.Error("after a restart:", diff)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		_, _, err := w.append("aminata", "../x", message("x"))
		refused(t, err, "bad-id", "case")
		_, _, err = w.append("aminata", id)
		refused(t, err, "empty", "events")
		_, _, err = w.append("aminata", id, slices.Repeat([]NewEvent{message("x")}, 201)...)
		refused(t, err, "too-many-events", "events")
		_, _, err = w.append("aminata", uuid.NewString(), message("x"))
		wantErr(t, err, ErrNotFound)
		_, _, err = w.append("halima", id, message("x"))
		wantErr(t, err, ErrForbidden)
		_, _, err = w.append("halima", id, event(Opened, request()))
		wantErr(t, err, ErrForbidden)
		_, _, err = w.append("seydou", uuid.NewString(), event(Opened, request()))
		wantErr(t, err, ErrForbidden)
		_, _, err = w.append("aminata", id, NewEvent{ID: uuid.NewString(), Type: MessagePosted, Data: json.RawMessage(`{"text":"a\u0000"}`)})
		refused(t, err, "control-character", "events[0].data.text")
		for _, nobody := range []string{"nobody", "halima", "modibo", "disabled"} {
			_, _, err = w.append("assetou", id, event(Assigned, AssignedData{To: nobody}))
			refused(t, err, "bad-user", "events[0].data.to")
			_, _, err = w.append("aminata", uuid.NewString(), event(Opened, request("seydou", nobody)))
			refused(t, err, "bad-user", "events[0].data.to[1]")
		}
		f := file("a")
		f.AddedAt, f.AddedBy = start, "aminata"
		_, _, err = w.append("aminata", id, event(AttachmentAdded, AttachmentData{f}))
		refused(t, err, "server-only", "events[0].type")
		unborn := request()
		unborn.Patient.BirthDate = "2026-03-05"
		_, _, err = w.append("aminata", uuid.NewString(), event(Opened, unborn))
		refused(t, err, "bad-date", "events[0].data.patient.birthDate")
		if n := w.count(`SELECT COUNT(*) FROM case_events`); n != 1 {
			t.Errorf("%d events in the log, want 1", n)
		}
		if n := w.count(`SELECT COALESCE(SUM(last), 0) FROM case_numbers`); n != 1 {
			t.Errorf("numbers given up to %d, want 1", n)
		}
	})
}

// All of a batch or nothing of it.
func TestAppendAllOrNothing(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		_, _, err := w.append("aminata", id, message("a"), message("b"), opinion("not hers"))
		wantErr(t, err, ErrForbidden)
		_, _, err = w.append("seydou", id, opinion("a"), opinion("b"))
		refused(t, err, "wrong-status", "events[1]")
		st, err := w.svc.Get(t.Context(), w.user("aminata"), id)
		must(t, err)
		if st.Seq != 1 || st.Status != InAnalysis {
			t.Errorf("after refused batches: %+v", st)
		}
		fresh := uuid.NewString()
		_, _, err = w.append("aminata", fresh, event(Opened, request()), opinion("x"))
		wantErr(t, err, ErrForbidden)
		if _, err := w.svc.Get(t.Context(), w.user("aminata"), fresh); !errors.Is(err, ErrNotFound) {
			t.Errorf("half a batch opened a case: %v", err)
		}
		st = w.does("aminata", fresh, event(Opened, request()), message("a"), message("b"))
		if st.Seq != 3 {
			t.Errorf("batch of three led to %d", st.Seq)
		}
	})
}

// A retry, whenever it comes, is success without effect.
func TestAppendTwice(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id, open := uuid.NewString(), event(Opened, request("seydou"))
		_, first, err := w.append("aminata", id, open)
		must(t, err)
		w.clock.pass(time.Minute)
		say := message("a")
		_, second, err := w.append("aminata", id, open, say, say)
		must(t, err)
		if diff := cmp.Diff(first[0], second[0]); diff != "" || len(second) != 3 || second[1].Seq != 2 || second[2].Seq != 2 {
			t.Errorf("retry in a larger batch: %s %+v", diff, second)
		}
		advice := opinion("x")
		w.does("seydou", id, advice)
		w.does("aminata", id, event(Closed, ClosedData{Outcome: "lost"}))
		// The late ones are no conflict though the case is long closed.
		st, evs, err := w.append("seydou", id, advice)
		must(t, err)
		if st.Seq != 4 || len(evs) != 1 || evs[0].Seq != 3 || len(st.Opinions) != 1 {
			t.Errorf("late retry: %d, %+v", st.Seq, evs)
		}
		st, _, err = w.append("aminata", id, open, say)
		must(t, err)
		if st.Seq != 4 || st.Number != "KAT-2026-0001" {
			t.Errorf("late retry of the opening: %+v", st)
		}
	})
}

// An ID is one event for ever: not in another case, of another author, nor with
// another content, which would be lost in silence.
func TestAppendIDTaken(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		a, b := w.opened("seydou"), w.opened("seydou")
		say := message("a")
		w.does("aminata", a, say)
		_, _, err := w.append("aminata", b, say)
		refused(t, err, "id-taken", "events[0].id")
		_, _, err = w.append("seydou", a, say)
		refused(t, err, "id-taken", "events[0].id")
		other := say
		other.Data = json.RawMessage(`{"text":"b"}`)
		_, _, err = w.append("aminata", a, message("new"), other)
		refused(t, err, "id-taken", "events[1].id")
		retyped := say
		retyped.Type = ClarificationAnswered
		_, _, err = w.append("aminata", a, retyped)
		refused(t, err, "id-taken", "events[0].id")
		_, _, err = w.append("aminata", uuid.NewString(), event(Opened, request()), say)
		refused(t, err, "id-taken", "events[1].id")
		// Another spelling of the same is the same.
		spelled := say
		spelled.At, spelled.Data = time.Time{}, json.RawMessage(` {"text" : " \u0061" } `)
		_, _, err = w.append("aminata", a, spelled)
		must(t, err)
		if n := w.count(`SELECT COUNT(*) FROM case_events`); n != 3 {
			t.Errorf("%d events, want 3", n)
		}
	})
}

// The client's time is kept when it can be true; deadlines never depend on it.
func TestAppendTimes(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		now := start.Add(time.Hour)
		w.clock.pass(time.Hour)
		for name, c := range map[string]struct{ at, want time.Time }{
			"weeks ago":   {start.Add(-500 * time.Hour), start.Add(-500 * time.Hour)},
			"finer":       {now.Add(-999_999 * time.Nanosecond), now.Add(-time.Millisecond)},
			"other zone":  {now.Add(-time.Hour).In(time.FixedZone("", 7200)), start},
			"future":      {now.Add(time.Hour), now},
			"none":        {time.Time{}, now},
			"before 2000": {time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC), now},
			"far future":  {time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), now},
			"beyond":      {time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC), now},
		} {
			ev := message(name)
			ev.At = c.at
			_, evs, err := w.append("aminata", id, ev)
			must(t, err)
			if got := evs[0]; !got.At.Equal(c.want) || got.Received != now {
				t.Errorf("%s: at %s, received %s, want at %s", name, got.At, got.Received, c.want)
			}
		}
		st, err := w.svc.Get(t.Context(), w.user("aminata"), id)
		must(t, err)
		if st.DueAt != start.Add(24*time.Hour) {
			t.Errorf("due %s", st.DueAt)
		}
		// A server's clock set back does not turn the log's.
		w.clock.pass(-30 * time.Minute)
		if st := w.does("aminata", id, message("x")); st.UpdatedAt != now {
			t.Errorf("updated %s, want %s", st.UpdatedAt, now)
		}
		must(t, w.svc.Verify(t.Context(), id))
	})
}

func TestNumbers(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		pattern := regexp.MustCompile(`^[A-Z]{2,5}-\d{4}-\d{4,}$`)
		var got []string
		for _, who := range []string{"aminata", "halima", "aminata"} {
			st := w.does(who, uuid.NewString(), event(Opened, request()))
			got = append(got, st.Number)
			if !pattern.MatchString(st.Number) {
				t.Errorf("number %q", st.Number)
			}
		}
		w.clock.pass(365 * 24 * time.Hour)
		got = append(got, w.does("aminata", uuid.NewString(), event(Opened, request())).Number)
		want := []string{"KAT-2026-0001", "GAO-2026-0001", "KAT-2026-0002", "KAT-2027-0001"}
		if !slices.Equal(got, want) {
			t.Errorf("numbers %v, want %v", got, want)
		}
		// A client cannot choose one, nor a facility.
		r := request()
		r.Number, r.Facility = "MINE", "elsewhere"
		st := w.does("aminata", uuid.NewString(), event(Opened, r))
		if st.Number != "KAT-2027-0002" || st.Opened.Facility != "csref-kati" {
			t.Errorf("number %q, facility %q", st.Number, st.Opened.Facility)
		}
	})
}

func TestPlaceCode(t *testing.T) {
	for want, f := range map[string]directory.Facility{
		"KAT":  {Name: "CSRéf de Kati", Code: "ML-02-0003"},
		"GX":   {Name: "CHU du Point G", Code: "gx"},
		"POI":  {Name: "CHU du Point G"},
		"ESE":  {Name: "Hôpital É. Ésè"},
		"SIRA": {Name: "ߞߊ߲", Code: "123"},
	} {
		if got := placeCode(f); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}

// A name of any script, and the longest, comes back as it went in.
func TestAnyName(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for _, name := range []string{"Ɲɛnɛ Ŋɔma Ɔ'Kɛɛ", "ߞߊ߲ ߡߊ߬ߙߌ", "محمد 😀 O\\'Brien %_!\"", strings.Repeat("ɲ", 300)} {
			r := request()
			r.Patient.Name = name
			id := uuid.NewString()
			w.does("aminata", id, event(Opened, r))
			st, err := w.svc.Get(t.Context(), w.user("aminata"), id)
			must(t, err)
			if st.Opened.Patient.Name != name {
				t.Errorf("%q came back as %q", name, st.Opened.Patient.Name)
			}
			found, err := w.svc.List(t.Context(), w.user("aminata"), Filter{Query: name})
			must(t, err)
			if len(found) != 1 || found[0].ID != id {
				t.Errorf("searching %q found %d", name, len(found))
			}
		}
	})
}
