package cases

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"sira/cases/directory"
)

// story grows a log as the service does, without a database.
type story struct {
	st     *State
	events []Event
	now    time.Time
}

// try appends when the workflow allows it.
func (s *story) try(u directory.User, ev NewEvent) error {
	ev, data, err := normalise(ev)
	if err != nil {
		return err
	}
	if err := follows(u, s.st, ev, data); err != nil {
		return err
	}
	caseID := id1
	next, stored, err := chain(s.st, Event{ID: ev.ID, Case: caseID, Type: ev.Type, Actor: u.ID, At: ev.At, Received: stamp(s.now), Data: ev.Data})
	if err != nil {
		return err
	}
	s.st, s.events = next, append(s.events, stored)
	return nil
}

// drawn is a random event, sensible or not.
func drawn(t *rapid.T) NewEvent {
	text := rapid.StringMatching(`[a-zɛɔŋé ]{1,8}x`).Draw(t, "text")
	id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")).String()
	var ev NewEvent
	switch kind := rapid.SampledFrom([]EventType{MessagePosted, Assigned, Assigned, ClarificationAsked, ClarificationAnswered,
		OpinionGiven, Closed, Reopened, Cancelled, CallJoined, CallLeft, AttachmentAdded}).Draw(t, "type"); kind {
	case Assigned:
		ev = event(kind, AssignedData{To: rapid.SampledFrom([]string{"seydou", "mariam", "kone"}).Draw(t, "to")})
	case OpinionGiven:
		ev = event(kind, OpinionData{Conclusion: text})
	case Closed:
		ev = event(kind, ClosedData{Outcome: rapid.SampledFrom(Outcomes).Draw(t, "outcome")})
	case Reopened, Cancelled:
		ev = event(kind, ReasonData{text})
	case AttachmentAdded:
		f := file(text)
		f.ID, f.AddedAt, f.AddedBy = id, start, "aminata"
		ev = event(kind, AttachmentData{f})
	case CallJoined, CallLeft:
		ev = event(kind, struct{}{})
	default:
		ev = event(kind, TextData{text})
	}
	ev.ID = id
	ev.At = start.Add(time.Duration(rapid.IntRange(-1000, 1000).Draw(t, "at")) * time.Hour)
	return ev
}

// anyStory is the log of a random case, made only of events that were allowed.
func anyStory(t *rapid.T) *story {
	s := &story{now: start}
	var to []string
	if rapid.Bool().Draw(t, "named") {
		to = []string{"seydou"}
	}
	r := request(to...)
	r.Urgency = rapid.SampledFrom([]string{"U0", "U1", "U2", "U3"}).Draw(t, "urgency")
	if err := s.try(person("aminata"), event(Opened, r)); err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(0, 40).Draw(t, "steps") {
		s.now = s.now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute)
		who := rapid.SampledFrom([]string{"aminata", "seydou", "mariam", "kone", "assetou", "oumar"}).Draw(t, "who")
		if ev := drawn(t); s.newID(ev.ID) {
			_ = s.try(person(who), ev)
		}
	}
	return s
}

func (s *story) newID(id string) bool {
	return !slices.ContainsFunc(s.events, func(ev Event) bool { return ev.ID == id })
}

func sameState(t *rapid.T, what string, want, got State) {
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(State{})); diff != "" {
		t.Fatalf("%s: %s", what, diff)
	}
}

func mustFold(t *rapid.T, events []Event) State {
	st, err := Fold(events)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// Folding is deterministic, changes nothing of the log, and is the same as
// growing step by step.
func TestFoldDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStory(t)
		before := fmt.Sprint(s.events)
		st := mustFold(t, s.events)
		sameState(t, "again", st, mustFold(t, s.events))
		sameState(t, "step by step", st, *s.st)
		if fmt.Sprint(s.events) != before {
			t.Fatal("the log was changed")
		}
	})
}

// An event that arrives twice, right away or late, counts once.
func TestFoldDoubled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStory(t)
		want := mustFold(t, s.events)
		i := rapid.IntRange(0, len(s.events)-1).Draw(t, "which")
		at := rapid.IntRange(i+1, len(s.events)).Draw(t, "where")
		doubled := slices.Insert(slices.Clone(s.events), at, s.events[i])
		sameState(t, "doubled", want, mustFold(t, doubled))
	})
}

// Every open case has one owner and a due time, every ended one neither.
func TestOpenHasOwnerAndDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStory(t)
		for n := range s.events {
			st := mustFold(t, s.events[:n+1])
			owned := st.Owner.ID != "" && (st.Owner.Kind == "person" || st.Owner.Kind == "pool")
			if st.Status.Open() != owned || st.Status.Open() == st.DueAt.IsZero() {
				t.Fatalf("after %d events: %s, owner %+v, due %s", n+1, st.Status, st.Owner, st.DueAt)
			}
			if st.Owner.Kind == "person" && !slices.Contains(st.Participants, st.Owner.ID) {
				t.Fatalf("owner %s takes no part", st.Owner.ID)
			}
		}
	})
}

// From any open state the clinician alone can end the case, and an opinion can
// be had.
func TestEndIsReachable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStory(t)
		if !s.st.Status.Open() {
			return
		}
		end := *s
		last := event(Cancelled, ReasonData{"x"})
		if end.st.Status == Answered {
			last = event(Closed, ClosedData{Outcome: "lost"})
		}
		if err := end.try(person("aminata"), last); err != nil || end.st.Status.Open() {
			t.Fatalf("no end from %s: %v", s.st.Status, err)
		}
		answer := *s
		if answer.st.Status == Answered {
			return
		}
		if len(answer.st.Assignees) == 0 {
			if err := answer.try(person("assetou"), event(Assigned, AssignedData{To: "seydou"})); err != nil {
				t.Fatal(err)
			}
		}
		if err := answer.try(person(answer.st.Assignees[0]), opinion("x")); err != nil || answer.st.Status != Answered {
			t.Fatalf("no opinion from %s: %v", s.st.Status, err)
		}
	})
}

// An opinion never changes, and nobody is ever removed from a case.
func TestOpinionsAndParticipantsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStory(t)
		last := mustFold(t, s.events)
		for n := range s.events {
			st := mustFold(t, s.events[:n+1])
			if !slices.Equal(st.Opinions, last.Opinions[:len(st.Opinions)]) {
				t.Fatalf("opinions %v became %v", st.Opinions, last.Opinions)
			}
			if !slices.Equal(st.Participants, last.Participants[:len(st.Participants)]) {
				t.Fatalf("participants %v became %v", st.Participants, last.Participants)
			}
		}
		for _, o := range last.Opinions {
			if !slices.Contains([]string{"seydou", "mariam", "kone"}, o.By) {
				t.Fatalf("opinion by %s", o.By)
			}
		}
	})
}

// A log holds, and any change of it is found.
func TestChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStory(t)
		if err := VerifyChain(s.events); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(s.events)-1).Draw(t, "which")
		bad := slices.Clone(s.events)
		ev := &bad[i]
		switch rapid.IntRange(0, 9).Draw(t, "how") {
		case 0:
			ev.Data = append(slices.Clone(ev.Data), ' ')
		case 1:
			ev.Actor += "x"
		case 2:
			ev.At = ev.At.Add(-time.Millisecond)
		case 3:
			ev.Received = ev.Received.Add(time.Millisecond)
		case 4:
			ev.Type = "other"
		case 5:
			ev.ID = id2
		case 6:
			ev.Case = id2
		case 7:
			ev.Hash = HashEvent(Event{})
		case 8: // forged with a hash of its own: the next one tells, or the head
			ev.Data = []byte(`{"forged":1}`)
			ev.Hash = HashEvent(*ev)
			if i == len(bad)-1 {
				return
			}
		case 9:
			if i == len(bad)-1 {
				return
			}
			bad = slices.Delete(bad, i, i+1)
		}
		if err := VerifyChain(bad); !errors.Is(err, ErrBroken) {
			t.Fatalf("event %d of %d: %v", i+1, len(bad), err)
		}
	})
}

func TestFoldRefuses(t *testing.T) {
	s := &story{now: start}
	must(t, s.try(person("aminata"), event(Opened, request())))
	must(t, s.try(person("aminata"), message("a")))
	must(t, s.try(person("aminata"), message("b")))
	e := s.events
	twin := e[1]
	twin.ID = id2
	unreadable := e[1]
	unreadable.Data = []byte(`{"text":3}`)
	for name, log := range map[string][]Event{
		"empty":         {},
		"no start":      e[1:],
		"gap":           {e[0], e[2]},
		"two seconds":   {e[0], e[1], twin},
		"opened twice":  {e[0], func() Event { o := e[0]; o.Seq, o.ID = 2, id2; return o }()},
		"another case":  {e[0], func() Event { o := e[1]; o.Case = id2; return o }()},
		"not readable":  {e[0], unreadable},
		"wrong ordered": {e[0], e[2], e[1]},
	} {
		if _, err := Fold(log); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: got %v, want ErrBroken", name, err)
		}
	}
}

// Events of a newer Sira are kept, and what follows is still understood.
func TestFoldUnknownTypes(t *testing.T) {
	s := &story{now: start}
	must(t, s.try(person("aminata"), event(Opened, request("seydou"))))
	next, ev, err := chain(s.st, Event{ID: id2, Case: id1, Type: "telepathy", Actor: "seydou", At: start, Received: start, Data: []byte(`[1]`)})
	must(t, err)
	s.st, s.events = next, append(s.events, ev)
	must(t, s.try(person("seydou"), opinion("x")))
	st, err := Fold(s.events)
	must(t, err)
	if st.Seq != 3 || st.Status != Answered || len(st.Timeline) != 3 || st.Timeline[1].Type != "telepathy" {
		t.Errorf("state %+v", st)
	}
}

// The clocks: the opinion's, from the server's receipt; the clinician's while a
// question is open; the opinion's again with what was left; the outcome's.
func TestDueTimes(t *testing.T) {
	s := &story{now: start}
	must(t, s.try(person("aminata"), event(Opened, request("seydou")))) // U2: 24 h
	due := func(what string, owner string, want time.Duration) {
		t.Helper()
		if s.st.DueAt != start.Add(want) || s.st.Owner.ID != owner {
			t.Errorf("%s: due %s by %s, want %s by %s", what, s.st.DueAt.Sub(start), s.st.Owner.ID, want, owner)
		}
	}
	at := func(after time.Duration, who string, ev NewEvent) {
		t.Helper()
		s.now = start.Add(after)
		must(t, s.try(person(who), ev))
	}
	due("opened", "seydou", 24*time.Hour)
	at(time.Hour, "aminata", message("x"))
	at(2*time.Hour, "assetou", event(Assigned, AssignedData{To: "mariam"}))
	due("assigned further", "mariam", 24*time.Hour)
	at(4*time.Hour, "seydou", event(ClarificationAsked, TextData{"?"}))
	due("asked", "aminata", 28*time.Hour)
	at(5*time.Hour, "mariam", event(ClarificationAsked, TextData{"??"}))
	due("asked once more", "aminata", 28*time.Hour)
	at(40*time.Hour, "aminata", event(ClarificationAnswered, TextData{"!"}))
	due("answered the question", "seydou", 60*time.Hour)
	at(50*time.Hour, "mariam", opinion("x"))
	due("opinion", "aminata", 50*time.Hour+7*24*time.Hour)
	at(60*time.Hour, "aminata", event(Closed, ClosedData{Outcome: "improved"}))
	if !s.st.DueAt.IsZero() || s.st.Owner != (Owner{}) || s.st.Outcome != "improved" {
		t.Errorf("closed: %+v", s.st)
	}
	at(70*time.Hour, "aminata", event(Reopened, ReasonData{"x"}))
	due("reopened", "seydou", 94*time.Hour)
	if s.st.Outcome != "" || s.st.Status != InAnalysis {
		t.Errorf("reopened: %+v", s.st)
	}
	for i, u := range []time.Duration{15 * time.Minute, 2 * time.Hour, 24 * time.Hour, 72 * time.Hour} {
		s := &story{now: start}
		r := request()
		r.Urgency = fmt.Sprintf("U%d", i)
		must(t, s.try(person("aminata"), event(Opened, r)))
		if s.st.DueAt != start.Add(u) || s.st.Owner != (Owner{"pool", "cardiologie"}) {
			t.Errorf("U%d due %s by %v", i, s.st.DueAt.Sub(start), s.st.Owner)
		}
	}
}
