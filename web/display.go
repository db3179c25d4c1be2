package web

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"sira/dicom/pixel"
	"sira/web/problem"
)

// displayView is what it takes beyond the manifest to show one frame: the way
// from its stored values to grey, and what lies over it.
type displayView struct {
	Slope       float64        `json:"slope"`
	Intercept   float64        `json:"intercept"`
	Windows     []pixel.Window `json:"windows"`
	VOI         string         `json:"voi"`
	ModalityLUT *lutView       `json:"modalityLUT,omitempty"`
	VOILUTs     []lutView      `json:"voiLUTs"`
	Overlays    []overlayView  `json:"overlays"`
}

// lutView is a look-up table; values are base64 of 16-bit words, little endian.
type lutView struct {
	First  int    `json:"first"`
	Bits   int    `json:"bits"`
	Label  string `json:"label"`
	Values string `json:"values"`
}

// overlayView is the part of an overlay that draws something; bits are base64
// of rows of whole bytes, the leftmost pixel in the lowest bit.
type overlayView struct {
	Group       string `json:"group"`
	ROI         bool   `json:"roi"`
	Label       string `json:"label"`
	Description string `json:"description"`
	X           int    `json:"x"`
	Y           int    `json:"y"`
	Cols        int    `json:"cols"`
	Rows        int    `json:"rows"`
	Bits        string `json:"bits"`
}

// hasDisplay says whether the manifest alone shows frames wrongly or without
// their overlays.
func hasDisplay(ctx context.Context, src *pixel.Source) bool {
	first := src.Info()
	if src.OverlayPlanes() > 0 || first.ModalityLUT != nil || len(first.VOILUTs) > 0 {
		return true
	}
	for n := 2; n <= first.Frames && ctx.Err() == nil; n++ {
		img, err := src.FrameInfo(n)
		if err != nil || img.Slope != first.Slope || img.Intercept != first.Intercept || img.VOIFunction != first.VOIFunction ||
			img.ModalityLUT != nil || len(img.VOILUTs) > 0 || !reflect.DeepEqual(img.Windows, first.Windows) {
			return err == nil
		}
	}
	return false
}

// display answers how frame n is shown, for frames of which the manifest says
// that there is more to know.
func (s *Server) display(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("frame"))
	if err != nil || n < 1 {
		return problem.New("not-found")
	}
	a, err := s.openInstance(r, actImage)
	if err != nil {
		return err
	}
	o, err := s.openObject(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer o.close()
	src, err := pixel.Open(o.file, o.blob)
	if err != nil {
		return pixelProblem(err)
	}
	img, err := src.FrameInfo(n)
	if err != nil {
		return pixelProblem(err)
	}
	v := displayView{Slope: img.Slope, Intercept: img.Intercept, Windows: []pixel.Window{}, VOI: img.VOIFunction,
		VOILUTs: []lutView{}, Overlays: []overlayView{}}
	v.Windows = append(v.Windows, img.Windows...)
	if img.ModalityLUT != nil {
		lut := viewLUT(*img.ModalityLUT)
		v.ModalityLUT = &lut
	}
	for _, lut := range img.VOILUTs {
		v.VOILUTs = append(v.VOILUTs, viewLUT(lut))
	}
	if src.OverlayPlanes() > 0 {
		if v.Overlays, err = s.overlays(r.Context(), src, n); err != nil {
			return err
		}
	}
	return s.writeJSON(w, r, http.StatusOK, v)
}

// overlays reads those of one frame; embedded ones take a decoder.
func (s *Server) overlays(ctx context.Context, src *pixel.Source, n int) ([]overlayView, error) {
	if err := s.decoding.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.decoding.release()
	list, err := src.Overlays(ctx, n)
	if err != nil {
		return nil, pixelProblem(err)
	}
	out := make([]overlayView, 0, len(list))
	for _, o := range list {
		out = append(out, overlayView{fmt.Sprintf("%04X", o.Group), o.ROI, o.Label, o.Description, o.X, o.Y, o.Cols, o.Rows, base64.StdEncoding.EncodeToString(o.Bits)})
	}
	return out, nil
}

func viewLUT(l pixel.LUT) lutView {
	raw := make([]byte, 0, 2*len(l.Values))
	for _, x := range l.Values {
		raw = binary.LittleEndian.AppendUint16(raw, x)
	}
	return lutView{l.First, l.Bits, l.Label, base64.StdEncoding.EncodeToString(raw)}
}
