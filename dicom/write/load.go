package write

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"sira/dicom"
)

// Charset says what becomes of text when a file is loaded.
type Charset int

const (
	Keep Charset = iota // bytes and Specific Character Set stay as they are
	UTF8                // text becomes UTF-8, Specific Character Set ISO_IR 192
)

// Load makes an Object of a file that was read, whose bytes r holds; r must
// stay readable until the last Write. Group lengths, trailing padding and
// second elements of one tag are left out, values in big endian are turned
// round (explicit VR big endian is retired, PS3.5 A.3). With UTF8 text is
// decoded as the reader decodes it, guesses included.
func Load(f *dicom.File, r io.ReaderAt, c Charset) *Object {
	l := loader{f: f, data: f.Data(r), utf8: c == UTF8}
	o := &Object{Syntax: f.TransferSyntax, Set: l.set(f.DataSet)}
	o.class, o.instance = f.Meta.String(0x00020002), f.Meta.String(0x00020003)
	switch {
	case o.Syntax == explicitBE || o.Syntax == "":
		o.Syntax = ExplicitLE
	case f.Implicit && !strings.HasPrefix(o.Syntax, "1.2.840.10008."):
		o.implicit = f.Pixel == nil || f.Pixel.Native != nil // a maker's own syntax
	}
	if l.utf8 {
		o.Set.Text(tagCharacterSet, "CS", "ISO_IR 192")
	}
	return o
}

type loader struct {
	f    *dicom.File
	data io.ReaderAt
	utf8 bool
}

func (l *loader) set(d *dicom.DataSet) *Set {
	s := &Set{elements: make([]*Element, 0, len(d.Elements()))}
	last := dicom.Tag(0)
	for _, e := range d.Elements() {
		if uint32(e.Tag)&0xFFFF == 0 || uint32(e.Tag)>>16 < 4 || uint32(e.Tag)>>16 >= 0xFFFC || e.Tag == last {
			continue
		}
		if l.utf8 && e.Tag == tagCharacterSet {
			continue
		}
		last = e.Tag
		s.elements = append(s.elements, l.element(d, e))
	}
	return s
}

func (l *loader) element(d *dicom.DataSet, e *dicom.Element) *Element {
	out := &Element{Tag: e.Tag, VR: e.VR}
	switch {
	case e.Fragments != nil:
		out.VR, out.Body = "OB", Copied(l.data, e.Fragments)
	case e.VR == "SQ":
		for _, item := range e.Items {
			out.Items = append(out.Items, l.set(item))
		}
	case e.Section.Length == 0:
	case e.Bytes() == nil:
		body := section{l.data, e.Section.Offset, e.Section.Length, 1}
		if l.f.BigEndian {
			body.swap = wordSize(l.bulkVR(d, out))
		}
		out.Body = body
	case l.utf8 && charsetVR(e.VR) && !ascii(e.Bytes()):
		out.Value = []byte(strings.Join(d.Strings(e.Tag), `\`))
	default:
		out.Value = l.little(d, e)
	}
	return out
}

// bulkVR corrects the VR of native pixel data whose words are turned round.
func (l *loader) bulkVR(d *dicom.DataSet, e *Element) string {
	if bits, ok := d.Int(tagBitsAllocated); e.Tag == tagPixelData && ok && bits > 8 {
		e.VR = "OW"
	}
	return e.VR
}

// little is the value in little endian. The values of UN in a big endian file
// are little endian already; what the accessors read tells which it is.
func (l *loader) little(d *dicom.DataSet, e *dicom.Element) []byte {
	size := wordSize(e.VR)
	if !l.f.BigEndian || size == 1 {
		return e.Bytes()
	}
	turned := append([]byte(nil), e.Bytes()...)
	reverse(turned, size)
	for i := 0; (i+1)*size <= len(turned); i++ {
		was, is := e.Bytes()[i*size:(i+1)*size], turned[i*size:(i+1)*size]
		if string(was) != string(is) {
			if readsAs(d, e, i, was) {
				return e.Bytes()
			}
			break
		}
	}
	return turned
}

// readsAs reports whether the reader's value i is that of word in little endian.
func readsAs(d *dicom.DataSet, e *dicom.Element, i int, word []byte) bool {
	switch e.VR {
	case "AT":
		texts := d.Strings(e.Tag)
		return i/2 < len(texts) && texts[i/2][4*(i%2):4*(i%2)+4] == fmt.Sprintf("%04X", binary.LittleEndian.Uint16(word))
	case "FL", "OF":
		v := d.Floats(e.Tag)
		return i < len(v) && v[i] == float64(math.Float32frombits(binary.LittleEndian.Uint32(word)))
	case "FD", "OD":
		v := d.Floats(e.Tag)
		return i < len(v) && v[i] == math.Float64frombits(binary.LittleEndian.Uint64(word))
	}
	v := d.Ints(e.Tag)
	if i >= len(v) {
		return false
	}
	switch len(word) {
	case 2:
		return uint16(v[i]) == binary.LittleEndian.Uint16(word)
	case 4:
		return uint32(v[i]) == binary.LittleEndian.Uint32(word)
	}
	return uint64(v[i]) == binary.LittleEndian.Uint64(word)
}

func ascii(b []byte) bool {
	for _, x := range b {
		if x >= 0x80 || x == 0x1B {
			return false
		}
	}
	return true
}
