package pixel

import (
	"context"
	"errors"
	"fmt"

	"sira/dicom/jpeg2000"
)

// Transfer syntaxes of JPEG 2000 and HTJ2K (PS3.5 A.4.4, A.4.11, A.4.12).
const (
	jpeg2000Lossless      = "1.2.840.10008.1.2.4.90"
	jpeg2000Lossy         = "1.2.840.10008.1.2.4.91"
	jpeg2000MultiLossless = "1.2.840.10008.1.2.4.92"
	jpeg2000MultiLossy    = "1.2.840.10008.1.2.4.93"
	htj2kLossless         = "1.2.840.10008.1.2.4.201"
	htj2kLosslessRPCL     = "1.2.840.10008.1.2.4.202"
	htj2kLossy            = "1.2.840.10008.1.2.4.203"
)

func init() {
	for _, uid := range []string{
		jpeg2000Lossless, jpeg2000Lossy, jpeg2000MultiLossless, jpeg2000MultiLossy,
		htj2kLossless, htj2kLosslessRPCL, htj2kLossy,
	} {
		Register(uid, jpeg2000Decoder{})
	}
}

// jpeg2000Decoder decodes JPEG 2000 part 1 and HTJ2K frames. The component
// transform is undone: YBR_RCT and YBR_ICT come out as RGB (PS3.5 8.2.4).
type jpeg2000Decoder struct{}

// Decode implements Decoder.
func (jpeg2000Decoder) Decode(ctx context.Context, encoded []byte, img Image) (*Pixels, error) {
	c, err := jpeg2000.DecodeConfig(encoded)
	if err != nil {
		return nil, jpeg2000Error(err)
	}
	if err := jpeg2000Fits(c, img); err != nil {
		return nil, err
	}
	// The size is the data set's, so what is taken is what was announced.
	n := int64(img.pixels()) * int64(img.Samples)
	m, err := jpeg2000.Decode(ctx, encoded, jpeg2000.Options{Limits: jpeg2000.Limits{Samples: n, PerByte: n}})
	if err != nil {
		return nil, jpeg2000Error(err)
	}
	p := &Pixels{Rows: img.Rows, Cols: img.Cols, Samples: img.Samples, Bits: img.sampleBytes() * 8, Signed: img.Signed}
	p.Data = interleavePlanes(m, img.sampleBytes())
	return p, nil
}

// jpeg2000Fits checks the stream against the data set before memory is taken.
func jpeg2000Fits(c jpeg2000.Config, img Image) error {
	if c.Width != img.Cols || c.Height != img.Rows || len(c.Components) != img.Samples {
		return fmt.Errorf("JPEG 2000 of %d×%d×%d for an image of %d×%d×%d: %w",
			c.Height, c.Width, len(c.Components), img.Rows, img.Cols, img.Samples, ErrCorrupt)
	}
	for _, k := range c.Components {
		if k.Bits > img.BitsAllocated {
			return fmt.Errorf("JPEG 2000 of %d bits for %d bits allocated: %w", k.Bits, img.BitsAllocated, ErrCorrupt)
		}
	}
	return nil
}

// interleavePlanes writes the samples of m pixel by pixel, width bytes each; of
// subsampled components each sample stands for those beside it.
func interleavePlanes(m *jpeg2000.Image, width int) []byte {
	n := len(m.Components)
	out := make([]byte, m.Width*m.Height*n*width)
	for k := range m.Components {
		c := &m.Components[k]
		stride := n * width
		for y := range m.Height {
			line := out[(y*m.Width*n+k)*width:]
			row := c.Samples[min(y/c.DY, c.Height-1)*c.Width:][:c.Width]
			if c.DX > 1 {
				for x := range m.Width {
					putSample(line[x*stride:], row[min(x/c.DX, c.Width-1)], width)
				}
				continue
			}
			switch width {
			case 1:
				for x, v := range row {
					line[x*stride] = byte(v)
				}
			case 2:
				for x, v := range row {
					b := line[x*stride : x*stride+2]
					b[0], b[1] = byte(v), byte(v>>8)
				}
			default:
				for x, v := range row {
					putSample(line[x*stride:], v, width)
				}
			}
		}
	}
	return out
}

// putSample writes the lowest bytes of v.
func putSample(b []byte, v int32, width int) {
	for i := range width {
		b[i] = byte(v >> (8 * i))
	}
}

// jpeg2000Error says in this package's terms what went wrong.
func jpeg2000Error(err error) error {
	switch {
	case errors.Is(err, jpeg2000.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupportedSyntax, err)
	case errors.Is(err, jpeg2000.ErrTruncated):
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	case errors.Is(err, jpeg2000.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
