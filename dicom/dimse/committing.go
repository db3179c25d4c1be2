package dimse

import (
	"context"
	"fmt"

	"sira/dicom/dimse/identifier"
	"sira/dicom/dimse/pdu"
)

// RequestCommit asks the peer to commit itself to keeping instances (N-ACTION
// of the storage commitment push model, PS3.4 section J.3.2). nil means that
// the peer will look into it; what it finds comes as a report: in this
// association, to AwaitCommit or during other exchanges, or in one of its own,
// to Server.Committed. The transaction UID must be new.
func (c *Client) RequestCommit(ctx context.Context, transactionUID string, instances []Reference) error {
	pc, ok := c.findContext(StorageCommitment)
	if !ok {
		return fmt.Errorf("%w: storage commitment", ErrNoContext)
	}
	if !pdu.ValidUID(transactionUID) || len(instances) == 0 {
		return fmt.Errorf("dimse: a commit request needs a transaction UID and instances")
	}
	set := &identifier.Set{}
	set.Put(identifier.TransactionUID, transactionUID)
	set.PutItems(identifier.ReferencedSOPSequence, references(instances)...)
	b, err := set.Encode(pc.TransferSyntax)
	if err != nil {
		return fmt.Errorf("dimse: %w", err)
	}
	return c.do(ctx, func() error {
		c.serves[fieldReport] = c.takeReport
		var rq Command
		rq.setUID(tagRequestedClass, StorageCommitment)
		rq.setUint16(tagCommandField, fieldAction)
		rq.setUint16(tagMessageID, c.nextID())
		rq.setUID(tagRequestedInstance, commitmentInstance)
		rq.setUint16(tagActionType, actionRequest)
		if err := c.a.sendMessage(pc, rq, b); err != nil {
			return err
		}
		rsp, _, err := c.result(pc, rq)
		if err != nil {
			return err
		}
		status, _ := rsp.uint16(tagStatus)
		return reportError(status, rsp)
	})
}

// AwaitCommit waits for the next report in this association, up to
// Timeouts.Idle. ErrReleased means that the peer has ended the association
// instead, and will report in another one.
func (c *Client) AwaitCommit(ctx context.Context) (result CommitResult, err error) {
	err = c.do(ctx, func() error {
		for len(c.commits) == 0 {
			pc, rq, err := c.a.readCommand(c.a.timeouts.Idle)
			if err != nil {
				return err
			}
			if rq.field()&responseBit != 0 {
				return c.a.violation("response %#04x to no request", rq.field())
			}
			if err := c.serve(pc, rq); err != nil {
				return err
			}
		}
		result, c.commits = c.commits[0], c.commits[1:]
		return nil
	})
	return result, err
}

// maxCommits is how many reports may wait to be asked for.
const maxCommits = 100

// takeReport serves an N-EVENT-REPORT of the provider.
func (c *Client) takeReport(pc PresentationContext, rq Command) error {
	if pc.SOPClass != StorageCommitment || !rq.hasData() || len(c.commits) == maxCommits {
		return c.a.violation("unexpected N-EVENT-REPORT")
	}
	set, err := c.a.readIdentifier(c.a.data(pc.ID), pc)
	if c.a.over != nil {
		return err
	}
	var result CommitResult
	if err == nil {
		result, err = readCommitResult(set, c.a.limits.Instances)
	}
	rsp := rq.response(StatusSuccess, "")
	if err != nil {
		rsp = rq.response(StatusInvalidArgument, "not a result of storage commitment")
	} else {
		c.commits = append(c.commits, result)
	}
	kind, _ := rq.uint16(tagEventType)
	rsp.setUint16(tagEventType, kind)
	return c.a.sendMessage(pc, rsp, nil)
}
