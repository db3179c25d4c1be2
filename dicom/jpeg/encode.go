package jpeg

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// EncodeOptions chooses among equally exact encodings.
type EncodeOptions struct {
	// Predictor 1 to 7 (T.81 Table H.1); 0 is 1, the one of DICOM's first
	// choice ("selection value 1").
	Predictor int
	// RestartLines puts a restart marker behind every so many lines; 0 none.
	RestartLines int
}

// Encode encodes m by the lossless process with optimal Huffman tables, all
// components, of which there are at most four, in one scan. Bits is 2 to 16
// and may not be less than any sample needs. Errors: ErrBadImage, or the
// context's.
func Encode(ctx context.Context, m *Image, opt EncodeOptions) ([]byte, error) {
	if opt.Predictor == 0 {
		opt.Predictor = 1
	}
	interval := opt.RestartLines * m.Width
	if err := m.check(); err != nil {
		return nil, err
	}
	if opt.Predictor < 1 || opt.Predictor > 7 || opt.RestartLines < 0 || interval > 65535 {
		return nil, fmt.Errorf("predictor %d, restart after %d lines: %w", opt.Predictor, opt.RestartLines, ErrBadImage)
	}
	diffs, counts, err := m.differences(ctx, opt)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(m.Data)/2+1024)
	out = append(out, 0xFF, markSOI)
	out = m.appendFrame(out)
	tables := make([]code, m.Components)
	for c := range tables {
		tables[c] = optimal(counts[c])
		out = tables[c].append(out, byte(c))
	}
	if interval > 0 {
		out = binary.BigEndian.AppendUint16(append(out, 0xFF, markDRI, 0, 4), uint16(interval))
	}
	out = append(out, 0xFF, markSOS, 0, byte(6+2*m.Components), byte(m.Components))
	for c := range m.Components {
		out = append(out, byte(c+1), byte(c)<<4)
	}
	w := writer{out: append(out, byte(opt.Predictor), 0, 0)}
	row := m.Width * m.Components
	for y := range m.Height {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if opt.RestartLines > 0 && y > 0 && y%opt.RestartLines == 0 {
			w.finish()
			w.out = append(w.out, 0xFF, byte(markRST0+(y/opt.RestartLines-1)%8))
		}
		w.line(diffs[y*row:][:row], tables)
	}
	w.finish()
	return append(w.out, 0xFF, markEOI), nil
}

// check refuses what has no encoding.
func (m *Image) check() error {
	switch {
	case m.Bits < 2 || m.Bits > 16:
		return fmt.Errorf("%d bits: %w", m.Bits, ErrBadImage)
	case m.Width < 1 || m.Width > 65535 || m.Height < 1 || m.Height > 65535 || m.Components < 1 || m.Components > 4:
		return fmt.Errorf("%d×%d×%d: %w", m.Height, m.Width, m.Components, ErrBadImage)
	case int64(len(m.Data)) != int64(m.Width)*int64(m.Height)*int64(m.Components)*int64(m.SampleBytes()):
		return fmt.Errorf("%d bytes of samples for %d×%d×%d: %w", len(m.Data), m.Height, m.Width, m.Components, ErrBadImage)
	}
	return nil
}

// differences predicts all samples and counts the categories of what is left
// (T.81 H.1.2), by component.
func (m *Image) differences(ctx context.Context, opt EncodeOptions) ([]uint16, [4][17]int, error) {
	var counts [4][17]int
	n := m.Components
	row := m.Width * n
	out := make([]uint16, row*m.Height)
	prev, cur := make([]uint16, row), make([]uint16, row)
	first := uint16(1) << (m.Bits - 1)
	for y := range m.Height {
		if err := ctx.Err(); err != nil {
			return nil, counts, err
		}
		prev, cur = cur, prev
		if !m.line(cur, y) {
			return nil, counts, fmt.Errorf("sample of more than %d bits in line %d: %w", m.Bits, y+1, ErrBadImage)
		}
		diffs := out[y*row:][:row]
		switch {
		case y == 0 || opt.RestartLines > 0 && y%opt.RestartLines == 0:
			for i := range diffs {
				if i < n {
					diffs[i] = cur[i] - first
				} else {
					diffs[i] = cur[i] - cur[i-n]
				}
			}
		case opt.Predictor == 1:
			for i := range n {
				diffs[i] = cur[i] - prev[i]
			}
			for i := n; i < len(diffs); i++ {
				diffs[i] = cur[i] - cur[i-n]
			}
		default:
			for i := range n {
				diffs[i] = cur[i] - prev[i]
			}
			for i := n; i < len(diffs); i++ {
				diffs[i] = cur[i] - prediction(opt.Predictor, int32(cur[i-n]), int32(prev[i]), int32(prev[i-n]))
			}
		}
		for c := range n {
			count := &counts[c]
			for i := c; i < len(diffs); i += n {
				count[category(diffs[i])]++
			}
		}
	}
	return out, counts, nil
}

// category is SSSS of a difference (T.81 Table H.2).
func category(d uint16) int {
	v := int32(int16(d))
	return bits.Len32(uint32((v ^ v>>31) - v>>31))
}

// line takes line y out of the image; ok is false when a sample is too large.
func (m *Image) line(line []uint16, y int) (ok bool) {
	all := uint16(0)
	if m.Bits <= 8 {
		for k, v := range m.Data[y*len(line):][:len(line)] {
			line[k] = uint16(v)
			all |= line[k]
		}
	} else {
		in := m.Data[2*y*len(line):][:2*len(line)]
		for k := range line {
			line[k] = binary.LittleEndian.Uint16(in[2*k:])
			all |= line[k]
		}
	}
	return int(all)>>m.Bits == 0
}

func (m *Image) appendFrame(out []byte) []byte {
	out = append(out, 0xFF, byte(Lossless), 0, byte(8+3*m.Components), byte(m.Bits))
	out = binary.BigEndian.AppendUint16(out, uint16(m.Height))
	out = binary.BigEndian.AppendUint16(out, uint16(m.Width))
	out = append(out, byte(m.Components))
	for c := range m.Components {
		out = append(out, byte(c+1), 0x11, 0)
	}
	return out
}
