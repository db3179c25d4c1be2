package cases

import "time"

// Status is where a case stands.
type Status string

// The statuses. The first four are open: they have an owner and a due time.
const (
	Submitted       Status = "submitted"     // waits for a dispatcher
	InAnalysis      Status = "assigned"      // waits for an assignee
	Clarification   Status = "clarification" // waits for the clinician's answer
	Answered        Status = "answered"      // waits for the clinician to close
	StatusClosed    Status = "closed"
	StatusCancelled Status = "cancelled"
)

// Open says whether somebody still owes something to the case.
func (s Status) Open() bool { return s != StatusClosed && s != StatusCancelled }

// Owner is who must act next: one person, or the dispatchers of a specialty.
type Owner struct {
	Kind string // "person", "pool" or "" (ended)
	ID   string // user ID, or specialty code
}

// State is the fold of a case's log.
type State struct {
	ID           string
	Number       string // for people: "KAT-2026-0001"
	Status       Status
	Opened       OpenedData
	Clinician    string   // user ID of who opened it
	Assignees    []string // user IDs, in order of assignment
	Participants []string // user IDs: clinician, addressees, assignees; nobody is ever removed
	Attachments  []Attachment
	Messages     []Message
	Opinions     []Opinion
	Timeline     []TimelineItem
	Outcome      string // when closed
	OutcomeNote  string
	OpenedAt     time.Time // server's receipt
	UpdatedAt    time.Time // server's receipt of the last event
	DueAt        time.Time // zero when ended
	Owner        Owner
	StatusBy     string     // whose event led to Status
	StatusAt     time.Time  // server's receipt of it
	Procedure    *Procedure // planned on a device, nil when none is
	KeyImages    []KeyImage // in the order in which they were marked
	Drawings     []Drawing  // on stills, the newest last
	Seq          int64      // of the last event
	Head         string     // hash of the last event

	expert    string        // whose opinion is waited for
	remaining time.Duration // of the opinion's clock while it stands still
}

// Message is something written into the thread.
type Message struct {
	ID       string
	Kind     string // "message", "clarification-asked" or "clarification-answered"
	Text     string
	By       string
	At       time.Time
	Received time.Time
	Seq      int64
}

// Opinion is an opinion as it was given; it never changes.
type Opinion struct {
	ID string
	OpinionData
	By       string
	At       time.Time
	Received time.Time
	Seq      int64
}

// TimelineItem is one line of the case's story. Files added in a row by one
// person are one line, with Count of them; key images likewise.
type TimelineItem struct {
	ID    string
	Type  EventType
	By    string
	At    time.Time
	Seq   int64
	Text  string // note, reason or outcome; not the text of messages and opinions
	To    string // user ID of an assignee
	Count int
	Call  *CallLeftData // of a call that was left, nil when nothing is known of it
}

// Summary is one line of the list.
type Summary struct {
	ID, Number  string
	Status      Status
	Urgency     string
	Specialty   string
	Question    string // at most 300 runes
	Patient     PatientSummary
	Facility    string // facility ID
	Clinician   string // user ID
	Assignees   []string
	OpenedAt    time.Time
	UpdatedAt   time.Time
	DueAt       time.Time // zero when ended
	Owner       Owner
	Seq         int64
	Unread      int // news by others since the user's MarkRead
	Attachments int
	Opinions    int
}

// PatientSummary is what the list shows of a patient.
type PatientSummary struct {
	Name      string
	Sex       string
	BirthDate string
	Age       *Age
}
