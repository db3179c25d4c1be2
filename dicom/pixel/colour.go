package pixel

import (
	"context"
	"encoding/binary"
	"strings"
)

// Frame decodes frame n (from 1): grey as the exact stored values, sign
// extended and freed of bits that are no part of them (signed 8-bit values
// widened to 16); colour as RGB8.
func (s *Source) Frame(ctx context.Context, n int) (*Pixels, error) {
	p, err := s.Stored(ctx, n)
	if err != nil {
		return nil, err
	}
	img := s.info
	switch {
	case img.Palette != nil:
		return img.Palette.apply(p, &img), nil
	case img.Samples == 1:
		return clean(p, &img), nil
	}
	p = toBytes8(p, &img)
	if s.isYBR(n) {
		toRGB(p.Data, strings.HasPrefix(img.Photometric, "YBR_PARTIAL"))
	}
	return p, nil
}

// isYBR decides the colour space of three samples by the Photometric
// Interpretation. YBR_RCT and YBR_ICT are undone by their codecs. Red, green
// and blue are never subsampled, so a stream that is holds YBR whatever the
// data set says.
func (s *Source) isYBR(n int) bool {
	switch s.info.Photometric {
	case "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420":
		return true
	case "RGB":
		if !isLossyJPEG(s.syntax) {
			return false
		}
		encoded, err := s.fragments(n)
		if err != nil {
			return false
		}
		h, err := parseJPEG(encoded)
		return err == nil && h.subsampled()
	}
	return false
}

// toRGB converts full-range YCbCr in place (PS3.3 C.7.6.3.1.2); partial range
// is that of ITU-R BT.601.
func toRGB(data []byte, partial bool) {
	for i := 0; i+2 < len(data); i += 3 {
		y, cb, cr := int(data[i]), int(data[i+1])-128, int(data[i+2])-128
		if partial {
			y = (y - 16) * 255 / 219
			cb, cr = cb*255/224, cr*255/224
		}
		const half = 1 << 15
		data[i] = clip(y + (91881*cr+half)>>16)
		data[i+1] = clip(y + (-22554*cb-46802*cr+half)>>16)
		data[i+2] = clip(y + (116130*cb+half)>>16)
	}
}

func clip(v int) byte { return byte(min(max(v, 0), 255)) }

// toBytes8 scales colour of more than 8 bits down.
func toBytes8(p *Pixels, img *Image) *Pixels {
	if p.Bits == 8 && img.HighBit == 7 {
		return p
	}
	out := make([]byte, p.Rows*p.Cols*p.Samples)
	for k := range out {
		v := p.raw(k)
		if img.BitsStored >= 8 {
			v >>= img.HighBit - 7
		} else {
			v = (v >> (img.HighBit + 1 - img.BitsStored)) << (8 - img.BitsStored)
		}
		out[k] = byte(v)
	}
	return &Pixels{Rows: p.Rows, Cols: p.Cols, Samples: p.Samples, Bits: 8, Data: out}
}

// raw is sample k without its sign.
func (p *Pixels) raw(k int) uint32 {
	switch p.Bits {
	case 8:
		return uint32(p.Data[k])
	case 16:
		return uint32(binary.LittleEndian.Uint16(p.Data[2*k:]))
	}
	return binary.LittleEndian.Uint32(p.Data[4*k:])
}

// at is sample k with its sign.
func (p *Pixels) at(k int) int64 {
	v := p.raw(k)
	if !p.Signed {
		return int64(v)
	}
	shift := 32 - p.Bits
	return int64(int32(v<<shift) >> shift)
}

// set stores sample k.
func (p *Pixels) set(k int, v int64) {
	switch p.Bits {
	case 8:
		p.Data[k] = byte(v)
	case 16:
		binary.LittleEndian.PutUint16(p.Data[2*k:], uint16(v))
	default:
		binary.LittleEndian.PutUint32(p.Data[4*k:], uint32(v))
	}
}

// clean cuts grey values to the stored bits and extends their sign.
func clean(p *Pixels, img *Image) *Pixels {
	stored, low := uint(img.BitsStored), uint(img.HighBit+1-img.BitsStored)
	if img.BitsAllocated == 1 || int(stored) == p.Bits && !(p.Bits == 8 && img.Signed) {
		p.Signed = img.Signed && img.BitsAllocated > 1
		return p
	}
	out := &Pixels{Rows: p.Rows, Cols: p.Cols, Samples: 1, Bits: p.Bits, Signed: img.Signed, Data: p.Data}
	if p.Bits == 8 && img.Signed {
		out.Bits, out.Data = 16, make([]byte, 2*len(p.Data))
	}
	up := 32 - stored
	for k := range p.Rows * p.Cols {
		v := p.raw(k) >> low << up
		if img.Signed {
			out.set(k, int64(int32(v)>>up))
		} else {
			out.set(k, int64(v>>up))
		}
	}
	return out
}

// apply looks the colours of palette indices up.
func (t *Palette) apply(p *Pixels, img *Image) *Pixels {
	p = clean(p, img)
	out := &Pixels{Rows: p.Rows, Cols: p.Cols, Samples: 3, Bits: 8, Data: make([]byte, 3*p.Rows*p.Cols)}
	last := int64(min(len(t.Red), len(t.Green), len(t.Blue)) - 1)
	for k := range p.Rows * p.Cols {
		i := min(max(p.at(k)-int64(t.First), 0), last)
		out.Data[3*k], out.Data[3*k+1], out.Data[3*k+2] = t.Red[i], t.Green[i], t.Blue[i]
	}
	return out
}
