package main

import (
	"context"
	"encoding/binary"
	"fmt"

	"sira/dicom/jpeg2000"
)

// level is one line of the table of prefixes.
type level struct {
	width, height int
	bytes         int // mean of the frames
	ms            []float64
	exact         int // prefixes whose picture is that of the whole stream
}

// prefixes decodes the first bytes of our HTJ2K streams to each level.
func (b *bench) prefixes(ctx context.Context) ([]level, error) {
	fmt.Fprintln(b.log, "HTJ2K prefixes")
	var streams []*jpeg2000.Encoded
	for _, f := range b.frames {
		c := jpeg2000.Component{Width: side, Height: side, Bits: 12, Samples: make([]int32, side*side)}
		for k := range c.Samples {
			c.Samples[k] = int32(binary.LittleEndian.Uint16(f[2*k:]))
		}
		e, err := jpeg2000.Encode(ctx, &jpeg2000.Image{Width: side, Height: side, Components: []jpeg2000.Component{c}}, jpeg2000.EncodeOptions{})
		if err != nil {
			return nil, fmt.Errorf("encoding: %w", err)
		}
		streams = append(streams, e)
	}
	var out []level
	for k := range streams[0].Levels {
		l := streams[0].Levels[k]
		r := level{width: l.Width, height: l.Height}
		for _, e := range streams {
			at := e.Levels[k]
			r.bytes += at.Bytes
			whole, err := jpeg2000.Decode(ctx, e.Data, jpeg2000.Options{Discard: at.Discard})
			if err != nil {
				return nil, fmt.Errorf("decoding: %w", err)
			}
			part, err := jpeg2000.Decode(ctx, e.Data[:at.Bytes:at.Bytes], jpeg2000.Options{Discard: at.Discard})
			if err != nil {
				return nil, fmt.Errorf("decoding a prefix: %w", err)
			}
			if same(whole, part) {
				r.exact++
			}
		}
		r.bytes /= len(streams)
		for range b.rounds {
			ms, err := clock(func() error {
				for _, e := range streams {
					if _, err := jpeg2000.Decode(ctx, e.Data[:e.Levels[k].Bytes], jpeg2000.Options{Discard: l.Discard}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return nil, fmt.Errorf("decoding a prefix: %w", err)
			}
			r.ms = append(r.ms, ms/float64(len(streams)))
		}
		out = append(out, r)
	}
	return out, nil
}

func same(a, b *jpeg2000.Image) bool {
	for k, v := range a.Components[0].Samples {
		if b.Components[0].Samples[k] != v {
			return false
		}
	}
	return a.Width == b.Width && a.Height == b.Height
}
