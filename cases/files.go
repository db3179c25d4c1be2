package cases

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"sira/cases/directory"
	"sira/storage"
)

const (
	maxFiles   = 5_000  // of one call
	maxPending = 10_000 // of one owner, ahead of one case
)

// fileSpace is the namespace (RFC 9562 section 5.5) of the IDs made of a file's.
var fileSpace = uuid.MustParse("6f1d5a0e-52c4-4f0e-9a55-3b1e1c0d7f21")

// AttachFiles adds files to a case as events of u, whose IDs follow from the
// case and the attachment: adding twice is adding once. Content that is already
// there is not added again. The answer says, in the same order, as which
// attachment each file stands in the case. An empty ID is made of the hash; an
// empty AddedAt is now; AddedBy is u; a name unfit to be kept is mended.
// Errors: ErrNotFound, ErrForbidden, *ConflictError, *UserError.
func (s *Service) AttachFiles(ctx context.Context, u directory.User, caseID string, files []Attachment) ([]Attachment, error) {
	return s.putFiles(ctx, u, caseID, files, func(w *writer) ([]Attachment, error) {
		if w.st == nil {
			return nil, ErrNotFound
		}
		return w.attach(files, Attach)
	})
}

// PutPending keeps files for a case that u is about to open; Append with its
// `opened` by u adds them. When the case is there by now they are attached at
// once, as AttachFiles does. Nobody else ever sees them.
func (s *Service) PutPending(ctx context.Context, u directory.User, caseID string, files []Attachment) ([]Attachment, error) {
	return s.putFiles(ctx, u, caseID, files, func(w *writer) ([]Attachment, error) {
		if w.st == nil {
			return w.putPending(files)
		}
		return w.attach(files, Attach)
	})
}

func (s *Service) putFiles(ctx context.Context, u directory.User, caseID string, files []Attachment, put func(*writer) ([]Attachment, error)) ([]Attachment, error) {
	switch {
	case !isUUID(caseID):
		return nil, refuse("bad-id", "case")
	case len(files) > maxFiles:
		return nil, refuse("too-many", "files", "max", itoa(maxFiles))
	case len(files) == 0:
		return []Attachment{}, nil
	}
	var placed []Attachment
	_, err := s.commit(ctx, u, caseID, func(w *writer) error {
		var err error
		placed, err = put(w)
		return err
	})
	if err != nil {
		return nil, err
	}
	return placed, nil
}

// attach adds the files that are not there yet, as an action of the writer's
// user.
func (w *writer) attach(files []Attachment, as Action) ([]Attachment, error) {
	err := Allow(w.user, as, w.st)
	if isDevice(w.user) {
		err = AllowDevice(as, w.st)
	}
	if err != nil {
		return nil, overtaken(w.user, w.st, err)
	}
	there := newShelf(w.st.Attachments)
	placed := make([]Attachment, len(files))
	for i, f := range files {
		f, err := w.ready(f)
		if err != nil {
			return nil, within(fmt.Sprintf("files[%d]", i), err)
		}
		known, err := there.place(f)
		if err != nil {
			return nil, within(fmt.Sprintf("files[%d]", i), err)
		}
		placed[i] = known
		if known.ID != f.ID || there.old[f.ID] {
			continue
		}
		data, err := encode(AttachmentData{f})
		if err != nil {
			return nil, err
		}
		if _, err := w.add(fileEventID(w.caseID, f.ID), AttachmentAdded, f.AddedAt, data); err != nil {
			return nil, err
		}
		there.old[f.ID] = true
	}
	return placed, nil
}

// ready fills in and checks what is known of a file.
func (w *writer) ready(f Attachment) (Attachment, error) {
	if f.ID == "" {
		f.ID = uuid.NewSHA1(fileSpace, []byte(w.caseID+"/"+f.Hash)).String()
	}
	f.AddedBy, f.Name = w.user.ID, fileName(f.Name)
	if f.AddedAt = stamp(f.AddedAt); f.AddedAt.IsZero() {
		f.AddedAt = w.received
	}
	d := AttachmentData{f}
	err := d.check()
	return d.Attachment, err
}

// fileEventID is the ID of the event that adds an attachment to a case.
func fileEventID(caseID, attachmentID string) string {
	return uuid.NewSHA1(fileSpace, []byte(caseID+"#"+attachmentID)).String()
}

// shelf finds files by ID and by content.
type shelf struct {
	byID, byHash map[string]Attachment
	old          map[string]bool // IDs that need not be written
}

func newShelf(files []Attachment) *shelf {
	s := &shelf{byID: map[string]Attachment{}, byHash: map[string]Attachment{}, old: map[string]bool{}}
	for _, f := range files {
		s.byID[f.ID], s.byHash[f.Hash], s.old[f.ID] = f, f, true
	}
	return s
}

// place gives the file under which f's content stands, f itself when it is new.
// An ID stands for one content for ever.
func (s *shelf) place(f Attachment) (Attachment, error) {
	if known, ok := s.byID[f.ID]; ok {
		if known.Hash != f.Hash {
			return Attachment{}, refuse("id-taken", "id")
		}
		return known, nil
	}
	if known, ok := s.byHash[f.Hash]; ok {
		return known, nil
	}
	s.byID[f.ID], s.byHash[f.Hash] = f, f
	return f, nil
}

// putPending keeps the files that are not waiting yet.
func (w *writer) putPending(files []Attachment) ([]Attachment, error) {
	if err := Allow(w.user, Create, nil); err != nil {
		return nil, err
	}
	waiting, err := readPending(w.ctx, w.tx, w.caseID, w.user.ID)
	if err != nil {
		return nil, err
	}
	if len(waiting)+len(files) > maxPending {
		return nil, refuse("too-many", "files", "max", itoa(maxPending))
	}
	there, position := newShelf(waiting), len(waiting)
	placed := make([]Attachment, len(files))
	for i, f := range files {
		f, err := w.ready(f)
		if err != nil {
			return nil, within(fmt.Sprintf("files[%d]", i), err)
		}
		if placed[i], err = there.place(f); err != nil {
			return nil, within(fmt.Sprintf("files[%d]", i), err)
		}
		if placed[i].ID != f.ID || there.old[f.ID] {
			continue
		}
		data, err := encode(f)
		if err != nil {
			return nil, err
		}
		_, err = w.tx.Exec(w.ctx, `INSERT INTO case_pending (case_id, owner, position, attachment)
			VALUES (?, ?, ?, ?)`, w.caseID, w.user.ID, position, string(data))
		if err != nil {
			return nil, fmt.Errorf("keeping a file for later: %w", err)
		}
		there.old[f.ID] = true
		position++
	}
	return placed, nil
}

// takePending adds to a case just opened what its opener sent ahead.
func (w *writer) takePending() error {
	files, err := readPending(w.ctx, w.tx, w.caseID, w.user.ID)
	if err != nil || len(files) == 0 {
		return err
	}
	if _, err := w.attach(files, Attach); err != nil {
		return err
	}
	_, err = w.tx.Exec(w.ctx, `DELETE FROM case_pending WHERE case_id = ? AND owner = ?`, w.caseID, w.user.ID)
	if err != nil {
		return fmt.Errorf("clearing pending files: %w", err)
	}
	return nil
}

// Pending lists the files that u sent ahead of a case.
func (s *Service) Pending(ctx context.Context, u directory.User, caseID string) ([]Attachment, error) {
	return readPending(ctx, s.db, caseID, u.ID)
}

func readPending(ctx context.Context, q storage.Querier, caseID, owner string) ([]Attachment, error) {
	rows, err := q.Query(ctx, `SELECT attachment FROM case_pending WHERE case_id = ? AND owner = ?
		ORDER BY position`, caseID, owner)
	if err != nil {
		return nil, fmt.Errorf("reading pending files: %w", err)
	}
	defer rows.Close()
	files := []Attachment{}
	for rows.Next() {
		var raw string
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("reading a pending file: %w", err)
		}
		var f Attachment
		if err := json.Unmarshal([]byte(raw), &f); err != nil {
			return nil, fmt.Errorf("decoding a pending file: %w", err)
		}
		files = append(files, f)
	}
	return files, rows.Err()
}
