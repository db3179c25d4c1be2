package export

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"

	"sira/cases"
	"sira/dicom"
	"sira/dicom/deid"
	"sira/storage"
)

// Reason says in a word why something stays behind.
type Reason string

// The reasons.
const (
	Document   Reason = "document"   // a PDF, a video: no table can clean it
	Pixels     Reason = "pixels"     // masks are needed in pixels that cannot be decoded
	Unreadable Reason = "unreadable" // no DICOM that can be read
	Missing    Reason = "missing"    // the store does not have it now
	Excluded   Reason = "excluded"   // a person wanted it so
	NotDICOM   Reason = "not-dicom"  // photographs, PDF, ECG files: nothing says what is in them
)

// Left is a file of the case that stays behind. SOP is empty for other files.
type Left struct {
	Attachment, SOP, Modality string
	Reason                    Reason
}

// Sight is an instance that a person must look at before it leaves, with the
// masks proposed (x, y, width, height) and the warnings of package deid.
type Sight struct {
	SOP, SeriesUID, Modality string
	Rows, Cols, Frames       int
	Masks                    [][4]int
	Warnings                 []deid.Warning
}

// Survey is what an export would hold, before anything leaves.
type Survey struct {
	Objects, Others int
	Bytes           int64 // of the files; the archive is not much larger
	Opinions        int
	KeyImages       int
	Left            []Left
	Sights          []Sight
	Faces           int // slices from which a face can be rebuilt

	leaves []cases.Attachment // DICOM objects, in the order of the case
	others []cases.Attachment
}

// workers look at that many headers at once.
const workers = 2

// Survey tells what an export of st in a mode would hold. No recipient is
// needed: what must be looked at does not depend on the secret.
func (s *Service) Survey(ctx context.Context, st *cases.State, mode Mode) (*Survey, error) {
	return s.survey(ctx, st, &Order{Mode: mode})
}

// verdict is what becomes of one attachment.
type verdict struct {
	reason Reason
	sight  *Sight
	face   bool
	err    error
}

func (s *Service) survey(ctx context.Context, st *cases.State, o *Order) (*Survey, error) {
	if o.Mode != Full && o.Mode != Anonymous {
		return nil, fmt.Errorf("mode: %w", ErrOrder)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	profile, err := Options{Dates: "removed"}.profile(key)
	if err != nil {
		return nil, err
	}
	o.find("") // builds its index before it is shared
	verdicts := make([]verdict, len(st.Attachments))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				verdicts[i] = s.judge(ctx, profile, st.Attachments[i], o)
			}
		})
	}
	for i := range st.Attachments {
		next <- i
	}
	close(next)
	wg.Wait()
	out := &Survey{Opinions: len(st.Opinions), KeyImages: len(st.KeyImages)}
	if o.Mode == Anonymous {
		out.Opinions = 0
	}
	for i, a := range st.Attachments {
		if err := out.take(a, verdicts[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (v *Survey) take(a cases.Attachment, is verdict) error {
	if is.err != nil {
		return is.err
	}
	if is.reason != "" {
		l := Left{Attachment: a.ID, Reason: is.reason}
		if a.DICOM != nil {
			l.SOP, l.Modality = a.DICOM.SOPUID, a.DICOM.Modality
		}
		v.Left = append(v.Left, l)
		return nil
	}
	v.Bytes += a.Size
	if is.face {
		v.Faces++
	}
	if is.sight != nil {
		is.sight.SeriesUID = a.DICOM.SeriesUID
		v.Sights = append(v.Sights, *is.sight)
	}
	if a.DICOM == nil {
		v.Others++
		v.others = append(v.others, a)
		return nil
	}
	v.Objects++
	v.leaves = append(v.leaves, a)
	return nil
}

// judge says whether an attachment may leave, and whether a person must look.
// What a person looked at is tried with their masks.
func (s *Service) judge(ctx context.Context, profile *deid.Profile, a cases.Attachment, o *Order) verdict {
	if a.DICOM != nil && slices.Contains(o.Exclude, a.DICOM.SOPUID) {
		return verdict{reason: Excluded}
	}
	if o.Mode == Full || a.DICOM == nil {
		if o.Mode == Anonymous {
			return verdict{reason: NotDICOM}
		}
		h, err := storage.ParseHash(a.Hash)
		if err == nil {
			_, err = s.cfg.Blobs.Stat(ctx, h)
		}
		return verdictOf(ctx, err)
	}
	obj, err := s.open(ctx, a.Hash)
	if err != nil {
		return verdictOf(ctx, err)
	}
	defer obj.blob.Close()
	_, report, err := profile.Object(ctx, obj.file, obj.blob, o.review(a.DICOM.SOPUID))
	if errors.Is(err, deid.ErrReview) { // masks that are found by themselves are tried as well
		_, _, err = profile.Object(ctx, obj.file, obj.blob, &deid.Review{})
	}
	if err != nil {
		return verdictOf(ctx, err)
	}
	out := verdict{face: slices.Contains(report.Warnings, deid.Face)}
	warnings := slices.DeleteFunc(slices.Clone(report.Warnings), func(w deid.Warning) bool { return w == deid.Face })
	if len(report.Masks) == 0 && len(warnings) == 0 || o.saw(a.DICOM.SOPUID) {
		return out
	}
	rows, _ := obj.file.Int(0x00280010)
	cols, _ := obj.file.Int(0x00280011)
	out.sight = &Sight{SOP: a.DICOM.SOPUID, Modality: a.DICOM.Modality, Rows: rows, Cols: cols, Frames: max(a.DICOM.Frames, 1),
		Masks: boxes(report.Masks), Warnings: warnings}
	return out
}

// verdictOf turns a fault into a reason; a fault of ours stays an error.
func verdictOf(ctx context.Context, err error) verdict {
	var broken *dicom.Error
	switch {
	case err == nil:
		return verdict{}
	case ctx.Err() != nil:
		return verdict{err: ctx.Err()}
	case errors.Is(err, storage.ErrNotFound):
		return verdict{reason: Missing}
	case errors.Is(err, deid.ErrDocument):
		return verdict{reason: Document}
	case errors.Is(err, deid.ErrPixels):
		return verdict{reason: Pixels}
	case errors.As(err, &broken):
		return verdict{reason: Unreadable}
	}
	return verdict{err: err}
}

func (o *Order) find(sop string) (Looked, bool) {
	if o.looked == nil {
		o.looked = make(map[string]int, len(o.Looked))
		for i, l := range o.Looked {
			o.looked[l.SOP] = i
		}
	}
	i, ok := o.looked[sop]
	if !ok {
		return Looked{}, false
	}
	return o.Looked[i], true
}

func (o *Order) saw(sop string) bool {
	_, ok := o.find(sop)
	return ok
}

// review is what a person decided on an instance, nil when nobody looked.
func (o *Order) review(sop string) *deid.Review {
	l, ok := o.find(sop)
	if !ok {
		return nil
	}
	r := &deid.Review{Only: true}
	for _, m := range l.Masks {
		r.Masks = append(r.Masks, deid.Mask{Rect: image.Rect(m[0], m[1], m[0]+m[2], m[1]+m[3])})
	}
	return r
}

func boxes(masks []deid.Mask) [][4]int {
	out := make([][4]int, 0, len(masks))
	for _, m := range masks {
		out = append(out, [4]int{m.Rect.Min.X, m.Rect.Min.Y, m.Rect.Dx(), m.Rect.Dy()})
	}
	return out
}
