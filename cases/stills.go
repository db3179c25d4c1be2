package cases

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sira/cases/directory"
)

// Bounds of what one person draws on one still.
const (
	maxMarks  = 200
	maxPoints = 256   // of one mark
	maxAt     = 9_999 // of a coordinate
)

// StillRef says where a still of a call comes from.
type StillRef struct {
	Of       string `json:"of"`                 // user ID of whose camera it is
	Width    int    `json:"width"`              // pixels
	Height   int    `json:"height"`             // pixels
	Received bool   `json:"received,omitempty"` // frozen from the received video, for the device itself can not
}

// StillDrawnData is all that its author drew on a still. Drawing more is a new
// event with all of it, which takes the place of the one before.
type StillDrawnData struct {
	Still string `json:"still"` // attachment ID
	Marks []Mark `json:"marks"`
}

// Mark is one line, or an arrow from its first point to its last. Points are
// x, y, x, y… from 0 to 9999 of the picture's width and height.
type Mark struct {
	Kind   string `json:"kind"` // "stroke" or "arrow"
	Points []int  `json:"points"`
}

// Drawing is what somebody drew on a still.
type Drawing struct {
	StillDrawnData
	By string // user ID
	At time.Time
}

func (r *StillRef) check() error {
	if r.Width < 1 || r.Height < 1 || r.Width > 1<<14 || r.Height > 1<<14 {
		return refuse("bad-value", "attachment.still.width")
	}
	if !isUserID(r.Of) {
		return refuse("bad-user", "attachment.still.of")
	}
	return nil
}

func (d *StillDrawnData) check() error {
	if !isUserID(d.Still) {
		return refuse("bad-id", "still")
	}
	if len(d.Marks) > maxMarks {
		return refuse("too-many", "marks", "max", itoa(maxMarks))
	}
	if d.Marks == nil {
		d.Marks = []Mark{}
	}
	for i, m := range d.Marks {
		if err := m.check(); err != nil {
			return within(fmt.Sprintf("marks[%d]", i), err)
		}
	}
	return nil
}

func (m Mark) check() error {
	n := len(m.Points)
	switch {
	case m.Kind != "stroke" && m.Kind != "arrow":
		return refuse("bad-value", "kind")
	case n == 0 || n%2 != 0 || n > 2*maxPoints || m.Kind == "arrow" && n != 4:
		return refuse("bad-value", "points")
	case slices.ContainsFunc(m.Points, func(p int) bool { return p < 0 || p > maxAt }):
		return refuse("bad-value", "points")
	}
	return nil
}

// holdsStill says whether the attachment is a still of the case.
func (s *State) holdsStill(id string) bool {
	return slices.ContainsFunc(s.Attachments, func(a Attachment) bool { return a.ID == id && a.Still != nil })
}

// draw keeps the newest drawing of each person on each still.
func (s *State) draw(ev Event, d StillDrawnData) {
	drawings := slices.DeleteFunc(slices.Clone(s.Drawings), func(o Drawing) bool { return o.Still == d.Still && o.By == ev.Actor })
	if len(d.Marks) > 0 {
		drawings = append(drawings, Drawing{StillDrawnData: d, By: ev.Actor, At: ev.At})
	}
	s.Drawings = drawings
}

// AttachStill adds a still of a call to a case: AttachFiles under the action
// Call, for whoever is in a call may freeze a picture.
func (s *Service) AttachStill(ctx context.Context, u directory.User, caseID string, still Attachment) (Attachment, error) {
	placed, err := s.putFiles(ctx, u, caseID, []Attachment{still}, func(w *writer) ([]Attachment, error) {
		if w.st == nil {
			return nil, ErrNotFound
		}
		return w.attach([]Attachment{still}, Call)
	})
	if err != nil {
		return Attachment{}, err
	}
	return placed[0], nil
}
