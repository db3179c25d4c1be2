package cases

import (
	"testing"
)

// Key images are marked and taken back by those who take part, each once
// whatever comes twice, and only images of the case.
func TestKeyImages(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		cine := file("cine")
		cine.Kind, cine.MediaType = "dicom", "application/dicom"
		cine.DICOM = &DICOMRef{StudyUID: "1.2", SeriesUID: "1.2.3", SOPUID: "1.2.3.4", Modality: "US", Frames: 30}
		_, err := w.attach("aminata", id, cine)
		must(t, err)
		key := func(kind EventType, sop string, frame int) NewEvent {
			return event(kind, KeyImageData{SOP: sop, Frame: frame})
		}
		st := w.does("seydou", id, key(KeyImageMarked, "1.2.3.4", 12), key(KeyImageMarked, "1.2.3.4", 30))
		st = w.does("aminata", id, key(KeyImageMarked, "1.2.3.4", 12))
		if len(st.KeyImages) != 2 || st.KeyImages[0].Frame != 12 || st.KeyImages[0].By != "seydou" {
			t.Fatalf("%+v", st.KeyImages)
		}
		if last := st.Timeline[len(st.Timeline)-2]; last.Type != KeyImageMarked || last.Count != 2 {
			t.Errorf("two marks in a row are told as %+v", last)
		}
		st = w.does("aminata", id, key(KeyImageUnmarked, "1.2.3.4", 12), key(KeyImageUnmarked, "1.2.3.4", 12))
		if len(st.KeyImages) != 1 || st.KeyImages[0].Frame != 30 {
			t.Errorf("%+v", st.KeyImages)
		}
		_, _, err = w.append("seydou", id, key(KeyImageMarked, "1.2.3.4", 31))
		refused(t, err, "no-such-image", "events[0].data.sop")
		_, _, err = w.append("seydou", id, key(KeyImageMarked, "1.2.3.5", 1))
		refused(t, err, "no-such-image", "events[0].data.sop")
		_, _, err = w.append("seydou", id, key(KeyImageMarked, "1.2.3.4", 0))
		refused(t, err, "bad-value", "events[0].data.frame")
		_, _, err = w.append("halima", id, key(KeyImageMarked, "1.2.3.4", 1))
		wantErr(t, err, ErrForbidden)
	})
}
