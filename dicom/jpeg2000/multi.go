package jpeg2000

import (
	"context"
	"fmt"
	"math"
)

// outputs are the components that come out: those of SIZ, unless a transform
// of part 2 gives samples of the depths in CBD.
func (s *stream) outputs() []componentSize {
	if s.main.multi.depths == nil {
		return s.components
	}
	out := append([]componentSize(nil), s.components...)
	for i, d := range s.main.multi.depths {
		out[i].bits, out[i].signed = d.bits, d.signed
	}
	return out
}

// channel is a component between two transforms: of integers as long as
// nothing made fractions of them.
type channel struct {
	ints   plane[int32]
	floats plane[float32]
	whole  bool
}

func (c *channel) rect() rect {
	if c.whole {
		return c.ints.rect
	}
	return c.floats.rect
}

func (c *channel) row(y int, out []float64) {
	if c.whole {
		for x, v := range c.ints.row(y) {
			out[x] = float64(v)
		}
		return
	}
	for x, v := range c.floats.row(y) {
		out[x] = float64(v)
	}
}

// across undoes the transforms of part 2 across the components of a tile
// (T.801 Annex J). The offsets of their arrays stand for the level shift.
func (t *tile) across(ctx context.Context, ints []plane[int32], floats []plane[float32]) ([]plane[int32], error) {
	stages, err := t.params.multi.stages(len(t.comps))
	if err != nil {
		return nil, err
	}
	now := make([]channel, len(t.comps))
	for i := range now {
		now[i] = channel{ints: ints[i], floats: floats[i], whole: t.comps[i].reversible}
		if now[i].rect() != now[0].rect() {
			return nil, fmt.Errorf("component transform of part 2 over different sizes: %w", ErrUnsupported)
		}
	}
	for _, stage := range stages {
		next := make([]channel, len(now))
		for i := range stage {
			if err := stage[i].apply(ctx, now, next); err != nil {
				return nil, err
			}
		}
		now = next
	}
	out := make([]plane[int32], len(now))
	for i := range now {
		if out[i] = now[i].ints; !now[i].whole {
			out[i] = round(now[i].floats)
		}
	}
	return out, nil
}

// apply makes the outputs of a collection.
func (c *collection) apply(ctx context.Context, from, to []channel) error {
	if c.matrix != nil {
		return c.multiply(ctx, from, to)
	}
	for j, i := range c.in {
		offset := 0.0
		if c.offsets != nil {
			offset = c.offsets[j]
		}
		src, dst := &from[i], &to[c.out[j]]
		// Written anew: a component may go into several.
		if dst.whole = src.whole && offset == math.Trunc(offset) && math.Abs(offset) < 1<<30; dst.whole {
			dst.ints = newPlane[int32](src.ints.rect)
			for k, v := range src.ints.data {
				dst.ints.data[k] = v + int32(offset)
			}
			continue
		}
		dst.floats = newPlane[float32](src.rect())
		line := make([]float64, dst.floats.width())
		for y := range dst.floats.height() {
			src.row(y, line)
			for x, v := range line {
				dst.floats.row(y)[x] = float32(v + offset)
			}
		}
	}
	return ctx.Err()
}

// multiply applies the matrix, line by line.
func (c *collection) multiply(ctx context.Context, from, to []channel) error {
	n, r := len(c.in), from[c.in[0]].rect()
	lines := make([]float64, n*r.width())
	sum := make([]float64, r.width())
	for _, o := range c.out {
		to[o] = channel{floats: newPlane[float32](r)}
	}
	for y := range r.height() {
		if err := ctx.Err(); err != nil {
			return err
		}
		for k, i := range c.in {
			from[i].row(y, lines[k*r.width():][:r.width()])
		}
		for j, o := range c.out {
			clear(sum)
			for k, m := range c.matrix[j*n:][:n] {
				if m == 0 {
					continue
				}
				for x, v := range lines[k*r.width():][:r.width()] {
					sum[x] += m * v
				}
			}
			offset := 0.0
			if c.offsets != nil {
				offset = c.offsets[j]
			}
			row := to[o].floats.row(y)
			for x, v := range sum {
				row[x] = float32(v + offset)
			}
		}
	}
	return nil
}

// clip keeps samples in their range.
func clip(samples []int32, z componentSize) {
	low, high := int32(0), int32(1)<<z.bits-1
	if z.signed {
		low, high = -1<<(z.bits-1), 1<<(z.bits-1)-1
	}
	for i, v := range samples {
		samples[i] = max(min(v, high), low)
	}
}

// across says whether the transforms of part 2 keep every sample.
func (c *Config) across(m *multi) error {
	stages, err := m.stages(len(c.Components))
	if err != nil {
		return err
	}
	for _, stage := range stages {
		for i := range stage {
			c.Reversible = c.Reversible && stage[i].matrix == nil
		}
	}
	return nil
}
