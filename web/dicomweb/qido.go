package dicomweb

import (
	"fmt"
	"net/http"
	"strings"

	"sira/dicom/index"
)

// search answers a QIDO-RS search (PS3.18 section 10.6) at one level.
func (s *Service) search(level index.Level) action {
	return func(w http.ResponseWriter, r *http.Request, c *call) error {
		kind, err := c.jsonAccepted()
		if err != nil {
			return err
		}
		found, err := parseSearch(r.URL.RawQuery, level)
		if err != nil {
			return err
		}
		q := &found.query
		q.Visible = c.visible
		c.restrict(q)
		page, err := s.cfg.Index.Find(r.Context(), *q)
		if err != nil {
			return err
		}
		if err := s.audit(r.Context(), c, false); err != nil {
			return err
		}
		s.warn(w.Header(), c, &found, page.Further)
		if page.Len() == 0 {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		out := s.jsonWriter(w, r, kind)
		buf := []byte{'['}
		for i := range page.Len() {
			if i > 0 {
				buf = append(buf, ',')
			}
			if buf, err = page.Append(r.Context(), buf, i, c.base); err != nil {
				s.cut(r, err)
			}
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
}

// restrict adds what the address names. Attributes of what it names are not
// repeated in the answer, unless more are asked for.
func (c *call) restrict(q *index.Query) {
	if c.study != "" {
		q.Match = append(q.Match, index.Condition{Tag: keywords["StudyInstanceUID"], Values: []string{c.study}})
		q.Parents = index.SeriesLevel
	}
	if c.series != "" {
		q.Match = append(q.Match, index.Condition{Tag: keywords["SeriesInstanceUID"], Values: []string{c.series}})
		q.Parents = index.InstanceLevel
	}
	if q.More != nil {
		q.Parents = index.StudyLevel
	}
}

// warn tells what the answer lacks (PS3.18 sections 8.3.4 and 10.6.3).
func (s *Service) warn(h http.Header, c *call, found *search, further bool) {
	add := func(text string) { h.Add("Warning", "299 "+c.base+`: "`+text+`"`) }
	if len(found.ignored) > 0 {
		names := strings.Join(found.ignored, ", ")
		plain := strings.Trim(names, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_., ") == "" && len(names) < 400
		if !plain {
			names = "some parameters"
		}
		add("These query parameters are not supported and were ignored: " + names)
	}
	if further && found.query.Limit != found.asked {
		add(fmt.Sprintf("The number of results exceeded the maximum supported by the server (%d). Additional results can be requested.", found.query.Limit))
	}
}
