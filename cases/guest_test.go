package cases

import (
	"errors"
	"testing"
	"time"
)

// A guest may wait, and call once admitted, in one case, for a time, as long as
// who invited them could still invite; and nothing else whatever the rest says.
func TestAllowGuest(t *testing.T) {
	s := &State{ID: "c1", Clinician: "aminata", Assignees: []string{"seydou"}, Status: InAnalysis}
	now := start
	good := Guest{Case: "c1", By: person("aminata"), Until: now.Add(time.Hour)}
	in := good
	in.Admitted = true
	for _, a := range append([]Action{Wait, Create, "x"}, Actions...) {
		if got, want := AllowGuest(good, a, s, now) == nil, a == Wait; got != want {
			t.Errorf("waiting, %s: %v", a, got)
		}
		if got, want := AllowGuest(in, a, s, now) == nil, a == Wait || a == Call; got != want {
			t.Errorf("admitted, %s: %v", a, got)
		}
	}
	for name, change := range map[string]func(*Guest){
		"another case":          func(g *Guest) { g.Case = "c2" },
		"too late":              func(g *Guest) { g.Until = now },
		"invited by a stranger": func(g *Guest) { g.By = person("halima") },
		"by a dispatcher":       func(g *Guest) { g.By = person("assetou") },
		"by one disabled":       func(g *Guest) { g.By.Disabled = true },
		"by nobody":             func(g *Guest) { g.By.ID = "" },
	} {
		g := in
		change(&g)
		for _, a := range []Action{Wait, Call} {
			if err := AllowGuest(g, a, s, now); !errors.Is(err, ErrForbidden) {
				t.Errorf("%s, %s: %v", name, a, err)
			}
		}
	}
	closed := *s
	closed.Status = StatusClosed
	var status *UserError
	if err := AllowGuest(in, Call, &closed, now); !errors.As(err, &status) {
		t.Errorf("a closed case: %v", err)
	}
	if AllowGuest(in, Call, nil, now) == nil {
		t.Error("no case, and yet")
	}
	if id, ok := GuestOf(GuestActor("i")); id != "i" || !ok {
		t.Error("the actor of a guest")
	}
}
