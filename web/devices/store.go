package devices

import (
	"context"
	"errors"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/ingest"
	"sira/storage"
)

// Store answers a C-STORE once the object is durable, indexed and noted for its
// case or the tray, or says why it is not (PS3.4 annex B.2.3).
func (p *Port) Store(ctx context.Context, req dimse.StoreRequest) uint16 {
	if !p.maySend(req.Association) {
		return dimse.StatusNotAuthorized
	}
	ctx = ingest.From(ctx, ingest.Source{Device: req.CallingAET, Remote: req.Association.Remote.Addr().String()})
	g := *p.cfg.Ingest
	g.Join = func(ctx context.Context, in dicom.Instance, list ingest.List) error {
		return p.list(ctx, req, in, list)
	}
	res, err := g.Stream(ctx, req.Part10())
	switch {
	case err == nil && res.Joined:
		p.stored.Store(req.Association.ID, req.SOPUID)
		p.cfg.Noted()
	case err == nil:
		err = p.cfg.Sent(ctx, req.CallingAET, res.Instance)
	}
	var bad *dicom.Error
	switch {
	case err == nil:
		return dimse.StatusSuccess
	case errors.Is(err, ingest.ErrConflict):
		p.log.Warn("quarantined an object of a device", "aet", req.CallingAET)
		return dimse.StatusDuplicateInstance
	case errors.Is(err, storage.ErrNoSpace):
		return dimse.StatusOutOfResources
	case errors.As(err, &bad):
		p.log.Info("refused an object of a device", "aet", req.CallingAET, "reason", bad.Reason)
		return dimse.StatusCannotUnderstand
	}
	p.log.Error("storing an object of a device", "aet", req.CallingAET, "err", err)
	return dimse.StatusProcessingFailure
}

// list has a new object indexed, noted for its case or the tray, and journalled,
// all in one transaction: that is one wait for the disk.
func (p *Port) list(ctx context.Context, req dimse.StoreRequest, in dicom.Instance, list ingest.List) error {
	entry := audit.Entry{Actor: cases.DeviceActor(req.CallingAET), Action: actions[dimse.EventStore], Object: req.SOPUID,
		Outcome: "ok", Surface: "dicom", Remote: req.Association.Remote.String()}
	return p.cfg.Audit.With(ctx, entry, func(record func(storage.Querier) error) error {
		_, err := list(func(tx storage.Querier) error {
			if err := p.cfg.Note(ctx, tx, req.CallingAET, in); err != nil {
				return err
			}
			return record(tx)
		})
		return err
	})
}

// Commit promises what is indexed under the class named and whose bytes are in
// the store (PS3.4 annex J).
func (p *Port) Commit(ctx context.Context, req dimse.CommitRequest) ([]dimse.CommitFailure, error) {
	if !p.maySend(req.Association) && !p.mayRead(req.Association) {
		return nil, errNotAuthorized
	}
	var failed []dimse.CommitFailure
	for _, ref := range req.Instances {
		reason, err := p.kept(ctx, ref)
		if err != nil {
			return nil, err
		}
		if reason != 0 {
			failed = append(failed, dimse.CommitFailure{Reference: ref, Reason: reason})
		}
	}
	return failed, nil
}

// kept gives why an instance cannot be promised, 0 when it can.
func (p *Port) kept(ctx context.Context, ref dimse.Reference) (uint16, error) {
	in, err := p.cfg.Index.Instance(ctx, ref.SOPUID)
	switch {
	case isNotFound(err):
		return dimse.ReasonNoSuchInstance, nil
	case err != nil:
		return 0, err
	case in.SOPClass != ref.SOPClass:
		return dimse.ReasonClassConflict, nil
	}
	info, err := p.cfg.Blobs.Stat(ctx, storage.Hash(in.Hash))
	if errors.Is(err, storage.ErrNotFound) || err == nil && info.Size != in.Size {
		p.log.Error("an indexed object is not in the store", "hash", in.Hash)
		return dimse.ReasonProcessingFailure, nil
	}
	return 0, err
}
