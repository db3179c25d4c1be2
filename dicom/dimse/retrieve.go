package dimse

import (
	"context"
	"io"

	"sira/dicom/dimse/identifier"
)

// RetrieveRequest is one C-MOVE or C-GET. At least the unique key of the level
// is set; those below it are not.
type RetrieveRequest struct {
	CallingAET, CalledAET string
	Association           Association
	SOPClass              string // the information model
	Level                 Level
	Destination           string // AE title, "" for C-GET

	PatientID  string
	StudyUIDs  []string
	SeriesUIDs []string
	SOPUIDs    []string
	Keys       *identifier.Set // all that was sent
}

// Instance is one to send. Open gives it as a DICOM file (PS3.10) with meta
// information in that transfer syntax; it is called when its turn comes.
type Instance struct {
	SOPClass, SOPUID, TransferSyntax string
	Open                             func(ctx context.Context) (io.ReadCloser, error)
}

// RetrieveFunc resolves a request to what the peer may have of it, in the order
// of sending. No instance is a success without effect. Errors are as in
// FindFunc. The list is known at once because contexts are negotiated for what
// it holds, and responses count what remains; the bytes are not.
type RetrieveFunc func(ctx context.Context, req RetrieveRequest) ([]Instance, error)

// TranscodeFunc gives an instance in one of the transfer syntaxes that the
// receiver accepted for its class; an error makes the sub-operation fail with
// StatusClassNotSupported.
type TranscodeFunc func(ctx context.Context, in Instance, accepted []string) (Instance, error)

// Counters are the sub-operations of a C-MOVE or C-GET.
type Counters struct{ Remaining, Completed, Failed, Warning int }

// retrieval is a C-MOVE or C-GET being served.
type retrieval struct {
	*serving
	m      *message
	op     *operation
	req    RetrieveRequest
	count  Counters
	failed []string // SOP instance UIDs
	lastID uint16   // message ID of the last sub-operation of a C-GET
	// send gives one instance to the receiver and tells the status. An error
	// is why it could not be sent.
	send func(ctx context.Context, in Instance) (uint16, error)
}

// readRetrieval reads a request's identifier and checks it.
func (v *serving) readRetrieval(m *message) (req RetrieveRequest, status uint16, comment string) {
	keys, status, comment := v.identifier(m)
	if status != StatusSuccess {
		return req, status, comment
	}
	req = RetrieveRequest{
		CallingAET: v.info.CallingAET, CalledAET: v.info.CalledAET, Association: v.info,
		SOPClass: m.context.SOPClass, Keys: keys, Level: Level(keys.String(identifier.QueryRetrieveLevel)),
		PatientID: keys.String(identifier.PatientID),
		StudyUIDs: keys.Strings(identifier.StudyInstanceUID),
	}
	m.event.Level = req.Level
	var unique []string
	for _, level := range models[m.context.SOPClass].levels {
		switch level {
		case LevelPatient:
			unique = keys.Strings(identifier.PatientID)
		case LevelStudy:
			unique = req.StudyUIDs
		case LevelSeries:
			req.SeriesUIDs = keys.Strings(identifier.SeriesInstanceUID)
			unique = req.SeriesUIDs
		case LevelImage:
			req.SOPUIDs = keys.Strings(identifier.SOPInstanceUID)
			unique = req.SOPUIDs
		}
		if level == req.Level {
			return req, uniqueKey(level, unique), "the unique key of the level is missing or not exact"
		}
	}
	return req, StatusDataSetMismatch, "retrieve level not in this information model"
}

// uniqueKey checks the key of the level asked for: without it, or with a
// pattern instead, one would get everything.
func uniqueKey(level Level, values []string) uint16 {
	if len(values) == 0 || level == LevelPatient && len(values) > 1 {
		return StatusDataSetMismatch
	}
	for _, v := range values {
		for _, c := range v {
			if c == '*' || c == '?' {
				return StatusDataSetMismatch
			}
		}
	}
	return StatusSuccess
}

// resolve asks the callback for the instances; with a status other than success
// the operation ends.
func (r *retrieval) resolve(ctx context.Context) ([]Instance, error) {
	ctx, release := r.op.untilCancelled(ctx)
	defer release()
	list, err := r.server.Retrieve(ctx, r.req)
	if err != nil {
		return nil, err
	}
	if len(list) > r.limits.Instances {
		return nil, &StatusError{Status: StatusCannotCount, Comment: "too many instances: retrieve less at a time"}
	}
	return list, nil
}

// sendAll runs the sub-operations in order until done, cancelled or over.
func (r *retrieval) sendAll(ctx context.Context, list []Instance) error {
	for _, in := range list {
		if r.op.isCancelled() {
			return errCancelled
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		status, err := r.send(ctx, in)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.account(in, status, err)
		if r.count.Remaining > 0 {
			if err := r.op.do(ctx, r.pending); err != nil {
				return err
			}
		}
	}
	return nil
}

// account counts one sub-operation and tells it to the audit.
func (r *retrieval) account(in Instance, status uint16, err error) {
	e := Event{Kind: EventSent, SOPClass: in.SOPClass, SOPUID: in.SOPUID, TransferSyntax: in.TransferSyntax,
		Status: status, Destination: r.req.Destination}
	r.count.Remaining--
	switch {
	case err != nil || StatusFailed(status):
		r.count.Failed++
		r.failed = append(r.failed, in.SOPUID)
		if err != nil {
			e.Detail = err.Error()
		}
	case status != StatusSuccess:
		r.count.Warning++
	default:
		r.count.Completed++
	}
	r.tell(e)
}

// pending tells the peer how far it has come.
func (r *retrieval) pending() error {
	rsp := r.m.command.response(StatusPending, "")
	rsp.setUint16(tagRemaining, clamp(r.count.Remaining))
	r.count.put(&rsp)
	return r.sendMessage(r.m.context, rsp, nil)
}

func (c Counters) put(rsp *Command) {
	rsp.setUint16(tagCompleted, clamp(c.Completed))
	rsp.setUint16(tagFailed, clamp(c.Failed))
	rsp.setUint16(tagWarning, clamp(c.Warning))
}

// clamp: the counters have 16 bits.
func clamp(n int) uint16 { return uint16(min(n, 0xFFFF)) }

// conclude gives the status of the final response, and leaves counters and
// failed UIDs for it.
func (r *retrieval) conclude(ctx context.Context) (uint16, string) {
	r.m.event.Counters = r.count
	status, comment := r.outcome(ctx, r.op, nil)
	r.m.finish = func(rsp *Command) []byte {
		r.count.put(rsp)
		if status == StatusCancel {
			rsp.setUint16(tagRemaining, clamp(r.count.Remaining))
		}
		if len(r.failed) == 0 {
			return nil
		}
		var list identifier.Set
		list.Put(identifier.FailedSOPInstanceUIDList, fitting(r.failed)...)
		b, _ := list.Encode(r.m.context.TransferSyntax) // the UIDs are ours
		return b
	}
	switch {
	case status == StatusOutOfResources && r.count.Remaining > 0:
		status = StatusSubOperationsFailed
		if r.count.Completed+r.count.Warning > 0 {
			status = StatusWarningIncomplete
		}
	case status != StatusSuccess:
	case r.count.Failed > 0 && r.count.Completed+r.count.Warning == 0:
		return StatusSubOperationsFailed, "no instance could be sent"
	case r.count.Failed > 0 || r.count.Warning > 0:
		return StatusWarningIncomplete, ""
	}
	return status, comment
}

// fitting cuts a list of UIDs to what one element of VR UI can hold.
func fitting(uids []string) []string {
	size := 0
	for i, uid := range uids {
		if size += len(uid) + 1; size > 0xFFFE {
			return uids[:i]
		}
	}
	return uids
}
