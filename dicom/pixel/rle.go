package pixel

import (
	"context"
	"encoding/binary"
	"fmt"
)

func init() { Register("1.2.840.10008.1.2.5", rle{}) }

// rle decodes RLE Lossless (PS3.5 Annex G): a header of segment offsets, each
// segment one byte of each sample packed by PackBits, the most significant
// byte of the first sample first.
type rle struct{}

const (
	rleHeader   = 64
	rleSegments = 15
)

// Decode implements Decoder.
func (rle) Decode(ctx context.Context, encoded []byte, img Image) (*Pixels, error) {
	segments, err := rleSplit(encoded)
	if err != nil {
		return nil, err
	}
	width := img.sampleBytes()
	plane := img.pixels()
	if img.BitsAllocated == 1 {
		plane = (plane + 7) / 8
	}
	if len(segments) != width*img.Samples {
		return nil, fmt.Errorf("%d RLE segments, %d expected: %w", len(segments), width*img.Samples, ErrCorrupt)
	}
	for _, s := range segments { // two bytes give at most 128
		if int64(plane) > int64(len(s))*64 {
			return nil, fmt.Errorf("RLE segment of %d bytes for %d pixels: %w", len(s), plane, ErrCorrupt)
		}
	}
	out := make([]byte, plane*width*img.Samples)
	stride := width * img.Samples
	for k, s := range segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sample, significance := k/width, k%width
		if got := unpackRLE(s, out[sample*width+width-1-significance:], stride, plane); got < plane {
			return nil, fmt.Errorf("RLE segment %d gives %d of %d bytes: %w", k+1, got, plane, ErrCorrupt)
		}
	}
	if img.BitsAllocated == 1 {
		out = unpackBits(out, 0, img.pixels())
	}
	return &Pixels{Rows: img.Rows, Cols: img.Cols, Samples: img.Samples, Bits: width * 8, Signed: img.Signed, Data: out}, nil
}

// rleSplit cuts the segments out. Offsets need not ascend: a segment ends
// where the next one in the file begins.
func rleSplit(encoded []byte) ([][]byte, error) {
	if len(encoded) < rleHeader {
		return nil, fmt.Errorf("RLE header of %d bytes: %w", len(encoded), ErrCorrupt)
	}
	n := binary.LittleEndian.Uint32(encoded)
	if n < 1 || n > rleSegments {
		return nil, fmt.Errorf("%d RLE segments: %w", n, ErrCorrupt)
	}
	offsets := make([]uint32, n)
	for i := range offsets {
		offsets[i] = binary.LittleEndian.Uint32(encoded[4+4*i:])
		if offsets[i] < rleHeader || uint64(offsets[i]) > uint64(len(encoded)) {
			return nil, fmt.Errorf("RLE segment at %d of %d bytes: %w", offsets[i], len(encoded), ErrCorrupt)
		}
	}
	segments := make([][]byte, n)
	for i, from := range offsets {
		to := uint32(len(encoded))
		for _, other := range offsets {
			if other > from && other < to {
				to = other
			}
		}
		segments[i] = encoded[from:to]
	}
	return segments, nil
}

// unpackRLE writes n unpacked bytes to out, stride apart, and returns how many
// there were. Bytes beyond n are padding.
func unpackRLE(in, out []byte, stride, n int) int {
	done, at := 0, 0
	for done < n && len(in) > 0 {
		code := int(in[0])
		in = in[1:]
		switch {
		case code < 128:
			count := min(code+1, len(in), n-done)
			for _, b := range in[:count] {
				out[at] = b
				at += stride
			}
			done += count
			in = in[min(code+1, len(in)):]
		case code > 128:
			if len(in) == 0 {
				return done
			}
			count := min(257-code, n-done)
			for range count {
				out[at] = in[0]
				at += stride
			}
			done += count
			in = in[1:]
		}
	}
	return done
}
