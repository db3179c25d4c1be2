package cases

import (
	"strings"
	"time"

	"sira/cases/directory"
)

// guestPrefix begins the actor of what a guest did. No user ID has a colon.
const guestPrefix = "guest:"

// GuestActor is a guest in a call and in the journal: the ID of the invitation
// behind "guest:".
func GuestActor(invitation string) string { return guestPrefix + invitation }

// GuestOf gives the invitation of an actor that is a guest.
func GuestOf(actor string) (invitation string, ok bool) { return strings.CutPrefix(actor, guestPrefix) }

// Wait is to wait at the door of a call. It is for guests only: everybody else
// who may call walks in.
const Wait Action = "wait"

// Guest is somebody without an account who was invited to the call of one case.
type Guest struct {
	Case     string
	By       directory.User // who invited them, as they are now
	Until    time.Time      // the end of the guest's session
	Admitted bool           // somebody of the case let them in
}

// AllowGuest is Allow for a guest: they may wait to be let in, be in the call
// once they were, and nothing else. Their right is no longer than that of the
// one who invited them.
func AllowGuest(g Guest, action Action, s *State, now time.Time) error {
	if s == nil || g.Case != s.ID || !now.Before(g.Until) {
		return ErrForbidden
	}
	if action != Wait && !(action == Call && g.Admitted) {
		return ErrForbidden
	}
	return Allow(g.By, Invite, s)
}
