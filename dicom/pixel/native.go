package pixel

import (
	"fmt"
)

// nativeBits is the length of one uncompressed frame in bits.
func (s *Source) nativeBits() int64 {
	i := &s.info
	bits := int64(i.pixels()) * int64(i.BitsAllocated) * int64(i.Samples)
	if s.packed422() {
		return bits / 3 * 2
	}
	return bits
}

// packed422 reports whether two pixels share their chroma (PS3.3 C.7.6.3.1.2,
// YBR_FULL_422). Objects that say so and hold full chroma are known by length.
func (s *Source) packed422() bool {
	i := &s.info
	if i.Samples != 3 || i.BitsAllocated != 8 || i.Photometric != "YBR_FULL_422" && i.Photometric != "YBR_PARTIAL_422" {
		return false
	}
	return i.Cols%2 == 0 && s.pixel.Native.Length/int64(i.Frames) < int64(i.pixels())*3
}

// countNative lowers the number of frames to what the data holds.
func (s *Source) countNative() error {
	frame := s.nativeBits()
	held := s.pixel.Native.Length * 8 / frame
	if held < 1 {
		return fmt.Errorf("%d bytes, a frame needs %d: %w", s.pixel.Native.Length, (frame+7)/8, ErrTruncated)
	}
	if int64(s.info.Frames) > held {
		packed := s.packed422()
		s.info.Frames = int(held)
		if s.packed422() != packed {
			return fmt.Errorf("chroma layout unclear: %w", ErrUnsupportedLayout)
		}
	}
	return nil
}

// Lend gives s memory to read uncompressed frames into, those that fit with two
// bytes to spare. The Pixels of a frame then last until the next one is asked for.
func (s *Source) Lend(buf []byte) { s.lent = buf }

// native reads one uncompressed frame.
func (s *Source) native(n int) (*Pixels, error) {
	i := &s.info
	bits := s.nativeBits()
	first := int64(n-1) * bits
	raw := s.lent
	if need := (first%8 + bits + 7) / 8; int64(cap(raw)) >= need+2 { // and two that swapping may take
		raw = raw[:need]
	} else {
		raw = make([]byte, need)
	}
	start := first / 8
	// Swapped words may begin one byte earlier and end one byte later.
	if s.swapped() && start%2 == 1 {
		start--
		raw = append(raw, 0)
	}
	if s.swapped() && len(raw)%2 == 1 {
		raw = append(raw, 0)
	}
	if left := s.pixel.Native.Length - start; int64(len(raw)) > left {
		raw = raw[:left]
	}
	if err := readAt(s.data, raw, s.pixel.Native.Offset+start); err != nil {
		return nil, err
	}
	if s.swapped() {
		swapWords(raw)
	}
	raw = raw[first/8-start:]
	p := &Pixels{Rows: i.Rows, Cols: i.Cols, Samples: i.Samples, Bits: i.sampleBytes() * 8, Signed: i.Signed}
	switch {
	case i.BitsAllocated == 1:
		p.Data = unpackBits(raw, int(first%8), i.pixels())
	case s.packed422():
		p.Data = unpack422(raw, i.pixels())
	case i.Samples == 3 && i.Planar == 1:
		p.Data = interleave(raw, i.pixels(), i.sampleBytes())
	default:
		p.Data = raw[:bits/8]
	}
	return p, nil
}

// swapped reports whether the bytes of 16-bit words are exchanged: big endian
// data in words, whatever the size of a pixel (PS3.5 7.3 and 8.1.1).
func (s *Source) swapped() bool {
	return s.big && (s.vr == "OW" || s.info.BitsAllocated > 8)
}

func swapWords(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
}

// unpackBits makes bytes 0 and 1 of bits, the least significant first (PS3.5
// 8.1.1).
func unpackBits(raw []byte, skip, n int) []byte {
	out := make([]byte, n)
	for k := range out {
		bit := skip + k
		out[k] = raw[bit/8] >> (bit % 8) & 1
	}
	return out
}

// unpack422 repeats the chroma of Y Y Cb Cr groups.
func unpack422(raw []byte, pixels int) []byte {
	out := make([]byte, 0, 3*pixels)
	for k := 0; k+3 < 2*pixels; k += 4 {
		out = append(out, raw[k], raw[k+2], raw[k+3], raw[k+1], raw[k+2], raw[k+3])
	}
	return out
}

// interleave turns three planes into pixels.
func interleave(raw []byte, pixels, width int) []byte {
	out := make([]byte, 3*pixels*width)
	for sample := range 3 {
		plane := raw[sample*pixels*width:]
		for k := range pixels {
			copy(out[(3*k+sample)*width:], plane[k*width:(k+1)*width])
		}
	}
	return out
}
