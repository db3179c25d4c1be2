package dimse

import "context"

// action is N-ACTION (PS3.7 section 10.1.4), which only storage commitment uses
// here (PS3.4 section J.3.2). The answer to it says that the request came; what
// became of the instances is reported later.
func (v *serving) action(ctx context.Context, m *message) (uint16, string) {
	if m.context.SOPClass != StorageCommitment {
		return StatusUnrecognized, "operation not supported"
	}
	class, _ := m.command.uid(tagRequestedClass)
	instance, _ := m.command.uid(tagRequestedInstance)
	kind, _ := m.command.uint16(tagActionType)
	switch {
	case v.server.Commit == nil:
		return StatusNotAuthorized, "no storage commitment here"
	case class != StorageCommitment:
		return StatusClassNotSupported, "SOP class is not that of the presentation context"
	case instance != commitmentInstance:
		return StatusNoSuchInstance, "not the instance of storage commitment"
	case kind != actionRequest:
		return StatusNoSuchAction, "no such action"
	}
	m.event.Kind = EventCommit
	set, status, comment := v.identifier(m)
	if status != StatusSuccess {
		return StatusInvalidArgument, comment
	}
	req := CommitRequest{CallingAET: v.info.CallingAET, CalledAET: v.info.CalledAET, Association: v.info}
	var err error
	req.TransactionUID, req.Instances, err = readReferences(set, v.limits.Instances)
	if err != nil || len(req.Instances) == 0 {
		return StatusInvalidArgument, "no valid transaction UID and references"
	}
	m.event.Counters.Remaining = len(req.Instances)
	job, ok := v.server.newJob(v.base)
	if !ok {
		return StatusResourceLimitation, "too many requests for commitment"
	}
	m.finish = func(rsp *Command) []byte {
		rsp.setUint16(tagActionType, actionRequest)
		return nil
	}
	v.jobs++
	m.after = func(err error) { go job.run(v, m.context, req, err == nil) }
	return StatusSuccess, ""
}

// check asks the callback and makes its answer a result.
func (s *Server) check(ctx context.Context, req CommitRequest) CommitResult {
	var failed []CommitFailure
	err := shielded(func() (err error) {
		failed, err = s.Commit(ctx, req)
		return err
	})
	reasons := map[string]uint16{}
	for _, f := range failed {
		reasons[f.SOPUID] = f.Reason
	}
	if err != nil {
		s.log().Error("dimse: callback failed", "association", req.Association.ID, "err", err)
	}
	result := CommitResult{TransactionUID: req.TransactionUID}
	for _, in := range req.Instances {
		reason, bad := reasons[in.SOPUID]
		if err != nil {
			reason, bad = ReasonProcessingFailure, true
		}
		if bad {
			result.Failed = append(result.Failed, CommitFailure{in, reason})
		} else {
			result.Committed = append(result.Committed, in)
		}
	}
	if s.Retrieve != nil && len(result.Committed) > 0 {
		result.RetrieveAET = req.CalledAET
	}
	return result
}

// eventReport is N-EVENT-REPORT (PS3.7 section 10.1.1): the result of a request
// that a client of ours made to this peer.
func (v *serving) eventReport(ctx context.Context, m *message) (uint16, string) {
	if m.context.SOPClass != StorageCommitment {
		return StatusUnrecognized, "operation not supported"
	}
	class, _ := m.command.uid(tagAffectedClass)
	if v.server.Committed == nil || class != StorageCommitment {
		return StatusNotAuthorized, "no reports are awaited"
	}
	m.event.Kind = EventCommitted
	kind, _ := m.command.uint16(tagEventType)
	m.finish = func(rsp *Command) []byte {
		rsp.setUint16(tagEventType, kind)
		return nil
	}
	if kind != eventComplete && kind != eventFailures {
		return StatusNoSuchEvent, "no such event"
	}
	set, status, comment := v.identifier(m)
	if status != StatusSuccess {
		return StatusInvalidArgument, comment
	}
	result, err := readCommitResult(set, v.limits.Instances)
	if err != nil {
		return StatusInvalidArgument, "no valid transaction UID and references"
	}
	m.event.Counters = Counters{Completed: len(result.Committed), Failed: len(result.Failed)}
	if err := shielded(func() error {
		status = v.server.Committed(ctx, v.info, result)
		return nil
	}); err != nil {
		v.server.log().Error("dimse: callback failed", "association", v.info.ID, "err", err)
		return StatusProcessingFailure, "internal error"
	}
	return status, ""
}

// attend waits for the next message of the peer, and sends the reports that
// become ready meanwhile, one after the other.
func (v *serving) attend() error {
	for v.jobs > 0 && v.reporting == nil {
		w := v.watchFor(v.timeouts.Idle)
		select {
		case err := <-w.arrived:
			if err != nil {
				return v.failed(err)
			}
			v.wire.rested()
			return nil
		case r := <-v.reports:
			w.disarm()
			v.wire.rested()
			v.jobs--
			if err := v.sendReport(r); err != nil {
				r.done <- err
				if v.over != nil {
					return err
				}
			}
		}
	}
	return nil
}

// report is a result on its way through an association.
type report struct {
	context PresentationContext
	result  CommitResult
	id      uint16
	done    chan error // one value: nil once the peer has taken it
}

func (v *serving) sendReport(r *report) error {
	b, err := r.result.set().Encode(r.context.TransferSyntax)
	if err != nil {
		return err
	}
	v.lastReport++
	r.id = v.lastReport
	if err := v.sendMessage(r.context, reportRequest(r.id, r.result), b); err != nil {
		return err
	}
	v.reporting = r
	return nil
}

// answered takes the peer's response to a report; false when it is none.
func (v *serving) answered(c Command) bool {
	r := v.reporting
	id, _ := c.uint16(tagRespondedTo)
	status, ok := c.uint16(tagStatus)
	if r == nil || c.field() != fieldReport|responseBit || id != r.id || !ok || c.hasData() {
		return false
	}
	v.reporting = nil
	r.done <- reportError(status, c)
	return true
}

// newOperation begins one that the answer to a report may come into.
func (v *serving) newOperation(id uint16) *operation {
	op := v.operation(id)
	op.answered = v.answered
	return op
}

func reportError(status uint16, c Command) error {
	if StatusFailed(status) {
		return &StatusError{Status: status, Comment: c.comment()}
	}
	return nil
}

// abandon tells those who wait for the association that it is over.
func (v *serving) abandon(err error) {
	close(v.gone)
	if v.reporting != nil {
		v.reporting.done <- err
		v.reporting = nil
	}
}

// proposalForReports asks for the provider's role, which the side that reports
// has (PS3.4 section J.3.3).
func proposalForReports() Proposal {
	p := QueryProposal(StorageCommitment)
	p.SCP, p.OnlySCP = true, true
	return p
}

// report sends a result to the peer that asked for it.
func (c *Client) report(ctx context.Context, r CommitResult) error {
	// Some peers accept the context and do not answer the role.
	pc, ok := c.find(func(pc PresentationContext) bool { return pc.SOPClass == StorageCommitment })
	if !ok {
		return ErrNoContext
	}
	b, err := r.set().Encode(pc.TransferSyntax)
	if err != nil {
		return err
	}
	return c.do(ctx, func() error {
		rq := reportRequest(c.nextID(), r)
		if err := c.a.sendMessage(pc, rq, b); err != nil {
			return err
		}
		rsp, err := c.reply(rq)
		if err != nil {
			return err
		}
		if rsp.hasData() {
			if _, err := c.a.data(pc.ID).all(c.a.limits.Identifier); err != nil {
				return err
			}
		}
		status, _ := rsp.uint16(tagStatus)
		return reportError(status, rsp)
	})
}
