package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/storage"
	"sira/web/dicomweb"
)

// pacsRoot is where DICOMweb is mounted.
const pacsRoot = "/dicomweb"

// stowDevice stands for the service logins' storage where devices have their
// AE title: in the tray, and in --dicom-devices.
const stowDevice = "STOW"

func (s *Server) openPACS() {
	s.scopes = scopes{users: map[string]*scope{}, cases: map[string]caseObjects{}}
	s.pacs = dicomweb.New(dicomweb.Config{Index: s.cfg.Index, Blobs: s.cfg.Blobs, Ingest: s.cfg.Ingest, Derive: s.cfg.Derive,
		Scope: s.pacsScope, Audit: s.pacsAudit, Storing: s.pacsStoring, MayStore: s.pacsMayStore, Stored: s.pacsStored,
		Root: pacsRoot, PublicURL: strings.TrimSuffix(s.cfg.PublicURL, "/"), Logger: s.log,
		RequestID: func(ctx context.Context) string { return requestOf(ctx).id }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.stopCompleting = func() { cancel(); <-done }
	go func() {
		defer close(done)
		n, err := s.cfg.Ingest.Complete(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("completing the DICOM index", "done", n, "err", err)
		} else if n > 0 {
			s.log.Info("completed the DICOM index", "done", n)
		}
	}()
}

// dicomWeb answers DICOMweb to whoever has a session or a token.
func (s *Server) dicomWeb(w http.ResponseWriter, r *http.Request) {
	q := requestOf(r.Context())
	q.surface = "dicomweb"
	w.Header().Set("Cache-Control", "private, no-cache")
	if err := s.authenticate(r); err != nil {
		s.fail(w, r, err)
		return
	}
	ctx := ingest.From(r.Context(), ingest.Source{User: q.user.ID})
	s.pacs.ServeHTTP(w, r.WithContext(ctx))
}

// seesAll is the one place that says who reads beyond their cases: logins that
// the operator named, for machines such as an archive.
func (s *Server) seesAll(u directory.User) bool {
	return !u.Disabled && slices.Contains(s.cfg.DICOMWebService, u.Login)
}

// caseObjects are a case's DICOM objects as of a sequence number.
type caseObjects struct {
	seq  int64
	refs []cases.DICOMRef
}

// scope is what a user may see of the index, and in which cases.
type scope struct {
	state   string // of the cases it was made of
	at      time.Time
	visible *index.Visible
	cases   map[string]string // study UID → a case that holds it
}

// scopes remembers scopes for a moment and what they are made of for longer.
type scopes struct {
	mu    sync.Mutex
	users map[string]*scope
	cases map[string]caseObjects
}

// Bounds of what scopes remember.
const (
	scopeTTL       = 3 * time.Second // changes of this process end it at once
	maxScopes      = 200
	maxCaseObjects = 4000
)

// pacsScope is what a user may see: the objects attached to the cases that they
// may see; nil, which is everything, for service logins.
func (s *Server) pacsScope(ctx context.Context) (*index.Visible, error) {
	u := requestOf(ctx).user
	if s.seesAll(u) {
		return nil, nil
	}
	sc, err := s.scopeOf(ctx, u)
	if err != nil {
		return nil, err
	}
	return sc.visible, nil
}

func (s *Server) scopeOf(ctx context.Context, u directory.User) (*scope, error) {
	m := &s.scopes
	m.mu.Lock()
	known := m.users[u.ID]
	m.mu.Unlock()
	if known != nil && time.Since(known.at) < scopeTTL {
		return known, nil
	}
	at := time.Now()
	list, err := s.cfg.Cases.List(ctx, u, cases.Filter{Limit: 2000})
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, c := range list {
		b.WriteString(c.ID + "/" + strconv.FormatInt(c.Seq, 10) + "\n")
	}
	next := &scope{state: b.String(), at: at}
	if known != nil && known.state == next.state {
		next.visible, next.cases = known.visible, known.cases
	} else if err := s.fillScope(ctx, u, next, list); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.users) >= maxScopes {
		clear(m.users)
	}
	m.users[u.ID] = next
	return next, nil
}

func (s *Server) fillScope(ctx context.Context, u directory.User, sc *scope, list []cases.Summary) error {
	sc.visible, sc.cases = index.NewVisible(), map[string]string{}
	for _, c := range list {
		if c.Attachments == 0 {
			continue
		}
		refs, err := s.objectsOf(ctx, u, c)
		if errors.Is(err, cases.ErrForbidden) || errors.Is(err, cases.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, r := range refs {
			sc.visible.AddInstance(r.StudyUID, r.SeriesUID, r.SOPUID)
			sc.cases[r.StudyUID] = c.ID
		}
	}
	return nil
}

// objectsOf reads a case's DICOM objects, once for each state of it. Who asks
// has been found to see the case by List.
func (s *Server) objectsOf(ctx context.Context, u directory.User, c cases.Summary) ([]cases.DICOMRef, error) {
	m := &s.scopes
	m.mu.Lock()
	known, ok := m.cases[c.ID]
	m.mu.Unlock()
	if ok && known.seq == c.Seq {
		return known.refs, nil
	}
	st, err := s.cfg.Cases.Get(ctx, u, c.ID)
	if err != nil {
		return nil, err
	}
	next := caseObjects{seq: st.Seq}
	for _, a := range st.Attachments {
		if a.DICOM != nil {
			next.refs = append(next.refs, *a.DICOM)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.cases) >= maxCaseObjects {
		clear(m.cases)
	}
	m.cases[c.ID] = next
	return next.refs, nil
}

// forgetScopes makes the next request of these users look again.
func (s *Server) forgetScopes(users []string) {
	s.scopes.mu.Lock()
	defer s.scopes.mu.Unlock()
	for _, u := range users {
		if sc := s.scopes.users[u]; sc != nil {
			stale := *sc
			stale.at = time.Time{}
			s.scopes.users[u] = &stale
		}
	}
}

// pacsAudit journals an access before it is answered, in the case that holds the
// study; the same kind of access to the same study once per window.
func (s *Server) pacsAudit(ctx context.Context, a dicomweb.Access) error {
	q := requestOf(ctx)
	e := audit.Entry{Action: "dicomweb-" + a.Action, Object: clip(a.Study, 64)}
	if a.Denied {
		e.Outcome = "denied"
	} else if a.Study != "" && !s.seesAll(q.user) {
		sc, err := s.scopeOf(ctx, q.user)
		if err != nil {
			return err
		}
		e.Case = sc.cases[a.Study]
	}
	key := strings.Join([]string{q.user.ID, e.Action, e.Object, e.Outcome}, "|")
	if !s.seen.fresh(key, time.Now()) {
		return nil
	}
	if err := s.journal(ctx, e); err != nil {
		s.seen.forget(key)
		return fmt.Errorf("journalling an access: %w", err)
	}
	return nil
}

// pacsStoring journals a request to store with the first object it brings, in
// one transaction, and one that brings none before it is answered.
type pacsStoring struct {
	s         *Server
	entry     audit.Entry
	journaled bool
}

func (s *Server) pacsStoring(_ context.Context, a dicomweb.Access) dicomweb.Storing {
	return &pacsStoring{s: s, entry: audit.Entry{Action: "dicomweb-" + a.Action, Object: clip(a.Study, 64)}}
}

// List also notes for the tray what a service login sends.
func (p *pacsStoring) List(ctx context.Context, in dicom.Instance, list ingest.List) error {
	note := func(tx storage.Querier) error {
		if !p.s.seesAll(requestOf(ctx).user) {
			return nil
		}
		return p.s.NoteSent(ctx, tx, stowDevice, in)
	}
	if p.journaled {
		_, err := list(note)
		return err
	}
	return p.s.cfg.Audit.With(ctx, p.s.entryOf(ctx, p.entry), func(record func(storage.Querier) error) error {
		added, err := list(func(tx storage.Querier) error {
			if err := note(tx); err != nil {
				return err
			}
			return record(tx)
		})
		p.journaled = added && err == nil
		return err
	})
}

func (p *pacsStoring) Done(ctx context.Context) error {
	if p.journaled {
		return nil
	}
	if err := p.s.journal(ctx, p.entry); err != nil {
		return fmt.Errorf("journalling an access: %w", err)
	}
	return nil
}

// pacsMayStore lets service logins store anything, and others what belongs by
// its accession number to a case to which they may add files.
func (s *Server) pacsMayStore(ctx context.Context, in dicom.Instance) error {
	if s.seesAll(requestOf(ctx).user) {
		return nil
	}
	_, err := s.caseToStore(ctx, in)
	return err
}

func (s *Server) caseToStore(ctx context.Context, in dicom.Instance) (string, error) {
	st, err := s.cfg.Cases.ByNumber(ctx, in.AccessionNumber)
	if errors.Is(err, cases.ErrNotFound) {
		return "", dicomweb.ErrForbidden
	}
	if err != nil {
		return "", err
	}
	if cases.Allow(requestOf(ctx).user, cases.Attach, &st) != nil {
		return "", dicomweb.ErrForbidden
	}
	return st.ID, nil
}

// pacsStored takes what was stored to its case: the user's, or by way of the
// tray when a service login sent it.
func (s *Server) pacsStored(ctx context.Context, r ingest.Result) error {
	u, in := requestOf(ctx).user, r.Instance
	if s.seesAll(u) && r.Joined {
		s.DeviceNoted()
		return nil
	}
	if s.seesAll(u) {
		return s.DeviceSent(ctx, stowDevice, in)
	}
	id, err := s.caseToStore(ctx, in)
	if err != nil {
		return err
	}
	_, err = s.cfg.Cases.AttachFiles(ctx, u, id, []cases.Attachment{{
		Name: fmt.Sprintf("%s-%04d.dcm", in.Modality, in.InstanceNumber), Kind: "dicom", MediaType: "application/dicom", Size: in.Size, Hash: in.Hash,
		DICOM: &cases.DICOMRef{StudyUID: in.StudyUID, SeriesUID: in.SeriesUID, SOPUID: in.SOPUID, Modality: in.Modality, Frames: in.Frames}}})
	if err != nil {
		return fmt.Errorf("attaching a stored object: %w", err)
	}
	s.record(ctx, audit.Entry{Action: actAttach, Case: id, Object: clip(in.SOPUID, 64)})
	return nil
}
