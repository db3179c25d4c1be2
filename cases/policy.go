package cases

import "sira/cases/directory"

// Action is something a user may do to a case.
type Action string

// The actions.
const (
	View         Action = "view"
	PostMessage  Action = "post-message"
	Attach       Action = "attach"
	Assign       Action = "assign"
	Ask          Action = "ask"
	AnswerAsked  Action = "answer-clarification"
	GiveOpinion  Action = "give-opinion"
	Close        Action = "close"
	Reopen       Action = "reopen"
	Cancel       Action = "cancel"
	Call         Action = "call"
	Export       Action = "export"
	SeeAccessLog Action = "see-access-log"
	Create       Action = "create"
)

// Allow says whether u may do action to s now.
func Allow(u directory.User, action Action, s *State) error { return ErrForbidden }

// Permitted lists what u may do to s now.
func Permitted(u directory.User, s *State) []Action { return nil }
