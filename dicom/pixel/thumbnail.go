package pixel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"

	"github.com/disintegration/imaging"
)

const thumbnailQuality = 82

// Thumbnail renders the middle frame of s, overlays drawn, as a JPEG no larger than maxSide in
// either direction.
func Thumbnail(ctx context.Context, s *Source, maxSide int) ([]byte, error) {
	n := (s.info.Frames + 1) / 2
	p, err := s.Frame(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("thumbnail: %w", err)
	}
	img, err := s.FrameInfo(n)
	if err != nil {
		return nil, fmt.Errorf("thumbnail: %w", err)
	}
	w := Window{}
	if p.Samples == 1 && len(img.Windows) == 0 && len(img.VOILUTs) == 0 {
		w = percentiles(p, img) // of all pixels, not of the reduced ones
	}
	k := 0
	for max(p.Rows, p.Cols)>>(k+1) >= 2*max(maxSide, 1) {
		k++
	}
	m := Render(Reduce(p, k), img, w)
	if s.OverlayPlanes() > 0 {
		overlays, err := s.Overlays(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("thumbnail: %w", err)
		}
		DrawOverlays(m, overlays, k)
	}
	return encodeThumbnail(m, maxSide)
}

func encodeThumbnail(m image.Image, maxSide int) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, errors.New("thumbnail: resizing failed")
		}
	}()
	small := image.Image(imaging.Fit(m, maxSide, maxSide, imaging.Box))
	if _, grey := m.(*image.Gray); grey { // a third of the bytes
		g := image.NewGray(small.Bounds())
		draw.Draw(g, g.Rect, small, small.Bounds().Min, draw.Src)
		small = g
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: thumbnailQuality}); err != nil {
		return nil, fmt.Errorf("thumbnail: %w", err)
	}
	return b.Bytes(), nil
}
