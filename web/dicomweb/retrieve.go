package dicomweb

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"sira/dicom/index"
	"sira/dicom/transcode"
	"sira/storage"
)

const (
	explicitLE = "1.2.840.10008.1.2.1"
	implicitLE = "1.2.840.10008.1.2"
)

// retrieve answers objects (PS3.18 section 10.4.1.1.1). Without a transfer
// syntax in Accept, with "*" or with their own they come as they were received,
// bit for bit; in another one they are transcoded, which loses nothing.
func (s *Service) retrieve(w http.ResponseWriter, r *http.Request, c *call) error {
	list, err := s.objects(r.Context(), c)
	if err != nil {
		return err
	}
	for _, m := range c.accept {
		switch {
		case !m.is(typeDICOM) || !reachable(m.syntax, list):
		case m.multipart || m.any && (c.sop == "" || len(list) > 1):
			return s.sendObjects(w, r, c, list, m.syntax)
		case len(list) == 1 && asStored(m.syntax, list[0]):
			return s.sendObject(w, r, list[0])
		case len(list) == 1:
			return s.sendTurned(w, r, list[0], m.syntax)
		}
	}
	return notAcceptable()
}

// asStored reports whether an object goes out as it came.
func asStored(want string, o index.Object) bool {
	return want == "" || want == "*" || want == o.Syntax
}

// reachable reports whether all objects are in a syntax, or may be brought to it.
func reachable(want string, list []index.Object) bool {
	return slices.Contains(transcode.Targets(), want) ||
		!slices.ContainsFunc(list, func(o index.Object) bool { return !asStored(want, o) })
}

func dicomType(o index.Object) string {
	if o.Syntax == "" {
		return typeDICOM
	}
	return typeDICOM + "; transfer-syntax=" + o.Syntax
}

func (s *Service) blob(ctx context.Context, o index.Object) (storage.Reader, error) {
	h, err := storage.ParseHash(o.Hash)
	if err != nil {
		return nil, fmt.Errorf("opening a DICOM object: %w", err)
	}
	blob, err := s.cfg.Blobs.Open(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("opening a DICOM object: %w", err)
	}
	return blob, nil
}

func (s *Service) sendObject(w http.ResponseWriter, r *http.Request, o index.Object) error {
	blob, err := s.blob(r.Context(), o)
	if err != nil {
		return err
	}
	defer blob.Close()
	h := w.Header()
	h.Set("Content-Type", dicomType(o))
	h.Set("ETag", `"`+o.Hash+`"`)
	h.Set("Content-Disposition", `attachment; filename="`+o.SOP+`.dcm"`)
	immutable(h)
	http.ServeContent(w, r, "", time.Time{}, blob)
	return nil
}

func (s *Service) sendObjects(w http.ResponseWriter, r *http.Request, c *call, list []index.Object, syntax string) error {
	out := newParts(w, typeDICOM)
	for _, o := range list {
		if err := s.sendPart(r, c, out, o, syntax); err != nil {
			if !out.begun {
				return err
			}
			s.cut(r, err)
		}
	}
	if err := out.close(); err != nil {
		s.cut(r, err)
	}
	return nil
}

func (s *Service) sendPart(r *http.Request, c *call, out *parts, o index.Object, syntax string) error {
	if !asStored(syntax, o) {
		return s.turnedPart(r, c, out, o, syntax)
	}
	blob, err := s.blob(r.Context(), o)
	if err != nil {
		return err
	}
	defer blob.Close()
	return out.part(dicomType(o), address(c, o), blob)
}

// address of an instance.
func address(c *call, o index.Object) string {
	return c.base + "/studies/" + o.Study + "/series/" + o.Series + "/instances/" + o.SOP
}
