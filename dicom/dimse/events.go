package dimse

import "time"

// EventKind names what happened.
type EventKind string

// Kinds of events. Each association begins with EventAssociated, EventRejected
// or EventFailed; one that was associated ends with EventReleased, EventAborted
// (by either side) or EventLost.
const (
	EventAssociated EventKind = "associated"
	EventRejected   EventKind = "rejected" // A-ASSOCIATE-RJ sent
	EventFailed     EventKind = "failed"   // no valid request came
	EventReleased   EventKind = "released"
	EventAborted    EventKind = "aborted"
	EventLost       EventKind = "lost"
	EventEcho       EventKind = "echo"
	EventStore      EventKind = "store"
	EventFind       EventKind = "find"
	EventWorklist   EventKind = "worklist"
	EventMove       EventKind = "move"
	EventGet        EventKind = "get"
	EventSent       EventKind = "sent"      // one instance of a C-MOVE or C-GET, sent or not
	EventCommit     EventKind = "commit"    // storage commitment asked of us; Counters.Remaining instances
	EventReport     EventKind = "report"    // its result told to the peer, or not: may come after the association's end
	EventCommitted  EventKind = "committed" // a result told to us
	EventRefused    EventKind = "refused"   // a request answered without a callback
)

// Event tells who did what, and when. It never holds a patient's data.
type Event struct {
	Kind                  EventKind
	At                    time.Time
	Association           string // ID
	Remote                string // address and port
	CallingAET, CalledAET string

	// Of a message.
	SOPClass, SOPUID, TransferSyntax string
	Status                           uint16
	Bytes                            int64 // of the data set
	Took                             time.Duration
	Level                            Level // of a query or retrieval
	Answers                          int   // matches sent
	Counters                         Counters
	Destination                      string // AE title that instances or reports go to

	Detail string // why, in English, for logs
}
