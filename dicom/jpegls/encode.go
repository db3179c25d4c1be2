package jpegls

import (
	"context"
	"encoding/binary"
	"fmt"
)

// EncodeOptions chooses among equally exact encodings.
type EncodeOptions struct {
	// Interleave is used when there is more than one component;
	// InterleaveSample takes 2 to 4 components.
	Interleave Interleave
}

// Encode encodes m without loss, with default parameters (T.87 C.2.4.1.1), and
// leaves m.Tables out. Bits is 2 to 16 and may not be less than any sample
// needs. Errors: ErrBadImage, or the context's.
func Encode(ctx context.Context, m *Image, opt EncodeOptions) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	mode := opt.Interleave
	switch {
	case m.Components == 1:
		mode = InterleaveNone
	case mode < InterleaveNone, mode > InterleaveSample, mode != InterleaveNone && m.Components > 4:
		return nil, fmt.Errorf("interleave mode %d of %d components: %w", mode, m.Components, ErrBadImage)
	}
	p, err := newParams(preset{}, m.Bits, 0)
	if err != nil {
		return nil, err
	}
	e := encoder{image: m, params: p}
	e.out = make([]byte, 0, len(m.Data)/2+1024)
	e.frameHeader()
	if mode != InterleaveNone {
		all := make([]int, m.Components)
		for c := range all {
			all[c] = c
		}
		err = e.scan(ctx, all, mode)
	} else {
		for c := 0; c < m.Components && err == nil; c++ {
			err = e.scan(ctx, []int{c}, mode)
		}
	}
	if err != nil {
		return nil, err
	}
	return append(e.out, 0xFF, markEOI), nil
}

// check refuses what has no encoding.
func (m *Image) check() error {
	switch {
	case m.Bits < 2 || m.Bits > 16:
		return fmt.Errorf("%d bits: %w", m.Bits, ErrBadImage)
	case m.Width < 1 || m.Width > 65535 || m.Height < 1 || m.Height > 65535 || m.Components < 1 || m.Components > 255:
		return fmt.Errorf("%d×%d×%d: %w", m.Height, m.Width, m.Components, ErrBadImage)
	case int64(len(m.Data)) != int64(m.Width)*int64(m.Height)*int64(m.Components)*int64(m.SampleBytes()):
		return fmt.Errorf("%d bytes of samples for %d×%d×%d: %w", len(m.Data), m.Height, m.Width, m.Components, ErrBadImage)
	}
	return nil
}

// encoder writes the scans of an image.
type encoder struct {
	image *Image
	*params
	writer
	buffers  []lines
	runIndex []int
}

func (e *encoder) frameHeader() {
	m := e.image
	b := append(e.out, 0xFF, markSOI, 0xFF, markSOF)
	b = binary.BigEndian.AppendUint16(b, uint16(8+3*m.Components))
	b = append(b, byte(m.Bits))
	b = binary.BigEndian.AppendUint16(b, uint16(m.Height))
	b = binary.BigEndian.AppendUint16(b, uint16(m.Width))
	b = append(b, byte(m.Components))
	for c := range m.Components {
		b = append(b, byte(c+1), 0x11, 0)
	}
	e.out = b
}

// scan encodes the named components together.
func (e *encoder) scan(ctx context.Context, components []int, mode Interleave) error {
	b := append(e.out, 0xFF, markSOS)
	b = binary.BigEndian.AppendUint16(b, uint16(6+2*len(components)))
	b = append(b, byte(len(components)))
	for _, c := range components {
		b = append(b, byte(c+1), 0)
	}
	e.writer = writer{out: append(b, 0, byte(mode), 0)}
	e.start()
	e.runIndex = make([]int, len(components))
	e.buffers = make([]lines, len(components))
	width := e.image.Width
	for i := range e.buffers {
		e.buffers[i] = lines{make([]uint16, width+2), make([]uint16, width+2)}
	}
	for y := range e.image.Height {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range e.buffers {
			b := &e.buffers[i]
			if !e.image.line(b.cur[1:width+1], y, components[i]) {
				return fmt.Errorf("sample of more than %d bits in line %d: %w", e.image.Bits, y+1, ErrBadImage)
			}
			edges(b.prev, b.cur)
		}
		if mode == InterleaveSample {
			e.sampleLine()
		} else {
			for i := range e.buffers {
				e.componentLine(&e.buffers[i], i)
			}
		}
		for i := range e.buffers {
			b := &e.buffers[i]
			b.prev, b.cur = b.cur, b.prev
		}
	}
	e.finish()
	return nil
}

// line takes line y of a component out of the image; ok is false when a sample
// is too large.
func (m *Image) line(line []uint16, y, component int) (ok bool) {
	all := uint16(0)
	if m.Bits <= 8 {
		in := m.Data[y*m.Width*m.Components:][:m.Width*m.Components]
		for k, at := 0, component; k < len(line) && at < len(in); k, at = k+1, at+m.Components {
			line[k] = uint16(in[at])
			all |= line[k]
		}
	} else {
		in := m.Data[2*y*m.Width*m.Components:][:2*m.Width*m.Components]
		step := 2 * m.Components
		if step == 2 {
			for k := range line {
				line[k] = binary.LittleEndian.Uint16(in[2*k:])
				all |= line[k]
			}
			return int(all)>>m.Bits == 0
		}
		for k, at := 0, 2*component; k < len(line) && at+1 < len(in); k, at = k+1, at+step {
			line[k] = uint16(in[at]) | uint16(in[at+1])<<8
			all |= line[k]
		}
	}
	return int(all)>>m.Bits == 0
}
