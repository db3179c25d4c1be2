package dimse

import (
	"context"
	"errors"
	"fmt"

	"sira/dicom/dimse/pdu"
)

// move is C-MOVE (PS3.7 section 9.1.4; PS3.4 section C.4.2).
func (v *serving) move(ctx context.Context, m *message) (uint16, string) {
	m.event.Kind = EventMove
	if status, comment := v.fits(m, moves); status != StatusSuccess {
		m.event.Kind = EventRefused
		return status, comment
	}
	req, status, comment := v.readRetrieval(m)
	if status != StatusSuccess {
		return status, comment
	}
	req.Destination = m.command.title(tagMoveDestination)
	m.event.Destination = req.Destination
	node, known := v.server.Nodes(req.Destination)
	if !known || req.Destination == "" {
		return StatusUnknownDestination, "unknown move destination"
	}
	return v.retrieve(ctx, m, req, func(ctx context.Context, r *retrieval, list []Instance) error {
		id, _ := m.command.uint16(tagMessageID)
		d := &delivery{retrieval: r, node: node, list: list, origin: origin{v.info.CallingAET, id}}
		defer d.release()
		r.send = d.send
		return r.sendAll(ctx, list)
	})
}

// retrieve runs the operation of a C-MOVE or C-GET.
func (v *serving) retrieve(ctx context.Context, m *message, req RetrieveRequest,
	work func(context.Context, *retrieval, []Instance) error) (uint16, string) {
	ctx, cancel := context.WithTimeout(ctx, v.timeouts.Retrieve)
	defer cancel()
	id, _ := m.command.uint16(tagMessageID)
	r := &retrieval{serving: v, m: m, req: req, op: v.newOperation(id)}
	if err := r.op.run(ctx, func(ctx context.Context) error {
		list, err := r.resolve(ctx)
		if err != nil {
			return err
		}
		r.count.Remaining = len(list)
		return work(ctx, r, list)
	}); err != nil {
		m.event.Counters = r.count
		return StatusProcessingFailure, err.Error()
	}
	return r.conclude(ctx)
}

// delivery sends instances to a move destination, in associations of as many
// presentation contexts as fit. One that breaks is replaced a few times.
type delivery struct {
	*retrieval
	node   Node
	list   []Instance
	origin origin
	next   int // index of the instance to send
	until  int // the client's contexts are meant for those before it
	client *Client
	breaks int
	broken error // why nothing more is tried
}

// maxBreaks is how often a destination's association may break.
const maxBreaks = 3

var errDestination = errors.New("dimse: move destination")

func (d *delivery) send(ctx context.Context, in Instance) (uint16, error) {
	i := d.next
	d.next++
	if d.broken != nil {
		return StatusProcessingFailure, d.broken
	}
	if d.client == nil || i >= d.until {
		if err := d.connect(ctx, i); err != nil {
			d.broken = fmt.Errorf("%w: %w", errDestination, err)
			return StatusProcessingFailure, d.broken
		}
	}
	status, err := d.store(ctx, in)
	if d.client.a.over != nil {
		d.client = nil
		if d.breaks++; d.breaks == maxBreaks {
			d.broken = fmt.Errorf("%w: association broke %d times", errDestination, d.breaks)
		}
	}
	return status, err
}

func (d *delivery) store(ctx context.Context, in Instance) (uint16, error) {
	in, status, err := d.fitted(ctx, in, syntaxesOf(d.client.accepted, in.SOPClass, func(pc PresentationContext) bool { return pc.RequestorSCU }))
	if err != nil {
		return status, err
	}
	file, err := in.Open(ctx)
	if err != nil {
		return StatusProcessingFailure, fmt.Errorf("opening an instance: %w", err)
	}
	defer file.Close()
	status, err = d.client.store(ctx, file, d.origin, in.matches)
	var refused *StatusError
	switch {
	case errors.As(err, &refused):
		return status, nil
	case err != nil:
		return StatusProcessingFailure, err
	}
	return status, nil
}

// connect associates for the instances from i on.
func (d *delivery) connect(ctx context.Context, i int) error {
	d.release()
	proposals, n := proposalsFor(d.list[i:], d.server.Transcode != nil)
	client, err := Dial(ctx, d.node.Addr, DialOptions{
		AET: d.info.CalledAET, CalledAET: d.req.Destination, Proposals: proposals,
		Limits: d.server.Limits, Timeouts: d.server.Timeouts, TLS: d.node.TLS,
	})
	if err != nil {
		return err
	}
	d.client, d.until = client, i+n
	return nil
}

// release ends the association in order; what was sent has been answered.
func (d *delivery) release() {
	if d.client != nil {
		_ = d.client.Release(context.Background())
		d.client.Abort()
		d.client = nil
	}
}

// proposalsFor gives contexts for as many of the instances, from the first on,
// as one association can hold: each class in each stored syntax apart, so that
// the peer cannot choose one that would need a conversion; and where converting
// is possible, in the syntaxes every peer must know as well.
func proposalsFor(list []Instance, convertible bool) (proposals []Proposal, n int) {
	type pair struct{ class, ts string }
	seen := map[pair]bool{}
	for n < len(list) {
		in := list[n]
		wanted := []pair{{in.SOPClass, in.TransferSyntax}}
		if convertible {
			wanted = append(wanted, pair{in.SOPClass, ExplicitVRLittleEndian}, pair{in.SOPClass, ImplicitVRLittleEndian})
		}
		var add []Proposal
		for i, p := range wanted {
			if !seen[p] && (i == 0 || p != wanted[0]) {
				add = append(add, Proposal{SOPClass: p.class, TransferSyntaxes: []string{p.ts}})
			}
		}
		if len(proposals)+len(add) > pdu.MaxContexts {
			break
		}
		for _, p := range wanted {
			seen[p] = true
		}
		proposals = append(proposals, add...)
		n++
	}
	return proposals, n
}
