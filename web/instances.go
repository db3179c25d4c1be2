package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom"
	"sira/dicom/film"
	"sira/dicom/pixel"
	"sira/storage"
	"sira/web/problem"
)

// instanceManifest is one instance as a viewer needs it. Bits is the width of
// one sample as a frame delivers it.
type instanceManifest struct {
	SOP         string         `json:"sop"`
	Number      int            `json:"number"`
	Rows        int            `json:"rows"`
	Cols        int            `json:"cols"`
	Frames      int            `json:"frames"`
	Samples     int            `json:"samples"`
	Bits        int            `json:"bits"`
	BitsStored  int            `json:"bitsStored"`
	Signed      bool           `json:"signed"`
	Photometric string         `json:"photometric"`
	Slope       float64        `json:"slope"`
	Intercept   float64        `json:"intercept"`
	Windows     []pixel.Window `json:"windows"`
	VOI         string         `json:"voi"`
	Invert      bool           `json:"invert"`
	Padding     *[2]int        `json:"padding,omitempty"`
	Spacing     *[2]float64    `json:"spacing"`
	SpacingKind string         `json:"spacingKind"`
	Position    []float64      `json:"position,omitempty"`
	Orientation []float64      `json:"orientation,omitempty"`
	FrameTimeMs float64        `json:"frameTimeMs"`
	Encoding    string         `json:"encoding"` // "raw", "jpeg", "film" or "unsupported"
	Unit        string         `json:"unit"`     // of values after rescale: "HU", "OD", …, "" when unknown
	Overlays    int            `json:"overlays"` // overlay planes
	Display     bool           `json:"display"`  // ask for each frame's display, too
	Lossy       bool           `json:"lossy"`
	Syntax      string         `json:"syntax"`
	Kind        string         `json:"kind"`
	Size        int64          `json:"size"`
}

// opened is one DICOM object ready to be read.
type opened struct {
	file *dicom.File
	blob storage.Reader
}

func (o opened) close() { _ = o.blob.Close() }

// openObject opens an object by its hash; its parsed header is remembered.
func (s *Server) openObject(ctx context.Context, hash string) (opened, error) {
	blob, err := s.blob(ctx, hash)
	if err != nil {
		return opened{}, err
	}
	if f, ok := s.headers.get(hash); ok {
		return opened{f, blob}, nil
	}
	f, err := dicom.Read(ctx, blob, blob.Size(), dicom.DefaultLimits)
	if err != nil {
		_ = blob.Close()
		return opened{}, fmt.Errorf("reading a stored DICOM object: %w", err)
	}
	s.headers.put(hash, f)
	return opened{f, blob}, nil
}

// pixelProblem finds the words for what can't be shown.
func pixelProblem(err error) error {
	switch {
	case errors.Is(err, pixel.ErrNoFrame), errors.Is(err, pixel.ErrNoPixels):
		return problem.New("not-found").Because(err)
	case errors.Is(err, pixel.ErrUnsupportedSyntax), errors.Is(err, pixel.ErrUnsupportedLayout), errors.Is(err, pixel.ErrTooLarge):
		return problem.New("unsupported").Because(err)
	case errors.Is(err, pixel.ErrTruncated), errors.Is(err, pixel.ErrCorrupt):
		return problem.New("broken-file").Because(err)
	}
	return err
}

// manifestVersion is part of the cache's names: change it with the struct.
const manifestVersion = ".manifest.2.json"

// manifest describes an instance, from the cache when it was asked before. An
// object that can't be shown is described as such.
func (s *Server) manifest(ctx context.Context, in dicom.Instance) instanceManifest {
	var m instanceManifest
	if raw, ok := s.derived.get(in.Hash + manifestVersion); ok && json.Unmarshal(raw, &m) == nil && m.SOP == in.SOPUID {
		return m
	}
	m = instanceManifest{SOP: in.SOPUID, Number: in.InstanceNumber, Rows: in.Rows, Cols: in.Cols, Frames: in.Frames,
		Samples: in.Samples, Photometric: in.Photometric, Slope: 1, Windows: []pixel.Window{}, VOI: "LINEAR",
		Position: in.Position, Orientation: in.Orientation, Encoding: "unsupported", Syntax: in.TransferSyntax,
		Kind: in.Kind, Size: in.Size}
	if in.Kind == "video" {
		if err := s.describeFilm(ctx, in.Hash, &m); err != nil {
			s.log.Warn("film can't be described", "hash", in.Hash, "err", err)
		}
	}
	if in.Kind != "image" {
		return m
	}
	lasting, err := s.describePixels(ctx, in, &m)
	if err != nil {
		s.log.Warn("instance can't be described", "hash", in.Hash, "err", err)
	}
	if !lasting {
		return m
	}
	if raw, err := json.Marshal(m); err == nil {
		if err := s.derived.put(in.Hash+manifestVersion, raw); err != nil {
			s.log.Warn("manifest not kept", "err", err)
		}
	}
	return m
}

// describePixels fills m from the object's pixels. lasting says whether the
// answer would be the same next time.
func (s *Server) describePixels(ctx context.Context, in dicom.Instance, m *instanceManifest) (lasting bool, err error) {
	o, err := s.openObject(ctx, in.Hash)
	if err != nil {
		return false, err
	}
	defer o.close()
	src, err := pixel.Open(o.file, o.blob)
	if err != nil {
		return true, err
	}
	img := src.Info()
	m.Rows, m.Cols, m.Frames, m.Samples = img.Rows, img.Cols, img.Frames, img.Samples
	if img.Colour() {
		m.Samples = 3
	}
	m.Bits, m.BitsStored, m.Signed, m.Photometric = img.SampleBits(), img.BitsStored, img.Signed && !img.Colour(), img.Photometric
	m.Slope, m.Intercept, m.VOI, m.Invert, m.Padding = img.Slope, img.Intercept, img.VOIFunction, img.Invert, img.Padding
	m.Spacing, m.SpacingKind, m.FrameTimeMs, m.Lossy = img.Spacing, img.SpacingKind, img.FrameTimeMs, img.Lossy
	if len(img.Windows) > 0 {
		m.Windows = img.Windows
	}
	if m.Unit = img.Unit; m.Unit == "" && in.Modality == "CT" && img.Slope > 0 && img.ModalityLUT == nil {
		m.Unit = "HU" // PS3.3 C.8.2.1.1.2: what an original CT has when it does not say
	}
	m.Overlays, m.Display = src.OverlayPlanes(), hasDisplay(ctx, src)
	if len(img.Position) == 3 {
		m.Position, m.Orientation = img.Position, img.Orientation
	}
	if _, _, ok, err := src.Encoded(ctx, 1); err == nil && ok {
		m.Encoding = "jpeg"
		return true, nil
	}
	if !src.Decodable() || m.Bits > 16 {
		return true, nil
	}
	m.Encoding = "raw"
	if len(m.Windows) == 0 && !img.Colour() {
		win, err := src.DefaultWindow(ctx)
		if err != nil {
			return ctx.Err() == nil, err
		}
		m.Windows = []pixel.Window{win}
	}
	return true, nil
}

// openInstance finds the path's instance through the path's case.
func (s *Server) openInstance(r *http.Request, act string) (cases.Attachment, error) {
	st, err := s.open(r, cases.View, audit.Entry{Action: act, Object: clip(r.PathValue("sop"), 64)})
	if err != nil {
		return cases.Attachment{}, err
	}
	return instanceOf(st, r.PathValue("sop"))
}

func (s *Server) instanceThumbnail(w http.ResponseWriter, r *http.Request) error {
	a, err := s.openInstance(r, actImage)
	if err != nil {
		return err
	}
	return s.serveThumbnail(w, r, a)
}

// dicomThumbnail draws an object; own is false of a picture that stands for the
// right one for a while.
func (s *Server) dicomThumbnail(ctx context.Context, a cases.Attachment) (raw []byte, own bool, err error) {
	o, err := s.openObject(ctx, a.Hash)
	if err != nil {
		return nil, false, err
	}
	defer o.close()
	if film.Coding(o.file.TransferSyntax) != "" {
		return s.filmThumbnail(ctx, a.Hash)
	}
	if err := s.decoding.acquire(ctx); err != nil {
		return nil, false, err
	}
	defer s.decoding.release()
	src, err := pixel.Open(o.file, o.blob)
	if err == nil {
		if raw, err = pixel.Thumbnail(ctx, src, thumbnailSide); err == nil {
			return raw, true, nil
		}
	}
	if ctx.Err() != nil {
		return nil, false, problem.New("unavailable").Because(err)
	}
	return nil, false, problem.New("no-preview").Because(err)
}

// instanceFile answers the object's original bytes.
func (s *Server) instanceFile(w http.ResponseWriter, r *http.Request) error {
	a, err := s.openInstance(r, actDownload)
	if err != nil {
		return err
	}
	return s.serveBlob(w, r, a.Hash, "application/dicom", a.DICOM.SOPUID+".dcm", false)
}
