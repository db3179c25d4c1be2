package pixel

import (
	"context"
	"fmt"
)

// Encoded returns frame n (from 1) as stored when it is an 8-bit JPEG that any
// browser shows as Render would: grey without rescale, window or inversion, or
// colour whose space the stream itself makes known. ok is false when it is
// not; Frame then serves.
func (s *Source) Encoded(ctx context.Context, n int) (data []byte, mediaType string, ok bool, err error) {
	img, err := s.FrameInfo(n)
	if err != nil {
		return nil, "", false, err
	}
	if s.syntax != jpegBaseline || s.pixel.Native != nil {
		return nil, "", false, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, "", false, err
	}
	encoded, err := s.fragments(n)
	if err != nil {
		return nil, "", false, fmt.Errorf("reading frame %d: %w", n, err)
	}
	h, err := parseJPEG(encoded)
	if err != nil {
		return nil, "", false, fmt.Errorf("reading frame %d: %w", n, err)
	}
	if !h.plain8(img) || h.exif || !shownAsIs(h, img) {
		return nil, "", false, nil
	}
	return encoded, "image/jpeg", true, nil
}

// shownAsIs reports whether a browser's idea of the stream is the data set's.
func shownAsIs(h jpegHeader, img Image) bool {
	if img.Samples == 1 {
		return img.Palette == nil && !img.Invert && !img.Signed && img.BitsStored == 8 && img.identity()
	}
	ybr := img.Photometric != "RGB" || h.subsampled()
	return h.browserYBR() == ybr && img.Photometric != "YBR_PARTIAL_420" && img.Photometric != "YBR_PARTIAL_422"
}

// identity reports whether stored values are what is to be seen: no rescale,
// and no window but one over all 8 bits.
func (i *Image) identity() bool {
	if i.Slope != 1 || i.Intercept != 0 || i.ModalityLUT != nil || len(i.VOILUTs) > 0 {
		return false
	}
	if len(i.Windows) == 0 {
		return true
	}
	w := i.Windows[0]
	return i.VOIFunction != "SIGMOID" && w.Width >= 255 && w.Width <= 256 && w.Center >= 127 && w.Center <= 128
}
