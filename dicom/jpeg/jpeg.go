// Package jpeg decodes JPEG (ITU-T T.81 | ISO/IEC 10918-1) as medicine uses
// it: baseline, extended and progressive DCT of 8 and 12 bits, and lossless of
// 2 to 16 bits with all predictors, point transform and restart intervals; it
// encodes lossless. It gives the components as they are coded: JFIF and Adobe
// segments are not looked at, what colours the components are is the caller's
// knowledge. Sizes are checked before memory is taken, no input makes it panic
// or is written to, and work ends with the context.
package jpeg

import (
	"context"
	"errors"
)

// What callers may want to tell apart. All are wrapped.
var (
	ErrCorrupt     = errors.New("JPEG stream cannot be decoded")
	ErrTruncated   = errors.New("JPEG stream ends early")
	ErrUnsupported = errors.New("JPEG feature not supported")
	ErrTooLarge    = errors.New("JPEG image exceeds the limit")
	ErrBadImage    = errors.New("image cannot be JPEG encoded")
)

// Process is a coding process of T.81, by its frame marker (B.1.1.3).
type Process byte

// The processes that Decode knows, all Huffman-coded.
const (
	Baseline    Process = 0xC0
	Extended    Process = 0xC1
	Progressive Process = 0xC2
	Lossless    Process = 0xC3
)

// Defaults of Limits.
const (
	DefaultBytes = 256 << 20
	DefaultScans = 256
)

// Limits bounds what Decode may take.
type Limits struct {
	// Bytes of the decoded image; 0 is DefaultBytes. Decode may take up to
	// four times as many more while it works.
	Bytes int64
	// Scans of the stream, each of which may cost a pass over the image; 0 is
	// DefaultScans.
	Scans int
}

func (l Limits) bytes() int64 {
	if l.Bytes <= 0 {
		return DefaultBytes
	}
	return l.Bytes
}

func (l Limits) scans() int {
	if l.Scans <= 0 {
		return DefaultScans
	}
	return l.Scans
}

// Image is a decoded image: row after row, the samples of a pixel side by
// side, one byte each up to 8 bits, else two, the less significant first.
// Samples are unsigned; an image of signed numbers holds their low Bits bits.
// Subsampled components are brought to full size by interpolation. The
// arithmetic of the lossless process is modulo 2^16 whatever Bits is (T.81
// H.1.2.1), so a strange stream may give samples above Bits.
type Image struct {
	Width, Height, Components, Bits int

	Data []byte
}

// SampleBytes is the width of one sample in Data: 1 or 2.
func (m *Image) SampleBytes() int { return sampleBytes(m.Bits) }

func sampleBytes(bits int) int {
	if bits > 8 {
		return 2
	}
	return 1
}

// Component is what the frame header says of a component (T.81 B.2.2).
type Component struct {
	ID   byte
	H, V int // sampling factors
}

// Header is what a stream says before its first scan's data.
type Header struct {
	Process             Process
	Width, Height, Bits int
	Components          []Component
	Predictor           int // of the first scan, 0 unless Lossless
}

// DecodeHeader reads the headers up to the first scan. Errors: ErrCorrupt,
// ErrTruncated, ErrUnsupported.
func DecodeHeader(data []byte) (Header, error) {
	d := decoder{data: data}
	s, err := d.toScan()
	if err != nil {
		return Header{}, err
	}
	h := Header{Process: d.process, Width: d.width, Height: d.height, Bits: d.bits}
	for _, c := range d.comps {
		h.Components = append(h.Components, Component{c.id, c.h, c.v})
	}
	if d.process == Lossless {
		h.Predictor = s.start
	}
	return h, nil
}

// Decode decodes a stream. Bytes after its end are ignored, a missing end
// marker is forgiven. Errors: ErrCorrupt, ErrTruncated, ErrUnsupported,
// ErrTooLarge, or the context's.
func Decode(ctx context.Context, data []byte, lim Limits) (*Image, error) {
	d := decoder{data: data, ctx: ctx}
	return d.decode(lim)
}
