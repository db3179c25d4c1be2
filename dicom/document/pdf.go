package document

import (
	"fmt"
	"io"

	"sira/dicom/write"
)

// PDF wraps a PDF document of the given size, which r must offer until the
// object is written; it is not loaded. ErrPDF when r does not begin like one,
// ErrIncomplete without study or time.
func PDF(c Context, id Identity, title string, r io.ReaderAt, size int64) (*write.Object, error) {
	head := make([]byte, 5)
	if n, _ := r.ReadAt(head, 0); n < 5 || string(head) != "%PDF-" {
		return nil, fmt.Errorf("wrapping document: %w", ErrPDF)
	}
	o, err := begin(EncapsulatedPDF, write.ExplicitLE, "DOC", c, id)
	if err != nil {
		return nil, fmt.Errorf("wrapping document: %w", err)
	}
	s := o.Set
	s.Text(0x00080023, "DA", id.At.Format("20060102"))
	s.Text(0x00080033, "TM", id.At.Format("150405"))
	s.Text(0x0008002A, "DT", "") // acquisition: type 2, unknown
	s.Text(0x00080064, "CS", "WSD")
	s.Text(0x00280301, "CS", "YES") // it shows whatever it shows
	s.Sequence(0x0040A043)
	s.Text(0x00420010, "ST", short(title, 1024))
	s.Text(0x00420012, "LO", "application/pdf")
	s.Put(write.Element{Tag: 0x00420011, VR: "OB", Body: write.Section(r, 0, size)})
	if size < 1<<32 {
		s.UL(0x00420015, uint32(size))
	}
	return o, nil
}
