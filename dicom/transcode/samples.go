package transcode

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"sira/dicom"
	"sira/dicom/pixel"
)

// PixelSum is the SHA-256, in lower-case hex, of the decoded samples of all
// frames of f, whose bytes r holds: as stored, interleaved by pixel, little
// endian, every pixel with its own chroma, a byte for a sample of one bit. It is
// the same before and after Transcode.
func PixelSum(ctx context.Context, f *dicom.File, r io.ReaderAt) (string, error) {
	src, err := open(f, r)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for n := 1; n <= src.Info().Frames; n++ {
		p, err := src.Stored(ctx, n)
		if err != nil {
			return "", err
		}
		sum.Write(p.Data)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// WriteSamples writes the decoded samples of frame n of f, or of all when n is
// 0, as an uncompressed object would hold them interleaved by pixel and in
// little endian: palette indices and colour space as stored, two pixels to one
// chroma where they are stored uncompressed so, single bits packed.
func WriteSamples(ctx context.Context, f *dicom.File, r io.ReaderAt, n int, w io.Writer) error {
	src, err := open(f, r)
	if err != nil {
		return err
	}
	img := src.Info()
	first, last := 1, img.Frames
	if n != 0 {
		first, last = n, n
	}
	var bits bitPacker
	for n := first; n <= last; n++ {
		p, err := src.Stored(ctx, n)
		if err != nil {
			return err
		}
		data := p.Data
		switch {
		case img.BitsAllocated == 1:
			data = bits.add(data)
		case packed422(f, &img):
			data = pack422(data)
		}
		if _, err := w.Write(data); err != nil {
			return fmt.Errorf("writing samples: %w", err)
		}
	}
	if len(bits.rest) > 0 {
		if _, err := w.Write(packBits(bits.rest)); err != nil {
			return fmt.Errorf("writing samples: %w", err)
		}
	}
	return nil
}

// bitPacker packs bits across frames, which need not end at a byte.
type bitPacker struct{ rest []byte }

func (b *bitPacker) add(samples []byte) []byte {
	all := append(b.rest, samples...)
	whole := len(all) / 8 * 8
	b.rest = append([]byte(nil), all[whole:]...)
	return packBits(all[:whole])
}

// packed422 reports whether the uncompressed data shares chroma between two
// pixels (PS3.3 C.7.6.3.1.2), which not all do that say so.
func packed422(f *dicom.File, img *pixel.Image) bool {
	return f.Pixel.Native != nil && img.Samples == 3 && img.BitsAllocated == 8 && img.Cols%2 == 0 &&
		(img.Photometric == "YBR_FULL_422" || img.Photometric == "YBR_PARTIAL_422") &&
		f.Pixel.Native.Length/int64(img.Frames) < 3*int64(img.Rows)*int64(img.Cols)
}

// pack422 takes back the repetition of chroma: Y Y Cb Cr.
func pack422(data []byte) []byte {
	out := make([]byte, 0, len(data)/3*2)
	for ; len(data) >= 6; data = data[6:] {
		out = append(out, data[0], data[3], data[1], data[2])
	}
	return out
}
