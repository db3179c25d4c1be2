package dimse

import (
	"context"
	"fmt"
	"strconv"

	"sira/dicom/dimse/identifier"
	"sira/dicom/dimse/pdu"
)

// commitmentInstance is the well-known instance of storage commitment (PS3.4
// section J.3.5).
const commitmentInstance = "1.2.840.10008.1.20.1.1"

// The one action and the two events of storage commitment (PS3.4 tables
// J.3.2-1 and J.3.3-1).
const (
	actionRequest = 1
	eventComplete = 1
	eventFailures = 2
)

// Failure reasons of storage commitment (PS3.3 section C.14.1.1).
const (
	ReasonProcessingFailure    uint16 = 0x0110
	ReasonNoSuchInstance       uint16 = 0x0112
	ReasonClassConflict        uint16 = 0x0119 // the instance is of another class
	ReasonClassNotSupported    uint16 = 0x0122
	ReasonDuplicateTransaction uint16 = 0x0131
	ReasonOutOfResources       uint16 = 0x0213
)

// Reference names an instance.
type Reference struct{ SOPClass, SOPUID string }

// CommitRequest asks whether instances are kept safely.
type CommitRequest struct {
	CallingAET, CalledAET string
	Association           Association
	TransactionUID        string
	Instances             []Reference
}

// CommitFailure is an instance that is not committed, and why: a Reason.
type CommitFailure struct {
	Reference
	Reason uint16
}

// CommitFunc tells which of the instances are not durable; the others are then
// promised to be. An error fails them all with ReasonProcessingFailure. It may
// take its time: the request has been answered before.
type CommitFunc func(ctx context.Context, req CommitRequest) (failed []CommitFailure, err error)

// CommitResult is the answer to a commit request. Whoever receives one must
// check that the transaction is its own.
type CommitResult struct {
	TransactionUID string
	RetrieveAET    string // where the committed instances can be had, "" when not told
	Committed      []Reference
	Failed         []CommitFailure
}

func references(list []Reference) []*identifier.Set {
	var items []*identifier.Set
	for _, r := range list {
		item := &identifier.Set{}
		item.Put(identifier.ReferencedSOPClassUID, r.SOPClass)
		item.Put(identifier.ReferencedSOPInstanceUID, r.SOPUID)
		items = append(items, item)
	}
	return items
}

func (r CommitResult) set() *identifier.Set {
	s := &identifier.Set{}
	s.Put(identifier.TransactionUID, r.TransactionUID)
	if r.RetrieveAET != "" {
		s.Put(identifier.RetrieveAETitle, r.RetrieveAET)
	}
	if len(r.Committed) > 0 {
		s.PutItems(identifier.ReferencedSOPSequence, references(r.Committed)...)
	}
	if len(r.Failed) > 0 {
		var items []*identifier.Set
		for _, f := range r.Failed {
			item := references([]Reference{f.Reference})[0]
			item.Put(identifier.FailureReason, strconv.Itoa(int(f.Reason)))
			items = append(items, item)
		}
		s.PutItems(identifier.FailedSOPSequence, items...)
	}
	return s
}

func readReference(item *identifier.Set) (Reference, error) {
	r := Reference{item.String(identifier.ReferencedSOPClassUID), item.String(identifier.ReferencedSOPInstanceUID)}
	if !pdu.ValidUID(r.SOPClass) || !pdu.ValidUID(r.SOPUID) {
		return r, fmt.Errorf("dimse: a reference without valid UIDs")
	}
	return r, nil
}

// readReferences reads the references of a request or result and its
// transaction.
func readReferences(s *identifier.Set, limit int) (transaction string, list []Reference, err error) {
	transaction = s.String(identifier.TransactionUID)
	items := s.Items(identifier.ReferencedSOPSequence)
	switch {
	case !pdu.ValidUID(transaction):
		return "", nil, fmt.Errorf("dimse: no valid transaction UID")
	case len(items) > limit:
		return "", nil, fmt.Errorf("dimse: more than %d references", limit)
	}
	for _, item := range items {
		r, err := readReference(item)
		if err != nil {
			return "", nil, err
		}
		list = append(list, r)
	}
	return transaction, list, nil
}

func readCommitResult(s *identifier.Set, limit int) (r CommitResult, err error) {
	if r.TransactionUID, r.Committed, err = readReferences(s, limit); err != nil {
		return r, err
	}
	r.RetrieveAET = s.String(identifier.RetrieveAETitle)
	failed := s.Items(identifier.FailedSOPSequence)
	if len(failed) > limit {
		return r, fmt.Errorf("dimse: more than %d references", limit)
	}
	for _, item := range failed {
		ref, err := readReference(item)
		if err != nil {
			return r, err
		}
		reason, err := strconv.ParseUint(item.String(identifier.FailureReason), 10, 16)
		if err != nil {
			reason = uint64(ReasonProcessingFailure)
		}
		r.Failed = append(r.Failed, CommitFailure{ref, uint16(reason)})
	}
	return r, nil
}

// reportRequest is the command set of N-EVENT-REPORT with a result.
func reportRequest(id uint16, r CommitResult) Command {
	event := uint16(eventComplete)
	if len(r.Failed) > 0 {
		event = eventFailures
	}
	var rq Command
	rq.setUID(tagAffectedClass, StorageCommitment)
	rq.setUint16(tagCommandField, fieldReport)
	rq.setUint16(tagMessageID, id)
	rq.setUID(tagAffectedInstance, commitmentInstance)
	rq.setUint16(tagEventType, event)
	return rq
}
