package uploads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"

	"sira/web/problem"
)

// spoolStore is the file store with what it lacks: an owner for each upload,
// bytes on the disk before they are acknowledged, and a memory of uploads
// already taken in, so that a client whose last answer was lost on the road
// learns that it is done instead of sending all again.
type spoolStore struct {
	filestore.FileStore
	s *Service
}

// NewUpload makes the file, then its row, both durable.
func (st spoolStore) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	up, err := st.FileStore.NewUpload(ctx, info)
	if err != nil {
		return nil, st.s.diskError(ctx, err)
	}
	id := info.ID
	t := now()
	err = errors.Join(syncPath(st.s.dataPath(id)+".info"), syncPath(st.s.cfg.Dir))
	if err == nil {
		err = st.s.insert(ctx, row{id: id, spool: st.s.spool, owner: st.s.cfg.UserID(ctx), caseID: info.MetaData["caseId"],
			name: info.MetaData["filename"], state: StateReceiving, length: info.Size, created: t, touched: t})
	}
	if err != nil {
		st.s.removeFiles(id)
		return nil, st.s.diskError(ctx, err)
	}
	return &spooled{Upload: up, s: st.s, id: id, size: info.Size}, nil
}

// GetUpload finds the user's own upload.
func (st spoolStore) GetUpload(ctx context.Context, id string) (handler.Upload, error) {
	r, err := st.s.row(ctx, id)
	if errors.Is(err, ErrNotFound) || (err == nil && r.owner != st.s.cfg.UserID(ctx)) {
		return nil, st.s.refuse(ctx, problem.New("upload-unknown"))
	}
	if err != nil {
		return nil, st.s.refuseErr(ctx, err)
	}
	if r.state != StateReceiving {
		return finished{r}, nil
	}
	up, err := st.FileStore.GetUpload(ctx, id)
	if err != nil {
		if errors.Is(err, handler.ErrNotFound) {
			return nil, st.s.refuse(ctx, problem.New("upload-gone"))
		}
		return nil, st.s.diskError(ctx, err)
	}
	sp := &spooled{Upload: up, s: st.s, id: id, size: r.length}
	info, err := up.GetInfo(ctx)
	if err == nil && info.Offset == r.length {
		// All bytes are there, but the process ended before it said so.
		if err := sp.FinishUpload(ctx); err != nil {
			return nil, err
		}
	}
	return sp, nil
}

// AsTerminatableUpload lets the library delete an unfinished upload.
func (st spoolStore) AsTerminatableUpload(up handler.Upload) handler.TerminatableUpload {
	if sp, ok := up.(*spooled); ok {
		return sp
	}
	return finished{}
}

type spooled struct {
	handler.Upload
	s    *Service
	id   string
	size int64
}

// WriteChunk appends src and returns once the bytes are on the disk.
func (u *spooled) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	g := &guarded{r: src, s: u.s, ctx: ctx}
	n, err := u.Upload.WriteChunk(ctx, offset, g)
	if serr := syncPath(u.s.dataPath(u.id)); serr != nil {
		return 0, u.s.diskError(ctx, serr) // not acknowledged; the next HEAD tells what stayed
	}
	if n > 0 {
		if terr := u.s.touch(ctx, u.id); terr != nil {
			u.s.log.WarnContext(ctx, "upload progress not recorded", "err", terr)
		}
	}
	if g.full != nil {
		return n, u.s.refuse(ctx, g.full)
	}
	if err != nil {
		return n, u.s.diskError(ctx, err)
	}
	return n, nil
}

// FinishUpload is called before the last PATCH is answered: when the row is
// written, a restart knows that the upload waits for its intake.
func (u *spooled) FinishUpload(ctx context.Context) error {
	if err := syncPath(u.s.dataPath(u.id)); err != nil {
		return u.s.diskError(ctx, err)
	}
	if err := u.s.received(ctx, u.id); err != nil {
		return u.s.refuseErr(ctx, err)
	}
	return nil
}

// Terminate forgets the upload.
func (u *spooled) Terminate(ctx context.Context) error {
	if err := u.s.delete(ctx, u.id); err != nil {
		return u.s.refuseErr(ctx, err)
	}
	u.s.removeFiles(u.id)
	return nil
}

func (s *Service) removeFiles(id string) {
	for _, name := range []string{s.dataPath(id), s.dataPath(id) + ".info"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Warn("spooled file not removed", "upload", id, "err", err)
		}
	}
}

// diskError tells a full disk from other faults.
func (s *Service) diskError(ctx context.Context, err error) error {
	var told handler.Error
	if errors.As(err, &told) {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return s.refuse(ctx, problem.New("disk-full"))
	}
	return s.refuseErr(ctx, fmt.Errorf("writing to the spool: %w", err))
}

// guarded stops reading when the disk gets too full, before other parts of the
// house lack space.
type guarded struct {
	r    io.Reader
	s    *Service
	ctx  context.Context
	read int64
	next int64
	full *problem.Problem
}

// guardEvery is how many bytes pass between two looks at the disk.
const guardEvery = 4 << 20

func (g *guarded) Read(p []byte) (int, error) {
	if g.read >= g.next {
		g.next = g.read + guardEvery
		var full *problem.Problem
		if errors.As(g.s.room(g.ctx, 0), &full) {
			g.full = full
			return 0, io.EOF
		}
	}
	n, err := g.r.Read(p)
	g.read += int64(n)
	return n, err
}

// finished stands for an upload whose bytes have left the spool.
type finished struct{ r row }

func (f finished) GetInfo(context.Context) (handler.FileInfo, error) {
	return handler.FileInfo{ID: f.r.id, Size: f.r.length, Offset: f.r.length,
		MetaData: handler.MetaData{"caseId": f.r.caseID, "filename": f.r.name}}, nil
}

func (finished) WriteChunk(context.Context, int64, io.Reader) (int64, error) {
	return 0, handler.ErrMismatchOffset
}
func (finished) GetReader(context.Context) (io.ReadCloser, error) { return nil, handler.ErrNotFound }
func (finished) FinishUpload(context.Context) error               { return nil }
func (finished) Terminate(context.Context) error                  { return handler.ErrUploadTerminationRejected }
