package dicomweb

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sira/dicom"
	"sira/dicom/index/jsonmodel"
	"sira/dicom/pixel"
)

// maxTurned bounds big endian values, which are turned in memory.
const maxTurned = 64 << 20

// bulkdata answers one binary value that metadata refers to (PS3.18 section
// 10.4.1.1.5): little endian bytes, encapsulated pixel data as its frames, a
// document under its own type.
func (s *Service) bulkdata(w http.ResponseWriter, r *http.Request, c *call) error {
	list, err := s.objects(r.Context(), c)
	if err != nil {
		return err
	}
	f, err := s.files.open(r.Context(), list[0].Hash)
	if err != nil {
		return err
	}
	defer f.close()
	d, e := find(f.DataSet, r.PathValue("path"))
	if e == nil || e.VR == "SQ" {
		return refuse(http.StatusNotFound, "not-found")
	}
	if e.Fragments != nil {
		if f.Pixel == nil || e.Tag != f.Pixel.Tag {
			return notAcceptable()
		}
		return s.bulkFrames(w, r, c, f)
	}
	body, err := value(f, e)
	if err != nil {
		return err
	}
	kinds := []string{typeOctet}
	if own := documentType(d, e); own != "" {
		kinds = []string{own, typeOctet}
	}
	for _, m := range c.accept {
		for _, kind := range kinds {
			switch {
			case !m.is(kind):
			case m.multipart:
				out := newParts(w, kind)
				if err := out.part(kind, c.base+strings.TrimPrefix(r.URL.EscapedPath(), s.cfg.Root), body); err != nil {
					s.cut(r, err)
				}
				return out.close()
			default:
				w.Header().Set("Content-Type", kind)
				w.Header().Set("ETag", fmt.Sprintf(`"%s-%d"`, list[0].Hash, e.Section.Offset))
				w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
				immutable(w.Header())
				http.ServeContent(w, r, "", time.Time{}, body)
				return nil
			}
		}
	}
	return notAcceptable()
}

// bulkFrames answers encapsulated pixel data, one part a frame.
func (s *Service) bulkFrames(w http.ResponseWriter, r *http.Request, c *call, f object) error {
	src, err := pixel.Open(f.File, f.blob)
	if err != nil {
		return err
	}
	frames := src.Info().Frames
	if f.video() {
		frames = 1
	}
	form, ok := c.frameForm(f, src, frames)
	if !ok {
		return notAcceptable()
	}
	if !form.multipart {
		body, err := s.frame(r.Context(), f, src, form, 1)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", form.contentType())
		immutable(w.Header())
		http.ServeContent(w, r, "", time.Time{}, body)
		return nil
	}
	out := newParts(w, form.kind)
	for n := 1; n <= frames; n++ {
		body, err := s.frame(r.Context(), f, src, form, n)
		if err == nil {
			err = out.part(form.contentType(), "", body)
		}
		if err != nil && !out.begun {
			return err
		}
		if err != nil {
			s.cut(r, err)
		}
	}
	return out.close()
}

// find follows a path TTTTTTTT/ITEM/TTTTTTTT.
func find(d *dicom.DataSet, path string) (*dicom.DataSet, *dicom.Element) {
	steps := strings.Split(path, "/")
	if len(steps) > 64 {
		return nil, nil
	}
	for {
		t, err := jsonmodel.ParseTag(steps[0])
		if err != nil {
			return nil, nil
		}
		if len(steps) == 1 {
			return d, d.Element(t)
		}
		items := d.Sequence(t)
		n, err := strconv.Atoi(steps[1])
		if err != nil || n < 0 || n >= len(items) || len(steps) < 3 {
			return nil, nil
		}
		d, steps = items[n], steps[2:]
	}
}

// value opens a binary value, little endian.
func value(f object, e *dicom.Element) (io.ReadSeeker, error) {
	section := newPieces(f.Data(f.blob), []dicom.Section{e.Section})
	if !f.BigEndian || e.VR == "OB" || e.VR == "UN" {
		return section, nil
	}
	if e.Section.Length > maxTurned {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too-large")
	}
	raw, err := io.ReadAll(section)
	if err != nil {
		return nil, fmt.Errorf("reading bulk data: %w", err)
	}
	return strings.NewReader(string(jsonmodel.LittleEndian(e.VR, raw))), nil
}

// documentType is the type of an encapsulated document (PS3.3 section C.24.2).
func documentType(d *dicom.DataSet, e *dicom.Element) string {
	if e.Tag != 0x00420011 {
		return ""
	}
	kind, _, err := mime.ParseMediaType(d.String(0x00420012))
	if err != nil || kind != "application/pdf" {
		return ""
	}
	return kind
}
