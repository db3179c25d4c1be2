package cases

import (
	"errors"
	"testing"

	"sira/cases/directory"
)

// lives brings a case of aminata's into a status.
func lives(t *testing.T, status Status) *story {
	t.Helper()
	s := &story{now: start}
	var to []string
	if status != Submitted {
		to = []string{"seydou", "mariam"}
	}
	must(t, s.try(person("aminata"), event(Opened, request(to...))))
	switch status {
	case Clarification:
		must(t, s.try(person("seydou"), event(ClarificationAsked, TextData{"?"})))
	case Answered, StatusClosed:
		must(t, s.try(person("seydou"), opinion("x")))
		if status == StatusClosed {
			must(t, s.try(person("aminata"), event(Closed, ClosedData{Outcome: "stable"})))
		}
	case StatusCancelled:
		must(t, s.try(person("aminata"), event(Cancelled, ReasonData{"x"})))
	}
	if s.st.Status != status {
		t.Fatalf("brought to %s, want %s", s.st.Status, status)
	}
	return s
}

func TestValidate(t *testing.T) {
	attached := file("a")
	attached.AddedAt, attached.AddedBy = start, "aminata"
	for name, c := range map[string]struct {
		status Status
		who    string
		ev     NewEvent
		want   error
		code   string // of a UserError
	}{
		"message":                        {Submitted, "aminata", message("x"), nil, ""},
		"message by a stranger":          {Submitted, "halima", message("x"), ErrForbidden, ""},
		"message after the end":          {StatusClosed, "aminata", message("x"), nil, "wrong-status"},
		"files by a client":              {Submitted, "aminata", event(AttachmentAdded, AttachmentData{attached}), nil, "server-only"},
		"assign":                         {Submitted, "assetou", event(Assigned, AssignedData{To: "kone"}), nil, ""},
		"assign by another dispatcher":   {Submitted, "oumar", event(Assigned, AssignedData{To: "kone"}), ErrForbidden, ""},
		"assign twice":                   {InAnalysis, "assetou", event(Assigned, AssignedData{To: "seydou"}), nil, "already-assigned"},
		"assign the clinician":           {Submitted, "assetou", event(Assigned, AssignedData{To: "aminata"}), nil, "bad-user"},
		"opinion":                        {InAnalysis, "seydou", opinion("x"), nil, ""},
		"opinion while asking":           {Clarification, "mariam", opinion("x"), nil, ""},
		"opinion by the clinician":       {InAnalysis, "aminata", opinion("x"), ErrForbidden, ""},
		"opinion by a dispatcher":        {InAnalysis, "assetou", opinion("x"), ErrForbidden, ""},
		"second opinion by another":      {Answered, "mariam", opinion("y"), ErrConflict, ""},
		"second opinion by the same":     {Answered, "seydou", opinion("y"), nil, "wrong-status"},
		"opinion after closing":          {StatusClosed, "mariam", opinion("y"), ErrConflict, ""},
		"opinion after cancelling":       {StatusCancelled, "mariam", opinion("y"), ErrConflict, ""},
		"answer":                         {Clarification, "aminata", event(ClarificationAnswered, TextData{"!"}), nil, ""},
		"answer to nothing":              {InAnalysis, "aminata", event(ClarificationAnswered, TextData{"!"}), nil, "wrong-status"},
		"answer by an expert":            {Clarification, "mariam", event(ClarificationAnswered, TextData{"!"}), ErrForbidden, ""},
		"close without an opinion":       {InAnalysis, "aminata", event(Closed, ClosedData{Outcome: "lost"}), nil, "wrong-status"},
		"close":                          {Answered, "aminata", event(Closed, ClosedData{Outcome: "lost"}), nil, ""},
		"close by the expert":            {Answered, "seydou", event(Closed, ClosedData{Outcome: "lost"}), ErrForbidden, ""},
		"cancel an answered one":         {Answered, "aminata", event(Cancelled, ReasonData{"x"}), ErrConflict, ""},
		"reopen":                         {StatusClosed, "seydou", event(Reopened, ReasonData{"x"}), nil, ""},
		"reopen a cancelled one":         {StatusCancelled, "aminata", event(Reopened, ReasonData{"x"}), nil, "wrong-status"},
		"open again":                     {InAnalysis, "aminata", event(Opened, request()), nil, "already-opened"},
		"open again by a stranger":       {InAnalysis, "halima", event(Opened, request()), ErrForbidden, ""},
		"unknown type":                   {InAnalysis, "aminata", event("other", struct{}{}), nil, "unknown-type"},
		"join after the end":             {StatusClosed, "aminata", event(CallJoined, struct{}{}), nil, "wrong-status"},
		"leave after the end":            {StatusClosed, "aminata", event(CallLeft, struct{}{}), nil, ""},
		"leave as a stranger":            {StatusClosed, "halima", event(CallLeft, struct{}{}), ErrForbidden, ""},
		"empty message, before the rest": {Submitted, "halima", message(""), nil, "required"},
	} {
		s := lives(t, c.status)
		err := Validate(person(c.who), s.st, c.ev)
		var ue *UserError
		switch {
		case c.code != "":
			if !errors.As(err, &ue) || ue.Code != c.code {
				t.Errorf("%s: got %v, want %s", name, err, c.code)
			}
		case !errors.Is(err, c.want):
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestValidateOpening(t *testing.T) {
	must(t, Validate(person("aminata"), nil, event(Opened, request("seydou"))))
	wantErr(t, Validate(person("seydou"), nil, event(Opened, request())), ErrForbidden)
	wantErr(t, Validate(person("modibo"), nil, event(Opened, request())), ErrForbidden)
	wantErr(t, Validate(person("aminata"), nil, message("x")), ErrNotFound)
	refused(t, Validate(person("aminata"), nil, event(Opened, request("seydou", "aminata"))), "bad-user", "data.to[1]")
}

// Who loses is told who won, and when the server received it.
func TestConflictSaysWho(t *testing.T) {
	s := lives(t, Answered)
	var c *ConflictError
	if err := Validate(person("mariam"), s.st, opinion("y")); !errors.As(err, &c) {
		t.Fatalf("got %v, want ConflictError", err)
	}
	if *c != (ConflictError{Code: "answered", By: "seydou", At: start}) {
		t.Errorf("conflict %+v", *c)
	}
}

// No act opens without consent or a reasoned emergency, whatever else it says.
func TestNoCaseWithoutConsent(t *testing.T) {
	for _, c := range []Consent{{}, {How: "no"}, {How: "emergency"}, {How: "emergency", Note: " "}, {How: "representative"}} {
		r := request()
		r.Consent = c
		for _, who := range []directory.User{person("aminata"), person("modibo")} {
			var ue *UserError
			if err := Validate(who, nil, event(Opened, r)); !errors.As(err, &ue) {
				t.Errorf("consent %+v: got %v", c, err)
			}
		}
	}
}
