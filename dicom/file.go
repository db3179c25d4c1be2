package dicom

import (
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

	start    int64 // of the data set, or of the deflate stream
	inflated int64 // size of the inflated data set
}

// Data returns what the sections of f refer to: r itself or, for a deflated
// data set, a reader that inflates as it goes (cheap in forward order).
// The result may be used by several goroutines.
func (f *File) Data(r io.ReaderAt) io.ReaderAt {
	if !f.Deflated {
		return r
	}
	return &inflater{src: r, start: f.start, end: f.Size, limit: f.inflated}
}

// DataSetOffset is where the data set begins in the file, after preamble and
// file meta information: what follows is the same whoever wrote the file.
func (f *File) DataSetOffset() int64 { return f.start }
