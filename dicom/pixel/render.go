package pixel

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"math"
	"sort"
	"sync"
)

// Render makes a picture of p: colour as it is; grey through rescale or
// modality LUT, then window w (or, when w.Width is 0, the image's own window,
// VOI LUT, or percentiles), inverted where img says so.
func Render(p *Pixels, img Image, w Window) draw.Image { return RenderInto(nil, p, img, w) }

// RenderInto is Render that makes a grey picture in buf where that is long
// enough. What buf held is lost.
func RenderInto(buf []byte, p *Pixels, img Image, w Window) draw.Image {
	if p.Samples == 3 {
		out := image.NewRGBA(image.Rect(0, 0, p.Cols, p.Rows))
		for k := range p.Rows * p.Cols {
			copy(out.Pix[4*k:4*k+3], p.Data[3*k:3*k+3])
			out.Pix[4*k+3] = 255
		}
		return out
	}
	size := p.Rows * p.Cols
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	out := &image.Gray{Pix: buf[:size], Stride: p.Cols, Rect: image.Rect(0, 0, p.Cols, p.Rows)}
	grey := greyMap(p, img, w)
	if p.Bits > 16 {
		for k := range out.Pix {
			out.Pix[k] = grey(float64(p.at(k)))
		}
		return out
	}
	table := levelTables.Get().(*[1 << 16]uint16)
	defer levelTables.Put(table)
	clear(table[:1<<p.Bits])
	if p.Bits != 16 {
		for k := range out.Pix {
			level := table[p.raw(k)&0xFFFF]
			if level == 0 {
				level = uint16(grey(float64(p.at(k)))) + 1
				table[p.raw(k)&0xFFFF] = level
			}
			out.Pix[k] = uint8(level - 1)
		}
		return out
	}
	data := p.Data[:2*len(out.Pix)]
	for k := range out.Pix {
		raw := binary.LittleEndian.Uint16(data[2*k : 2*k+2 : 2*k+2])
		level := table[raw]
		if level == 0 {
			level = uint16(grey(float64(p.at(k)))) + 1
			table[raw] = level
		}
		out.Pix[k] = uint8(level - 1)
	}
	return out
}

// levelTables hold by stored value one more than its level, 0 where it is not
// known yet.
var levelTables = sync.Pool{New: func() any { return new([1 << 16]uint16) }}

// greyMap returns the way of a stored value to a grey level.
func greyMap(p *Pixels, img Image, w Window) func(float64) uint8 {
	voi := func(float64) float64 { return 0 }
	switch {
	case w.Width > 0:
		voi = windowFunction(w, img.VOIFunction)
	case len(img.Windows) > 0:
		voi = windowFunction(img.Windows[0], img.VOIFunction)
	case len(img.VOILUTs) > 0:
		lut := img.VOILUTs[0]
		top := float64(int(1)<<lut.Bits - 1)
		voi = func(v float64) float64 { return lut.at(v) / top }
	default:
		voi = windowFunction(percentiles(p, img), "LINEAR_EXACT")
	}
	return func(stored float64) uint8 {
		v := min(max(voi(img.Modality(stored)), 0), 1)
		if img.Invert {
			v = 1 - v
		}
		return uint8(v*255 + 0.5)
	}
}

// Modality maps a stored value to modality units (PS3.3 C.11.1).
func (i *Image) Modality(stored float64) float64 {
	if i.ModalityLUT != nil {
		return i.ModalityLUT.at(stored)
	}
	return stored*i.Slope + i.Intercept
}

// windowFunction maps modality units to 0..1 (PS3.3 C.11.2.1.2 and .1.3).
func windowFunction(w Window, function string) func(float64) float64 {
	switch function {
	case "SIGMOID":
		return func(v float64) float64 { return 1 / (1 + math.Exp(-4*(v-w.Center)/w.Width)) }
	case "LINEAR_EXACT":
		return func(v float64) float64 { return (v-w.Center)/w.Width + 0.5 }
	}
	if w.Width <= 1 { // a threshold
		return func(v float64) float64 {
			if v <= w.Center-0.5 {
				return 0
			}
			return 1
		}
	}
	return func(v float64) float64 { return (v-(w.Center-0.5))/(w.Width-1) + 0.5 }
}

// percentiles is the window from the 1st to the 99th percentile of p's values,
// padding left out.
func percentiles(p *Pixels, img Image) Window {
	n := p.Rows * p.Cols
	stride := max(n/65536, 1)
	values := make([]float64, 0, n/stride+1)
	for k := 0; k < n; k += stride {
		v := p.at(k * p.Samples)
		if img.Padding != nil && v >= int64(img.Padding[0]) && v <= int64(img.Padding[1]) {
			continue
		}
		values = append(values, img.Modality(float64(v)))
	}
	if len(values) == 0 {
		return Window{Center: 0.5, Width: 1}
	}
	sort.Float64s(values)
	low, high := values[len(values)/100], values[len(values)-1-len(values)/100]
	if high <= low {
		low, high = values[0], values[len(values)-1]
	}
	return Window{Center: (low + high) / 2, Width: max(high-low, 1e-9)}
}

// DefaultWindow is the first window of the object or, when it has none, one
// that spans the 1st to the 99th percentile of its middle frame. It is of no
// use for colour.
func (s *Source) DefaultWindow(ctx context.Context) (Window, error) {
	if img := s.Info(); len(img.Windows) > 0 {
		return img.Windows[0], nil
	}
	n := (s.info.Frames + 1) / 2
	p, err := s.Frame(ctx, n)
	if err != nil {
		return Window{}, fmt.Errorf("default window: %w", err)
	}
	img, err := s.FrameInfo(n)
	if err != nil {
		return Window{}, err
	}
	return percentiles(p, img), nil
}
