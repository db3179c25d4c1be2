package dimse

import (
	"context"
	"fmt"

	"sira/dicom/dimse/identifier"
)

// Query is what a Client asks for by Find, Move and Get.
type Query struct {
	SOPClass string // the information model, such as StudyRootFind
	Level    Level  // "" for a worklist
	Keys     *identifier.Set
}

// QueryProposal offers a model's context in the usual transfer syntaxes.
func QueryProposal(sopClass string) Proposal {
	return Proposal{SOPClass: sopClass, TransferSyntaxes: []string{ExplicitVRLittleEndian, ImplicitVRLittleEndian}}
}

// Find is C-FIND (PS3.7 section 9.1.2), for queries and worklists. It calls
// answer for each match as it arrives; answer must not use the client. When
// answer fails, the query is cancelled (C-CANCEL), what still comes is dropped,
// and Find gives that error; the association can be used further.
func (c *Client) Find(ctx context.Context, q Query, answer func(match *identifier.Set) error) error {
	pc, ok := c.findContext(q.SOPClass)
	if !ok {
		return fmt.Errorf("%w: %s", ErrNoContext, q.SOPClass)
	}
	keys, err := q.encode(pc)
	if err != nil {
		return err
	}
	var given error
	err = c.do(ctx, func() error {
		rq := c.request(fieldFind, q.SOPClass)
		if err := c.a.sendMessage(pc, rq, keys); err != nil {
			return err
		}
		for n := 0; ; n++ {
			rsp, match, err := c.result(pc, rq)
			status, _ := rsp.uint16(tagStatus)
			switch {
			case err != nil:
				return err
			case !isPending(status) && StatusFailed(status):
				return &StatusError{Status: status, Comment: rsp.comment()}
			case !isPending(status):
				return nil
			case match == nil:
				return c.a.violation("pending response without an identifier")
			case n == c.a.limits.Answers:
				return c.a.violation("more than %d matches", n)
			case given != nil:
				continue
			}
			if given = answer(match); given != nil {
				if err := c.cancel(pc, rq); err != nil {
					return err
				}
			}
		}
	})
	if given != nil {
		return given
	}
	return err
}

func (q Query) encode(pc PresentationContext) ([]byte, error) {
	keys := q.Keys.Clone()
	if q.Level != "" {
		keys.Put(identifier.QueryRetrieveLevel, string(q.Level))
	}
	b, err := keys.Encode(pc.TransferSyntax)
	if err != nil {
		return nil, fmt.Errorf("dimse: %w", err)
	}
	return b, nil
}

func isPending(status uint16) bool { return status == StatusPending || status == statusPendingPartly }

func (c *Client) findContext(class string) (PresentationContext, bool) {
	return c.find(func(pc PresentationContext) bool { return pc.SOPClass == class && pc.RequestorSCU })
}

// request begins a composite request.
func (c *Client) request(field uint16, class string) Command {
	var rq Command
	rq.setUID(tagAffectedClass, class)
	rq.setUint16(tagCommandField, field)
	rq.setUint16(tagMessageID, c.nextID())
	rq.setUint16(tagPriority, 0)
	return rq
}

// cancel asks the peer to end what rq asked for (C-CANCEL, PS3.7 section 9.3.2.3).
func (c *Client) cancel(pc PresentationContext, rq Command) error {
	var cancel Command
	id, _ := rq.uint16(tagMessageID)
	cancel.setUint16(tagCommandField, fieldCancel)
	cancel.setUint16(tagRespondedTo, id)
	return c.a.sendMessage(pc, cancel, nil)
}

// result reads the next response to rq with its data set, nil when it has none.
func (c *Client) result(pc PresentationContext, rq Command) (Command, *identifier.Set, error) {
	rsp, err := c.reply(rq)
	if err != nil || !rsp.hasData() {
		return rsp, nil, err
	}
	set, err := c.a.readIdentifier(c.a.data(pc.ID), pc)
	if err != nil {
		if c.a.over == nil {
			err = c.a.violation("response: %w", err)
		}
		return rsp, nil, err
	}
	return rsp, set, nil
}

// reply reads commands until the next response to rq comes, and serves what
// the peer asks for meanwhile.
func (c *Client) reply(rq Command) (Command, error) {
	id, _ := rq.uint16(tagMessageID)
	for {
		pc, rsp, err := c.a.readCommand(c.a.timeouts.Message)
		if err != nil {
			return rsp, err
		}
		if rsp.field()&responseBit == 0 {
			if err := c.serve(pc, rsp); err != nil {
				return rsp, err
			}
			continue
		}
		answered, _ := rsp.uint16(tagRespondedTo)
		if _, ok := rsp.uint16(tagStatus); rsp.field() != rq.field()|responseBit || answered != id || !ok {
			return rsp, c.a.violation("command %#04x for message %d answers %#04x of message %d",
				rsp.field(), answered, rq.field(), id)
		}
		return rsp, nil
	}
}

// serve answers a request of the peer, which only comes where it has a role:
// instances of C-GET, and reports of storage commitment.
func (c *Client) serve(pc PresentationContext, command Command) error {
	if provide, ok := c.serves[command.field()]; ok {
		return provide(pc, command)
	}
	return c.a.violation("request %#04x of the provider", command.field())
}
