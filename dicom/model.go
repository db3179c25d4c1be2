package dicom

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"

	sdicom "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// buildModel lets suyashkumar/dicom parse the header that our scan found
// sound. That library trusts its input, so it gets only what it reads the same
// way as we do: a meta group of our own with one of the three syntaxes it
// knows, the bytes up to the pixel data, nothing strange, not too much. It
// panics on some character sets: then it gets the data set without
// (0008,0005), and its text is not to be trusted. Nil when it fails anyway.
func buildModel(ctx context.Context, f *File, cur *cursor, start int64, form encodingForm, lim Limits) *sdicom.Dataset {
	pixels, end := cur.size, start // end: of the last element, not of what may follow
	var set *Element
	for _, e := range f.elements {
		end = max(end, e.Section.Offset+e.Section.Length)
		switch {
		case e.Tag == tagCharacterSet:
			set = e
		case pixelTag(e.Tag) || e.Fragments != nil:
			pixels = min(pixels, e.head)
		}
	}
	end = min(end, pixels)
	if end-start > lim.ModelBytes || end <= start || contextError(ctx) != nil {
		return nil
	}
	if set == nil || storedAsText(set) {
		if m := parseModel(f, cur.r, form, section{start, end}); m != nil {
			return m
		}
	}
	if set == nil || set.Section.Offset+set.Section.Length > end {
		return nil
	}
	return parseModel(f, cur.r, form,
		section{start, set.head}, section{set.Section.Offset + set.Section.Length, end})
}

// storedAsText: stored as text; it exits loudly when it is not.
func storedAsText(e *Element) bool { return e.VR == "CS" && e.Section.Offset-e.head == 8 }

type section struct{ from, to int64 }

func parseModel(f *File, r io.ReaderAt, form encodingForm, parts ...section) (m *sdicom.Dataset) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	head := modelMeta(form)
	size := int64(len(head))
	readers := []io.Reader{bytes.NewReader(head)}
	for _, p := range parts {
		readers = append(readers, io.NewSectionReader(r, p.from, p.to-p.from))
		size += p.to - p.from
	}
	ds, err := sdicom.Parse(io.MultiReader(readers...), size, nil,
		sdicom.SkipPixelData(), sdicom.AllowUnknownSpecificCharacterSet())
	if err != nil {
		return nil // its text may hold values of the file: not to be passed on
	}
	if e, err := ds.FindElementByTag(tag.TransferSyntaxUID); err == nil && f.TransferSyntax != "" {
		if v, err := sdicom.NewValue([]string{f.TransferSyntax}); err == nil {
			e.Value = v
		}
	}
	return &ds
}

// modelMeta is a preamble and a meta group that names a known syntax of the
// same form.
func modelMeta(form encodingForm) []byte {
	uid := explicitLE
	if form.implicit {
		uid = implicitLE
	} else if form.big() {
		uid = explicitBE
	}
	if len(uid)%2 == 1 {
		uid += "\x00"
	}
	b := append(make([]byte, 128), "DICM"...)
	b = append(b, 0x02, 0, 0, 0, 'U', 'L', 4, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(8+len(uid)))
	b = append(b, 0x02, 0, 0x10, 0, 'U', 'I', byte(len(uid)), 0)
	return append(b, uid...)
}
