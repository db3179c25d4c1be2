package uploads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog"

	"sira/web/problem"
)

// Handler speaks tus 1.0 (creation, creation-with-upload, termination,
// expiration). The user must be in the request's context already.
//
// Locks are in memory because the spool belongs to one process: lock files
// with process numbers would stay closed for ever in a container, where every
// process is number 1, and their polling delays a resumed upload by seconds.
func (s *Service) Handler() (http.Handler, error) {
	composer := handler.NewStoreComposer()
	store := spoolStore{FileStore: filestore.New(s.cfg.Dir), s: s}
	composer.UseCore(store)
	composer.UseTerminater(store)
	composer.UseLocker(memorylocker.New())
	h, err := handler.NewHandler(handler.Config{
		StoreComposer:              composer,
		BasePath:                   s.cfg.BasePath,
		MaxSize:                    s.cfg.MaxBytes,
		DisableDownload:            true,
		Cors:                       &handler.CorsConfig{Disable: true},
		Logger:                     xslog.New(xslog.NewTextHandler(io.Discard, nil)),
		PreUploadCreateCallback:    s.beforeCreate,
		PreUploadTerminateCallback: s.beforeTerminate,
		NetworkTimeout:             60 * time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("building the upload handler: %w", err)
	}
	inner := http.StripPrefix(strings.TrimSuffix(s.cfg.BasePath, "/"), h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tw := &tusWriter{ResponseWriter: w, s: s, r: r}
		if r.Method == http.MethodPost || r.Method == http.MethodPatch {
			w.Header().Set("Upload-Expires", time.Now().Add(Lifetime).UTC().Format(http.TimeFormat))
		}
		inner.ServeHTTP(tw, r)
		tw.finish()
	}), nil
}

// refuse turns a problem into the protocol library's error.
func (s *Service) refuse(ctx context.Context, p *problem.Problem) error {
	return handler.Error{ErrorCode: p.Code, Message: p.Code, HTTPResponse: handler.HTTPResponse{
		StatusCode: p.Status,
		Body:       string(p.JSON(s.cfg.RequestID(ctx))),
		Header:     handler.HTTPHeader{"Content-Type": problem.MediaType, "Cache-Control": "no-store"},
	}}
}

func (s *Service) refuseErr(ctx context.Context, err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) {
		p = problem.New("internal").Because(err)
		s.log.ErrorContext(ctx, "upload failed", "err", err)
	}
	return s.refuse(ctx, p)
}

// beforeCreate decides whether an upload may begin: who, to which case, how
// much, and whether there is room for it.
func (s *Service) beforeCreate(ev handler.HookEvent) (handler.HTTPResponse, handler.FileInfoChanges, error) {
	ctx := ev.Context
	none := handler.HTTPResponse{}
	fail := func(err error) (handler.HTTPResponse, handler.FileInfoChanges, error) {
		return none, handler.FileInfoChanges{}, s.refuseErr(ctx, err)
	}
	caseID, err := uuid.Parse(ev.Upload.MetaData["caseId"])
	if err != nil {
		return fail(problem.New("upload-bad").Saying("L’envoi ne dit pas à quel dossier il appartient ; rechargez la page et recommencez."))
	}
	if err := s.cfg.Authorize(ctx, caseID.String()); err != nil {
		return fail(err)
	}
	if err := s.room(ctx, ev.Upload.Size); err != nil {
		return fail(err)
	}
	s.cfg.Counted("created", 1)
	return none, handler.FileInfoChanges{
		ID: uuid.NewString(),
		MetaData: handler.MetaData{
			"caseId":   caseID.String(),
			"filename": CleanName(ev.Upload.MetaData["filename"]),
		},
	}, nil
}

// Free tells how many bytes the spool's disk still takes.
func (s *Service) Free() (int64, error) { return s.cfg.Free(s.cfg.Dir) }

// room says whether the disk takes size more bytes. It counts them twice: the
// spooled file and the blob made of it exist together for a moment, by default
// on the same disk.
func (s *Service) room(ctx context.Context, size int64) error {
	if s.cfg.MinFree <= 0 {
		return nil
	}
	free, err := s.cfg.Free(s.cfg.Dir)
	if err != nil {
		s.log.WarnContext(ctx, "free space unknown", "err", err)
		return nil
	}
	if free-2*size >= s.cfg.MinFree {
		return nil
	}
	p := problem.New("disk-full").With("size", size)
	if size > 0 {
		p = p.Saying(fmt.Sprintf("Ce fichier (%s) ne tient plus sur le serveur. Rien n’est perdu : gardez-le sur cet appareil et prévenez l’administrateur.", French(size)))
	}
	return p
}

func (s *Service) beforeTerminate(ev handler.HookEvent) (handler.HTTPResponse, error) {
	r, err := s.row(ev.Context, ev.Upload.ID)
	if err != nil {
		return handler.HTTPResponse{}, s.refuse(ev.Context, problem.New("upload-unknown"))
	}
	if r.state != StateReceiving {
		return handler.HTTPResponse{}, s.refuse(ev.Context, problem.New("upload-done"))
	}
	return handler.HTTPResponse{}, nil
}

// French writes a size as French users read it, decimal units.
func French(size int64) string {
	f := float64(size)
	for _, u := range []string{"octets", "ko", "Mo", "Go"} {
		if f < 1000 || u == "Go" {
			if u == "octets" || f >= 100 {
				return strings.Replace(fmt.Sprintf("%.0f %s", f, u), ".", ",", 1)
			}
			return strings.Replace(fmt.Sprintf("%.1f %s", f, u), ".", ",", 1)
		}
		f /= 1000
	}
	return ""
}
