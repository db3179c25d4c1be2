package pixel

import (
	"context"
	"errors"
	"fmt"

	"sira/dicom/jpegls"
)

func init() {
	for _, syntax := range []string{jpegLSLossless, jpegLSNear} {
		Register(syntax, jpegLSDecoder{})
	}
}

const (
	jpegLSLossless = "1.2.840.10008.1.2.4.80"
	jpegLSNear     = "1.2.840.10008.1.2.4.81"
)

// jpegLSDecoder decodes JPEG-LS into the components as coded.
type jpegLSDecoder struct{}

// Handles implements Chooser.
func (jpegLSDecoder) Handles(img Image) bool { return fitsCodec(img) }

// Decode implements Decoder.
func (jpegLSDecoder) Decode(ctx context.Context, encoded []byte, img Image) (*Pixels, error) {
	h, err := jpegls.DecodeHeader(encoded)
	if err != nil {
		return nil, codecError(err, jpegls.ErrUnsupported)
	}
	if h.Width != img.Cols || h.Height != img.Rows && h.Height != 0 || h.Components != img.Samples {
		return nil, fmt.Errorf("JPEG-LS of %d×%d×%d for an image of %d×%d×%d: %w", h.Height, h.Width, h.Components, img.Rows, img.Cols, img.Samples, ErrCorrupt)
	}
	m, err := jpegls.Decode(ctx, encoded, jpegls.Limits{Bytes: MaxFrameBytes})
	if err == nil {
		m, err = m.Mapped()
	}
	if err != nil {
		return nil, codecError(err, jpegls.ErrUnsupported)
	}
	return toPixels(m.Width, m.Height, m.Components, m.Bits, m.Data, img)
}

// fitsCodec reports whether the samples of img are of a width that the JPEG
// family delivers.
func fitsCodec(img Image) bool { return img.BitsAllocated == 8 || img.BitsAllocated == 16 }

// codecError adds what callers of this package tell apart.
func codecError(err, unsupported error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, unsupported):
		return fmt.Errorf("%w: %w", ErrUnsupportedSyntax, err)
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// toPixels brings decoded samples of any precision to the allocated width.
func toPixels(cols, rows, samples, bits int, data []byte, img Image) (*Pixels, error) {
	p := &Pixels{Rows: rows, Cols: cols, Samples: samples, Bits: img.sampleBytes() * 8, Signed: img.Signed, Data: data}
	switch {
	case bits > img.BitsAllocated:
		return nil, fmt.Errorf("coded with %d bits, %d allocated: %w", bits, img.BitsAllocated, ErrUnsupportedLayout)
	case bits <= 8 && p.Bits == 16:
		p.Data = make([]byte, 2*len(data))
		for k, v := range data {
			p.Data[2*k] = v
		}
	}
	return p, nil
}
