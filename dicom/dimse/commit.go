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
