package identifier

import (
	stdbytes "bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"sira/dicom"
)

// Transfer syntaxes an identifier may be written in (PS3.5 annex A).
const (
	ImplicitLE = "1.2.840.10008.1.2"
	ExplicitLE = "1.2.840.10008.1.2.1"
	ExplicitBE = "1.2.840.10008.1.2.2"
)

// ErrSyntax is a transfer syntax other than the three above.
var ErrSyntax = errors.New("identifier: transfer syntax not supported")

// Limits bound what decoding may cost. A zero field takes its default.
type Limits struct {
	Depth    int // nested sequences; 8
	Elements int // elements and items, nested ones included; 100,000
	Value    int // bytes of one value; 1 MiB
}

func (l Limits) withDefaults() Limits {
	for v, d := range map[*int]int{&l.Depth: 8, &l.Elements: 100_000, &l.Value: 1 << 20} {
		if *v <= 0 {
			*v = d
		}
	}
	return l
}

// Decode reads a data set in one of the three transfer syntaxes. Text comes
// out as UTF-8, whatever Specific Character Set (PS3.3 section C.12.1.1.2) it
// was written in; that element and group lengths are dropped. Malformed input
// and input over the limits gives a *dicom.Error.
func Decode(b []byte, transferSyntax string, l Limits) (*Set, error) {
	switch transferSyntax {
	case ImplicitLE, ExplicitLE, ExplicitBE:
	default:
		return nil, fmt.Errorf("%w: %s", ErrSyntax, transferSyntax)
	}
	if len(b) == 0 {
		return &Set{}, nil
	}
	l = l.withDefaults()
	file := append(fileHead(transferSyntax), b...)
	f, err := dicom.Read(context.Background(), stdbytes.NewReader(file), int64(len(file)), dicom.Limits{
		Depth: l.Depth, Elements: l.Elements, Fragments: 1,
		InlineBytes: int64(l.Value), ElementBytes: int64(l.Value), HeaderBytes: int64(len(file)),
		ModelBytes: -1, Deadline: 5 * time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("decoding an identifier: %w", err)
	}
	return convert(f.DataSet), nil
}

// fileHead makes the data set a file that package dicom reads. A group length
// in front, without meaning of its own, leaves no doubt about how the rest is
// written: the negotiated syntax rules, a guess from the first bytes does not.
func fileHead(transferSyntax string) []byte {
	b := append(make([]byte, 128, 256), "DICM"...)
	if len(transferSyntax)%2 == 1 {
		transferSyntax += "\x00"
	}
	b = append(b, 2, 0, 0x10, 0, 'U', 'I')
	b = binary.LittleEndian.AppendUint16(b, uint16(len(transferSyntax)))
	b = append(b, transferSyntax...)
	switch strings.TrimRight(transferSyntax, "\x00") {
	case ImplicitLE:
		return append(b, 8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0)
	case ExplicitBE:
		return append(b, 0, 8, 0, 0, 'U', 'L', 0, 4, 0, 0, 0, 0)
	}
	return append(b, 8, 0, 0, 0, 'U', 'L', 4, 0, 0, 0, 0, 0)
}

// lowest is the first tag of data sets: below are commands, meta information
// and directory structure.
const lowest dicom.Tag = 0x00080000

func convert(d *dicom.DataSet) *Set {
	s := &Set{}
	for _, e := range d.Elements() {
		if e.Tag == SpecificCharacterSet || e.Tag < lowest || uint16(e.Tag) == 0 {
			continue
		}
		out := Element{Tag: e.Tag, VR: e.VR}
		switch kinds[e.VR].form {
		case items:
			for _, item := range e.Items {
				out.Items = append(out.Items, convert(item))
			}
		case text, passage, number:
			out.Values = d.Strings(e.Tag)
		default:
			out.Bytes = e.Bytes()
		}
		s.PutElement(out)
	}
	return s
}
