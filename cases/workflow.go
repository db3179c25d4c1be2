package cases

import (
	"errors"
	"fmt"
	"slices"

	"sira/cases/directory"
)

// actionOf says which action an event of a type is.
var actionOf = map[EventType]Action{
	AttachmentAdded:       Attach,
	MessagePosted:         PostMessage,
	Assigned:              Assign,
	ClarificationAsked:    Ask,
	ClarificationAnswered: AnswerAsked,
	OpinionGiven:          GiveOpinion,
	Closed:                Close,
	Reopened:              Reopen,
	Cancelled:             Cancel,
	CallJoined:            Call,
	ProcedureScheduled:    Schedule,
	ProcedureCancelled:    Schedule,
	KeyImageMarked:        MarkImage,
	KeyImageUnmarked:      MarkImage,
	StillDrawn:            Call,
	CallLeft:              View, // whoever joined leaves, even when the case ended meanwhile
}

// Validate says whether u's event may come next in the log of s, nil when there
// is no such case yet. Errors: ErrForbidden, ErrNotFound, *ConflictError when
// somebody else's event came first, *UserError for the rest.
func Validate(u directory.User, s *State, ev NewEvent) error {
	ev, data, err := normalise(ev)
	if err != nil {
		return err
	}
	if ev.Type == AttachmentAdded {
		// A hash is not a permission: whoever could name any hash could read
		// any file. Files come in through AttachFiles.
		return refuse("server-only", "type")
	}
	return follows(u, s, ev, data)
}

// follows is Validate after the event was found well-formed.
func follows(u directory.User, s *State, ev NewEvent, data any) error {
	if ev.Type == Opened {
		return opens(u, s, data)
	}
	if s == nil {
		return ErrNotFound
	}
	if err := Allow(u, actionOf[ev.Type], s); err != nil {
		return overtaken(u, s, err)
	}
	if ev.Type == ProcedureCancelled && s.Procedure == nil {
		return refuse("no-procedure", "type")
	}
	if d, ok := data.(*KeyImageData); ok && !s.holds(*d) {
		return refuse("no-such-image", "data.sop")
	}
	if d, ok := data.(*StillDrawnData); ok && !s.holdsStill(d.Still) {
		return refuse("no-such-image", "data.still")
	}
	if d, ok := data.(*AssignedData); ok {
		if slices.Contains(s.Assignees, d.To) {
			return refuse("already-assigned", "data.to")
		}
		if d.To == s.Clinician {
			return refuse("bad-user", "data.to")
		}
	}
	return nil
}

func opens(u directory.User, s *State, data any) error {
	if s != nil {
		if err := Allow(u, View, s); err != nil {
			return err
		}
		return refuse("already-opened", "type")
	}
	if err := Allow(u, Create, nil); err != nil {
		return err
	}
	if d, ok := data.(*OpenedData); ok {
		if i := slices.Index(d.To, u.ID); i >= 0 {
			return refuse("bad-user", fmt.Sprintf("data.to[%d]", i))
		}
	}
	return nil
}

// overtaken turns "not in this status" into ConflictError when somebody else
// answered or ended the case.
func overtaken(u directory.User, s *State, err error) error {
	if errors.Is(err, ErrForbidden) || s.StatusBy == u.ID {
		return err
	}
	switch s.Status {
	case Answered, StatusClosed, StatusCancelled:
		return &ConflictError{Code: string(s.Status), By: s.StatusBy, At: s.StatusAt}
	}
	return err
}
