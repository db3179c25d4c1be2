package cases

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func (w *world) attach(name, caseID string, files ...Attachment) ([]Attachment, error) {
	return w.svc.AttachFiles(w.t.Context(), w.user(name), caseID, files)
}

func fileIDs(files []Attachment) string {
	var ids []string
	for _, f := range files {
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}

func (w *world) files(caseID string) []Attachment {
	w.t.Helper()
	st, err := w.svc.Get(w.t.Context(), w.user("aminata"), caseID)
	must(w.t, err)
	return st.Attachments
}

func TestAttachFiles(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		ct := file("ct")
		ct.Kind, ct.MediaType = "dicom", "application/dicom"
		ct.DICOM = &DICOMRef{StudyUID: "1.2", SeriesUID: "1.2.3", SOPUID: "1.2.3.4", Modality: "CT", Frames: 1}
		got, err := w.attach("aminata", id, ct, file("a"))
		must(t, err)
		ct.AddedAt, ct.AddedBy = start, "aminata"
		if diff := cmp.Diff(ct, got[0]); diff != "" || len(got) != 2 {
			t.Error(diff)
		}
		// Twice is once, and so is the same content under another name.
		w.clock.pass(time.Minute)
		copied := file("a")
		copied.ID, copied.Name = "copy", "copie.jpg"
		again, err := w.attach("seydou", id, copied, ct, file("b"), file("b"))
		must(t, err)
		if ids := fileIDs(again); ids != "a ct b b" || again[0].Name != "a.jpg" || again[0].AddedBy != "aminata" || again[2].AddedBy != "seydou" {
			t.Errorf("placed as %s: %+v", ids, again)
		}
		if ids := fileIDs(w.files(id)); ids != "ct a b" {
			t.Errorf("files of the case: %s", ids)
		}
		if diff := cmp.Diff(ct, w.files(id)[0]); diff != "" {
			t.Error(diff)
		}
		must(t, w.svc.Verify(t.Context(), id))
	})
}

func TestAttachFilesRefuses(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		_, err := w.attach("aminata", id, file("a"))
		must(t, err)
		changed := file("a")
		changed.Hash = strings.Repeat("0", 64)
		_, err = w.attach("aminata", id, file("new"), changed)
		refused(t, err, "id-taken", "files[1].id")
		noHash := file("b")
		noHash.Hash = "../../etc"
		_, err = w.attach("aminata", id, noHash)
		refused(t, err, "bad-value", "files[0].attachment.hash")
		kind := file("b")
		kind.Kind = "exe"
		_, err = w.attach("aminata", id, kind)
		refused(t, err, "bad-value", "files[0].attachment.kind")
		_, err = w.attach("halima", id, file("b"))
		wantErr(t, err, ErrForbidden)
		_, err = w.attach("assetou", id, file("b"))
		wantErr(t, err, ErrForbidden)
		_, err = w.attach("aminata", uuid.NewString(), file("b"))
		wantErr(t, err, ErrNotFound)
		_, err = w.attach("aminata", id, make([]Attachment, maxFiles+1)...)
		refused(t, err, "too-many", "files")
		none, err := w.attach("aminata", id)
		must(t, err)
		if len(none) != 0 || fileIDs(w.files(id)) != "a" {
			t.Errorf("files %s", fileIDs(w.files(id)))
		}
	})
}

// Names are mended, not refused: the file is there, and its name is only a name.
func TestFileNames(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	id := w.opened()
	for name, want := range map[string]string{
		"Écho ɲɛ ŋɔ.jpg":                  "Écho ɲɛ ŋɔ.jpg",
		"a\x00b\n\x1b.jpg":                "a_b__.jpg",
		"\xff\xfe.dcm":                    "\uFFFD.dcm",
		"  ":                              "sans nom",
		"":                                "sans nom",
		strings.Repeat("ŋ", 400) + ".dcm": strings.Repeat("ŋ", 280) + "…" + strings.Repeat("ŋ", 15) + ".dcm",
	} {
		f := file("x")
		f.ID, f.Name, f.Hash = "", name, strings.ReplaceAll(uuid.NewString(), "-", "")+strings.Repeat("0", 32)
		got, err := w.attach("aminata", id, f)
		must(t, err)
		if got[0].Name != want || got[0].ID == "" {
			t.Errorf("%q became %q, want %q", name, got[0].Name, want)
		}
		again, err := w.attach("aminata", id, f)
		must(t, err)
		if again[0].ID != got[0].ID {
			t.Error("an ID made of the hash differs the second time")
		}
	}
}

// Files may come before the case: they wait for its opener and for nobody else.
func TestPending(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), uuid.NewString()
		put := func(name string, files ...Attachment) []Attachment {
			t.Helper()
			got, err := w.svc.PutPending(ctx, w.user(name), id, files)
			must(t, err)
			return got
		}
		put("aminata", file("a"), file("b"))
		copied := file("b")
		copied.ID = "copy"
		if got := fileIDs(put("aminata", file("a"), copied, file("c"))); got != "a b c" {
			t.Errorf("waiting as %s", got)
		}
		put("halima", file("foreign"))
		waiting, err := w.svc.Pending(ctx, w.user("aminata"), id)
		must(t, err)
		if fileIDs(waiting) != "a b c" {
			t.Errorf("waiting: %s", fileIDs(waiting))
		}
		_, err = w.svc.PutPending(ctx, w.user("seydou"), id, []Attachment{file("x")})
		wantErr(t, err, ErrForbidden)
		_, err = w.attach("aminata", id, file("x"))
		wantErr(t, err, ErrNotFound)

		open := event(Opened, request("seydou"))
		st, evs, err := w.append("aminata", id, open, message("x"))
		must(t, err)
		if fileIDs(st.Attachments) != "a b c" || len(evs) != 2 || st.Seq != 5 {
			t.Errorf("opened with %s, %d events of the batch, sequence %d", fileIDs(st.Attachments), len(evs), st.Seq)
		}
		if n := w.count(`SELECT COUNT(*) FROM case_pending WHERE owner = 'aminata'`); n != 0 {
			t.Errorf("%d files still wait", n)
		}
		w.does("aminata", id, open) // a retry brings nothing twice
		// A file that arrives later goes straight in, whoever thought it early.
		if got := put("aminata", file("a"), file("d")); fileIDs(got) != "a d" || fileIDs(w.files(id)) != "a b c d" {
			t.Errorf("after opening: %s", fileIDs(w.files(id)))
		}
		_, err = w.svc.PutPending(ctx, w.user("halima"), id, []Attachment{file("e")})
		wantErr(t, err, ErrForbidden)
		must(t, w.svc.Verify(ctx, id))
	})
}

// A refused opening leaves the files waiting.
func TestPendingStays(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := uuid.NewString()
		_, err := w.svc.PutPending(t.Context(), w.user("aminata"), id, []Attachment{file("a")})
		must(t, err)
		_, _, err = w.append("aminata", id, event(Opened, request()), opinion("x"))
		wantErr(t, err, ErrForbidden)
		waiting, err := w.svc.Pending(t.Context(), w.user("aminata"), id)
		must(t, err)
		if fileIDs(waiting) != "a" {
			t.Errorf("waiting: %s", fileIDs(waiting))
		}
		must(t, err)
	})
}

// A slow link may finish after the case has ended; a cancelled one takes none.
func TestAttachAfterTheEnd(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	id := w.opened("seydou")
	w.does("seydou", id, opinion("x"))
	w.does("aminata", id, event(Closed, ClosedData{Outcome: "lost"}))
	_, err := w.attach("aminata", id, file("a"))
	must(t, err)
	id = w.opened("seydou")
	w.does("assetou", id, event(Cancelled, ReasonData{"x"}))
	_, err = w.attach("aminata", id, file("a"))
	wantErr(t, err, ErrConflict)
}

// Files added in a row are one line of the story.
func TestFilesInTimeline(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	id := w.opened("seydou")
	for _, name := range []string{"aminata", "aminata", "seydou"} {
		_, err := w.attach(name, id, file(uuid.NewString()[:8]), file(uuid.NewString()[:8]))
		must(t, err)
	}
	st := w.does("aminata", id, message("x"))
	var counts []int
	for _, item := range st.Timeline {
		counts = append(counts, item.Count)
	}
	if diff := cmp.Diff([]int{1, 4, 2, 1}, counts); diff != "" {
		t.Error(diff)
	}
}
