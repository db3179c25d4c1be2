package transcode

import (
	"context"
	"encoding/binary"
	"fmt"

	"sira/dicom/pixel"
)

// encodeRLE encodes a frame by PS3.5 Annex G: a header of segment offsets, then
// a segment for each byte of each sample, the most significant first. Rows are
// packed one by one (G.3.1).
func encodeRLE(ctx context.Context, p *pixel.Pixels, j *job) ([]byte, error) {
	data, width, cols, rows := p.Data, p.Bits/8, p.Cols, p.Rows
	if j.img.BitsAllocated == 1 {
		data = packBits(p.Data)
		cols, rows = len(data), 1
	}
	segments := width * p.Samples
	if segments > 15 {
		return nil, fmt.Errorf("%d RLE segments: %w", segments, ErrImage)
	}
	out := make([]byte, 64, 64+len(data)/2)
	binary.LittleEndian.PutUint32(out, uint32(segments))
	row := make([]byte, cols)
	for s := range segments {
		binary.LittleEndian.PutUint32(out[4+4*s:], uint32(len(out)))
		at := s/width*width + width - 1 - s%width
		for range rows {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for x := range row {
				row[x] = data[at]
				at += segments
			}
			out = packRow(out, row)
		}
		if len(out)%2 == 1 {
			out = append(out, 0)
		}
	}
	return out, nil
}

// packRow appends row by PackBits: runs of three and more are repeated, the
// rest is literal.
func packRow(out, row []byte) []byte {
	for len(row) > 0 {
		if n := run(row); n > 1 {
			out = append(out, byte(257-n), row[0])
			row = row[n:]
			continue
		}
		n := 1
		for n < len(row) && n < 128 && run(row[n:]) < 3 {
			n++
		}
		out = append(append(out, byte(n-1)), row[:n]...)
		row = row[n:]
	}
	return out
}

// run is how often the first byte of b repeats, at most 128.
func run(b []byte) int {
	n := 1
	for n < len(b) && n < 128 && b[n] == b[0] {
		n++
	}
	return n
}
