// Package jpeg2000 decodes JPEG 2000 (ITU-T T.800, and of T.801 the arrays
// across components) and High-Throughput JPEG 2000 (ITU-T T.814), and encodes
// T.800 and T.814 losslessly, in plain Go. It owns the
// codestream, its wrapping in JP2 boxes, entropy coding, wavelets and
// component transforms. It knows samples, bits, sign and components, and must
// not know what the image shows nor what file it came in.
//
// Decoding is exact for reversible streams; at any resolution level it reads
// no more than that level needs. Whatever the input, memory and time stay
// within Limits and the caller's context, and the input is never written to.
package jpeg2000

import (
	"errors"
	"image"
)

// What callers may want to tell apart. All are wrapped.
var (
	ErrNotJPEG2000 = errors.New("not a JPEG 2000 codestream")
	ErrCorrupt     = errors.New("malformed JPEG 2000 codestream")
	ErrTruncated   = errors.New("JPEG 2000 codestream ends too early")
	ErrUnsupported = errors.New("JPEG 2000 feature not supported")
	ErrTooLarge    = errors.New("JPEG 2000 image exceeds the limits")
	ErrLevels      = errors.New("JPEG 2000 codestream has fewer resolution levels")
	ErrInput       = errors.New("image cannot be encoded")
)

// Component is one plane of samples (T.800 B.2). Samples are row by row, from
// 0 to 2^Bits-1, or from -2^(Bits-1) to 2^(Bits-1)-1 when Signed.
type Component struct {
	Width, Height int
	DX, DY        int // distance of samples on the reference grid
	Bits          int
	Signed        bool
	Samples       []int32
}

// Image is a decoded image, or one to encode. Width and Height are those of
// the image area on the reference grid, at the resolution decoded; a
// component that is not subsampled has the same.
type Image struct {
	Width, Height int
	Components    []Component
}

// Limits bound what a stream may ask for. Zero fields take the defaults.
type Limits struct {
	Samples    int64 // decoded samples, all components together; default 1<<27
	PerByte    int64 // decoded samples for each byte of input; default 1<<16
	Components int   // default 256
}

func (l Limits) withDefaults() Limits {
	if l.Samples <= 0 {
		l.Samples = 1 << 27
	}
	if l.PerByte <= 0 {
		l.PerByte = 1 << 16
	}
	if l.Components <= 0 {
		l.Components = 256
	}
	return l
}

// Options say what to decode.
type Options struct {
	// Discard is how many of the highest resolution levels to leave out: the
	// result has 1/2^Discard of the size in each direction, rounded up.
	Discard int
	// Partial accepts a stream that ends early or lacks tiles: what is there is
	// decoded. Without it that is ErrTruncated, unless all that the resolution
	// asked for needs is there.
	Partial bool
	// Region, unless empty, is the part of the image to decode, in its pixels at
	// the resolution asked for, from its upper left corner. Code-blocks and tiles
	// that do not bear on it are left out; the result is Region as far as it lies
	// in the image. Subsampled components are ErrUnsupported.
	Region image.Rectangle
	Limits Limits
}

// Config describes a codestream without decoding it.
type Config struct {
	Width, Height    int
	Components       []Component // without samples
	Levels           int         // resolution levels that can be discarded in every component
	Layers           int
	Reversible       bool   // every component uses the 5/3 wavelet without quantisation, and no matrix
	HighThroughput   bool   // HT block coding (T.814)
	ColourTransform  bool   // RCT or ICT over the first three components
	MultiComponent   bool   // a transform of part 2 across components (T.801 Annex J)
	Progression      string // "LRCP", "RLCP", "RPCL", "PCRL" or "CPRL"
	TilesX, TilesY   int
	TileParts        int // as far as the input goes
	PacketLengths    bool
	TilePartLengths  bool
	ColourSpace      uint32 // EnumCS of the JP2 colour box (T.800 I.5.3.3), 0 when bare
	CodestreamOffset int    // where the codestream begins in the input
}
