package dicom

import (
	"context"
	"encoding/binary"
	"io"
)

// Read reads the header of a DICOM object of the given size and locates its
// pixel data, which is never loaded. It returns *Error when the object is to
// be refused, and another error when r or ctx fails.
func Read(ctx context.Context, r io.ReaderAt, size int64, lim Limits) (*File, error) {
	lim = lim.orDefault()
	ctx, cancel := context.WithTimeoutCause(ctx, lim.Deadline, errDeadline)
	defer cancel()
	s := &scanner{cur: newCursor(ctx, r, size), lim: lim}
	f := &File{Size: size, Meta: &DataSet{}, DataSet: &DataSet{}}
	start, err := s.fileMeta(f)
	if err != nil {
		return nil, err
	}
	form, err := s.form(f, start)
	if err != nil {
		return nil, err
	}
	f.start = start
	if f.Deflated {
		if err := s.inflate(ctx, f, r); err != nil {
			return nil, err
		}
		start = 0
	}
	if _, err := s.dataSet(f.DataSet, start, s.cur.size, form, 0, false); err != nil {
		return nil, err
	}
	if len(f.elements) == 0 {
		return nil, &Error{NotDICOM, "the data set is empty", start}
	}
	if f.Pixel, err = s.pixelData(f.DataSet); err != nil {
		return nil, err
	}
	if err := checkPixels(f); err != nil {
		return nil, err
	}
	f.Warnings = s.warnings
	if lim.ModelBytes > 0 && !s.strange {
		f.Model = buildModel(ctx, f, s.cur, start, form, lim)
	}
	return f, contextError(ctx)
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	pick(&l.Depth, d.Depth)
	pick(&l.Elements, d.Elements)
	pick(&l.Fragments, d.Fragments)
	pick(&l.InlineBytes, d.InlineBytes)
	pick(&l.ElementBytes, d.ElementBytes)
	pick(&l.HeaderBytes, d.HeaderBytes)
	pick(&l.InflatedBytes, d.InflatedBytes)
	pick(&l.ModelBytes, d.ModelBytes)
	pick(&l.Deadline, d.Deadline)
	return l
}

func pick[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// inflate makes the scanner continue on the inflated data set.
func (s *scanner) inflate(ctx context.Context, f *File, r io.ReaderAt) error {
	z := &inflater{ctx: ctx, src: r, start: f.start, end: f.Size, limit: s.lim.InflatedBytes}
	size, err := z.inflatedSize()
	if err != nil {
		return err
	}
	f.inflated = size
	s.cur = newCursor(ctx, z, size)
	return nil
}

// form decides how the data set at start is written: as the transfer syntax
// says, unless the first element shows that it is not so.
func (s *scanner) form(f *File, start int64) (encodingForm, error) {
	form := encodingForm{order: binary.LittleEndian}
	switch f.TransferSyntax {
	case implicitLE:
		form.implicit = true
	case explicitBE:
		form.order = binary.BigEndian
	case deflatedLE:
		f.Deflated = true
		return form, nil
	}
	head, err := s.head(start, 12)
	if err != nil {
		return form, err
	}
	seen, ok := inferForm(head)
	switch {
	case f.TransferSyntax == "" && !ok && start > 0:
		form, f.TransferSyntax = implicitForm, implicitLE // PS3.5 section 10.1
		s.warn("no transfer syntax, implicit VR assumed")
	case f.TransferSyntax == "" && !ok:
		return form, &Error{NotDICOM, "no transfer syntax, and no data set to infer it from", start}
	case f.TransferSyntax == "":
		form = seen
		f.TransferSyntax = map[bool]string{true: implicitLE, false: explicitLE}[form.implicit]
		if form.big() {
			f.TransferSyntax = explicitBE
		}
		s.warn("no transfer syntax, inferred from the data set")
	case ok && seen != form:
		s.warn("the data set is not encoded as its transfer syntax says")
		form = seen
		switch f.TransferSyntax {
		case implicitLE, explicitLE, explicitBE:
			f.TransferSyntax = map[bool]string{true: implicitLE, false: explicitLE}[form.implicit]
			if form.big() {
				f.TransferSyntax = explicitBE
			}
		}
	}
	f.Implicit, f.BigEndian = form.implicit, form.big()
	return form, nil
}

// head returns up to n bytes at pos.
func (s *scanner) head(pos int64, n int) ([]byte, error) {
	if left := s.cur.size - pos; int64(n) > left {
		n = int(max(0, left))
	}
	return s.cur.at(pos, n)
}
