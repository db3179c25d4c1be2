package dimse

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"sira/dicom/dimse/pdu"
)

// get is C-GET (PS3.7 section 9.1.3; PS3.4 section C.4.3): the instances go to
// the peer in this association, in contexts where it has the provider's role.
func (v *serving) get(ctx context.Context, m *message) (uint16, string) {
	m.event.Kind = EventGet
	if status, comment := v.fits(m, gets); status != StatusSuccess {
		m.event.Kind = EventRefused
		return status, comment
	}
	req, status, comment := v.readRetrieval(m)
	if status != StatusSuccess {
		return status, comment
	}
	return v.retrieve(ctx, m, req, func(ctx context.Context, r *retrieval, list []Instance) error {
		r.send = r.sendHere
		return r.sendAll(ctx, list)
	})
}

func (r *retrieval) sendHere(ctx context.Context, in Instance) (uint16, error) {
	provider := func(pc PresentationContext) bool { return pc.RequestorSCP }
	in, status, err := r.fitted(ctx, in, syntaxesOf(r.info.Contexts, in.SOPClass, provider))
	if err != nil {
		return status, err
	}
	file, err := in.Open(ctx)
	if err != nil {
		return StatusProcessingFailure, fmt.Errorf("opening an instance: %w", err)
	}
	defer file.Close()
	br := bufio.NewReaderSize(file, 4096)
	meta, err := ReadMeta(br)
	if err == nil {
		err = in.matches(meta)
	}
	if err != nil {
		return StatusProcessingFailure, err
	}
	for _, pc := range r.info.Contexts {
		if pc.SOPClass == in.SOPClass && pc.TransferSyntax == in.TransferSyntax && provider(pc) {
			return r.subStore(ctx, pc, meta, br)
		}
	}
	return StatusClassNotSupported, ErrNoContext
}

// subStore is one C-STORE within the association of a C-GET.
func (r *retrieval) subStore(ctx context.Context, pc PresentationContext, meta Meta, br *bufio.Reader) (uint16, error) {
	id := r.subID()
	if err := r.op.do(ctx, func() error {
		r.op.awaited = id
		if err := r.sendCommand(pc.ID, storeRequest(meta, id, origin{}).Encode()); err != nil {
			return err
		}
		return r.sendData(pc.ID, evened(br, meta.TransferSyntax))
	}); err != nil {
		return StatusProcessingFailure, err
	}
	late := time.NewTimer(r.timeouts.Message)
	defer late.Stop()
	select {
	case rsp := <-r.op.replies:
		status, ok := rsp.uint16(tagStatus)
		if !ok {
			return StatusProcessingFailure, protocolError("response without status")
		}
		return status, nil
	case <-ctx.Done():
		return StatusProcessingFailure, context.Cause(ctx)
	case <-late.C:
		return StatusProcessingFailure, r.op.do(ctx, func() error {
			return r.abort(pdu.Abort{Source: pdu.AbortByUser}, ErrTimeout)
		})
	}
}

// subID numbers the sub-operations apart from the request they serve.
func (r *retrieval) subID() uint16 {
	if r.lastID++; r.lastID == r.op.id {
		r.lastID++
	}
	if r.lastID == 0 { // none is awaited
		return r.subID()
	}
	return r.lastID
}
