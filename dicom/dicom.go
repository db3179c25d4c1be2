// Package dicom reads DICOM Part 10 files (PS3.10) and bare data sets from
// untrusted senders: a bounded structural scan of our own decides whether a
// file is sound and where its pixel data lies, without ever loading it; the
// data set model of suyashkumar/dicom is then built from the checked header.
// It offers text as UTF-8, numbers as numbers, pixel data as byte ranges.
// It must not know about cases, users, HTTP or where the bytes are stored.
package dicom

import (
	"fmt"
	"time"
)

// Tag names a data element, 0xGGGGEEEE (PS3.5 section 7.1).
type Tag uint32

func (t Tag) String() string { return fmt.Sprintf("(%04X,%04X)", uint32(t)>>16, uint32(t)&0xFFFF) }

func (t Tag) group() uint16   { return uint16(t >> 16) }
func (t Tag) element() uint16 { return uint16(t) }
func (t Tag) private() bool   { return t.group()%2 == 1 }

// Limits bound what one file may cost its reader. The zero value of a field
// means the value in DefaultLimits.
type Limits struct {
	Depth         int           // nested sequences
	Elements      int           // data elements and items, nested ones included
	Fragments     int           // fragments of encapsulated pixel data
	InlineBytes   int64         // binary values above this stay in the file, see Element.Section
	ElementBytes  int64         // one value of text or numbers
	HeaderBytes   int64         // all values held in memory together
	InflatedBytes int64         // a deflated data set, inflated
	ModelBytes    int64         // header above this is not handed to suyashkumar/dicom; negative: never
	Deadline      time.Duration // for one Read
}

// DefaultLimits admit every sane clinical object, a whole-slide image with a
// million frames included, and keep the worst file under about 100 MB.
var DefaultLimits = Limits{
	Depth:         32,
	Elements:      200_000,
	Fragments:     1 << 20,
	InlineBytes:   1 << 20,
	ElementBytes:  8 << 20,
	HeaderBytes:   32 << 20,
	InflatedBytes: 512 << 20,
	ModelBytes:    2 << 20,
	Deadline:      10 * time.Second,
}

// Reason says in one word why a file was refused; callers translate it.
type Reason string

// The reasons of an Error.
const (
	NotDICOM         Reason = "not-dicom"          // neither a Part 10 file nor a plausible data set
	Truncated        Reason = "truncated"          // the file ends before its content does
	TooDeep          Reason = "too-deep"           // Limits.Depth
	TooManyElements  Reason = "too-many-elements"  // Limits.Elements or Limits.Fragments
	ElementTooLarge  Reason = "element-too-large"  // Limits.ElementBytes
	HeaderTooLarge   Reason = "header-too-large"   // Limits.HeaderBytes
	InflatedTooLarge Reason = "inflated-too-large" // Limits.InflatedBytes
	BadLength        Reason = "bad-length"         // a length that cannot be true
	Malformed        Reason = "malformed"          // structure that no reader could follow
	TooLarge         Reason = "too-large"          // the whole object
	Unsupported      Reason = "unsupported"        // valid DICOM that Sira does not handle
	NoSOPInstance    Reason = "no-sop-instance"    // study, series or instance UID is missing
	BadUID           Reason = "bad-uid"            // study, series or instance UID is no UID
	Timeout          Reason = "timeout"            // Limits.Deadline
	IsDICOMDIR       Reason = "dicomdir"           // a directory of a medium, not an object
)

// Error tells why a file was refused. Detail never holds a value of the file,
// so it may be logged.
type Error struct {
	Reason Reason
	Detail string
	Offset int64 // where in the file (or in the inflated data set), -1 when nowhere in particular
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("dicom: %s: %s", e.Reason, e.Detail)
	}
	return fmt.Sprintf("dicom: %s: %s (at byte %d)", e.Reason, e.Detail, e.Offset)
}

// Section is a range of bytes in File.Data.
type Section struct{ Offset, Length int64 }

// PixelData locates the pixel data of a file. Either Native or Fragments is
// set. One frame may span several fragments; the offset tables, where present,
// say which fragment starts a frame (PS3.5 section A.4).
type PixelData struct {
	Tag             Tag       // (7FE0,0010), or (7FE0,0008) float, (7FE0,0009) double float
	VR              string    // OB, OW, OF or OD
	Native          *Section  // uncompressed frames, one after the other
	Fragments       []Section // encapsulated, without the basic offset table's item
	BasicOffsets    []uint32  // of frames, from the first fragment's item tag; may be empty
	ExtendedOffsets []uint64  // (7FE0,0001); may be empty
	ExtendedLengths []uint64  // (7FE0,0002); may be empty
}
