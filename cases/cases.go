// Package cases is the domain: a case is an append-only log of events, and its
// state is the fold of that log.
//
// It owns the event types, their bounded decoding, the workflow, the one policy
// of who may do what (Allow), the hash chain, and the projection that the list
// is read from. It must not know HTTP, DICOM or where bytes lie: a file is named
// by its hash, a study by its UID.
package cases

import (
	"encoding/json"
	"time"
)

// EventType says what happened.
type EventType string

// The event types and the struct of their data.
const (
	Opened                EventType = "opened"                 // OpenedData
	AttachmentAdded       EventType = "attachment-added"       // AttachmentData; by the server only
	MessagePosted         EventType = "message-posted"         // TextData
	Assigned              EventType = "assigned"               // AssignedData
	ClarificationAsked    EventType = "clarification-asked"    // TextData
	ClarificationAnswered EventType = "clarification-answered" // TextData
	OpinionGiven          EventType = "opinion-given"          // OpinionData
	Closed                EventType = "closed"                 // ClosedData
	Reopened              EventType = "reopened"               // ReasonData
	Cancelled             EventType = "cancelled"              // ReasonData
	CallJoined            EventType = "call-joined"            // no data
	CallLeft              EventType = "call-left"              // CallLeftData; filled in by the server only
	ProcedureScheduled    EventType = "procedure-scheduled"    // ScheduledData
	ProcedureCancelled    EventType = "procedure-cancelled"    // UnscheduledData
	KeyImageMarked        EventType = "key-image-marked"       // KeyImageData
	KeyImageUnmarked      EventType = "key-image-unmarked"     // KeyImageData
	StillDrawn            EventType = "still-drawn"            // StillDrawnData
)

// NewEvent is an event as its author sends it. ID is a UUID (RFC 9562) made by
// the author, so that sending it twice is the same as once.
type NewEvent struct {
	ID   string          `json:"id"`
	Type EventType       `json:"type"`
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
}

// Event is an event as it stands in the log of a case. Seq counts from 1 without
// gaps. At is what the author's clock said, never later than Received, the
// server's. Times are UTC to the millisecond. Hash is described at HashEvent.
type Event struct {
	ID       string          `json:"id"`
	Case     string          `json:"case"`
	Seq      int64           `json:"seq"`
	Type     EventType       `json:"type"`
	Actor    string          `json:"actor"`
	At       time.Time       `json:"at"`
	Received time.Time       `json:"received"`
	Data     json.RawMessage `json:"data"`
	Prev     string          `json:"prev"`
	Hash     string          `json:"hash"`
}

// OpenedData is the request. Number and Facility are set by the server.
type OpenedData struct {
	Number    string   `json:"number,omitempty"`
	Patient   Patient  `json:"patient"`
	Specialty string   `json:"specialty"`
	Urgency   string   `json:"urgency"` // "U0" … "U3"
	Question  string   `json:"question"`
	History   string   `json:"history,omitempty"`
	Consent   Consent  `json:"consent"`
	To        []string `json:"to,omitempty"` // user IDs
	Facility  string   `json:"facility,omitempty"`
}

// Patient is who the case is about. Either BirthDate or Age is there.
type Patient struct {
	Name        string       `json:"name"`
	Sex         string       `json:"sex"`                 // "F", "M", "O" (other) or "U" (unknown)
	BirthDate   string       `json:"birthDate,omitempty"` // YYYY, YYYY-MM or YYYY-MM-DD
	Age         *Age         `json:"age,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitempty"`
	Village     string       `json:"village,omitempty"`
	MotherName  string       `json:"motherName,omitempty"`
	Phone       string       `json:"phone,omitempty"`
}

// Age is an age as it was said, in years, months or days.
type Age struct {
	Value int    `json:"value"`
	Unit  string `json:"unit"` // "Y", "M" or "D"
}

// Identifier is a patient's number in some register.
type Identifier struct {
	System string `json:"system"`
	Value  string `json:"value"`
}

// Consent is how the patient agreed. "emergency" is the exception and carries
// its reason in Note.
type Consent struct {
	How  string    `json:"how"`            // "written", "oral", "fingerprint", "representative" or "emergency"
	By   string    `json:"by,omitempty"`   // who gave it; needed for "representative"
	At   time.Time `json:"at"`             // set by the server when zero
	Note string    `json:"note,omitempty"` // needed for "emergency"
}

// AttachmentData names a file of the case.
type AttachmentData struct {
	Attachment Attachment `json:"attachment"`
}

// Attachment is a file of the case, its bytes named by their SHA-256. Size is
// in bytes.
type Attachment struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind"` // "dicom", "photo", "pdf", "video", "ecg", "still" or "other"
	MediaType string    `json:"mediaType"`
	Size      int64     `json:"size"`
	Hash      string    `json:"hash"`
	AddedAt   time.Time `json:"addedAt"`
	AddedBy   string    `json:"addedBy"` // user ID, or DeviceActor of the device that brought it
	DICOM     *DICOMRef `json:"dicom,omitempty"`
	Still     *StillRef `json:"still,omitempty"`  // of kind "still"
	Device    string    `json:"device,omitempty"` // AE title of the device that made it, when it sent it itself
}

// DICOMRef says which instance a DICOM file is.
type DICOMRef struct {
	StudyUID  string `json:"studyUID"`
	SeriesUID string `json:"seriesUID"`
	SOPUID    string `json:"sopUID"`
	Modality  string `json:"modality"`
	Frames    int    `json:"frames"`
}

// TextData is a message, a question back or its answer.
type TextData struct {
	Text string `json:"text"`
}

// AssignedData names one more expert.
type AssignedData struct {
	To   string `json:"to"` // user ID
	Note string `json:"note,omitempty"`
}

// OpinionData is an expert's opinion. Conclusion is required.
type OpinionData struct {
	Findings   string `json:"findings,omitempty"`
	Conclusion string `json:"conclusion"`
	Advice     string `json:"advice,omitempty"`
}

// ClosedData is what became of the patient.
type ClosedData struct {
	Outcome string `json:"outcome"` // one of Outcomes
	Note    string `json:"note,omitempty"`
}

// ReasonData says why a case was reopened or cancelled.
type ReasonData struct {
	Reason string `json:"reason"`
}

// ScheduledData asks a device for an examination; one at a time, a new one
// takes the place of the one before. ID and study UID follow from the event's
// ID, see Procedure.
type ScheduledData struct {
	Modality    string    `json:"modality"`         // PS3.3 section C.7.3.1.1.1: "ECG", "US", "CT"…
	Device      string    `json:"device,omitempty"` // AE title; empty: whichever asks
	At          time.Time `json:"at"`               // when it is planned
	Description string    `json:"description"`
}

// UnscheduledData takes the examination back.
type UnscheduledData struct {
	Reason string `json:"reason,omitempty"`
}

// Outcomes lists what may have become of a patient when a case is closed.
var Outcomes = []string{"improved", "stable", "worsened", "evacuated", "deceased", "lost", "other"}

// Urgencies are the levels of urgency, most urgent first.
var Urgencies = []Urgency{
	{"U0", "Vitale", 15 * time.Minute, 2 * 24 * time.Hour},
	{"U1", "Urgente", 2 * time.Hour, 2 * 24 * time.Hour},
	{"U2", "Semi-urgente", 24 * time.Hour, 7 * 24 * time.Hour},
	{"U3", "Programmée", 72 * time.Hour, 21 * 24 * time.Hour},
}

// Urgency is a level of urgency: within how long an opinion is due, and how
// long after the opinion the outcome is. Label is French.
type Urgency struct {
	Code    string
	Label   string
	Opinion time.Duration
	Outcome time.Duration
}
