package dimse

import (
	"context"
	"fmt"

	"sira/dicom/dimse/identifier"
)

// RetrieveResult is the end of a C-MOVE or C-GET.
type RetrieveResult struct {
	Counters
	Status     uint16
	FailedUIDs []string // SOP instances that the provider could not send
}

// Move is C-MOVE (PS3.7 section 9.1.4): the provider sends what q names to the
// application entity called destination, which it must know. progress, when not
// nil, hears of each pending response; when it fails, the retrieval is
// cancelled and Move gives that error. A failure status is a *StatusError; some
// instances may be missing without one, see Failed and Status.
func (c *Client) Move(ctx context.Context, q Query, destination string, progress func(Counters) error) (RetrieveResult, error) {
	return c.retrieve(ctx, fieldMove, q, progress, func(rq *Command) { rq.setText(tagMoveDestination, destination, ' ') })
}

// Get is C-GET (PS3.7 section 9.1.3): store takes each instance as a Server's
// Store does. The contexts it comes in must have been proposed with SCP set.
// Else it is like Move. store and progress must not use the client.
func (c *Client) Get(ctx context.Context, q Query, store func(ctx context.Context, req StoreRequest) (status uint16),
	progress func(Counters) error) (RetrieveResult, error) {
	serve := func(pc PresentationContext, rq Command) error { return c.takeInstance(ctx, pc, rq, store) }
	return c.retrieve(ctx, fieldGet, q, progress, func(*Command) {
		c.serves[fieldStore] = serve
	})
}

func (c *Client) retrieve(ctx context.Context, field uint16, q Query, progress func(Counters) error,
	prepare func(*Command)) (result RetrieveResult, err error) {
	pc, ok := c.findContext(q.SOPClass)
	if !ok {
		return result, fmt.Errorf("%w: %s", ErrNoContext, q.SOPClass)
	}
	keys, err := q.encode(pc)
	if err != nil {
		return result, err
	}
	var given error
	err = c.do(ctx, func() error {
		rq := c.request(field, q.SOPClass)
		prepare(&rq)
		defer delete(c.serves, fieldStore)
		if err := c.a.sendMessage(pc, rq, keys); err != nil {
			return err
		}
		for n := 0; ; n++ {
			rsp, set, err := c.result(pc, rq)
			if err != nil {
				return err
			}
			result.read(rsp, set)
			switch {
			case isPending(result.Status) && n > 2*c.a.limits.Instances:
				return c.a.violation("more than %d responses", n)
			case isPending(result.Status):
				if progress == nil || given != nil {
					continue
				}
				if given = progress(result.Counters); given != nil {
					if err := c.cancel(pc, rq); err != nil {
						return err
					}
				}
			case StatusFailed(result.Status):
				return &StatusError{Status: result.Status, Comment: rsp.comment()}
			default:
				return nil
			}
		}
	})
	if given != nil {
		return result, given
	}
	return result, err
}

func (r *RetrieveResult) read(rsp Command, set *identifier.Set) {
	r.Status, _ = rsp.uint16(tagStatus)
	r.Remaining = 0 // the other counters stand in every response
	for number, n := range map[uint16]*int{
		tagRemaining: &r.Remaining, tagCompleted: &r.Completed, tagFailed: &r.Failed, tagWarning: &r.Warning,
	} {
		if v, ok := rsp.uint16(number); ok {
			*n = int(v)
		}
	}
	if !isPending(r.Status) {
		r.FailedUIDs = set.Strings(identifier.FailedSOPInstanceUIDList)
	}
}

// takeInstance serves one C-STORE of the provider.
func (c *Client) takeInstance(ctx context.Context, pc PresentationContext, rq Command,
	store func(context.Context, StoreRequest) uint16) error {
	if !rq.hasData() || !pc.RequestorSCP {
		return c.a.violation("C-STORE without a data set, or not in its context")
	}
	data := c.a.data(pc.ID)
	class, errClass := rq.uid(tagAffectedClass)
	instance, errInstance := rq.uid(tagAffectedInstance)
	status := StatusInvalidInstance
	switch {
	case errClass != nil || errInstance != nil || instance == "":
	case class != pc.SOPClass:
		status = StatusDataSetMismatch
	default:
		if err := shielded(func() error {
			status = store(ctx, StoreRequest{
				CallingAET: c.peerAET, CalledAET: c.aet,
				SOPClass: class, SOPUID: instance, TransferSyntax: pc.TransferSyntax, Data: data,
			})
			return nil
		}); err != nil {
			status = StatusProcessingFailure
		}
	}
	if err := data.drain(); err != nil {
		return err
	}
	return c.a.sendMessage(pc, rq.response(status, ""), nil)
}
