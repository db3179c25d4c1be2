package uploads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/dicom"
	"sira/dicom/ingest"
)

// maxStarts is how often in a row the process may end in the intake of one
// upload, without any progress, before the upload is set aside: the lights go
// out often, but a file that takes the server down must not do so for ever.
const maxStarts = 10

// idSpace makes attachment IDs of uploads: the same upload gives the same IDs
// when its intake runs again after a crash.
var idSpace = uuid.MustParse("7b0c1bb4-3d0c-5d0e-9b59-6d3a0a4b6a2e")

func attachmentID(uploadID string, position int) string {
	return uuid.NewSHA1(idSpace, []byte(uploadID+"/"+strconv.Itoa(position))).String()
}

// resume queues what an earlier process left: uploads received in full, and
// those whose last bytes were on the disk when it was killed.
func (s *Service) resume(ctx context.Context) error {
	receiving, err := s.rows(ctx, `state = ? AND spool = ?`, StateReceiving, s.spool)
	if err != nil {
		return err
	}
	for _, r := range receiving {
		if st, err := os.Stat(s.dataPath(r.id)); err == nil && st.Size() == r.length {
			if err := s.received(ctx, r.id); err != nil {
				return err
			}
		}
	}
	waiting, err := s.rows(ctx, `state = ? AND spool = ? ORDER BY created_at, id`, StateProcessing, s.spool)
	if err != nil {
		return err
	}
	for _, r := range waiting {
		s.queue.push(r.id)
	}
	return nil
}

func (s *Service) work() {
	for {
		id, ok := s.queue.pop()
		if !ok {
			return
		}
		s.takeIn(id)
	}
}

// takeIn runs one upload's intake to its end, or puts it off when the server
// itself is at fault (database or blob store away, disk full).
func (s *Service) takeIn(id string) {
	ctx := s.ctx
	r, err := s.row(ctx, id)
	if errors.Is(err, ErrNotFound) || (err == nil && r.state != StateProcessing) {
		s.queue.release(id)
		return
	}
	if err == nil {
		err = s.process(ctx, r)
	}
	s.queue.release(id)
	if err == nil {
		s.queue.settled(id)
		if in, err := s.intake(ctx, id); err == nil {
			s.cfg.Changed(in)
		}
		return
	}
	if ctx.Err() != nil {
		// Stopping: what is left starts again with the next process.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = s.setStarts(clean, id, 0)
		return
	}
	wait := s.queue.putOff(id)
	s.log.Warn("intake put off", "upload", id, "for", wait.String(), "err", err)
	time.AfterFunc(wait, func() {
		if s.ctx.Err() == nil {
			s.queue.push(id)
		}
	})
}

func (s *Service) process(ctx context.Context, r row) (err error) {
	if r.starts >= maxStarts {
		return s.finish(ctx, r, []outcome{{0, refusedFile(r.name, refusal("unreadable"))}})
	}
	if err := s.setStarts(ctx, r.id, r.starts+1); err != nil {
		return err
	}
	f, err := os.Open(s.dataPath(r.id))
	if errors.Is(err, fs.ErrNotExist) {
		return s.finish(ctx, r, []outcome{{0, refusedFile(r.name, refusal("lost"))}})
	}
	if err != nil {
		return fmt.Errorf("opening a spooled file: %w", err)
	}
	defer f.Close()
	b, err := s.newBatch(ctx, r)
	if err != nil {
		return err
	}
	kind, err := Detect(f, r.length)
	if err != nil {
		return err
	}
	if kind == KindZIP {
		err = s.archive(ctx, b, f)
	} else {
		err = b.add(ctx, 0, r.name, kind, f, r.length)
	}
	if err == nil {
		err = b.flush(ctx)
	}
	if err != nil {
		// A fault that was handled isn't a crash.
		return errors.Join(err, s.setStarts(ctx, r.id, 0))
	}
	return s.finish(ctx, r, nil)
}

// finish writes the last outcomes and the end, then frees the spool.
func (s *Service) finish(ctx context.Context, r row, outs []outcome) error {
	if err := s.saveOutcomes(ctx, r.id, outs, true); err != nil {
		return err
	}
	s.removeFiles(r.id)
	return nil
}

func refusedFile(name string, r *Refusal) IntakeFile {
	return IntakeFile{Name: name, State: FileRefused, Reason: r.Code, Message: r.Message}
}

// store checks one file, keeps its bytes and describes it as an attachment.
// A fault of the file is a *Refusal; a DICOMDIR gives nil without error.
func (s *Service) store(ctx context.Context, kind Kind, r io.ReaderAt, size int64) (a *cases.Attachment, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("reading a file panicked", "kind", kind, "panic", p, "stack", string(debug.Stack()))
			a, err = nil, refusal("unreadable")
		}
	}()
	switch kind {
	case KindDICOM:
		return s.storeDICOM(ctx, r, size)
	case KindJPEG:
		return s.storePlain(ctx, r, size, "photo", "image/jpeg", checkPhoto(ctx, r, size))
	case KindPNG:
		return s.storePlain(ctx, r, size, "photo", "image/png", checkPhoto(ctx, r, size))
	case KindPDF:
		return s.storePlain(ctx, r, size, "pdf", "application/pdf", checkPDF(r, size))
	case KindMP4:
		return s.storePlain(ctx, r, size, "video", "video/mp4", checkMovie(r, size))
	case KindMOV:
		return s.storePlain(ctx, r, size, "video", "video/quicktime", checkMovie(r, size))
	case KindSCP:
		return s.storePlain(ctx, r, size, "ecg", "application/x-scp-ecg", nil)
	case KindAECG:
		return s.storePlain(ctx, r, size, "ecg", "application/vnd.hl7.aecg+xml", nil)
	case KindEmpty:
		return nil, refusal("empty")
	case KindHEIC:
		return nil, refusal("heic")
	case KindZIP:
		return nil, refusal("nested-zip")
	}
	return nil, refusal("unsupported-type")
}

func (s *Service) storePlain(ctx context.Context, r io.ReaderAt, size int64, kind, mediaType string, checked error) (*cases.Attachment, error) {
	if checked != nil {
		return nil, checked
	}
	info, err := s.cfg.Blobs.Put(ctx, io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, fmt.Errorf("storing a file: %w", err)
	}
	return &cases.Attachment{Kind: kind, MediaType: mediaType, Size: info.Size, Hash: string(info.Hash)}, nil
}

func (s *Service) storeDICOM(ctx context.Context, r io.ReaderAt, size int64) (*cases.Attachment, error) {
	res, err := s.cfg.Ingest.File(ctx, r, size)
	var refused *dicom.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == dicom.IsDICOMDIR:
		return nil, nil
	case errors.Is(err, ingest.ErrConflict):
		return nil, refusal("instance-conflict")
	case err != nil:
		return nil, fmt.Errorf("taking in a DICOM object: %w", err)
	}
	in := res.Instance
	return &cases.Attachment{Kind: "dicom", MediaType: "application/dicom", Size: res.Info.Size, Hash: string(res.Info.Hash),
		DICOM: &cases.DICOMRef{StudyUID: in.StudyUID, SeriesUID: in.SeriesUID, SOPUID: in.SOPUID, Modality: in.Modality, Frames: in.Frames}}, nil
}
