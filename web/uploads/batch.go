package uploads

import (
	"context"
	"io"
	"time"

	"sira/cases"
	"sira/dicom/ingest"
)

// batchFiles is how many files of one archive reach the case together.
const batchFiles = 20

// batch gathers the files of one upload on their way to the case, so that an
// archive of hundreds of slices isn't hundreds of notices.
type batch struct {
	s     *Service
	r     row
	known map[int]bool // positions with an outcome from an earlier run
	outs  []outcome
	files []cases.Attachment
	at    []int // position of each of files
}

func (s *Service) newBatch(ctx context.Context, r row) (*batch, error) {
	before, err := s.outcomes(ctx, r.id)
	if err != nil {
		return nil, err
	}
	b := &batch{s: s, r: r, known: map[int]bool{}}
	for _, o := range before {
		b.known[o.position] = true
	}
	return b, nil
}

// add stores one file and notes its outcome; only faults of the server are
// errors.
func (b *batch) add(ctx context.Context, position int, name string, kind Kind, r io.ReaderAt, size int64) error {
	if b.known[position] {
		return nil
	}
	a, err := b.s.store(ingest.From(ctx, ingest.Source{User: b.r.owner, Case: b.r.caseID}), kind, r, size)
	if ref := refusalOf(err); ref != nil {
		b.refuse(position, name, ref)
		return b.maybeFlush(ctx)
	}
	if err != nil {
		return err
	}
	if a == nil {
		b.outs = append(b.outs, outcome{position, IntakeFile{Name: name, State: FileDuplicate, Reason: "dicomdir", Message: notices["dicomdir"]}})
		return b.maybeFlush(ctx)
	}
	a.ID = attachmentID(b.r.id, position)
	a.Name = name
	a.AddedAt = time.Now().UTC()
	a.AddedBy = b.r.owner
	b.files = append(b.files, *a)
	b.at = append(b.at, position)
	return b.maybeFlush(ctx)
}

func (b *batch) refuse(position int, name string, ref *Refusal) {
	if b.known[position] {
		return
	}
	b.outs = append(b.outs, outcome{position, refusedFile(name, ref)})
}

func (b *batch) maybeFlush(ctx context.Context) error {
	if len(b.files)+len(b.outs) < batchFiles {
		return nil
	}
	return b.flush(ctx)
}

// flush attaches what was gathered, then records the outcomes. A crash between
// the two is harmless: the same attachments get the same IDs again.
func (b *batch) flush(ctx context.Context) error {
	if err := b.deliver(ctx, b.files, b.at); err != nil {
		return err
	}
	if len(b.outs) > 0 {
		if err := b.s.saveOutcomes(ctx, b.r.id, b.outs, false); err != nil {
			return err
		}
		for _, o := range b.outs {
			b.known[o.position] = true
		}
	}
	b.outs, b.files, b.at = nil, nil, nil
	return nil
}

// deliver attaches files together or, when that is refused, one by one, so
// that one file's fault isn't its neighbours'.
func (b *batch) deliver(ctx context.Context, files []cases.Attachment, at []int) error {
	if len(files) == 0 {
		return nil
	}
	ds, err := b.s.cfg.Deliver(ctx, b.r.owner, b.r.caseID, files)
	ref := refusalOf(err)
	switch {
	case ref != nil && len(files) > 1:
		for i := range files {
			if err := b.deliver(ctx, files[i:i+1], at[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	case ref != nil:
		b.outs = append(b.outs, outcome{at[0], refusedFile(files[0].Name, ref)})
		return nil
	case err != nil:
		return err
	}
	for i, d := range ds {
		f := IntakeFile{Name: files[i].Name, State: FileStored, AttachmentID: d.AttachmentID}
		if d.Duplicate {
			f.State, f.Reason, f.Message = FileDuplicate, "same-content", notices["same-content"]
		}
		b.outs = append(b.outs, outcome{at[i], f})
	}
	return nil
}
