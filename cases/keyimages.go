package cases

import (
	"slices"
	"time"
)

// KeyImageData names one frame, from 1, of an instance of the case: an image
// that matters. Marking what is marked, and taking back what is not, are no
// errors: two people may do it at once.
type KeyImageData struct {
	SOP   string `json:"sop"` // SOP Instance UID
	Frame int    `json:"frame"`
}

// KeyImage is an image that somebody marked.
type KeyImage struct {
	KeyImageData
	By string // user ID
	At time.Time
}

func (d *KeyImageData) check() error {
	if d.Frame < 1 || d.Frame > 1<<20 {
		return refuse("bad-value", "frame")
	}
	return line("sop", &d.SOP, true, maxShort)
}

// holds says whether the image is one of the case.
func (s *State) holds(d KeyImageData) bool {
	return slices.ContainsFunc(s.Attachments, func(a Attachment) bool {
		return a.DICOM != nil && a.DICOM.SOPUID == d.SOP && d.Frame <= max(a.DICOM.Frames, 1)
	})
}

// mark keeps or forgets a key image.
func (s *State) mark(ev Event, d KeyImageData) {
	at := slices.IndexFunc(s.KeyImages, func(k KeyImage) bool { return k.KeyImageData == d })
	switch {
	case ev.Type == KeyImageMarked && at < 0:
		s.KeyImages = append(s.KeyImages, KeyImage{KeyImageData: d, By: ev.Actor, At: ev.At})
	case ev.Type == KeyImageUnmarked && at >= 0:
		s.KeyImages = slices.Delete(slices.Clone(s.KeyImages), at, at+1)
	}
}
