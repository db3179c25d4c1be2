package pixel

import (
	"context"
	"image"
)

// Reduce returns p at 1/2^k of its size in each direction, rounded up, each
// pixel the mean of those it replaces.
func Reduce(p *Pixels, k int) *Pixels { return p }

// Render makes a picture of p: colour as it is; grey through rescale or
// modality LUT, then window w (or, when w.Width is 0, the image's own window,
// VOI LUT, or percentiles), inverted where img says so.
func Render(p *Pixels, img Image, w Window) image.Image { return image.NewGray(image.Rect(0, 0, 1, 1)) }

// Thumbnail renders the middle frame of s as a JPEG no larger than maxSide in
// either direction.
func Thumbnail(ctx context.Context, s *Source, maxSide int) ([]byte, error) { return nil, ErrNoPixels }
