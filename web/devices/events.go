package devices

import (
	"context"
	"fmt"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom/dimse"
)

// actions are the events that go to the journal, by the words it has for them.
var actions = map[dimse.EventKind]string{
	dimse.EventStore:    "dicom-store",
	dimse.EventRejected: "dicom-associate",
	dimse.EventRefused:  "dicom-request",
	dimse.EventFind:     "dicom-find",
	dimse.EventWorklist: "dicom-worklist",
	dimse.EventMove:     "dicom-move-end",
	dimse.EventGet:      "dicom-get-end",
	dimse.EventSent:     "dicom-sent",
	dimse.EventCommit:   "dicom-commit",
	dimse.EventReport:   "dicom-commit-report",
}

// Event journals who asked for what and how it ended. Devices ask for their
// worklist every minute: what they see of a patient is journalled by Worklist,
// and the asking only when it is refused.
func (p *Port) Event(e dimse.Event) {
	action, ok := actions[e.Kind]
	failed := e.Kind == dimse.EventRejected || e.Kind == dimse.EventRefused || dimse.StatusFailed(e.Status)
	if !ok || e.Kind == dimse.EventWorklist && !failed {
		return
	}
	if e.Kind == dimse.EventStore {
		if sop, ok := p.stored.LoadAndDelete(e.Association); ok && sop == e.SOPUID && e.Status == dimse.StatusSuccess {
			return // Store did
		}
	}
	outcome := "ok"
	switch {
	case e.Kind == dimse.EventStore && e.Status == dimse.StatusDuplicateInstance:
		outcome = "conflict"
	case failed:
		outcome = "denied"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := p.cfg.Audit.Record(ctx, audit.Entry{Actor: cases.DeviceActor(e.CallingAET), Action: action, Object: objectOf(e),
		Outcome: outcome, Surface: "dicom", Remote: e.Remote})
	if err != nil {
		p.log.Error("journal entry lost", "action", action, "err", err)
	}
}

// objectOf says what an event is about in the few words a journal has.
func objectOf(e dimse.Event) string {
	switch e.Kind {
	case dimse.EventFind:
		return fmt.Sprintf("%s %d", e.Level, e.Answers)
	case dimse.EventMove, dimse.EventGet:
		return fmt.Sprintf("%s %s %d/%d", e.Level, e.Destination, e.Counters.Completed, e.Counters.Completed+e.Counters.Failed+e.Counters.Warning)
	case dimse.EventCommit, dimse.EventReport:
		return fmt.Sprintf("%d/%d", e.Counters.Completed, e.Counters.Completed+e.Counters.Failed)
	}
	return e.SOPUID
}
