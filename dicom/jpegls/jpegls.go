// Package jpegls decodes and encodes JPEG-LS (ITU-T T.87 | ISO/IEC 14495-1):
// decoding lossless and near-lossless, all interleave modes, 2 to 16 bits,
// restart intervals, preset parameters and mapping tables; encoding lossless.
// It owns the code stream alone: it knows nothing of files, colour spaces or
// signs. Sizes are checked before memory is taken, no input makes it panic or
// is written to, and work ends with the context.
package jpegls

import (
	"context"
	"errors"
)

// What callers may want to tell apart. All are wrapped.
var (
	ErrCorrupt     = errors.New("JPEG-LS stream cannot be decoded")
	ErrTruncated   = errors.New("JPEG-LS stream ends early")
	ErrUnsupported = errors.New("JPEG-LS feature not supported")
	ErrTooLarge    = errors.New("JPEG-LS image exceeds the limit")
	ErrBadImage    = errors.New("image cannot be JPEG-LS encoded")
)

// DefaultBytes is the largest decoded image when Limits does not say.
const DefaultBytes = 256 << 20

// Limits bounds what Decode may take. Beside the decoded image itself, Decode
// takes 128 KiB, a few lines, and the mapping tables the stream holds.
type Limits struct {
	Bytes int64 // of the decoded image; 0 is DefaultBytes
}

func (l Limits) bytes() int64 {
	if l.Bytes <= 0 {
		return DefaultBytes
	}
	return l.Bytes
}

// Interleave is how the components of an image follow each other (T.87 B.1).
type Interleave int

// The interleave modes, by their code in the scan header (T.87 C.2.3).
const (
	InterleaveNone   Interleave = 0 // a scan for each component
	InterleaveLine   Interleave = 1 // a line of each in turn
	InterleaveSample Interleave = 2 // a sample of each in turn
)

// Image is a decoded image: row after row, the samples of a pixel side by
// side, one byte each up to 8 bits, else two, the less significant first.
// Samples are unsigned; an image of signed numbers holds their low Bits bits.
type Image struct {
	Width, Height, Components, Bits int

	Data []byte

	// Tables holds for each component the mapping table the stream assigns to
	// it, nil for none; Tables itself is nil when no component has one. The
	// samples in Data are then indices, see Mapped.
	Tables []*Table
}

// Table is a mapping table (T.87 C.2.4.1.2): sample v stands for the
// EntryBytes bytes at v*EntryBytes, the most significant first.
type Table struct {
	EntryBytes int
	Values     []byte
}

// SampleBytes is the width of one sample in Data: 1 or 2.
func (m *Image) SampleBytes() int { return sampleBytes(m.Bits) }

func sampleBytes(bits int) int {
	if bits > 8 {
		return 2
	}
	return 1
}

// Header is what a stream says before its first scan's data.
type Header struct {
	Width, Height, Components, Bits int
	Near                            int // largest error of a sample; 0 is lossless
	Interleave                      Interleave
}

// DecodeHeader reads the headers up to the first scan. Errors: ErrCorrupt,
// ErrTruncated, ErrUnsupported.
func DecodeHeader(data []byte) (Header, error) {
	d := decoder{data: data}
	s, err := d.toScan()
	if err != nil {
		return Header{}, err
	}
	return Header{
		Width: d.width, Height: d.height, Components: len(d.ids), Bits: d.bits,
		Near: s.near, Interleave: s.interleave,
	}, nil
}

// Decode decodes a stream. Bytes after its end are ignored, a missing end
// marker is forgiven. Errors: ErrCorrupt, ErrTruncated, ErrUnsupported,
// ErrTooLarge, or the context's.
func Decode(ctx context.Context, data []byte, lim Limits) (*Image, error) {
	d := decoder{data: data}
	return d.decode(ctx, lim)
}
