package dicomweb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"

	"sira/dicom"
	"sira/dicom/ingest"
	"sira/storage"
)

// Failure reasons (PS3.18 table 10.5.3-1, PS3.4 section B.2.3).
const (
	reasonProcessing  = 0x0110
	reasonDuplicate   = 0x0111
	reasonNotAllowed  = 0x0124
	reasonResources   = 0xA700
	reasonTooLarge    = 0xA701
	reasonOtherStudy  = 0xA900
	reasonUnreadable  = 0xC000
	reasonUnsupported = 0x0122
)

// store takes objects in (PS3.18 section 10.5): multipart/related of
// application/dicom, or one object as the body. Each goes to disk as it comes.
func (s *Service) store(w http.ResponseWriter, r *http.Request, c *call) error {
	kind, err := c.jsonAccepted()
	if err != nil {
		return err
	}
	mediaType, params, err := mime.ParseMediaType(unquoteTypes(r.Header.Get("Content-Type")))
	if err != nil {
		return refuse(http.StatusUnsupportedMediaType, "media-type").Because(err)
	}
	t := s.newStoring(c)
	if s.cfg.Storing == nil {
		err = s.audit(r.Context(), c, false)
	} else {
		journal := s.cfg.Storing(r.Context(), Access{Action: c.action, Study: c.study})
		t.ingest.Join, t.journal = journal.List, journal.Done
	}
	if err != nil {
		return err
	}
	switch {
	case mediaType == typeDICOM:
		err = t.take(r.Context(), r.Body)
	case mediaType == "multipart/related" && strings.EqualFold(params["type"], typeDICOM):
		err = t.multipart(r.Context(), r.Body, params["boundary"], s.cfg.MaxParts)
	default:
		err = refuse(http.StatusUnsupportedMediaType, "media-type")
	}
	if t.journal != nil {
		if jerr := t.journal(r.Context()); jerr != nil {
			return jerr
		}
	}
	if err != nil && len(t.done)+len(t.failed)+len(t.unknown) == 0 {
		return err
	}
	if err != nil {
		// What came before the fault is stored, and says so.
		t.unknown = append(t.unknown, reasonProcessing)
		s.cfg.Logger.Warn("storing ended early", "request", s.requestID(r), "err", err)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(t.status())
	_, _ = w.Write(t.response())
	return nil
}

// storing is one STOW-RS request under way.
type storing struct {
	service *Service
	ingest  ingest.Ingest
	base    string
	journal func(ctx context.Context) error // may be nil
	done    []dicom.Instance
	failed  []failure
	unknown []int // reasons of parts that name no instance
}

type failure struct {
	class, sop string
	reason     int
}

var errOtherStudy = errors.New("the object belongs to another study")

func (s *Service) newStoring(c *call) *storing {
	t := &storing{service: s, ingest: *s.cfg.Ingest, base: c.base}
	before := t.ingest.Check
	t.ingest.Check = func(ctx context.Context, in dicom.Instance) error {
		if c.study != "" && in.StudyUID != c.study {
			return errOtherStudy
		}
		if s.cfg.MayStore != nil {
			if err := s.cfg.MayStore(ctx, in); err != nil {
				return err
			}
		}
		if before != nil {
			return before(ctx, in)
		}
		return nil
	}
	return t
}

var bodies = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 128<<10) }}

var errBoundary = errors.New("no usable boundary")

// maxBoundary is more than the 70 characters of RFC 2046 section 5.1.1:
// Orthanc's client uses 73.
const maxBoundary = 200

// multipart takes each part. Errors are those of the stream as a whole.
func (t *storing) multipart(ctx context.Context, body io.Reader, boundary string, maxParts int) error {
	if boundary == "" || len(boundary) > maxBoundary || strings.ContainsAny(boundary, "\r\n") {
		return refuse(http.StatusBadRequest, "bad-request").Because(errBoundary)
	}
	// Large reads here: those of package multipart are of 4 KB.
	in := bodies.Get().(*bufio.Reader)
	in.Reset(body)
	defer func() { in.Reset(nil); bodies.Put(in) }()
	m := multipart.NewReader(&preamble{r: in, left: maxPreamble, boundary: "--" + boundary}, boundary)
	for n := 0; ; n++ {
		part, err := m.NextRawPart()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return badRequest("La demande ne contient aucun objet.")
			}
			return nil
		}
		if err != nil {
			return refuse(http.StatusBadRequest, "bad-request").Because(fmt.Errorf("reading a part: %w", err))
		}
		if n >= maxParts {
			return refuse(http.StatusRequestEntityTooLarge, "too-large")
		}
		if kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); part.Header.Get("Content-Type") != "" && (err != nil || kind != typeDICOM) {
			t.unknown = append(t.unknown, reasonUnreadable)
			continue
		}
		if err := t.take(ctx, part); err != nil {
			return err
		}
	}
}

// take stores one object. An error ends the request: the stream is broken, or
// the server cannot store now.
func (t *storing) take(ctx context.Context, r io.Reader) error {
	from := &watched{r: r}
	res, err := t.ingest.Stream(ctx, from)
	if err == nil && t.service.cfg.Stored != nil {
		err = t.service.cfg.Stored(ctx, res)
	}
	if err == nil {
		t.done = append(t.done, res.Instance)
		return nil
	}
	if from.err != nil {
		return refuse(http.StatusBadRequest, "bad-request").Because(from.err)
	}
	reason := t.reason(err)
	if res.Instance.SOPUID == "" {
		t.unknown = append(t.unknown, reason)
	} else {
		t.failed = append(t.failed, failure{plainUID(res.Instance.SOPClass), res.Instance.SOPUID, reason})
	}
	if reason == reasonResources || ctx.Err() != nil {
		return err
	}
	return nil
}

func (t *storing) reason(err error) int {
	var refused *dicom.Error
	switch {
	case errors.Is(err, ingest.ErrConflict):
		return reasonDuplicate
	case errors.Is(err, errOtherStudy):
		return reasonOtherStudy
	case errors.Is(err, ErrForbidden):
		return reasonNotAllowed
	case errors.Is(err, storage.ErrNoSpace):
		return reasonResources
	case errors.As(err, &refused) && refused.Reason == dicom.TooLarge:
		return reasonTooLarge
	case errors.As(err, &refused) && refused.Reason == dicom.Unsupported:
		return reasonUnsupported
	case errors.As(err, &refused):
		return reasonUnreadable
	}
	t.service.cfg.Logger.Error("storing failed", "err", err)
	return reasonProcessing
}

func plainUID(s string) string {
	if validUID(s) {
		return s
	}
	return ""
}

// watched remembers whether reading failed, to tell a broken stream from a
// broken object.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// maxPreamble is how much may come before the first boundary.
const maxPreamble = 64 << 10

// preamble bounds what a multipart reader skips before its first part.
type preamble struct {
	r        *bufio.Reader
	left     int
	boundary string
	found    bool
	tail     string
}

func (p *preamble) Read(b []byte) (int, error) {
	if !p.found {
		b = b[:min(len(b), max(p.left, 1))]
	}
	n, err := p.r.Read(b)
	if p.found || n == 0 {
		return n, err
	}
	seen := p.tail + string(b[:n])
	if strings.Contains(seen, p.boundary) {
		p.found = true
		return n, err
	}
	p.tail = seen[max(0, len(seen)-len(p.boundary)):]
	if p.left -= n; p.left <= 0 {
		return 0, errBoundary
	}
	return n, err
}
