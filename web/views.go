package web

import (
	"context"
	"strconv"
	"time"

	"sira/cases"
	"sira/cases/directory"
)

// patientLine is what a list shows of a patient.
type patientLine struct {
	Name      string     `json:"name"`
	Sex       string     `json:"sex"`
	BirthDate string     `json:"birthDate,omitempty"`
	Age       *cases.Age `json:"age,omitempty"`
}

// summaryHead is the part of a case that lists and dossiers share.
type summaryHead struct {
	ID               string             `json:"id"`
	Number           string             `json:"number"`
	Status           cases.Status       `json:"status"`
	Urgency          string             `json:"urgency"`
	Specialty        string             `json:"specialty"`
	Question         string             `json:"question"`
	Facility         string             `json:"facility"`
	Clinician        directory.Person   `json:"clinician"`
	Assignees        []directory.Person `json:"assignees"`
	OpenedAt         time.Time          `json:"openedAt"`
	UpdatedAt        time.Time          `json:"updatedAt"`
	DueAt            *time.Time         `json:"dueAt,omitempty"`
	Seq              int64              `json:"seq"`
	Unread           int                `json:"unread"`
	Attachments      int                `json:"attachments"`
	CallParticipants int                `json:"callParticipants"`
	Waiting          []waitingView      `json:"waiting"` // guests at the door of the call
}

type summaryView struct {
	summaryHead
	Patient patientLine `json:"patient"`
}

type messageView struct {
	ID   string           `json:"id"`
	Text string           `json:"text"`
	Kind string           `json:"kind"`
	By   directory.Person `json:"by"`
	At   time.Time        `json:"at"`
}

type opinionView struct {
	ID         string           `json:"id"`
	Findings   string           `json:"findings"`
	Conclusion string           `json:"conclusion"`
	Advice     string           `json:"advice"`
	By         directory.Person `json:"by"`
	At         time.Time        `json:"at"`
}

type timelineView struct {
	ID    string            `json:"id"`
	Type  cases.EventType   `json:"type"`
	By    directory.Person  `json:"by"`
	At    time.Time         `json:"at"`
	Seq   int64             `json:"seq"`
	Text  string            `json:"text,omitempty"`
	To    *directory.Person `json:"to,omitempty"`
	Count int               `json:"count,omitempty"`
	// Call is what a call was like, with a call-left of a server that measured it.
	Call *cases.CallLeftData `json:"call,omitempty"`
}

type attachmentView struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Kind      string           `json:"kind"`
	MediaType string           `json:"mediaType"`
	Size      int64            `json:"size"`
	AddedAt   time.Time        `json:"addedAt"`
	AddedBy   directory.Person `json:"addedBy"`
	Hash      string           `json:"hash"`
	Waveform  string           `json:"waveform,omitempty"` // URL of an ECG's samples
	Still     *stillView       `json:"still,omitempty"`
}

type seriesView struct {
	StudyUID         string `json:"studyUID"`
	SeriesUID        string `json:"seriesUID"`
	Modality         string `json:"modality"`
	Description      string `json:"description"`
	StudyDescription string `json:"studyDescription"`
	StudyDate        string `json:"studyDate"`
	Instances        int    `json:"instances"`
	Frames           int    `json:"frames"`
	Size             int64  `json:"size"`
	Kind             string `json:"kind"`
	Thumbnail        string `json:"thumbnail"`
	PatientName      string `json:"patientName"`
	Warning          string `json:"warning,omitempty"`
	Device           string `json:"device,omitempty"` // AE title of the device that sent it itself
}

type caseView struct {
	summaryHead
	Patient      cases.Patient      `json:"patient"`
	History      string             `json:"history"`
	Consent      cases.Consent      `json:"consent"`
	Participants []directory.Person `json:"participants"`
	Messages     []messageView      `json:"messages"`
	Opinions     []opinionView      `json:"opinions"`
	Timeline     []timelineView     `json:"timeline"`
	Files        []attachmentView   `json:"files"`
	Series       []seriesView       `json:"series"`
	Can          []cases.Action     `json:"can"`
	Outcome      string             `json:"outcome,omitempty"`
	OutcomeNote  string             `json:"outcomeNote,omitempty"`
	Procedure    *procedureView     `json:"procedure,omitempty"`
	KeyImages    []keyImageView     `json:"keyImages"`
}

// keyImageView is a frame, from 1, that somebody marked.
type keyImageView struct {
	SOP       string           `json:"sop"`
	Frame     int              `json:"frame"`
	SeriesUID string           `json:"seriesUID"`
	Modality  string           `json:"modality"`
	By        directory.Person `json:"by"`
	At        time.Time        `json:"at"`
	Picture   string           `json:"picture"` // URL, in which ?side= may be added
}

func viewKeyImages(st *cases.State, p people) []keyImageView {
	out := []keyImageView{}
	for _, k := range st.KeyImages {
		if a, err := instanceOf(st, k.SOP); err == nil {
			out = append(out, keyImageView{k.SOP, k.Frame, a.DICOM.SeriesUID, a.DICOM.Modality, p.of(k.By), k.At.UTC(),
				"/api/cases/" + st.ID + "/instances/" + k.SOP + "/frames/" + strconv.Itoa(k.Frame) + "/picture"})
		}
	}
	return out
}

func (s *Server) head(sum cases.Summary, p people, places map[string]string) summaryHead {
	h := summaryHead{ID: sum.ID, Number: sum.Number, Status: sum.Status, Urgency: sum.Urgency, Specialty: sum.Specialty,
		Question: sum.Question, Facility: sum.Facility, Clinician: p.of(sum.Clinician), Assignees: p.all(sum.Assignees),
		OpenedAt: sum.OpenedAt.UTC(), UpdatedAt: sum.UpdatedAt.UTC(), Seq: sum.Seq, Unread: sum.Unread,
		Attachments: sum.Attachments, CallParticipants: len(s.cfg.Signaling.Participants(sum.ID)), Waiting: viewWaiting(s.cfg.Signaling.Waiting(sum.ID))}
	if name, ok := places[sum.Facility]; ok {
		h.Facility = name
	}
	if !sum.DueAt.IsZero() {
		due := sum.DueAt.UTC()
		h.DueAt = &due
	}
	return h
}

// viewCase builds the dossier as one user sees it. It grows with what people
// wrote, not with the number of slices.
func (s *Server) viewCase(ctx context.Context, u directory.User, st *cases.State, sum cases.Summary) (caseView, error) {
	places, err := s.placeNames(ctx)
	if err != nil {
		return caseView{}, err
	}
	p, err := s.people(ctx, idsOf(st))
	if err != nil {
		return caseView{}, err
	}
	v := caseView{summaryHead: s.head(sum, p, places), Patient: st.Opened.Patient, History: st.Opened.History,
		Consent: st.Opened.Consent, Participants: p.all(st.Participants), Can: cases.Permitted(u, st),
		Outcome: st.Outcome, OutcomeNote: st.OutcomeNote,
		Messages: []messageView{}, Opinions: []opinionView{}, Timeline: []timelineView{}, Files: []attachmentView{}}
	v.Question, v.Procedure = st.Opened.Question, viewProcedure(st, p)
	v.KeyImages = viewKeyImages(st, p)
	if v.Can == nil {
		v.Can = []cases.Action{}
	}
	for _, m := range st.Messages {
		v.Messages = append(v.Messages, messageView{m.ID, m.Text, m.Kind, p.of(m.By), m.At.UTC()})
	}
	for _, o := range st.Opinions {
		v.Opinions = append(v.Opinions, opinionView{o.ID, o.Findings, o.Conclusion, o.Advice, p.of(o.By), o.At.UTC()})
	}
	for _, t := range st.Timeline {
		tv := timelineView{ID: t.ID, Type: t.Type, By: p.of(t.By), At: t.At.UTC(), Seq: t.Seq, Text: t.Text, Count: t.Count, Call: t.Call}
		if t.To != "" {
			to := p.of(t.To)
			tv.To = &to
		}
		v.Timeline = append(v.Timeline, tv)
	}
	for _, a := range st.Attachments {
		if a.DICOM == nil {
			v.Files = append(v.Files, viewAttachment(st, a, p))
		}
	}
	v.Series, err = s.viewSeries(ctx, st)
	return v, err
}

func viewAttachment(st *cases.State, a cases.Attachment, p people) attachmentView {
	v := attachmentView{ID: a.ID, Name: a.Name, Kind: a.Kind, MediaType: a.MediaType, Size: a.Size,
		AddedAt: a.AddedAt.UTC(), AddedBy: p.of(a.AddedBy), Hash: a.Hash, Still: viewStill(st, a, p)}
	if a.Kind == "ecg" {
		v.Waveform = "/api/cases/" + st.ID + "/attachments/" + a.ID + "/waveform"
	}
	return v
}

func idsOf(st *cases.State) []string {
	ids := append([]string{st.Clinician}, st.Participants...)
	ids = append(ids, st.Assignees...)
	if st.Procedure != nil {
		ids = append(ids, st.Procedure.By)
	}
	for _, m := range st.Messages {
		ids = append(ids, m.By)
	}
	for _, o := range st.Opinions {
		ids = append(ids, o.By)
	}
	for _, t := range st.Timeline {
		ids = append(ids, t.By, t.To)
	}
	for _, d := range st.Drawings {
		ids = append(ids, d.By)
	}
	for _, k := range st.KeyImages {
		ids = append(ids, k.By)
	}
	for _, a := range st.Attachments {
		ids = append(ids, a.AddedBy)
		if a.Still != nil {
			ids = append(ids, a.Still.Of)
		}
	}
	return ids
}
