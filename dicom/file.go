package dicom

import (
	"context"
	"io"

	sdicom "github.com/suyashkumar/dicom"
)

// File is a file that was read: its header in memory, its bulk data as
// sections. It is safe for use by several goroutines.
type File struct {
	TransferSyntax string   // UID as stored, also when unknown here; inferred when the file has none
	Implicit       bool     // implicit VR
	BigEndian      bool     // explicit VR big endian, also of native pixel data
	Deflated       bool     // the data set is deflated, see Data
	Meta           *DataSet // file meta information, group 0002; empty when missing
	*DataSet                // the data set
	Pixel          *PixelData
	Warnings       []string        // what was odd yet readable; no values of the file
	Model          *sdicom.Dataset // suyashkumar/dicom's view without pixel data; nil when it cannot read this file
	Size           int64           // of the whole file, bytes

	deflateStart int64 // where the deflate stream begins
	inflatedSize int64
}

// Data returns what the sections of f refer to: r itself or, for a deflated
// data set, a reader that inflates as it goes (cheap in forward order).
// The result may be used by several goroutines.
func (f *File) Data(r io.ReaderAt) io.ReaderAt {
	return r
}

// Read reads the header of a DICOM object of the given size and locates its
// pixel data. It returns *Error when the object is to be refused, and another
// error when r or ctx fails.
func Read(ctx context.Context, r io.ReaderAt, size int64, lim Limits) (*File, error) {
	return nil, &Error{Unsupported, "not yet", -1}
}

// Sniff reports whether head, the first bytes of a file (132 suffice), look
// like DICOM: a Part 10 file, or a plausible bare data set.
func Sniff(head []byte) bool { return false }

// References lists the files that a DICOMDIR names, as slash-separated paths
// relative to it (PS3.3 section F.3); nil when f is none.
func References(f *File) []string { return nil }
