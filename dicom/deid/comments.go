package deid

import (
	"encoding/binary"
	"io"
	"sort"
	"strings"

	"sira/dicom"
	"sira/dicom/write"
)

// withoutComments lets o hold the compressed frames of f with the comments and
// application segments in them blanked: encoders write names, places and times
// there. Their lengths stay, so fragments and offset tables do.
func withoutComments(f *dicom.File, r io.ReaderAt, o *write.Object) error {
	e := f.Element(tagPixelData)
	if e == nil || len(e.Fragments) < 2 || !jpegFamily(f.TransferSyntax) {
		return nil
	}
	b := &blanked{r: f.Data(r)}
	for _, s := range e.Fragments[1:] {
		if err := b.find(s); err != nil {
			return err
		}
	}
	if len(b.spans) > 0 {
		o.Set.Get(tagPixelData).Body = write.Copied(b, e.Fragments)
	}
	return nil
}

// jpegFamily tells JPEG, JPEG-LS, JPEG 2000 and HTJ2K.
func jpegFamily(syntax string) bool {
	n, ok := strings.CutPrefix(syntax, "1.2.840.10008.1.2.4.")
	return ok && (len(n) == 2 || len(n) == 3 && n[0] == '2')
}

// blanked is a reader that gives zeros for some spans.
type blanked struct {
	r     io.ReaderAt
	spans []dicom.Section // ascending
}

// ReadAt implements io.ReaderAt.
func (b *blanked) ReadAt(p []byte, off int64) (int, error) {
	n, err := b.r.ReadAt(p, off)
	i := sort.Search(len(b.spans), func(i int) bool { return b.spans[i].Offset+b.spans[i].Length > off })
	for ; i < len(b.spans) && b.spans[i].Offset < off+int64(n); i++ {
		from := max(b.spans[i].Offset-off, 0)
		to := min(b.spans[i].Offset+b.spans[i].Length-off, int64(n))
		clear(p[from:to])
	}
	return n, err
}

// find walks the markers of a stream up to its first scan or tile (ITU-T T.81
// annex B, T.87 annex C, T.800 annex A) and notes what is to be blanked.
func (b *blanked) find(s dicom.Section) error {
	head := make([]byte, 4)
	if s.Length < 4 {
		return nil
	}
	if _, err := b.r.ReadAt(head, s.Offset); err != nil && err != io.EOF {
		return err
	}
	if head[0] != 0xFF || head[1] != 0xD8 && head[1] != 0x4F {
		return nil // the middle of a frame
	}
	end := s.Offset + s.Length
	for at := s.Offset + 2; at+4 <= end; {
		if _, err := b.r.ReadAt(head, at); err != nil && err != io.EOF {
			return err
		}
		marker, length := head[1], int64(binary.BigEndian.Uint16(head[2:]))
		switch {
		case head[0] != 0xFF || marker == 0xDA || marker == 0x90 || length < 2:
			return nil
		case marker == 0xFF: // fill
			at++
			continue
		}
		if skip := commentSkip(marker); skip >= 0 && length > skip {
			b.spans = append(b.spans, dicom.Section{Offset: at + 2 + skip, Length: min(length-skip, end-at-2-skip)})
		}
		at += 2 + length
	}
	return nil
}

// commentSkip is how many bytes, length included, of a segment must stay; -1
// for all. JFIF's, Adobe's and the eighth application segment tell the colours.
func commentSkip(marker byte) int64 {
	switch {
	case marker == 0xE0 || marker == 0xE8 || marker == 0xEE:
		return -1
	case marker == 0xFE || marker >= 0xE1 && marker <= 0xEF:
		return 2
	case marker == 0x64: // JPEG 2000: its registration value stays
		return 4
	}
	return -1
}
