package pixel

import (
	"context"
	"fmt"

	"sira/dicom/jpeg"
)

const (
	jpegBaseline    = "1.2.840.10008.1.2.4.50"
	jpegExtended    = "1.2.840.10008.1.2.4.51"
	jpegSpectral    = "1.2.840.10008.1.2.4.53" // retired, progressive in part
	jpegProgressive = "1.2.840.10008.1.2.4.55" // retired
	jpegLossless    = "1.2.840.10008.1.2.4.57"
	jpegLosslessSV1 = "1.2.840.10008.1.2.4.70"
)

func init() {
	for _, syntax := range []string{jpegBaseline, jpegExtended, jpegSpectral, jpegProgressive, jpegLossless, jpegLosslessSV1} {
		Register(syntax, jpegDecoder{})
	}
}

// jpegDecoder decodes any JPEG stream into the components as coded; what
// colours they are the data set tells, not the stream.
type jpegDecoder struct{}

// Handles implements Chooser.
func (jpegDecoder) Handles(img Image) bool { return fitsCodec(img) }

// Decode implements Decoder.
func (jpegDecoder) Decode(ctx context.Context, encoded []byte, img Image) (*Pixels, error) {
	h, err := jpeg.DecodeHeader(encoded)
	if err != nil {
		return nil, codecError(err, jpeg.ErrUnsupported)
	}
	if h.Width != img.Cols || h.Height != img.Rows && h.Height != 0 || len(h.Components) != img.Samples {
		return nil, fmt.Errorf("JPEG of %d×%d×%d for an image of %d×%d×%d: %w", h.Height, h.Width, len(h.Components), img.Rows, img.Cols, img.Samples, ErrCorrupt)
	}
	m, err := jpeg.Decode(ctx, encoded, jpeg.Limits{Bytes: MaxFrameBytes})
	if err != nil {
		return nil, codecError(err, jpeg.ErrUnsupported)
	}
	return toPixels(m.Width, m.Height, m.Components, m.Bits, m.Data, img)
}

// isLossyJPEG reports whether a syntax may hold subsampled colour.
func isLossyJPEG(syntax string) bool {
	switch syntax {
	case jpegBaseline, jpegExtended, jpegSpectral, jpegProgressive:
		return true
	}
	return false
}
