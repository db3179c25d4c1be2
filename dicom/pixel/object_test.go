package pixel

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// object builds small DICOM files for tests, explicit VR.
type object struct {
	syntax string
	order  binary.AppendByteOrder
	body   []byte
	tail   []byte // pixel data that stands behind what is put later
}

func newObject(syntax string) *object {
	o := &object{syntax: syntax, order: binary.LittleEndian}
	if syntax == bigEndian {
		o.order = binary.BigEndian
	}
	o.text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7")
	o.text(0x00080018, "UI", "2.25.1")
	o.text(0x0020000D, "UI", "2.25.2")
	o.text(0x0020000E, "UI", "2.25.3")
	return o
}

const (
	littleEndian = "1.2.840.10008.1.2.1"
	bigEndian    = "1.2.840.10008.1.2.2"
	rleLossless  = "1.2.840.10008.1.2.5"
)

func (o *object) put(tag uint32, vr string, value []byte) *object {
	o.body = append(o.body, o.element(tag, vr, value)...)
	return o
}

func (o *object) element(tag uint32, vr string, value []byte) []byte {
	if len(value)%2 == 1 {
		value = append(value[:len(value):len(value)], 0)
	}
	b := o.order.AppendUint16(nil, uint16(tag>>16))
	b = o.order.AppendUint16(b, uint16(tag))
	b = append(b, vr...)
	if strings.Contains("OB OW SQ UN", vr) {
		b = o.order.AppendUint32(append(b, 0, 0), uint32(len(value)))
	} else {
		b = o.order.AppendUint16(b, uint16(len(value)))
	}
	return append(b, value...)
}

func (o *object) text(tag uint32, vr, value string) *object {
	if len(value)%2 == 1 {
		if vr == "UI" {
			value += "\x00"
		} else {
			value += " "
		}
	}
	return o.put(tag, vr, []byte(value))
}

func (o *object) us(tag uint32, values ...uint16) *object {
	return o.put(tag, "US", o.words(values...))
}

func (o *object) words(values ...uint16) []byte {
	var b []byte
	for _, v := range values {
		b = o.order.AppendUint16(b, v)
	}
	return b
}

// sequence wraps items, each a list of elements, in a sequence value.
func (o *object) sequence(items ...[]byte) []byte {
	var b []byte
	for _, item := range items {
		b = o.order.AppendUint16(b, 0xFFFE)
		b = o.order.AppendUint16(b, 0xE000)
		b = o.order.AppendUint32(b, uint32(len(item)))
		b = append(b, item...)
	}
	return b
}

// shape writes the Image Pixel module.
func (o *object) shape(rows, cols, samples, allocated, stored, high, signed int, photometric string, frames int) *object {
	o.us(0x00280002, uint16(samples))
	o.text(0x00280004, "CS", photometric)
	if samples > 1 {
		o.us(0x00280006, 0)
	}
	if frames != 1 {
		o.text(0x00280008, "IS", itoa(frames))
	}
	o.us(0x00280010, uint16(rows)).us(0x00280011, uint16(cols))
	o.us(0x00280100, uint16(allocated)).us(0x00280101, uint16(stored))
	return o.us(0x00280102, uint16(high)).us(0x00280103, uint16(signed))
}

func itoa(n int) string {
	if n < 0 {
		return "-" + itoa(-n)
	}
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// encapsulated ends the object with fragments behind a basic offset table.
func (o *object) encapsulated(offsets []uint32, fragments ...[]byte) *object {
	o.body = binary.LittleEndian.AppendUint32(o.body, 0x00107FE0)
	o.body = append(o.body, "OB\x00\x00\xff\xff\xff\xff"...)
	var table []byte
	for _, v := range offsets {
		table = binary.LittleEndian.AppendUint32(table, v)
	}
	for _, f := range append([][]byte{table}, fragments...) {
		if len(f)%2 == 1 {
			f = append(f[:len(f):len(f)], 0)
		}
		o.body = append(o.body, "\xfe\xff\x00\xe0"...)
		o.body = binary.LittleEndian.AppendUint32(o.body, uint32(len(f)))
		o.body = append(o.body, f...)
	}
	o.body = append(o.body, "\xfe\xff\xdd\xe0\x00\x00\x00\x00"...)
	return o
}

func (o *object) bytes() []byte {
	meta := &object{order: binary.LittleEndian}
	meta.text(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7")
	meta.text(0x00020003, "UI", "2.25.1")
	meta.text(0x00020010, "UI", o.syntax)
	var b bytes.Buffer
	b.Write(make([]byte, 128))
	b.WriteString("DICM")
	b.Write((&object{order: binary.LittleEndian}).element(0x00020000, "UL", binary.LittleEndian.AppendUint32(nil, uint32(len(meta.body)))))
	b.Write(meta.body)
	b.Write(o.body)
	b.Write(o.tail)
	return b.Bytes()
}

func (o *object) open(t testing.TB) *Source {
	t.Helper()
	s, err := openBytes(o.bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func frame(t testing.TB, s *Source, n int) *Pixels {
	t.Helper()
	p, err := s.Frame(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func values(p *Pixels) []int64 {
	out := make([]int64, p.Rows*p.Cols*p.Samples)
	for k := range out {
		out[k] = p.at(k)
	}
	return out
}
