package cases

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Fold gives the state that a log leads to. It is pure. The log starts at its
// first event; an event that comes twice counts once. Events of unknown types
// are kept in the timeline: a newer Sira may have written them. Errors:
// ErrBroken when events are missing, contradict each other or cannot be read.
func Fold(events []Event) (State, error) {
	var s State
	seen := make(map[string]int64, len(events))
	for _, ev := range events {
		if seq, ok := seen[ev.ID]; ok && seq == ev.Seq {
			continue
		}
		if err := s.apply(ev); err != nil {
			return State{}, err
		}
		seen[ev.ID] = ev.Seq
	}
	if s.Seq == 0 {
		return State{}, fmt.Errorf("%w: it is empty", ErrBroken)
	}
	return s, nil
}

// apply moves s on by the next event of its log.
func (s *State) apply(ev Event) error {
	switch {
	case ev.Seq != s.Seq+1:
		return fmt.Errorf("%w: event %d after %d", ErrBroken, ev.Seq, s.Seq)
	case s.Seq == 0 && ev.Type != Opened, s.Seq > 0 && ev.Type == Opened:
		return fmt.Errorf("%w: event %d is %q", ErrBroken, ev.Seq, ev.Type)
	case s.Seq > 0 && ev.Case != s.ID:
		return fmt.Errorf("%w: event %d belongs to another case", ErrBroken, ev.Seq)
	}
	var data any
	if data = newData(ev.Type); data != nil {
		if err := json.Unmarshal(ev.Data, data); err != nil {
			return fmt.Errorf("%w: data of event %d cannot be read", ErrBroken, ev.Seq)
		}
	}
	item := TimelineItem{ID: ev.ID, Type: ev.Type, By: ev.Actor, At: ev.At, Seq: ev.Seq, Count: 1}
	s.Seq, s.Head, s.UpdatedAt = ev.Seq, ev.Hash, ev.Received
	s.take(ev, data, &item)
	s.Timeline = tell(s.Timeline, item)
	return nil
}

// take is what each type of event does to the state.
func (s *State) take(ev Event, data any, item *TimelineItem) {
	switch d := data.(type) {
	case *OpenedData:
		s.open(ev, *d)
	case *AttachmentData:
		s.Attachments = append(s.Attachments, d.Attachment)
		s.perform(d.Attachment)
	case *ScheduledData:
		item.Text = d.Description
		s.Procedure = &Procedure{ID: ev.ID, ScheduledData: *d, By: ev.Actor}
	case *UnscheduledData:
		item.Text = d.Reason
		s.Procedure = nil
	case *KeyImageData:
		s.mark(ev, *d)
	case *CallLeftData:
		if !d.empty() {
			item.Call = d
		}
	case *StillDrawnData:
		s.draw(ev, *d)
	case *TextData:
		s.Messages = append(s.Messages, Message{
			ID: ev.ID, Kind: messageKind(ev.Type), Text: d.Text, By: ev.Actor, At: ev.At, Received: ev.Received, Seq: ev.Seq})
		switch ev.Type {
		case ClarificationAsked:
			s.ask(ev)
		case ClarificationAnswered:
			s.answer(ev)
		}
	case *AssignedData:
		item.To, item.Text = d.To, d.Note
		s.assign(ev, d.To)
	case *OpinionData:
		s.Opinions = append(s.Opinions, Opinion{
			ID: ev.ID, OpinionData: *d, By: ev.Actor, At: ev.At, Received: ev.Received, Seq: ev.Seq})
		s.turn(ev, Answered)
		s.DueAt = ev.Received.Add(s.level().Outcome)
	case *ClosedData:
		item.Text = d.Outcome
		s.Outcome, s.OutcomeNote = d.Outcome, d.Note
		s.turn(ev, StatusClosed)
	case *ReasonData:
		item.Text = d.Reason
		if ev.Type == Cancelled {
			s.turn(ev, StatusCancelled)
			return
		}
		s.Outcome, s.OutcomeNote = "", ""
		s.turn(ev, s.waiting())
		s.DueAt = ev.Received.Add(s.level().Opinion)
	}
}

func (s *State) open(ev Event, d OpenedData) {
	s.ID, s.Number, s.Opened, s.Clinician, s.OpenedAt = ev.Case, d.Number, d, ev.Actor, ev.Received
	s.Assignees = slices.Clone(d.To)
	s.Participants = append([]string{ev.Actor}, d.To...)
	if len(d.To) > 0 {
		s.expert = d.To[0]
	}
	s.turn(ev, s.waiting())
	s.DueAt = ev.Received.Add(s.level().Opinion)
}

// assign adds an expert; the newest one is whom the case waits for. The clock of
// the opinion goes on.
func (s *State) assign(ev Event, to string) {
	if !slices.Contains(s.Assignees, to) {
		s.Assignees = append(s.Assignees, to)
	}
	if !slices.Contains(s.Participants, to) {
		s.Participants = append(s.Participants, to)
	}
	s.expert = to
	if s.Status == Submitted || s.Status == InAnalysis {
		s.turn(ev, InAnalysis)
	}
}

// ask stops the opinion's clock and starts the clinician's, of the same length.
// Further questions before the answer change neither.
func (s *State) ask(ev Event) {
	if s.Status != InAnalysis {
		return
	}
	s.expert = ev.Actor
	s.remaining = s.DueAt.Sub(ev.Received)
	s.turn(ev, Clarification)
	s.DueAt = ev.Received.Add(s.level().Opinion)
}

// answer lets the opinion's clock go on from where it stopped, late if it was.
func (s *State) answer(ev Event) {
	if s.Status != Clarification {
		return
	}
	s.turn(ev, InAnalysis)
	s.DueAt = ev.Received.Add(s.remaining)
}

// turn sets the status, whose event led to it and who must act next. An ended
// case has no owner and no due time.
func (s *State) turn(ev Event, to Status) {
	s.Status, s.StatusBy, s.StatusAt = to, ev.Actor, ev.Received
	switch to {
	case Submitted:
		s.Owner = Owner{Kind: "pool", ID: s.Opened.Specialty}
	case InAnalysis:
		s.Owner = Owner{Kind: "person", ID: s.expert}
	case Clarification, Answered:
		s.Owner = Owner{Kind: "person", ID: s.Clinician}
	default:
		s.Owner = Owner{}
		s.DueAt = time.Time{}
	}
}

// waiting is the status of a case that waits for an opinion.
func (s *State) waiting() Status {
	if len(s.Assignees) > 0 {
		return InAnalysis
	}
	return Submitted
}

// level is the case's urgency; an unknown one of a newer Sira counts as the most
// urgent.
func (s *State) level() Urgency {
	if u, ok := urgency(s.Opened.Urgency); ok {
		return u
	}
	return Urgencies[0]
}

func messageKind(t EventType) string {
	if t == MessagePosted {
		return "message"
	}
	return string(t)
}

// tell adds a line to the story, or counts one more file or key image on its
// last line.
func tell(story []TimelineItem, item TimelineItem) []TimelineItem {
	if n := len(story); n > 0 && (item.Type == AttachmentAdded || item.Type == KeyImageMarked || item.Type == KeyImageUnmarked) {
		last := &story[n-1]
		if last.Type == item.Type && last.By == item.By {
			last.Count++
			return story
		}
	}
	return append(story, item)
}
