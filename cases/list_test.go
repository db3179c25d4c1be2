package cases

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func (w *world) list(name string, f Filter) []Summary {
	w.t.Helper()
	found, err := w.svc.List(w.t.Context(), w.user(name), f)
	must(w.t, err)
	return found
}

func names(list []Summary) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, s.Patient.Name)
	}
	return out
}

// named opens a case of a patient and lets a minute pass.
func (w *world) named(patient, urgency string, to ...string) string {
	w.t.Helper()
	r := request(to...)
	r.Patient.Name, r.Urgency = patient, urgency
	id := uuid.NewString()
	w.does("aminata", id, event(Opened, r))
	w.clock.pass(time.Minute)
	return id
}

func TestListOrderAndFilter(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.named("late U3", "U3")
		w.named("old U1", "U1")
		w.named("new U1", "U1", "seydou")
		first := w.named("ended first", "U0")
		w.named("U0", "U0")
		second := w.named("ended second", "U3")
		w.does("aminata", first, event(Cancelled, ReasonData{"x"}))
		w.clock.pass(time.Minute)
		w.does("aminata", second, event(Cancelled, ReasonData{"x"}))
		want := []string{"U0", "old U1", "new U1", "late U3", "ended second", "ended first"}
		if diff := cmp.Diff(want, names(w.list("aminata", Filter{}))); diff != "" {
			t.Error(diff)
		}
		for _, c := range []struct {
			f    Filter
			want []string
		}{
			{Filter{Statuses: []Status{InAnalysis}}, []string{"new U1"}},
			{Filter{Statuses: []Status{InAnalysis, StatusCancelled}}, []string{"new U1", "ended second", "ended first"}},
			{Filter{Limit: 2}, []string{"U0", "old U1"}},
			{Filter{Statuses: []Status{"other"}}, []string{}},
		} {
			if diff := cmp.Diff(c.want, names(w.list("aminata", c.f))); diff != "" {
				t.Errorf("%+v: %s", c.f, diff)
			}
		}
	})
}

func TestSearch(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.named("Fatoumata Keïta", "U1")
		w.named("Ɲɛnɛ Ŋɔma", "U1")
		w.named("100% O'Brien_x!", "U1")
		w.named("Œdipe Coulibaly", "U1")
		for query, want := range map[string][]string{
			"keita":          {"Fatoumata Keïta"},
			"KEÏTA fatou":    {"Fatoumata Keïta"},
			"Kei\u0308ta":    {"Fatoumata Keïta"},
			"fatou coul":     {},
			"nyene ngoma":    {"Ɲɛnɛ Ŋɔma"},
			"ɲƐnɛ":           {"Ɲɛnɛ Ŋɔma"},
			"100%":           {"100% O'Brien_x!"},
			"n_x!":           {"100% O'Brien_x!"},
			"_____":          {},
			"o’brien":        {"100% O'Brien_x!"},
			"oedipe":         {"Œdipe Coulibaly"},
			"kat-2026-0002":  {"Ɲɛnɛ Ŋɔma"},
			"0003":           {"100% O'Brien_x!"},
			"'; DROP TABLE":  {},
			"keita\x00\xff":  {"Fatoumata Keïta"},
			"a a a a a a aa": {},
		} {
			if diff := cmp.Diff(want, names(w.list("aminata", Filter{Query: query}))); diff != "" {
				t.Errorf("%q: %s", query, diff)
			}
		}
	})
}

// The list shows a case to those who may view it and to nobody else: it is Get
// asked otherwise.
func TestListIsThePolicy(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		var ids []string
		for _, to := range [][]string{{}, {"seydou"}, {"kone", "mariam"}} {
			ids = append(ids, w.opened(to...))
		}
		r := request()
		r.Specialty = "radiologie"
		ids = append(ids, uuid.NewString(), uuid.NewString())
		w.does("aminata", ids[3], event(Opened, r))
		w.does("halima", ids[4], event(Opened, r))
		w.does("oumar", ids[3], event(Assigned, AssignedData{To: "seydou"}))
		for name := range people {
			var want []string
			for _, id := range ids {
				_, err := w.svc.Get(t.Context(), w.user(name), id)
				_, sumErr := w.svc.Summary(t.Context(), w.user(name), id)
				if err == nil {
					want = append(want, id)
				}
				if (err == nil) != (sumErr == nil) {
					t.Errorf("%s: Get says %v, Summary %v", name, err, sumErr)
				}
			}
			var got []string
			for _, s := range w.list(name, Filter{}) {
				got = append(got, s.ID)
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s lists %v, may view %v", name, got, want)
			}
		}
		if n := len(w.list("modibo", Filter{})); n != 0 {
			t.Errorf("the admin lists %d cases", n)
		}
	})
}

// The projection is what the log folds to, after each event.
func TestSummaryIsTheFold(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened()
		check := func(name string, evs ...NewEvent) {
			t.Helper()
			w.clock.pass(time.Minute)
			st := w.does(name, id, evs...)
			want := summarise(&st)
			got, err := w.svc.Summary(t.Context(), w.user(name), id)
			must(t, err)
			got.Unread = 0
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		check("assetou", event(Assigned, AssignedData{To: "seydou"}))
		check("seydou", event(ClarificationAsked, TextData{"?"}))
		check("aminata", event(ClarificationAnswered, TextData{"!"}))
		_, err := w.svc.AttachFiles(t.Context(), w.user("aminata"), id, []Attachment{file("a"), file("b")})
		must(t, err)
		check("seydou", opinion("x"))
		check("aminata", event(Closed, ClosedData{Outcome: "stable"}))
		check("aminata", event(Reopened, ReasonData{"x"}))
	})
}

func TestUnread(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		id := w.opened("seydou")
		unread := func(what, name string, want int) {
			t.Helper()
			if got := w.list(name, Filter{})[0].Unread; got != want {
				t.Errorf("%s: %d unread for %s, want %d", what, got, name, want)
			}
		}
		read := func(name string, seq int64) {
			t.Helper()
			must(t, w.svc.MarkRead(ctx, w.user(name), id, seq))
		}
		unread("one's own", "aminata", 0)
		unread("opened", "seydou", 1)
		_, err := w.svc.AttachFiles(ctx, w.user("aminata"), id, []Attachment{file("a"), file("b"), file("c")})
		must(t, err)
		unread("three files", "seydou", 2)
		w.does("aminata", id, message("x"), message("y"), event(CallJoined, struct{}{}))
		unread("two messages and a call", "seydou", 4)
		unread("each for themselves", "assetou", 4)
		read("seydou", 4)
		unread("files read", "seydou", 2)
		read("seydou", 1)
		unread("not unread again", "seydou", 2)
		read("seydou", 9999)
		unread("all read", "seydou", 0)
		w.does("aminata", id, message("z"))
		unread("a mark beyond the end is none", "seydou", 1)
		read("seydou", -5)
		unread("nonsense", "seydou", 1)
		w.does("seydou", id, opinion("x"))
		unread("the answer", "aminata", 1)
		unread("one's own answer", "seydou", 1)
		wantErr(t, w.svc.MarkRead(ctx, w.user("halima"), id, 1), ErrForbidden)
		wantErr(t, w.svc.MarkRead(ctx, w.user("aminata"), uuid.NewString(), 1), ErrNotFound)
	})
}

func TestShorten(t *testing.T) {
	long := make([]rune, 301)
	for i := range long {
		long[i] = 'ɲ'
	}
	if got := []rune(shorten(string(long))); len(got) != 300 || got[299] != '…' {
		t.Errorf("%d runes", len(got))
	}
	if got := shorten(string(long[:300])); got != string(long[:300]) {
		t.Error("a text that fits was shortened")
	}
}
