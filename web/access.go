package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/web/problem"
)

// auditWindow is within how long the same user reading the same kind of thing
// of the same case is one entry of the journal: a scrolled series isn't
// hundreds of visits.
const auditWindow = 5 * time.Minute

// Actions in the journal, beside "login". The interface words them.
const (
	actList     = "list"
	actView     = "view"
	actEvents   = "read-events"
	actWrite    = "write"
	actRead     = "mark-read"
	actImage    = "view-image"
	actFile     = "view-file"
	actDownload = "download"
	actUpload   = "upload"
	actAttach   = "attach"
	actAccess   = "see-access-log"
	actJoin     = "call-join"
	actLeave    = "call-leave"
	actFreeze   = "call-freeze"
	actDraw     = "call-draw"
	actFigures  = "call-figures"
	actCalls    = "list-calls"
	actUsers    = "list-users"
	actTray     = "list-tray"
	actTake     = "take-from-tray"
	actDiscard  = "discard-from-tray"
	actHeld     = "list-quarantine"
	actDrop     = "discard-quarantined"
	actTrayView = "view-tray-image"
	actNode     = "view-node"
	actDisable  = "disable-user"
	actEnable   = "enable-user"
	actDevice   = "device-attach" // by a device, without a person
	actInvite   = "call-invite"   // of these, and of a guest's coming and going, the object is the invitation
	actUninvite = "call-uninvite"
	actUseLink  = "call-use-link"
	actWait     = "call-wait"
	actAdmit    = "call-admit"
	actRefuse   = "call-refuse"
	actPutOut   = "call-put-out"
	actGuests   = "list-guests"
)

// recent remembers what was journalled a moment ago, boundedly.
type recent struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// fresh says whether key wasn't there within the window, and notes it.
func (m *recent) fresh(key string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, ok := m.seen[key]; ok && now.Sub(t) < auditWindow {
		return false
	}
	if len(m.seen) > 20_000 {
		for k, t := range m.seen {
			if now.Sub(t) >= auditWindow {
				delete(m.seen, k)
			}
		}
		if len(m.seen) > 20_000 {
			clear(m.seen)
		}
	}
	m.seen[key] = now
	return true
}

func (m *recent) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seen, key)
}

// journal completes an entry from the request and writes it.
func (s *Server) journal(ctx context.Context, e audit.Entry) error {
	return s.cfg.Audit.Record(context.WithoutCancel(ctx), s.entryOf(ctx, e))
}

// entryOf completes an entry from the request.
func (s *Server) entryOf(ctx context.Context, e audit.Entry) audit.Entry {
	q := requestOf(ctx)
	if e.Actor == "" {
		e.Actor = q.user.ID
	}
	if e.Surface == "" {
		e.Surface = q.surface
	}
	if e.Outcome == "" {
		e.Outcome = "ok"
	}
	e.RequestID, e.Remote = q.id, q.remote
	return e
}

// record journals what happened already; a failure is logged, since it can't
// be undone.
func (s *Server) record(ctx context.Context, e audit.Entry) {
	if err := s.journal(ctx, e); err != nil {
		s.log.Error("journal entry lost", "request", requestOf(ctx).id, "action", e.Action, "err", err)
	}
}

// recordRead journals a read before it is answered, once per window. Without
// a journal there is no reading.
func (s *Server) recordRead(ctx context.Context, e audit.Entry) error {
	q := requestOf(ctx)
	key := q.user.ID + "|" + e.Case + "|" + e.Action + "|" + e.Outcome + "|" + q.surface
	if e.Case == "" {
		key += "|" + e.Object
	}
	if !s.seen.fresh(key, time.Now()) {
		return nil
	}
	if err := s.journal(ctx, e); err != nil {
		s.seen.forget(key)
		return problem.New("unavailable").Because(err)
	}
	return nil
}

// caseID reads the path's case ID, in canonical form.
func caseID(r *http.Request) (string, error) {
	raw := r.PathValue("id")
	id, err := uuid.Parse(raw)
	if err != nil || len(raw) != 36 {
		return "", problem.New("not-found")
	}
	return id.String(), nil
}

// open finds the path's case for an action of the user and journals the access
// or its refusal. A case that the user may not see is 404, one that they see
// but may not act on is 403.
func (s *Server) open(r *http.Request, action cases.Action, e audit.Entry) (*cases.State, error) {
	id, err := caseID(r)
	if err != nil {
		return nil, err
	}
	e.Case = id
	st, err := s.state(r.Context(), userOf(r), id)
	if err == nil {
		err = cases.Allow(userOf(r), action, st)
	}
	if errors.Is(err, cases.ErrForbidden) || errors.Is(err, cases.ErrNotFound) {
		denied := e
		denied.Outcome = "denied"
		if denied.Action == "" {
			denied.Action = string(action)
		}
		if jerr := s.recordRead(r.Context(), denied); jerr != nil {
			return nil, jerr
		}
		if st == nil {
			return nil, problem.New("not-found").Because(err)
		}
		return nil, problem.New("forbidden").Because(err)
	}
	if err != nil {
		return nil, err
	}
	if e.Action == "" {
		return st, nil
	}
	return st, s.recordRead(r.Context(), e)
}

// stateTTL bounds how old a remembered state may be when another process
// wrote; changes of this process drop it at once.
const stateTTL = 3 * time.Second

type remembered struct {
	state *cases.State
	at    time.Time
}

// state gives a case's state for reading frames and files, folded at most once
// in a few seconds. The right to see it is asked each time. A nil state with
// an error means that the user doesn't see the case.
func (s *Server) state(ctx context.Context, u directory.User, id string) (*cases.State, error) {
	s.statesMu.Lock()
	m, ok := s.states[id]
	s.statesMu.Unlock()
	if ok && time.Since(m.at) < stateTTL {
		if err := cases.Allow(u, cases.View, m.state); err != nil {
			return nil, err
		}
		return m.state, nil
	}
	at := time.Now()
	st, err := s.cfg.Cases.Get(ctx, u, id)
	if err != nil {
		return nil, err
	}
	if err := cases.Allow(u, cases.View, &st); err != nil {
		return nil, err
	}
	s.statesMu.Lock()
	if len(s.states) > 200 {
		clear(s.states)
	}
	s.states[id] = remembered{&st, at}
	s.statesMu.Unlock()
	return &st, nil
}

func (s *Server) forgetState(id string) {
	s.statesMu.Lock()
	delete(s.states, id)
	s.statesMu.Unlock()
}

// attachmentOf finds a file of the case.
func attachmentOf(st *cases.State, id string) (cases.Attachment, error) {
	i := slices.IndexFunc(st.Attachments, func(a cases.Attachment) bool { return a.ID == id })
	if i < 0 {
		return cases.Attachment{}, problem.New("not-found")
	}
	return st.Attachments[i], nil
}

// instanceOf finds the attachment of a DICOM instance: the only way to its
// bytes.
func instanceOf(st *cases.State, sop string) (cases.Attachment, error) {
	i := slices.IndexFunc(st.Attachments, func(a cases.Attachment) bool { return a.DICOM != nil && a.DICOM.SOPUID == sop })
	if i < 0 {
		return cases.Attachment{}, problem.New("not-found")
	}
	return st.Attachments[i], nil
}
