package uploads

import (
	"context"
	"os"
	"strings"
	"time"
)

// sweep forgets abandoned uploads and old outcomes, every hour.
func (s *Service) sweep() {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.expire(s.ctx, time.Now()); err != nil && s.ctx.Err() == nil {
			s.log.Warn("old uploads not cleared", "err", err)
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Service) expire(ctx context.Context, at time.Time) error {
	old, err := s.rows(ctx, `state = ? AND spool = ? AND touched_at < ?`, StateReceiving, s.spool, at.Add(-Lifetime).UnixMilli())
	if err != nil {
		return err
	}
	told, err := s.rows(ctx, `state = ? AND spool = ? AND done_at < ?`, StateDone, s.spool, at.Add(-Memory).UnixMilli())
	if err != nil {
		return err
	}
	for _, r := range append(old, told...) {
		if err := s.delete(ctx, r.id); err != nil {
			return err
		}
		s.removeFiles(r.id)
	}
	return s.clearOrphans(ctx, at)
}

// clearOrphans removes spooled files without a row, left when the process was
// killed between the two.
func (s *Service) clearOrphans(ctx context.Context, at time.Time) error {
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, isInfo := strings.CutSuffix(e.Name(), ".info")
		if e.IsDir() || !isInfo {
			continue
		}
		st, err := e.Info()
		if err != nil || at.Sub(st.ModTime()) < time.Hour {
			continue
		}
		r, err := s.row(ctx, id)
		if err == ErrNotFound || (err == nil && r.state == StateDone) {
			s.removeFiles(id)
		}
	}
	return nil
}
