package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/web/problem"
	"sira/web/uploads"
)

// tus hands a request to the upload protocol.
func (s *Server) tus(w http.ResponseWriter, r *http.Request) error {
	s.tusHandler.ServeHTTP(w, r)
	return nil
}

// mayUpload says whether the request's user may add files to a case: one that
// they take part in, or one that they are about to open under this ID.
func (s *Server) mayUpload(ctx context.Context, caseID string) error {
	u := requestOf(ctx).user
	st, err := s.cfg.Cases.Get(ctx, u, caseID)
	var entry = audit.Entry{Action: actUpload, Case: caseID}
	switch {
	case errors.Is(err, cases.ErrNotFound):
		err = cases.Allow(u, cases.Create, nil)
	case err == nil:
		err = cases.Allow(u, cases.Attach, &st)
	case errors.Is(err, cases.ErrForbidden):
		entry.Outcome = "denied"
		return errors.Join(s.recordRead(ctx, entry), problem.New("not-found").Because(err))
	}
	if errors.Is(err, cases.ErrForbidden) {
		entry.Outcome = "denied"
		return errors.Join(s.recordRead(ctx, entry), problem.New("forbidden").Because(err))
	}
	if err != nil {
		return s.problemOf(ctx, err)
	}
	return s.recordRead(ctx, entry)
}

// deliver attaches files that came in to their case, in the name of who sent
// them, or keeps them until that person opens the case.
func (s *Server) deliver(ctx context.Context, owner, caseID string, files []cases.Attachment) ([]uploads.Delivered, error) {
	u, err := s.cfg.Directory.User(ctx, owner)
	if err != nil {
		return nil, err
	}
	stand, err := s.cfg.Cases.AttachFiles(ctx, u, caseID, files)
	if errors.Is(err, cases.ErrNotFound) {
		stand, err = s.cfg.Cases.PutPending(ctx, u, caseID, files)
	}
	var invalid *cases.UserError
	switch {
	case errors.Is(err, cases.ErrForbidden), errors.Is(err, cases.ErrNotFound):
		s.record(ctx, audit.Entry{Actor: owner, Action: actAttach, Case: caseID, Outcome: "denied", Surface: "tus"})
		return nil, uploads.Refuse("forbidden")
	case errors.Is(err, cases.ErrConflict), errors.As(err, &invalid) && invalid.Code == "wrong-status":
		return nil, uploads.Refuse("case-closed")
	case errors.As(err, &invalid):
		s.log.WarnContext(ctx, "attachment refused", "case", caseID, "code", invalid.Code, "field", invalid.Params["field"])
		return nil, uploads.Refuse("case-full")
	case err != nil:
		return nil, err
	}
	out := make([]uploads.Delivered, len(stand))
	for i, a := range stand {
		out[i] = uploads.Delivered{AttachmentID: a.ID, Duplicate: a.ID != files[i].ID}
	}
	s.record(ctx, audit.Entry{Actor: owner, Action: actAttach, Case: caseID, Object: files[0].ID, Surface: "tus"})
	return out, nil
}

// listIntake answers what became of the user's own uploads to a case.
func (s *Server) listIntake(w http.ResponseWriter, r *http.Request) error {
	id, err := uuid.Parse(r.URL.Query().Get("caseId"))
	if err != nil {
		return problem.New("bad-request").Because(err)
	}
	list, err := s.uploads.OfCase(r.Context(), userOf(r).ID, id.String())
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"uploads": list})
}

func (s *Server) getIntake(w http.ResponseWriter, r *http.Request) error {
	in, err := s.uploads.Intake(r.Context(), userOf(r).ID, r.PathValue("upload"))
	if errors.Is(err, uploads.ErrNotFound) {
		return problem.New("upload-unknown")
	}
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	return s.writeJSON(w, r, http.StatusOK, in)
}
