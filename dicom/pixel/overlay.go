package pixel

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"sira/dicom"
)

// Elements of an overlay plane, of group 6000; the others lie 2 groups apart.
const (
	overlayRows        = dicom.Tag(0x60000010)
	overlayCols        = dicom.Tag(0x60000011)
	overlayFrames      = dicom.Tag(0x60000015)
	overlayDescription = dicom.Tag(0x60000022)
	overlayType        = dicom.Tag(0x60000040)
	overlayOrigin      = dicom.Tag(0x60000050)
	overlayFrameOrigin = dicom.Tag(0x60000051)
	overlayAllocated   = dicom.Tag(0x60000100)
	overlayPosition    = dicom.Tag(0x60000102)
	overlayLabel       = dicom.Tag(0x60001500)
	overlayData        = dicom.Tag(0x60003000)

	maxOverlayPlanes = 16       // PS3.5 section 7.6: groups 6000 to 601E
	maxOverlayBits   = 1 << 28  // of one frame of one plane
	overlayStep      = 0x020000 // from one plane's tags to the next
)

// Overlay is what one overlay plane (PS3.3 C.9.2) draws on one frame, cut to
// the smallest rectangle that holds it and to the image. Bits are its rows,
// each of (Cols+7)/8 bytes, the leftmost pixel in the lowest bit.
type Overlay struct {
	Group              int // 0x6000 … 0x601E
	ROI                bool
	Label, Description string
	X, Y               int // pixel of the image under the left upper corner, from 0
	Cols, Rows         int
	Bits               []byte
}

// At reports whether the overlay covers pixel x, y of itself.
func (o *Overlay) At(x, y int) bool {
	return o.Bits[y*((o.Cols+7)/8)+x/8]>>(x%8)&1 == 1
}

// plane is the description of an overlay plane.
type plane struct {
	group                 int
	rows, cols            int
	x, y                  int // of the image, from 0; may lie outside
	frames, first         int // overlay frames, and the image frame of the first; frames 0: the same on all
	bit                   int // in the pixel data, when embedded
	embedded, wordsTurned bool
	roi                   bool
	label, description    string
	data                  dicom.Section
}

// readPlanes reads what the object says of its overlays. A plane that says
// nothing usable is left out: its image is worth more than the refusal.
func readPlanes(f *dicom.File, img *Image) []plane {
	var out []plane
	for k := range maxOverlayPlanes {
		at := func(t dicom.Tag) dicom.Tag { return t + dicom.Tag(k*overlayStep) }
		p := plane{
			group: 0x6000 + 2*k, rows: number(f.DataSet, at(overlayRows), 0), cols: number(f.DataSet, at(overlayCols), 0),
			first: max(number(f.DataSet, at(overlayFrameOrigin), 1), 1), frames: max(number(f.DataSet, at(overlayFrames), 0), 0),
			roi: f.String(at(overlayType)) == "R", label: f.String(at(overlayLabel)), description: f.String(at(overlayDescription)),
		}
		if origin := f.Ints(at(overlayOrigin)); len(origin) >= 2 { // row, column, from 1
			p.y, p.x = origin[0]-1, origin[1]-1
		}
		switch el := f.Element(at(overlayData)); {
		case el != nil && el.Section.Length > 0 && el.Fragments == nil:
			p.data, p.wordsTurned = el.Section, f.BigEndian && el.VR != "OB"
		case f.Has(at(overlayPosition)) && number(f.DataSet, at(overlayAllocated), 1) > 1:
			// Retired: bits of the pixel data that are no part of the samples.
			p.embedded, p.bit = true, number(f.DataSet, at(overlayPosition), -1)
			low := img.HighBit + 1 - img.BitsStored
			if p.bit < 0 || p.bit >= img.BitsAllocated || p.bit >= low && p.bit <= img.HighBit || img.Samples != 1 {
				continue
			}
			p.rows, p.cols, p.x, p.y, p.frames = img.Rows, img.Cols, 0, 0, 0
		default:
			continue
		}
		if p.rows < 1 || p.cols < 1 || int64(p.rows)*int64(p.cols) > maxOverlayBits {
			continue
		}
		out = append(out, p)
	}
	return out
}

// OverlayPlanes is how many overlay planes the object describes.
func (s *Source) OverlayPlanes() int { return len(s.planes) }

// Overlays returns what lies over frame n (from 1), in order of groups. Planes
// that draw nothing there are left out; so is one whose data is cut short.
func (s *Source) Overlays(ctx context.Context, n int) ([]Overlay, error) {
	if n < 1 || n > s.info.Frames {
		return nil, fmt.Errorf("frame %d of %d: %w", n, s.info.Frames, ErrNoFrame)
	}
	var stored *Pixels
	var out []Overlay
	for i := range s.planes {
		p := &s.planes[i]
		var set func(x, y int) bool
		if p.embedded {
			if stored == nil {
				var err error
				if stored, err = s.Stored(ctx, n); err != nil {
					return nil, fmt.Errorf("overlays: %w", err)
				}
			}
			set = func(x, y int) bool { return stored.raw(y*p.cols+x)>>p.bit&1 == 1 }
		} else {
			raw, skip := s.planeBits(p, n)
			if raw == nil {
				continue
			}
			set = func(x, y int) bool { k := skip + y*p.cols + x; return raw[k/8]>>(k%8)&1 == 1 }
		}
		if o, ok := p.cut(&s.info, set); ok {
			out = append(out, o)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// planeBits reads the bytes that hold the plane over frame n, and how many bits
// of the first belong to what comes before; nil when there are none.
func (s *Source) planeBits(p *plane, n int) (raw []byte, skip int) {
	frame := 0
	if p.frames > 0 {
		if frame = n - p.first; frame < 0 || frame >= p.frames {
			return nil, 0
		}
	}
	bits := int64(p.rows) * int64(p.cols)
	from := int64(frame) * bits
	start := from / 16 * 2
	raw = make([]byte, ((from+bits+15)/16*2)-start)
	if left := p.data.Length - start; left < int64(len(raw)) {
		if left*8 < from+bits-start*8 {
			return nil, 0
		}
		raw = raw[:left]
	}
	if readAt(s.data, raw, p.data.Offset+start) != nil {
		return nil, 0
	}
	if p.wordsTurned {
		swapWords(raw)
	}
	return raw, int(from - start*8)
}

// cut makes an Overlay of the bits that are set and lie on the image.
func (p *plane) cut(img *Image, set func(x, y int) bool) (Overlay, bool) {
	x0, y0 := max(0, -p.x), max(0, -p.y)
	x1, y1 := min(p.cols, img.Cols-p.x), min(p.rows, img.Rows-p.y)
	box := image.Rectangle{}
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			if set(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if box.Empty() {
		return Overlay{}, false
	}
	o := Overlay{Group: p.group, ROI: p.roi, Label: p.label, Description: p.description,
		X: p.x + box.Min.X, Y: p.y + box.Min.Y, Cols: box.Dx(), Rows: box.Dy()}
	width := (o.Cols + 7) / 8
	o.Bits = make([]byte, width*o.Rows)
	for y := range o.Rows {
		for x := range o.Cols {
			if set(box.Min.X+x, box.Min.Y+y) {
				o.Bits[y*width+x/8] |= 1 << (x % 8)
			}
		}
	}
	return o, true
}

// DrawOverlays draws overlays in white on m, a rendering of their frame at
// 1/2^k of its size. A pixel that stands for several is white when any of them
// is covered.
func DrawOverlays(m draw.Image, overlays []Overlay, k int) {
	grey, isGrey := m.(*image.Gray)
	for i := range overlays {
		o := &overlays[i]
		for y := range o.Rows {
			for x := range o.Cols {
				if !o.At(x, y) {
					continue
				}
				if at := (image.Point{X: (o.X + x) >> k, Y: (o.Y + y) >> k}); isGrey {
					grey.Pix[grey.PixOffset(at.X, at.Y)] = 255
				} else {
					m.Set(at.X, at.Y, color.White)
				}
			}
		}
	}
}
