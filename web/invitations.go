package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/cases/guests"
	"sira/signaling"
	"sira/storage"
	"sira/web/problem"
)

// linkHours are for how long a link may be good: the visit of now, of the day,
// of the next days.
var linkHours = []int{1, 24, 72}

// admitted remembers which guests somebody let in. It is memory on purpose: a
// guest who was gone for a while, or whose server began anew, is let in again
// by somebody who sees them.
type admitted struct {
	mu   sync.Mutex
	list map[string]bool // invitation
}

func (a *admitted) has(id string) bool { a.mu.Lock(); defer a.mu.Unlock(); return a.list[id] }

func (a *admitted) set(id string, yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if yes {
		a.list[id] = true
	} else {
		delete(a.list, id)
	}
}

// guestView is an invitation as the people of its case see it.
type guestView struct {
	ID      string           `json:"id"`
	Kind    guests.Kind      `json:"kind"`
	Name    string           `json:"name"`
	By      directory.Person `json:"by"`
	Created time.Time        `json:"created"`
	Expires time.Time        `json:"expires"` // of the link, or of the session of who used it
	State   string           `json:"state"`   // link, outside, waiting, inside
}

// waitingView is a guest at the door.
type waitingView struct {
	ID    string    `json:"id"` // of the invitation
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

func viewWaiting(list []signaling.Waiting) []waitingView {
	out := []waitingView{}
	for _, x := range list {
		id, _ := cases.GuestOf(x.UserID)
		out = append(out, waitingView{id, x.Name, x.Since.UTC()})
	}
	return out
}

// guestName is how a guest is called: the patient's name stands nowhere but in
// the case.
func guestName(i guests.Invitation, st *cases.State) string {
	if i.Kind != guests.Patient {
		return i.Name
	}
	switch st.Opened.Patient.Sex {
	case "F":
		return "La patiente"
	case "M":
		return "Le patient"
	}
	return "La personne malade"
}

func (s *Server) guestView(i guests.Invitation, st *cases.State, p people) guestView {
	v := guestView{i.ID, i.Kind, guestName(i, st), p.of(i.By), i.Created, i.Expires, "link"}
	if i.Used.IsZero() {
		return v
	}
	v.Expires, v.State = i.SessionEnds, "outside"
	actor := cases.GuestActor(i.ID)
	if slices.ContainsFunc(s.cfg.Signaling.Waiting(st.ID), func(x signaling.Waiting) bool { return x.UserID == actor }) {
		v.State = "waiting"
	}
	if slices.ContainsFunc(s.cfg.Signaling.Participants(st.ID), func(x signaling.Participant) bool { return x.UserID == actor }) {
		v.State = "inside"
	}
	return v
}

// listGuests answers the invitations of a case that are good.
func (s *Server) listGuests(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.Admit, audit.Entry{Action: actGuests})
	if err != nil {
		return err
	}
	all, err := s.guests.ByCase(r.Context(), st.ID)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	var ids []string
	for _, i := range all {
		ids = append(ids, i.By)
	}
	p, err := s.people(r.Context(), ids)
	if err != nil {
		return err
	}
	out := []guestView{}
	for _, i := range all {
		if i.Good(s.guests.Now()) == nil {
			out = append(out, s.guestView(i, st, p))
		}
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"guests": out})
}

// guestNames are the names of all who were ever invited, by invitation.
func (s *Server) guestNames(ctx context.Context, st *cases.State) (map[string]string, error) {
	all, err := s.guests.ByCase(ctx, st.ID)
	if err != nil {
		return nil, problem.New("unavailable").Because(err)
	}
	names := make(map[string]string, len(all))
	for _, i := range all {
		names[i.ID] = guestName(i, st)
	}
	return names, nil
}

// invite makes a link to the call of a case. The secret is told once, to who
// invites.
func (s *Server) invite(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.Invite, audit.Entry{})
	if err != nil {
		return err
	}
	var in struct {
		Kind  guests.Kind `json:"kind"`
		Name  string      `json:"name"`
		Hours int         `json:"hours"`
	}
	if err := readJSON(w, r, 4<<10, &in); err != nil {
		return err
	}
	if !slices.Contains(linkHours, in.Hours) {
		return problem.New("invalid").Saying("Choisissez une durée de 1, 24 ou 72 heures.")
	}
	ctx, u := r.Context(), userOf(r)
	i := guests.Invitation{ID: guests.NewID(), Case: st.ID, Kind: in.Kind, Name: in.Name, By: u.ID}
	var secret string
	err = s.onRecord(ctx, audit.Entry{Action: actInvite, Case: st.ID, Object: i.ID}, func(also guests.Also) (err error) {
		i, secret, err = s.guests.Invite(ctx, i, time.Duration(in.Hours)*time.Hour, also)
		return err
	})
	if err != nil {
		return guestProblem(err)
	}
	s.metrics.guest(actInvite)
	p, err := s.people(ctx, []string{u.ID})
	if err != nil {
		return err
	}
	// What follows # stays in the browser: no server, proxy or log sees it.
	return s.writeJSON(w, r, http.StatusCreated, map[string]any{"guest": s.guestView(i, st, p), "link": "/invitation#" + secret})
}

// onRecord runs one transaction on invitations with its entry in the journal.
func (s *Server) onRecord(ctx context.Context, e audit.Entry, do func(guests.Also) error) error {
	return s.cfg.Audit.With(context.WithoutCancel(ctx), s.entryOf(ctx, e), func(record func(tx storage.Querier) error) error { return do(record) })
}

// uninvite takes an invitation back, whatever its guest is doing.
func (s *Server) uninvite(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.Admit, audit.Entry{})
	if err != nil {
		return err
	}
	if err := s.endGuest(r, st, clip(r.PathValue("guest"), 64), guests.Withdrawn); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// admission lets a guest in who waits, or refuses them, or puts out who is in.
func (s *Server) admission(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.Admit, audit.Entry{})
	if err != nil {
		return err
	}
	var in struct {
		Admit *bool `json:"admit"`
	}
	if err := readJSON(w, r, 1<<10, &in); err != nil {
		return err
	}
	if in.Admit == nil {
		return problem.New("bad-request")
	}
	id := clip(r.PathValue("guest"), 64)
	if *in.Admit {
		err = s.admit(r, st, id)
	} else {
		how := guests.Refused
		if s.inside(st.ID, id) {
			how = guests.PutOut
		}
		err = s.endGuest(r, st, id, how)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) inside(caseID, id string) bool {
	return slices.ContainsFunc(s.cfg.Signaling.Participants(caseID), func(p signaling.Participant) bool { return p.UserID == cases.GuestActor(id) })
}

// admit lets a guest in. Letting in who is in already, as when two press at
// once, is success.
func (s *Server) admit(r *http.Request, st *cases.State, id string) error {
	ctx := r.Context()
	i, err := s.guests.Get(ctx, id)
	if err == nil && i.Case != st.ID {
		err = guests.ErrUnknown
	}
	if err == nil {
		err = i.Good(s.guests.Now())
	}
	if err != nil {
		return guestProblem(err)
	}
	actor := cases.GuestActor(id)
	waits := slices.ContainsFunc(s.cfg.Signaling.Waiting(st.ID), func(x signaling.Waiting) bool { return x.UserID == actor })
	if !waits {
		if s.admitted.has(id) {
			return nil
		}
		return problem.New("guest-away")
	}
	if err := s.journal(ctx, audit.Entry{Action: actAdmit, Case: st.ID, Object: id}); err != nil {
		return problem.New("unavailable").Because(err)
	}
	s.metrics.guest(actAdmit)
	s.admitted.set(id, true)
	// Refused in this very moment: the end is looked at last.
	if i, err = s.guests.Get(ctx, id); err != nil || i.Good(s.guests.Now()) != nil {
		s.admitted.set(id, false)
		return problem.New("guest-away").Because(err)
	}
	s.cfg.Signaling.Admit(st.ID, actor)
	return nil
}

// ends are the act and the word for each way in which an invitation ends.
var ends = map[guests.How]struct {
	act string
	why signaling.Reason
}{
	guests.Withdrawn: {actUninvite, signaling.Withdrawn},
	guests.Refused:   {actRefuse, signaling.Refused},
	guests.PutOut:    {actPutOut, signaling.Removed},
}

// endGuest ends an invitation for good and sends its guest away.
func (s *Server) endGuest(r *http.Request, st *cases.State, id string, how guests.How) error {
	ctx, end := r.Context(), ends[how]
	err := s.onRecord(ctx, audit.Entry{Action: end.act, Case: st.ID, Object: id}, func(also guests.Also) error {
		return s.guests.End(ctx, st.ID, id, how, also)
	})
	over := errors.Is(err, guests.ErrExpired) || errors.Is(err, guests.ErrWithdrawn) || errors.Is(err, guests.ErrPutOut)
	if err != nil && !over { // who was sent away already is sent away again: success without effect
		return guestProblem(err)
	}
	if err == nil {
		s.metrics.guest(end.act)
	}
	s.admitted.set(id, false)
	s.cfg.Signaling.Evict(st.ID, cases.GuestActor(id), end.why)
	return nil
}

// guestProblem finds the words for an error of invitations.
func guestProblem(err error) error {
	for is, code := range map[error]string{guests.ErrUnknown: "invitation-unknown", guests.ErrExpired: "invitation-expired", guests.ErrUsed: "invitation-used",
		guests.ErrWithdrawn: "invitation-withdrawn", guests.ErrPutOut: "invitation-ended", guests.ErrFull: "invitations-full"} {
		if errors.Is(err, is) {
			return problem.New(code).Because(err)
		}
	}
	if errors.Is(err, guests.ErrInvalid) {
		return problem.New("invalid").Saying("Écrivez le nom de la personne invitée, en 80 caractères au plus.")
	}
	return problem.New("unavailable").Because(fmt.Errorf("invitations: %w", err))
}

// waitingChanged tells those who may let somebody in who waits.
func (s *Server) waitingChanged(room string, list []signaling.Waiting) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	may := s.online(ctx, room, cases.Admit)
	s.push(may, map[string]any{"type": "guests", "caseId": room, "waiting": viewWaiting(list)})
}
