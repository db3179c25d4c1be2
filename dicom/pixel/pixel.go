// Package pixel turns the pixel data of a DICOM object into samples and
// pictures: one frame at a time, sizes checked before memory is taken, no
// panic on any input. It owns frame location, uncompressed and RLE data, colour,
// palettes, rescale and VOI (PS3.3 C.7.6.3, C.11; PS3.5 8 and Annexes A, G);
// what a stream's components mean is decided here, by the data set. Codecs are
// packages beside it and join through Register. It must not know where bytes
// are stored nor who looks at the picture.
package pixel

import "errors"

// What callers may want to tell apart. All are wrapped.
var (
	ErrNoPixels          = errors.New("object has no pixel data")
	ErrUnsupportedSyntax = errors.New("transfer syntax has no decoder")
	ErrUnsupportedLayout = errors.New("pixel layout not supported")
	ErrTooLarge          = errors.New("frame exceeds the size limit")
	ErrTruncated         = errors.New("pixel data shorter than the header says")
	ErrCorrupt           = errors.New("pixel data cannot be decoded")
	ErrNoFrame           = errors.New("no such frame")
)

// MaxFrameBytes bounds one decoded frame, and one encoded one.
const MaxFrameBytes = 256 << 20

// Window is one VOI window (PS3.3 C.11.2), in modality units (after rescale).
type Window struct {
	Center float64 `json:"center"`
	Width  float64 `json:"width"`
	Label  string  `json:"label"`
}

// LUT is a modality or VOI look-up table (PS3.3 C.11.1, C.11.2). Input values
// below First take the first entry, those above the last.
type LUT struct {
	First  int      // first input value mapped
	Bits   int      // significant bits of each entry
	Values []uint16 // one entry for each input value
	Label  string
}

// Palette holds one entry a colour (PS3.3 C.7.9), scaled to 8 bits.
type Palette struct {
	First            int
	Red, Green, Blue []uint8
}

// Region is one calibrated part of an ultrasound image (PS3.3 C.8.5.5), in
// pixels, bounds included. Delta is per pixel in Unit.
type Region struct {
	X0, Y0, X1, Y1 int
	DeltaX, DeltaY float64
	UnitX, UnitY   string // "cm", "s", "cm/s", "hz", "percent", "" unknown
	Format         int    // Region Spatial Format: 1 2D, 2 M-mode, 3 spectral, …
}

// Image describes the pixels of an object, or of one of its frames.
type Image struct {
	Rows, Cols, Samples                int
	BitsAllocated, BitsStored, HighBit int
	Signed                             bool
	Photometric                        string
	Planar                             int
	Frames                             int // as many as the data holds
	Slope, Intercept                   float64
	Unit                               string // of values after rescale or modality LUT: "HU", "OD", "" unknown
	ModalityLUT                        *LUT
	Windows                            []Window
	VOILUTs                            []LUT
	VOIFunction                        string // LINEAR, LINEAR_EXACT or SIGMOID
	Invert                             bool   // low values are white: MONOCHROME1, or presentation LUT shape INVERSE
	Padding                            *[2]int
	Spacing                            *[2]float64 // mm between rows, between columns
	SpacingKind                        string      // "pixel", "imager" (at the detector), "nominal", "ultrasound", ""
	Position                           []float64   // Image Position (Patient), mm
	Orientation                        []float64   // Image Orientation (Patient)
	FrameTimeMs                        float64
	Regions                            []Region
	Palette                            *Palette
	Lossy                              bool // Lossy Image Compression was ever applied
}

// Colour reports whether Frame gives RGB (Samples 3) rather than grey.
func (i Image) Colour() bool { return i.Samples == 3 || i.Palette != nil }

// SampleBits is the width of one sample as Frame gives it: 8, 16 or 32.
func (i Image) SampleBits() int {
	switch {
	case i.Colour() || i.BitsAllocated == 1 || i.BitsAllocated == 8 && !i.Signed:
		return 8
	case i.BitsAllocated <= 16:
		return 16
	}
	return 32
}

// Pixels is one decoded frame: samples of Bits (8, 16 or 32) each, little
// endian, row after row, samples interleaved by pixel (R G B R G B …).
type Pixels struct {
	Rows, Cols, Samples, Bits int
	Signed                    bool
	Data                      []byte
}
