package dimse

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Retry bounds how often a report is tried in associations of its own, when the
// one of the request has ended: after a pause of Wait, which doubles each time.
// They are lost when the server stops; the peer asks again then. A zero field
// takes its default.
type Retry struct {
	Attempts int           // 5
	Wait     time.Duration // 30 s
}

func (r Retry) withDefaults() Retry {
	orDefault(&r.Attempts, 5)
	orDefault(&r.Wait, 30*time.Second)
	return r
}

// job is a commitment being checked and reported; it may outlive the
// association it was asked for in.
type job struct {
	server *Server
	ctx    context.Context
	cancel context.CancelFunc
}

// newJob gives a place among Limits.Commitments.
func (s *Server) newJob(ctx context.Context) (*job, bool) {
	ctx, cancel := context.WithCancel(ctx)
	j := &job{server: s, ctx: ctx, cancel: cancel}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) >= s.Limits.withDefaults().Commitments || s.closing {
		cancel()
		return nil, false
	}
	if s.jobs == nil {
		s.jobs = map[*job]struct{}{}
	}
	s.jobs[j] = struct{}{}
	s.running.Add(1)
	return j, true
}

func (j *job) end() {
	j.cancel()
	j.server.mu.Lock()
	delete(j.server.jobs, j)
	j.server.mu.Unlock()
	j.server.running.Done()
}

// run checks and reports. answered tells whether the peer knows that its
// request came; if not, it will ask again.
func (j *job) run(v *serving, pc PresentationContext, req CommitRequest, answered bool) {
	defer j.end()
	if !answered {
		return
	}
	start := time.Now()
	result := j.server.check(j.ctx, req)
	err := errAssociationOver
	if j.ctx.Err() == nil {
		err = j.here(v, pc, result)
	}
	if errors.Is(err, errAssociationOver) {
		err = j.elsewhere(req, result)
	}
	e := Event{Kind: EventReport, SOPClass: StorageCommitment, Destination: req.CallingAET, Took: time.Since(start),
		Counters: Counters{Completed: len(result.Committed), Failed: len(result.Failed)}}
	var status *StatusError
	if errors.As(err, &status) {
		e.Status = status.Status
	} else if err != nil {
		e.Status = StatusProcessingFailure
	}
	if err != nil {
		e.Detail = err.Error()
	}
	j.server.tell(req.Association, e)
}

var errAssociationOver = errors.New("dimse: the association of the request is over")

// here reports in the association of the request.
func (j *job) here(v *serving, pc PresentationContext, result CommitResult) error {
	r := &report{context: pc, result: result, done: make(chan error, 1)}
	select {
	case v.reports <- r:
	case <-v.gone:
		return errAssociationOver
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
	var status *StatusError
	if err := <-r.done; err == nil || errors.As(err, &status) {
		return err
	}
	return errAssociationOver
}

// elsewhere reports in associations of our own.
func (j *job) elsewhere(req CommitRequest, result CommitResult) error {
	s := j.server
	if s.Nodes == nil {
		return fmt.Errorf("%w, and no address is known for %s", errAssociationOver, req.CallingAET)
	}
	node, known := s.Nodes(req.CallingAET)
	if !known {
		return fmt.Errorf("%w, and no address is known for %s", errAssociationOver, req.CallingAET)
	}
	retry := s.Retries.withDefaults()
	for attempt := 1; ; attempt++ {
		err := j.attempt(node, req, result)
		var status *StatusError
		if err == nil || errors.As(err, &status) {
			return err
		}
		err = fmt.Errorf("dimse: reporting, attempt %d of %d: %w", attempt, retry.Attempts, err)
		if attempt == retry.Attempts || !j.pause(retry.Wait<<min(attempt-1, 10)) {
			return err
		}
	}
}

// pause waits, and tells whether to go on.
func (j *job) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return !j.server.isClosing()
	case <-j.server.stopped():
	case <-j.ctx.Done():
	}
	return false
}

func (j *job) attempt(node Node, req CommitRequest, result CommitResult) error {
	c, err := Dial(j.ctx, node.Addr, DialOptions{
		AET: req.CalledAET, CalledAET: req.CallingAET, Proposals: []Proposal{proposalForReports()},
		Limits: j.server.Limits, Timeouts: j.server.Timeouts, TLS: node.TLS,
	})
	if err != nil {
		return err
	}
	defer c.Abort()
	if err := c.report(j.ctx, result); err != nil {
		var status *StatusError
		if errors.As(err, &status) {
			_ = c.Release(j.ctx)
		}
		return err
	}
	_ = c.Release(j.ctx) // the report has been taken
	return nil
}
