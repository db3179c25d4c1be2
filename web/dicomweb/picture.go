package dicomweb

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"sync"

	"golang.org/x/image/draw"

	greyjpeg "sira/dicom/jpeg"
	"sira/dicom/pixel"
)

// picture renders frame n of src as kind.
func (s *Service) picture(ctx context.Context, src *pixel.Source, n int, l look, kind string) ([]byte, error) {
	img, err := src.FrameInfo(n)
	if err != nil {
		return nil, err
	}
	if kind == typeJPEG && !l.asked && src.OverlayPlanes() == 0 {
		if data, _, ok, err := src.Encoded(ctx, n); err == nil && ok {
			return data, nil
		}
	}
	release, err := s.decode(ctx, img)
	if err != nil {
		return nil, err
	}
	defer release()
	room := canvases.Get().(*canvas)
	defer canvases.Put(room)
	room.fit(img)
	src.Lend(room.stored)
	defer src.Lend(nil)
	p, err := src.Frame(ctx, n)
	if err != nil {
		return nil, err
	}
	if l.function != "" {
		img.VOIFunction = l.function
	}
	m := pixel.RenderInto(room.grey, p, img, l.window)
	if src.OverlayPlanes() > 0 && !l.bare {
		overlays, err := src.Overlays(ctx, n)
		if err != nil {
			return nil, err
		}
		pixel.DrawOverlays(m, overlays, 0)
	}
	return encode(l.fit(m), l, kind)
}

// canvas is the memory of one picture on its way, used again: made anew for
// each, it would keep the garbage collector as busy as the encoder.
type canvas struct{ stored, grey []byte }

var canvases = sync.Pool{New: func() any { return new(canvas) }}

// canvasPixels bounds the pictures whose memory is kept.
const canvasPixels = 1 << 20

// fit makes room for a grey frame; for none that is large or in colour.
func (c *canvas) fit(img pixel.Image) {
	size := img.Rows * img.Cols
	if img.Samples != 1 || size > canvasPixels {
		return
	}
	if need := size*img.SampleBits()/8 + 2; len(c.stored) < need {
		c.stored = make([]byte, need)
	}
	if len(c.grey) < size {
		c.grey = make([]byte, size)
	}
}

// fit cuts the region out and scales it into the viewport, keeping its shape.
func (l *look) fit(m image.Image) image.Image {
	if l.width == 0 {
		return m
	}
	from := m.Bounds()
	if l.region != nil {
		from = l.cut(from)
	}
	scale := min(float64(l.width)/float64(from.Dx()), float64(l.height)/float64(from.Dy()))
	to := image.Rect(0, 0, side(from.Dx(), scale, l.width), side(from.Dy(), scale, l.height))
	if to == from {
		return m
	}
	var out draw.Image = image.NewRGBA(to)
	if _, grey := m.(*image.Gray); grey {
		out = image.NewGray(to)
	}
	var kernel draw.Interpolator = draw.ApproxBiLinear
	if scale < 0.75 {
		kernel = draw.BiLinear // looks at all pixels, not only at the nearest
	}
	kernel.Scale(out, to, m, from, draw.Src, nil)
	return out
}

func side(n int, scale float64, most int) int {
	return min(max(int(math.Round(float64(n)*scale)), 1), most)
}

// cut is the part of b the viewport asks for, at least one pixel of it.
func (l *look) cut(b image.Rectangle) image.Rectangle {
	r := *l.region
	x, y := min(int(r[0]), b.Dx()-1), min(int(r[1]), b.Dy()-1)
	w, h := b.Dx()-x, b.Dy()-y
	if r[2] > 0 {
		w = min(max(int(r[2]), 1), w)
	}
	if r[3] > 0 {
		h = min(max(int(r[3]), 1), h)
	}
	return image.Rect(x, y, x+w, y+h)
}

// pngs compress fast: a CT frame takes a third of the default's time, and is a
// little longer.
var pngs = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &pngBuffers{}}

type pngBuffers struct{ pool sync.Pool }

func (b *pngBuffers) Get() *png.EncoderBuffer {
	e, _ := b.pool.Get().(*png.EncoderBuffer)
	return e
}

func (b *pngBuffers) Put(e *png.EncoderBuffer) { b.pool.Put(e) }

func encode(m image.Image, l look, kind string) ([]byte, error) {
	if grey, ok := m.(*image.Gray); ok && kind == typeJPEG {
		data, err := greyjpeg.EncodeGrey(grey, l.quality)
		if err != nil {
			return nil, fmt.Errorf("encoding a picture: %w", err)
		}
		return data, nil
	}
	var b bytes.Buffer
	var err error
	if kind == typePNG {
		err = pngs.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: l.quality})
	}
	if err != nil {
		return nil, fmt.Errorf("encoding a picture: %w", err)
	}
	return b.Bytes(), nil
}
