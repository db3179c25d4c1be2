package pixel

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
)

const (
	jpegBaseline = "1.2.840.10008.1.2.4.50"
	jpegExtended = "1.2.840.10008.1.2.4.51"
)

func init() {
	Register(jpegBaseline, jpegDecoder{})
	Register(jpegExtended, jpegDecoder{}) // as far as it holds 8 bits
}

// jpegDecoder decodes 8-bit JPEG with the standard library into the components
// as coded; what colours they are the data set tells, not the stream.
type jpegDecoder struct{}

// Handles implements Chooser: 12-bit JPEG is left to others.
func (jpegDecoder) Handles(img Image) bool { return img.BitsAllocated == 8 }

// Decode implements Decoder.
func (jpegDecoder) Decode(ctx context.Context, encoded []byte, img Image) (*Pixels, error) {
	h, err := parseJPEG(encoded)
	if err != nil {
		return nil, err
	}
	if err := jpegFits(h, len(encoded), img); err != nil {
		return nil, err
	}
	// Streams that lack their end marker exist; one more does no harm.
	m, err := jpeg.Decode(io.MultiReader(bytes.NewReader(encoded), bytes.NewReader([]byte{0xFF, 0xD9})))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	p := &Pixels{Rows: img.Rows, Cols: img.Cols, Samples: img.Samples, Bits: 8}
	switch m := m.(type) {
	case *image.Gray:
		p.Data = make([]byte, 0, img.pixels())
		for y := range img.Rows {
			p.Data = append(p.Data, m.Pix[y*m.Stride:y*m.Stride+img.Cols]...)
		}
	case *image.YCbCr:
		p.Data = joinPlanes(m, img.Rows, img.Cols)
	case *image.RGBA:
		p.Data = make([]byte, 0, 3*img.pixels())
		for y := range img.Rows {
			for x := range img.Cols {
				at := y*m.Stride + 4*x
				p.Data = append(p.Data, m.Pix[at:at+3]...)
			}
		}
	default:
		return nil, fmt.Errorf("JPEG of %T: %w", m, ErrUnsupportedLayout)
	}
	return p, nil
}

// jpegFits checks the stream against the data set before memory is taken.
func jpegFits(h jpegHeader, size int, img Image) error {
	switch {
	case h.frame > 0xC2 || h.precision != 8:
		return fmt.Errorf("JPEG process %#x of %d bits: %w", h.frame, h.precision, ErrUnsupportedSyntax)
	case h.width != img.Cols || h.height != img.Rows || len(h.components) != img.Samples:
		return fmt.Errorf("JPEG of %d×%d×%d for an image of %d×%d×%d: %w", h.height, h.width, len(h.components), img.Rows, img.Cols, img.Samples, ErrCorrupt)
	case img.BitsAllocated != 8:
		return fmt.Errorf("8-bit JPEG for %d bits allocated: %w", img.BitsAllocated, ErrUnsupportedLayout)
	case int64(img.pixels()) > 1024*int64(size):
		return fmt.Errorf("JPEG of %d bytes for %d pixels: %w", size, img.pixels(), ErrCorrupt)
	}
	return nil
}

// joinPlanes interleaves three planes and brings halved ones to full size as
// libjpeg does, by a triangle filter.
func joinPlanes(m *image.YCbCr, rows, cols int) []byte {
	out := make([]byte, 3*rows*cols)
	cb, cr := make([]int, cols), make([]int, cols)
	for y := range rows {
		chromaRow(m, m.Cb, y, rows, cols, cb)
		chromaRow(m, m.Cr, y, rows, cols, cr)
		line := m.Y[y*m.YStride:]
		for x := range cols {
			at := 3 * (y*cols + x)
			out[at], out[at+1], out[at+2] = line[x], uint8(cb[x]), uint8(cr[x])
		}
	}
	return out
}

// chromaRow fills one row of a chroma plane at full width.
func chromaRow(m *image.YCbCr, plane []byte, y, rows, cols int, out []int) {
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		line := plane[y*m.CStride:]
		stretch(out, (cols+1)/2, 2, 1, 2, func(k int) int { return int(line[k]) })
	case image.YCbCrSubsampleRatio420:
		near := y / 2
		far := min(max(near-1+y%2*2, 0), (rows+1)/2-1)
		a, b := plane[near*m.CStride:], plane[far*m.CStride:]
		stretch(out, (cols+1)/2, 4, 8, 7, func(k int) int { return 3*int(a[k]) + int(b[k]) })
	default:
		for x := range out {
			out[x] = int(plane[m.COffset(x, y)])
		}
	}
}

// stretch doubles a line of n values: each output is three parts of the value
// it lies in and one of the nearer neighbour; shift and the two roundings
// (left, right) are those of libjpeg.
func stretch(out []int, n, shift, left, right int, at func(int) int) {
	for x := range out {
		k := x / 2
		here := at(k)
		other, round := k-1, left
		if x%2 == 1 {
			other, round = k+1, right
		}
		if other < 0 || other >= n {
			other = k
		}
		out[x] = (3*here + at(other) + round) >> shift
	}
}
