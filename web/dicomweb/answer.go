package dicomweb

import (
	"context"
	"errors"
	"net/http"

	"sira/dicom"
	"sira/dicom/film"
	"sira/dicom/index"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
	"sira/storage"
	"sira/web/problem"
)

// words are what this surface refuses, for the person who reads the log of
// their viewer.
var words = map[string][2]string{
	"not-found":      {"Introuvable", "Cet objet n’existe pas, ou vous n’y avez pas accès."},
	"forbidden":      {"Action non permise", "Votre compte ne permet pas cette action."},
	"bad-request":    {"Demande illisible", "Corrigez l’adresse ou les paramètres de la demande."},
	"query-too-long": {"Demande trop longue", "Réduisez le nombre de critères."},
	"not-acceptable": {"Format non disponible", "Demandez un autre type de média ou une autre syntaxe de transfert."},
	"media-type":     {"Format non pris en charge", "Envoyez multipart/related; type=\"application/dicom\"."},
	"method":         {"Méthode non prise en charge", "Cette adresse ne connaît pas cette méthode."},
	"unavailable":    {"Service momentanément indisponible", "Recommencez dans un moment."},
	"disk-full":      {"Plus de place sur le serveur", "Prévenez l’administrateur et gardez les fichiers."},
	"broken":         {"Objet illisible", "Les pixels de cet objet ne peuvent pas être décodés."},
	"too-large":      {"Trop volumineux", "Demandez ou envoyez moins à la fois."},
	"internal":       {"Erreur interne", "Recommencez ; si l’erreur persiste, prévenez l’administrateur."},
}

// refuse makes an error of a status and a code of words.
func refuse(status int, code string) *problem.Problem {
	w := words[code]
	return &problem.Problem{Status: status, Code: code, Title: w[0], Detail: w[1]}
}

func badRequest(detail string) *problem.Problem {
	return refuse(http.StatusBadRequest, "bad-request").Saying(detail)
}

func notAcceptable() *problem.Problem {
	return refuse(http.StatusNotAcceptable, "not-acceptable")
}

// asProblem finds the answer to an error.
func asProblem(err error) *problem.Problem {
	var p *problem.Problem
	var refused *dicom.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, ErrForbidden):
		return refuse(http.StatusForbidden, "forbidden").Because(err)
	case errors.Is(err, index.ErrNotFound), errors.Is(err, storage.ErrNotFound), errors.Is(err, pixel.ErrNoFrame), errors.Is(err, pixel.ErrNoPixels):
		return refuse(http.StatusNotFound, "not-found").Because(err)
	case errors.Is(err, pixel.ErrUnsupportedSyntax), errors.Is(err, pixel.ErrUnsupportedLayout), errors.Is(err, pixel.ErrTooLarge),
		errors.Is(err, transcode.ErrImage), errors.Is(err, transcode.ErrSyntax):
		return notAcceptable().Because(err)
	case errors.Is(err, film.ErrCorrupt), errors.Is(err, pixel.ErrTruncated), errors.Is(err, pixel.ErrCorrupt), errors.As(err, &refused):
		return refuse(http.StatusUnprocessableEntity, "broken").Because(err)
	case errors.Is(err, storage.ErrNoSpace):
		return refuse(http.StatusInsufficientStorage, "disk-full").Because(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusServiceUnavailable, "unavailable").Because(err)
	}
	return refuse(http.StatusInternalServerError, "internal").Because(err)
}

// fail answers with an error, where the answer has not begun.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	if p.Status >= 500 && r.Context().Err() == nil {
		s.cfg.Logger.Error("dicomweb request failed", "request", s.requestID(r), "code", p.Code, "err", p.Cause)
	}
	p.Write(w, s.requestID(r))
}

func (s *Service) requestID(r *http.Request) string {
	if s.cfg.RequestID == nil {
		return ""
	}
	return s.cfg.RequestID(r.Context())
}

// cut ends an answer that has begun and cannot be finished, so that the client
// sees that it is not whole.
func (s *Service) cut(r *http.Request, err error) {
	if r.Context().Err() == nil {
		s.cfg.Logger.Error("dicomweb answer cut", "request", s.requestID(r), "err", err)
	}
	panic(http.ErrAbortHandler)
}

// unknown answers what no route serves.
func (s *Service) unknown(w http.ResponseWriter, r *http.Request) {
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != "/" && pattern != "" {
			w.Header().Add("Allow", m)
		}
	}
	if w.Header().Get("Allow") != "" {
		s.fail(w, r, refuse(http.StatusMethodNotAllowed, "method"))
		return
	}
	s.fail(w, r, refuse(http.StatusNotFound, "not-found"))
}
