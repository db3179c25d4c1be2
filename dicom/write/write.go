// Package write makes DICOM Part 10 files (PS3.10 section 7): of objects built
// here, and of a file that was read, with elements changed, removed or added at
// any depth. Headers are held in memory, bulk data is copied as it streams and
// never held whole. It owns encoding and nothing else: it must not know what a
// value means, who may see it or where the bytes go.
package write

import (
	"errors"

	"sira/dicom"
)

// Transfer syntaxes that this package treats each in its own way. Every other
// one is explicit VR little endian with encapsulated pixel data (PS3.5 A.4).
const (
	ImplicitLE = "1.2.840.10008.1.2"
	ExplicitLE = "1.2.840.10008.1.2.1"
	DeflatedLE = "1.2.840.10008.1.2.1.99"
	explicitBE = "1.2.840.10008.1.2.2"
)

// Implementation identifies this writer in the meta group (PS3.7 D.3.3.2).
const (
	ImplementationUID  = "2.25.304816903552117164908213045177301265583"
	ImplementationName = "SIRA_1"
)

// What callers may want to tell apart. All are wrapped.
var (
	ErrNoInstance = errors.New("object has no SOP class or instance UID")
	ErrEmpty      = errors.New("object has no data set")
	ErrTooLong    = errors.New("value longer than DICOM can express")
	ErrBody       = errors.New("bulk value is not as long as announced")
)

const (
	tagTransferSyntax = dicom.Tag(0x00020010)
	tagCharacterSet   = dicom.Tag(0x00080005)
	tagSOPClass       = dicom.Tag(0x00080016)
	tagSOPInstance    = dicom.Tag(0x00080018)
	tagBitsAllocated  = dicom.Tag(0x00280100)
	tagPixelData      = dicom.Tag(0x7FE00010)

	tagItem        = dicom.Tag(0xFFFEE000)
	tagItemEnd     = dicom.Tag(0xFFFEE00D)
	tagSequenceEnd = dicom.Tag(0xFFFEE0DD)

	undefined = 0xFFFFFFFF
)

// longVR are the VRs with a 32-bit length in explicit form (PS3.5 table 7.1-1).
func longVR(vr string) bool {
	switch vr {
	case "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV":
		return true
	}
	return false
}

// charsetVR are the VRs subject to Specific Character Set (PS3.5 6.1.2.3).
func charsetVR(vr string) bool {
	switch vr {
	case "SH", "LO", "ST", "LT", "UC", "UT", "PN":
		return true
	}
	return false
}

// wordSize is how many bytes change places between byte orders (PS3.5 7.3).
func wordSize(vr string) int {
	switch vr {
	case "US", "SS", "OW", "AT":
		return 2
	case "UL", "SL", "FL", "OF", "OL":
		return 4
	case "UV", "SV", "FD", "OD", "OV":
		return 8
	}
	return 1
}

// padding is the byte that makes a value's length even (PS3.5 6.2).
func padding(vr string) byte {
	switch vr {
	case "AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT":
		return ' '
	}
	return 0
}
