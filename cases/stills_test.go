package cases

import (
	"errors"
	"testing"
)

// A still is attached by who may call; each person's newest drawing on it
// stands, and nothing is drawn on what is no still of the case.
func TestStills(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		still := file("frozen")
		still.Kind, still.MediaType = "still", "image/webp"
		still.Still = &StillRef{Of: "aminata", Width: 640, Height: 480}
		for name, want := range map[string]error{"halima": ErrForbidden, "mariam": ErrForbidden, "modibo": ErrForbidden} {
			if _, err := w.svc.AttachStill(t.Context(), w.user(name), id, still); !errors.Is(err, want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		placed, err := w.svc.AttachStill(t.Context(), w.user("seydou"), id, still)
		must(t, err)
		again, err := w.svc.AttachStill(t.Context(), w.user("seydou"), id, still)
		must(t, err)
		if again.ID != placed.ID || len(w.files(id)) != 1 || placed.Still.Width != 640 {
			t.Errorf("attached %+v, then %+v", placed, again)
		}
		drawn := func(marks ...Mark) NewEvent { return event(StillDrawn, StillDrawnData{placed.ID, marks}) }
		arrow, line := Mark{"arrow", []int{0, 0, 9999, 9999}}, Mark{"stroke", []int{1, 2, 3, 4, 5, 6}}
		w.does("aminata", id, drawn(arrow))
		w.does("seydou", id, drawn(line))
		st := w.does("seydou", id, drawn(line, arrow))
		if len(st.Drawings) != 2 || st.Drawings[0].By != "aminata" || len(st.Drawings[1].Marks) != 2 {
			t.Errorf("drawings %+v", st.Drawings)
		}
		if st = w.does("aminata", id, drawn()); len(st.Drawings) != 1 {
			t.Errorf("taken back: %+v", st.Drawings)
		}
		for name, ev := range map[string]NewEvent{
			"no still":  event(StillDrawn, StillDrawnData{"other", nil}),
			"kind":      drawn(Mark{"circle", []int{1, 1}}),
			"odd":       drawn(Mark{"stroke", []int{1}}),
			"none":      drawn(Mark{"stroke", nil}),
			"outside":   drawn(Mark{"stroke", []int{1, 10000}}),
			"negative":  drawn(Mark{"stroke", []int{-1, 1}}),
			"long":      drawn(Mark{"stroke", make([]int, 2*maxPoints+2)}),
			"bent":      drawn(Mark{"arrow", make([]int, 6)}),
			"too many":  drawn(make([]Mark, maxMarks+1)...),
			"a picture": event(AttachmentAdded, AttachmentData{still}),
		} {
			var invalid *UserError
			if _, _, err := w.append("seydou", id, ev); !errors.As(err, &invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, err := w.append("mariam", id, drawn(line)); !errors.Is(err, ErrForbidden) {
			t.Errorf("a stranger draws: %v", err)
		}
		for name, f := range map[string]func(*Attachment){
			"without its source": func(a *Attachment) { a.Still = nil },
			"a still as a photo": func(a *Attachment) { a.Kind = "photo" },
			"no size":            func(a *Attachment) { a.Still = &StillRef{Of: "aminata"} },
			"nobody's":           func(a *Attachment) { a.Still = &StillRef{Width: 1, Height: 1} },
		} {
			bad := file(name)
			bad.Kind, bad.Still = "still", still.Still
			f(&bad)
			if _, err := w.svc.AttachStill(t.Context(), w.user("seydou"), id, bad); err == nil {
				t.Errorf("%s is attached", name)
			}
		}
	})
}
