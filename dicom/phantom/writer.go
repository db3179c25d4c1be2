package phantom

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"
)

const (
	explicitLE   = "1.2.840.10008.1.2.1"
	jpegBaseline = "1.2.840.10008.1.2.4.50"

	implementationUID  = "2.25.218640125908164210563948710457213096821"
	implementationName = "SIRA_PHANTOM"
)

// dataset collects encoded elements; encode writes them by ascending tag
// (PS3.5 7.1).
type dataset struct{ elements []element }

type element struct {
	tag   uint32 // group<<16 | element
	bytes []byte // the whole element, explicit VR little endian
}

// put encodes one element. The value is padded to even length with pad.
func (d *dataset) put(tag uint32, vr string, value []byte, pad byte) {
	if len(value)%2 == 1 {
		value = append(value, pad)
	}
	d.elements = append(d.elements, element{tag, append(header(tag, vr, uint32(len(value))), value...)})
}

// header is an explicit VR element header (PS3.5 7.1.2).
func header(tag uint32, vr string, length uint32) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(tag))
	b = append(b, vr...)
	switch vr {
	case "OB", "OW", "OD", "OF", "OL", "SQ", "UC", "UN", "UR", "UT":
		b = append(b, 0, 0)
		return binary.LittleEndian.AppendUint32(b, length)
	}
	return binary.LittleEndian.AppendUint16(b, uint16(length))
}

// text writes a character string; values are joined by backslashes.
func (d *dataset) text(tag uint32, vr string, values ...string) {
	pad := byte(' ')
	if vr == "UI" {
		pad = 0
	}
	d.put(tag, vr, []byte(strings.Join(values, `\`)), pad)
}

// decimal writes DS values, at most 16 characters each.
func (d *dataset) decimal(tag uint32, values ...float64) {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
		if len(texts[i]) > 16 {
			texts[i] = texts[i][:16]
		}
	}
	d.text(tag, "DS", texts...)
}

func (d *dataset) integer(tag uint32, v int) { d.text(tag, "IS", strconv.Itoa(v)) }

func (d *dataset) us(tag uint32, values ...uint16) { d.put(tag, "US", le16(values), 0) }

func (d *dataset) ul(tag uint32, values ...uint32) {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	d.put(tag, "UL", b, 0)
}

func (d *dataset) sl(tag uint32, v int32) {
	d.put(tag, "SL", binary.LittleEndian.AppendUint32(nil, uint32(v)), 0)
}

func (d *dataset) fd(tag uint32, v float64) {
	d.put(tag, "FD", binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)), 0)
}

// sequence writes items of defined length.
func (d *dataset) sequence(tag uint32, items ...*dataset) {
	var value []byte
	for _, item := range items {
		body := item.encode()
		value = append(value, itemHeader(0xFFFEE000, uint32(len(body)))...)
		value = append(value, body...)
	}
	d.put(tag, "SQ", value, 0)
}

// code is one item of a code sequence (PS3.3 8.8).
func code(value, scheme, meaning string) *dataset {
	d := &dataset{}
	d.text(0x00080100, "SH", value)
	d.text(0x00080102, "SH", scheme)
	d.text(0x00080104, "LO", meaning)
	return d
}

func itemHeader(tag, length uint32) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(tag))
	return binary.LittleEndian.AppendUint32(b, length)
}

// encapsulated writes compressed frames, one fragment each, behind a basic
// offset table (PS3.5 A.4).
func (d *dataset) encapsulated(frames [][]byte) {
	var offsets, body []byte
	for _, frame := range frames {
		offsets = binary.LittleEndian.AppendUint32(offsets, uint32(len(body)))
		padded := len(frame) + len(frame)%2
		body = append(body, itemHeader(0xFFFEE000, uint32(padded))...)
		body = append(body, frame...)
		body = append(body, make([]byte, padded-len(frame))...)
	}
	b := header(0x7FE00010, "OB", 0xFFFFFFFF)
	b = append(b, itemHeader(0xFFFEE000, uint32(len(offsets)))...)
	b = append(b, offsets...)
	b = append(b, body...)
	b = append(b, itemHeader(0xFFFEE0DD, 0)...)
	d.elements = append(d.elements, element{0x7FE00010, b})
}

func (d *dataset) encode() []byte {
	sort.SliceStable(d.elements, func(i, j int) bool { return d.elements[i].tag < d.elements[j].tag })
	size := 0
	for _, e := range d.elements {
		size += len(e.bytes)
	}
	out := make([]byte, 0, size)
	for _, e := range d.elements {
		out = append(out, e.bytes...)
	}
	return out
}

// part10 puts preamble and File Meta Information before the data set
// (PS3.10 7.1).
func part10(d *dataset, class, instance, syntax string) []byte {
	meta := &dataset{}
	meta.put(0x00020001, "OB", []byte{0, 1}, 0)
	meta.text(0x00020002, "UI", class)
	meta.text(0x00020003, "UI", instance)
	meta.text(0x00020010, "UI", syntax)
	meta.text(0x00020012, "UI", implementationUID)
	meta.text(0x00020013, "SH", implementationName)
	body := meta.encode()
	length := &dataset{}
	length.ul(0x00020000, uint32(len(body)))

	var out bytes.Buffer
	out.Write(make([]byte, 128))
	out.WriteString("DICM")
	out.Write(length.encode())
	out.Write(body)
	out.Write(d.encode())
	return out.Bytes()
}

// uid derives a UID under 2.25 (PS3.5 B.2) from a seed and a path of parts.
func uid(seed uint64, parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprint("sira phantom", seed, parts)))
	sum[6] = sum[6]&0x0f | 0x80 // UUID version 8: vendor defined
	sum[8] = sum[8]&0x3f | 0x80
	return "2.25." + new(big.Int).SetBytes(sum[:16]).String()
}

func le16(values []uint16) []byte {
	b := make([]byte, 0, 2*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}
