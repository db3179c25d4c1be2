package uploads

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sira/storage"
)

// States of an upload, and of one file of it.
const (
	StateReceiving  = "receiving"
	StateProcessing = "processing"
	StateDone       = "done"

	FileStored    = "stored"
	FileDuplicate = "duplicate"
	FileRefused   = "refused"
)

// Intake is what the user is told of one upload.
type Intake struct {
	ID     string       `json:"id"`
	CaseID string       `json:"caseId"`
	Name   string       `json:"name"`
	State  string       `json:"state"`
	Size   int64        `json:"size"` // bytes
	Files  []IntakeFile `json:"files"`
	Owner  string       `json:"-"`
}

// IntakeFile is the outcome of one file of an upload: the upload itself, or
// one entry of a ZIP archive.
type IntakeFile struct {
	Name         string `json:"name"`
	State        string `json:"state"`
	Reason       string `json:"reason,omitempty"`  // stable code
	Message      string `json:"message,omitempty"` // French, what to do
	AttachmentID string `json:"attachmentId,omitempty"`
}

type row struct {
	id, spool, owner, caseID, name, state string
	length, starts                        int64
	created, touched, done                int64 // unix ms
}

const rowColumns = `id, spool, owner, case_id, name, state, length, starts, created_at, touched_at, done_at`

func scanRow(scan func(...any) error) (row, error) {
	var r row
	err := scan(&r.id, &r.spool, &r.owner, &r.caseID, &r.name, &r.state, &r.length, &r.starts, &r.created, &r.touched, &r.done)
	return r, err
}

func (s *Service) row(ctx context.Context, id string) (row, error) {
	r, err := scanRow(s.cfg.DB.QueryRow(ctx, `SELECT `+rowColumns+` FROM uploads WHERE id = ?`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, ErrNotFound
	}
	if err != nil {
		return row{}, fmt.Errorf("reading an upload's row: %w", err)
	}
	return r, nil
}

func (s *Service) rows(ctx context.Context, where string, args ...any) ([]row, error) {
	rs, err := s.cfg.DB.Query(ctx, `SELECT `+rowColumns+` FROM uploads WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing uploads: %w", err)
	}
	defer rs.Close()
	var out []row
	for rs.Next() {
		r, err := scanRow(rs.Scan)
		if err != nil {
			return nil, fmt.Errorf("listing uploads: %w", err)
		}
		out = append(out, r)
	}
	return out, rs.Err()
}

func (s *Service) insert(ctx context.Context, r row) error {
	_, err := s.cfg.DB.Exec(ctx, `INSERT INTO uploads (`+rowColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
		r.id, r.spool, r.owner, r.caseID, r.name, r.state, r.length, r.starts, r.created, r.touched, r.done)
	if err != nil {
		return fmt.Errorf("recording an upload: %w", err)
	}
	return nil
}

// received marks an upload complete and queues it. Calling it again does no
// harm.
func (s *Service) received(ctx context.Context, id string) error {
	res, err := s.cfg.DB.Exec(ctx, `UPDATE uploads SET state = ?, touched_at = ? WHERE id = ? AND state = ?`,
		StateProcessing, now(), id, StateReceiving)
	if err != nil {
		return fmt.Errorf("recording a received upload: %w", err)
	}
	if n, err := res.RowsAffected(); err == nil && n == 1 {
		s.cfg.Counted("received", 1)
		if in, err := s.intake(ctx, id); err == nil {
			s.cfg.Changed(in)
		}
	}
	s.queue.push(id)
	return nil
}

func (s *Service) touch(ctx context.Context, id string) error {
	_, err := s.cfg.DB.Exec(ctx, `UPDATE uploads SET touched_at = ? WHERE id = ?`, now(), id)
	if err != nil {
		return fmt.Errorf("recording an upload's progress: %w", err)
	}
	return nil
}

func (s *Service) delete(ctx context.Context, id string) error {
	return s.cfg.DB.Tx(ctx, func(tx storage.Querier) error {
		if _, err := tx.Exec(ctx, `DELETE FROM upload_files WHERE upload_id = ?`, id); err != nil {
			return fmt.Errorf("forgetting an upload's files: %w", err)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM uploads WHERE id = ?`, id); err != nil {
			return fmt.Errorf("forgetting an upload: %w", err)
		}
		return nil
	})
}

func (s *Service) setStarts(ctx context.Context, id string, n int64) error {
	if _, err := s.cfg.DB.Exec(ctx, `UPDATE uploads SET starts = ? WHERE id = ?`, n, id); err != nil {
		return fmt.Errorf("counting an intake's starts: %w", err)
	}
	return nil
}

// outcome is one file's fate with its place in the upload.
type outcome struct {
	position int
	IntakeFile
}

func (s *Service) saveOutcomes(ctx context.Context, id string, outs []outcome, done bool) error {
	err := s.cfg.DB.Tx(ctx, func(tx storage.Querier) error {
		for _, o := range outs {
			_, err := tx.Exec(ctx, `INSERT INTO upload_files (upload_id, position, name, state, reason, message, attachment_id) VALUES (?,?,?,?,?,?,?)`,
				id, o.position, o.Name, o.State, o.Reason, o.Message, o.AttachmentID)
			if err != nil {
				return err
			}
		}
		if !done {
			// Progress was made: whatever ends the process now didn't come of it.
			_, err := tx.Exec(ctx, `UPDATE uploads SET starts = 1 WHERE id = ?`, id)
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE uploads SET state = ?, done_at = ?, starts = 0 WHERE id = ?`, StateDone, now(), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("recording what became of an upload: %w", err)
	}
	for _, o := range outs {
		s.cfg.Counted(o.State, 1)
	}
	return nil
}

func (s *Service) outcomes(ctx context.Context, id string) ([]outcome, error) {
	rs, err := s.cfg.DB.Query(ctx, `SELECT position, name, state, reason, message, attachment_id FROM upload_files WHERE upload_id = ? ORDER BY position`, id)
	if err != nil {
		return nil, fmt.Errorf("reading an upload's files: %w", err)
	}
	defer rs.Close()
	var out []outcome
	for rs.Next() {
		var o outcome
		if err := rs.Scan(&o.position, &o.Name, &o.State, &o.Reason, &o.Message, &o.AttachmentID); err != nil {
			return nil, fmt.Errorf("reading an upload's files: %w", err)
		}
		out = append(out, o)
	}
	return out, rs.Err()
}

func (s *Service) intake(ctx context.Context, id string) (Intake, error) {
	r, err := s.row(ctx, id)
	if err != nil {
		return Intake{}, err
	}
	return s.tell(ctx, r)
}

func (s *Service) tell(ctx context.Context, r row) (Intake, error) {
	outs, err := s.outcomes(ctx, r.id)
	if err != nil {
		return Intake{}, err
	}
	in := Intake{ID: r.id, CaseID: r.caseID, Name: r.name, State: r.state, Size: r.length, Owner: r.owner, Files: make([]IntakeFile, 0, len(outs))}
	for _, o := range outs {
		in.Files = append(in.Files, o.IntakeFile)
	}
	return in, nil
}

// Intake tells the owner about one upload. Errors: ErrNotFound, also for
// somebody else's.
func (s *Service) Intake(ctx context.Context, owner, id string) (Intake, error) {
	r, err := s.row(ctx, id)
	if err != nil {
		return Intake{}, err
	}
	if r.owner != owner {
		return Intake{}, ErrNotFound
	}
	return s.tell(ctx, r)
}

// maxListed bounds one answer of OfCase.
const maxListed = 1000

// OfCase lists the owner's uploads for a case, newest last.
func (s *Service) OfCase(ctx context.Context, owner, caseID string) ([]Intake, error) {
	rs, err := s.rows(ctx, `case_id = ? AND owner = ? ORDER BY created_at DESC, id LIMIT ?`, caseID, owner, maxListed)
	if err != nil {
		return nil, err
	}
	out := make([]Intake, 0, len(rs))
	for i := len(rs) - 1; i >= 0; i-- {
		in, err := s.tell(ctx, rs[i])
		if err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, nil
}

func now() int64 { return time.Now().UnixMilli() }
