package web

import (
	"context"

	"sira/cases"
	"sira/web/problem"
)

// words are the sentences for what the domain refuses. Codes without one get
// the general sentence, and the client may word them itself.
var words = map[string]string{}

// invalidProblem is a refusal that the sender can repair.
func invalidProblem(e *cases.UserError) *problem.Problem {
	p := problem.New("invalid").Because(e)
	p.Code = e.Code
	if text, ok := words[e.Code]; ok {
		p.Detail = text
	}
	if len(e.Params) > 0 {
		p = p.With("params", e.Params)
	}
	return p
}

var conflictTitles = map[string]string{
	"answered":  "Un avis a déjà été rendu",
	"closed":    "Le dossier vient d’être clos",
	"cancelled": "La demande vient d’être annulée",
}

// conflictProblem says who was first, and when.
func (s *Server) conflictProblem(ctx context.Context, e *cases.ConflictError) *problem.Problem {
	p := problem.New("conflict").Because(e)
	p.Code = e.Code
	if t, ok := conflictTitles[e.Code]; ok {
		p.Title = t
	}
	who, err := s.people(ctx, []string{e.By})
	if err != nil {
		who = people{}
	}
	return p.With("by", who.of(e.By)).With("at", e.At.UTC())
}
