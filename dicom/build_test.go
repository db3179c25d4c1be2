package dicom

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"testing"
)

// writer builds data sets for tests, one element after the other.
type writer struct {
	bytes.Buffer
	implicit bool
	order    binary.AppendByteOrder
}

func little() *writer       { return &writer{order: binary.LittleEndian} }
func bigEndian() *writer    { return &writer{order: binary.BigEndian} }
func implicitSet() *writer  { return &writer{order: binary.LittleEndian, implicit: true} }
func (w *writer) u16(v int) { w.Write(w.order.AppendUint16(nil, uint16(v))) }
func (w *writer) u32(v uint32) {
	w.Write(w.order.AppendUint32(nil, v))
}

func (w *writer) tag(t Tag) *writer {
	w.u16(int(t.group()))
	w.u16(int(t.element()))
	return w
}

// head writes an element header with the length given, true or not.
func (w *writer) head(t Tag, vr string, length uint32) *writer {
	w.tag(t)
	switch {
	case w.implicit || t.group() == 0xFFFE:
		w.u32(length)
	case longVR[vr]:
		w.WriteString(vr)
		w.u16(0)
		w.u32(length)
	default:
		w.WriteString(vr)
		w.u16(int(length))
	}
	return w
}

func (w *writer) text(t Tag, vr, value string) *writer {
	if len(value)%2 == 1 {
		value += map[bool]string{true: "\x00", false: " "}[vr == "UI"]
	}
	w.head(t, vr, uint32(len(value)))
	w.WriteString(value)
	return w
}

func (w *writer) us(t Tag, v int) *writer {
	w.head(t, "US", 2)
	w.u16(v)
	return w
}

func (w *writer) raw(t Tag, vr string, value []byte) *writer {
	w.head(t, vr, uint32(len(value)))
	w.Write(value)
	return w
}

const undefined32 = 0xFFFFFFFF

func (w *writer) open(t Tag) *writer {
	return w.head(t, "SQ", undefined32).head(tagItem, "", undefined32)
}

func (w *writer) close() *writer {
	return w.head(tagItemEnd, "", 0).head(tagSequenceEnd, "", 0)
}

// object starts a data set with the UIDs every object has.
func (w *writer) object() *writer {
	return w.text(tagSOPClass, "UI", "1.2.840.10008.5.1.4.1.1.7").text(tagSOPInstance, "UI", "1.2.3.1").
		text(0x00080060, "CS", "OT").text(0x00100010, "PN", "TRAORE^Awa").
		text(tagStudyInstance, "UI", "1.2.3").text(tagSeriesInstance, "UI", "1.2.3.0")
}

func (w *writer) image(rows, cols, bitsAllocated int) *writer {
	return w.us(tagSamples, 1).text(tagPhotometric, "CS", "MONOCHROME2").
		us(tagRows, rows).us(tagCols, cols).us(tagBitsAllocated, bitsAllocated)
}

// part10 puts preamble and meta information in front.
func part10(syntax string, set []byte) []byte {
	meta := little().raw(0x00020001, "OB", []byte{0, 1}).text(tagMediaClass, "UI", "1.2.840.10008.5.1.4.1.1.7").
		text(tagMediaInstance, "UI", "1.2.3.1").text(tagTransferSyntax, "UI", syntax)
	out := little()
	out.Write(make([]byte, 128))
	out.WriteString("DICM")
	out.head(0x00020000, "UL", 4).u32(uint32(meta.Len()))
	out.Write(meta.Bytes())
	out.Write(set)
	return out.Bytes()
}

func deflated(set []byte) []byte {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestCompression)
	z.Write(set)
	z.Close()
	return b.Bytes()
}

func readBytes(data []byte, lim Limits) (*File, error) {
	return Read(context.Background(), bytes.NewReader(data), int64(len(data)), lim)
}

func mustRead(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := readBytes(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
