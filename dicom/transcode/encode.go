package transcode

import (
	"context"
	"fmt"
	"math/bits"

	"sira/dicom/jpeg"
	"sira/dicom/jpeg2000"
	"sira/dicom/jpegls"
	"sira/dicom/pixel"
)

// encoder compresses one frame.
type encoder func(ctx context.Context, p *pixel.Pixels, j *job) ([]byte, error)

var encoders = map[string]encoder{
	RLE: encodeRLE, JPEGLossless: encodeJPEG, JPEGLosslessSV1: encodeJPEG,
	JPEGLSLossless: encodeJPEGLS, JPEG2000Lossless: encodeJPEG2000, HTJ2KLossless: encodeJPEG2000, HTJ2KRPCL: encodeJPEG2000,
}

// codable refuses what the JPEG family has no form for in DICOM (PS3.5 8.2).
func (j *job) codable() error {
	if j.to != RLE && j.img.BitsAllocated != 8 && j.img.BitsAllocated != 16 {
		return fmt.Errorf("%d bits allocated: %w", j.img.BitsAllocated, ErrImage)
	}
	return nil
}

// sample is sample k as stored, all its allocated bits.
func sample(p *pixel.Pixels, k int) uint32 {
	if p.Bits == 8 {
		return uint32(p.Data[k])
	}
	return uint32(p.Data[2*k]) | uint32(p.Data[2*k+1])<<8
}

// precision is the number of bits to code unsigned samples with: those stored,
// or all when others are in use, as overlays, padding and sign extension do.
// Coded signed numbers are given whole, for readers differ on extending them.
func precision(p *pixel.Pixels, img *pixel.Image) int {
	if img.Signed && img.BitsStored < p.Bits {
		return p.Bits
	}
	or := uint32(0)
	for k := range p.Rows * p.Cols * p.Samples {
		or |= sample(p, k)
	}
	if n := max(img.BitsStored, 2); bits.Len32(or) <= n {
		return n
	}
	return p.Bits
}

// narrow is the samples in one byte each when bits is 8 or less, which is how
// the codecs want them.
func narrow(p *pixel.Pixels, bits int) []byte {
	if p.Bits == 8 || bits > 8 {
		return p.Data
	}
	out := make([]byte, len(p.Data)/2)
	for k := range out {
		out[k] = p.Data[2*k]
	}
	return out
}

func encodeJPEG(ctx context.Context, p *pixel.Pixels, j *job) ([]byte, error) {
	n := precision(p, &j.img)
	return jpeg.Encode(ctx, &jpeg.Image{Width: p.Cols, Height: p.Rows, Components: p.Samples, Bits: n, Data: narrow(p, n)}, jpeg.EncodeOptions{})
}

func encodeJPEGLS(ctx context.Context, p *pixel.Pixels, j *job) ([]byte, error) {
	n := precision(p, &j.img)
	m := &jpegls.Image{Width: p.Cols, Height: p.Rows, Components: p.Samples, Bits: n, Data: narrow(p, n)}
	return jpegls.Encode(ctx, m, jpegls.EncodeOptions{Interleave: jpegls.InterleaveLine})
}

// encodeJPEG2000 codes JPEG 2000 or HTJ2K, as the job asks for.
func encodeJPEG2000(ctx context.Context, p *pixel.Pixels, j *job) ([]byte, error) {
	n, count := precision(p, &j.img), p.Rows*p.Cols
	if j.img.Signed {
		n = signedPrecision(p, &j.img)
	}
	m := &jpeg2000.Image{Width: p.Cols, Height: p.Rows}
	for c := range p.Samples {
		out := make([]int32, count)
		for k := range out {
			v := sample(p, k*p.Samples+c)
			if j.img.Signed {
				out[k] = extend(v, p.Bits)
			} else {
				out[k] = int32(v)
			}
		}
		m.Components = append(m.Components, jpeg2000.Component{
			Width: p.Cols, Height: p.Rows, DX: 1, DY: 1, Bits: n, Signed: j.img.Signed, Samples: out,
		})
	}
	e, err := jpeg2000.Encode(ctx, m, jpeg2000.EncodeOptions{NoColourTransform: !j.transformed(), Part1: j.to == JPEG2000Lossless})
	if err != nil {
		return nil, err
	}
	j.levels = e.Levels
	return e.Data, nil
}

// signedPrecision is the number of bits that hold all samples with their sign.
func signedPrecision(p *pixel.Pixels, img *pixel.Image) int {
	limit := int32(1) << (img.BitsStored - 1)
	for k := range p.Rows * p.Cols * p.Samples {
		if v := extend(sample(p, k), p.Bits); v < -limit || v >= limit {
			return p.Bits
		}
	}
	return img.BitsStored
}

func extend(v uint32, bits int) int32 { return int32(v<<(32-bits)) >> (32 - bits) }
