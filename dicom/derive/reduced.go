package derive

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"sira/dicom/jpeg2000"
	"sira/dicom/pixel"
)

// Reduced decodes frame n (from 1) of an object at 1/2^reduce of its size in
// each direction, from as many bytes of its copy as that takes. img describes
// the original; only grey images are given, as pixel.Source.Frame gives them.
// The wavelet's low bands lie on the first pixel of those they stand for and
// keep the noise, so the band twice as large is decoded and then averaged: near
// to pixel.Reduce's means, though not the same. Errors: ErrNone when there is no copy to take them from.
func (d *Deriver) Reduced(ctx context.Context, hash string, n, reduce int, img pixel.Image) (*pixel.Pixels, error) {
	if d == nil || img.Samples != 1 || img.Palette != nil || img.HighBit != img.BitsStored-1 {
		return nil, ErrNone
	}
	c, blob, err := d.Open(ctx, hash, HTJ2K)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	if n < 1 || n > len(c.Frames) || reduce < 0 || reduce >= len(c.Frames[n-1].Levels) {
		return nil, ErrNone
	}
	f, discard := c.Frames[n-1], max(reduce-1, 0)
	level := f.Levels[len(f.Levels)-1-discard]
	stream := make([]byte, level.Bytes)
	if _, err := io.ReadFull(io.NewSectionReader(blob, f.Offset, f.Length), stream); err != nil {
		return nil, fmt.Errorf("reading a copy: %w", err)
	}
	m, err := jpeg2000.Decode(ctx, stream, jpeg2000.Options{Discard: discard})
	if err != nil {
		return nil, fmt.Errorf("decoding a copy: %w", err)
	}
	k := m.Components[0]
	if k.Bits > img.BitsStored || k.Signed != img.Signed {
		return nil, ErrNone // what is no part of the samples is coded with them
	}
	out := &pixel.Pixels{Rows: k.Height, Cols: k.Width, Samples: 1, Bits: img.SampleBits(), Signed: img.Signed}
	if out.Bits == 8 {
		out.Data = make([]byte, len(k.Samples))
		for i, v := range k.Samples {
			out.Data[i] = byte(v)
		}
		return pixel.Reduce(out, reduce-discard), nil
	}
	out.Data = make([]byte, 0, 2*len(k.Samples))
	for _, v := range k.Samples {
		out.Data = binary.LittleEndian.AppendUint16(out.Data, uint16(v))
	}
	return pixel.Reduce(out, reduce-discard), nil
}
