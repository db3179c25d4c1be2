package deid

import (
	"context"
	"errors"
	"image"
	"image/color"
	"io"

	"sira/dicom"
	"sira/dicom/pixel"
)

// Preview is frame n (from 1) of f as it will be sent: masks black, framed in
// red so that a person sees where they are, with all that review asks for.
// It returns the masks in force; what is outside them leaves as it is.
func (p *Profile) Preview(ctx context.Context, f *dicom.File, r io.ReaderAt, n int, review *Review) (image.Image, []Mask, error) {
	if err := p.refuse(f); err != nil {
		return nil, nil, err
	}
	masks, _ := p.look(f)
	masks = review.with(masks)
	src, err := pixel.Open(f, r)
	if err != nil {
		return nil, nil, errors.Join(ErrPixels, err)
	}
	px, err := src.Frame(ctx, n)
	if err != nil {
		return nil, nil, errors.Join(ErrPixels, err)
	}
	img, err := src.FrameInfo(n)
	if err != nil {
		return nil, nil, errors.Join(ErrPixels, err)
	}
	rendered := pixel.Render(px, img, pixel.Window{})
	out := image.NewRGBA(rendered.Bounds())
	for y := range img.Rows {
		for x := range img.Cols {
			out.Set(x, y, rendered.At(x, y))
		}
	}
	for _, rect := range forFrame(masks, n, img) {
		frameRect(out, rect)
	}
	return out, masks, nil
}

func frameRect(m *image.RGBA, r image.Rectangle) {
	inner := r.Inset(2)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := color.RGBA{220, 0, 0, 255}
			if (image.Point{x, y}).In(inner) {
				c = color.RGBA{0, 0, 0, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
}
