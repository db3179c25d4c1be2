package cases

import (
	"slices"

	"sira/cases/directory"
)

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
	AttachStudy  Action = "attach-study" // what a device sent, taken from the tray
	Schedule     Action = "schedule"     // an examination, into the devices' worklist
	MarkImage    Action = "mark-image"   // as a key image, and take the mark back
	// ExportAnonymous is to send the images out without the identity; Export, with.
	ExportAnonymous Action = "export-anonymous"
	Invite          Action = "invite" // somebody without an account, to the call
	Admit           Action = "admit"  // a guest into the call; refuse them, put them out
)

// Actions lists every action on an existing case, in the order of Permitted.
var Actions = []Action{View, PostMessage, Attach, Assign, Ask, AnswerAsked, GiveOpinion,
	Close, Reopen, Cancel, Call, Export, SeeAccessLog, AttachStudy, Schedule, MarkImage, ExportAnonymous, Invite, Admit}

// relation is what a user is to a case; several may hold at once. Addressees of
// the request are assignees from the start.
type relation uint8

const (
	opener relation = 1 << iota
	assignee
	dispatcher // of the case's specialty

	members = opener | assignee
	anyone  = members | dispatcher
)

// rule says who may do something, and when. No roles means any role.
type rule struct {
	who   relation
	roles []directory.Role
	when  []Status
}

var (
	experts    = []directory.Role{directory.Specialist, directory.Radiologist}
	waiting    = []Status{Submitted, InAnalysis, Clarification}
	inHands    = []Status{InAnalysis, Clarification}
	open       = []Status{Submitted, InAnalysis, Clarification, Answered}
	notDropped = []Status{Submitted, InAnalysis, Clarification, Answered, StatusClosed}
	always     = []Status{Submitted, InAnalysis, Clarification, Answered, StatusClosed, StatusCancelled}
)

// rules is the policy. What is not in it is forbidden. A file may still come in
// after the end, because slow links finish late; a message may not, because
// nobody would owe it an answer: the case is reopened first.
var rules = map[Action]rule{
	View:         {who: anyone, when: always},
	PostMessage:  {who: anyone, when: open},
	Attach:       {who: members, when: notDropped},
	Assign:       {who: dispatcher, when: waiting},
	Ask:          {who: assignee, roles: experts, when: inHands},
	AnswerAsked:  {who: opener, when: []Status{Clarification}},
	GiveOpinion:  {who: assignee, roles: experts, when: inHands},
	Close:        {who: opener | dispatcher, when: []Status{Answered}},
	Reopen:       {who: anyone, when: []Status{Answered, StatusClosed}},
	Cancel:       {who: opener | dispatcher, when: waiting},
	Call:         {who: anyone, when: open},
	Export:       {who: members, when: always},
	SeeAccessLog: {who: anyone, when: always},
	AttachStudy:  {who: opener | dispatcher, when: open},
	Schedule:     {who: opener, when: open},
	MarkImage:    {who: members, when: notDropped},
	// Only for somebody who answers for the patient, and not of a request that was taken back.
	ExportAnonymous: {who: members, when: notDropped},
	Invite:          {who: members, when: open},
	Admit:           {who: anyone, when: open},
}

// Allow says whether u may do action to s now: nil, ErrForbidden when it is not
// for u to do, or a *UserError "wrong-status" when it is but not in this status.
// s is nil for Create only. Every surface asks this function and no other.
func Allow(u directory.User, action Action, s *State) error {
	if u.ID == "" || u.Disabled || !slices.Contains(directory.Roles, u.Role) {
		return ErrForbidden
	}
	if action == Create {
		if s != nil || u.Role != directory.Clinician {
			return ErrForbidden
		}
		return nil
	}
	r, ok := rules[action]
	if !ok || s == nil || relations(u, s)&r.who == 0 {
		return ErrForbidden
	}
	if r.roles != nil && !slices.Contains(r.roles, u.Role) {
		return ErrForbidden
	}
	if !slices.Contains(r.when, s.Status) {
		return refuse("wrong-status", "", "status", string(s.Status), "action", string(action))
	}
	return nil
}

// AllowDevice is Allow for a DICOM device that configuration lets in: it may
// add files to a case that is open, and nothing else.
func AllowDevice(action Action, s *State) error {
	if action != Attach || s == nil {
		return ErrForbidden
	}
	if !slices.Contains(open, s.Status) {
		return refuse("wrong-status", "", "status", string(s.Status), "action", string(action))
	}
	return nil
}

// relations finds what u is to s.
func relations(u directory.User, s *State) relation {
	var is relation
	if u.ID == s.Clinician {
		is |= opener
	}
	if slices.Contains(s.Assignees, u.ID) {
		is |= assignee
	}
	if u.Role == directory.Dispatcher && slices.Contains(u.Specialties, s.Opened.Specialty) {
		is |= dispatcher
	}
	return is
}

// Permitted lists what u may do to s now.
func Permitted(u directory.User, s *State) []Action {
	may := []Action{}
	for _, a := range Actions {
		if Allow(u, a, s) == nil {
			may = append(may, a)
		}
	}
	return may
}
