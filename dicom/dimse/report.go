package dimse

import "context"

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
