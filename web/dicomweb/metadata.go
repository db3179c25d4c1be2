package dicomweb

import (
	"context"
	"net/http"

	"sira/dicom/index"
	"sira/dicom/index/jsonmodel"
)

// metadata answers the data sets without bulk (PS3.18 section 10.4.1.1.2), as
// kept by the index.
func (s *Service) metadata(w http.ResponseWriter, r *http.Request, c *call) error {
	kind, err := c.jsonAccepted()
	if err != nil {
		return err
	}
	list, err := s.objects(r.Context(), c)
	if err != nil {
		return err
	}
	first, err := s.template(r.Context(), list[0])
	if err != nil {
		return err
	}
	out := s.jsonWriter(w, r, kind)
	buf := []byte{'['}
	for i, o := range list {
		template := first
		if i > 0 {
			buf = append(buf, ',')
			if template, err = s.template(r.Context(), o); err != nil {
				s.cut(r, err)
			}
		}
		fill := jsonmodel.Fill{Base: address(c, o)}
		buf = fill.Append(buf, template)
		if len(buf) > 32<<10 {
			if _, err := out.Write(buf); err != nil {
				return nil // the client is gone
			}
			buf = buf[:0]
		}
	}
	_, _ = out.Write(append(buf, ']'))
	_ = out.Close()
	return nil
}

// template is an instance's metadata, from the index or, where that has none,
// from the object.
func (s *Service) template(ctx context.Context, o index.Object) (string, error) {
	text, err := s.cfg.Index.Metadata(ctx, o.SOP)
	if err != nil || text != "" {
		return text, err
	}
	f, err := s.files.open(ctx, o.Hash)
	if err != nil {
		return "", err
	}
	defer f.close()
	return string(jsonmodel.File(f.File)), nil
}
