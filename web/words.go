package web

import (
	"context"

	"sira/cases"
	"sira/web/problem"
)

// words are the sentences for what the domain refuses. Codes without one get
// the general sentence, and the client may word them itself.
var words = map[string]string{
	"already-assigned":  "Cet expert est déjà chargé du dossier.",
	"already-opened":    "Cette demande est déjà partie.",
	"bad-date":          "Une date n’est pas possible ; corrigez-la.",
	"bad-user":          "Cette personne ne peut pas recevoir ce dossier ; choisissez-en une autre.",
	"bad-value":         "Une valeur n’est pas dans la liste permise.",
	"case-full":         "Ce dossier ne peut pas recevoir plus d’éléments.",
	"consent-required":  "Notez comment le patient a consenti, ou le motif d’urgence.",
	"control-character": "Un texte contient des caractères invisibles ; retapez-le.",
	"no-procedure":      "Aucun examen n’est demandé dans ce dossier.",
	"no-such-image":     "Cette image n’est pas dans le dossier ; relisez-le.",
	"required":          "Un champ obligatoire est vide.",
	"too-long":          "Un texte est trop long ; raccourcissez-le.",
	"too-many":          "Il y a trop d’éléments dans une liste.",
	"wrong-status":      "Le dossier n’en est pas à cette étape ; relisez-le.",
}

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
